"""The caller reports success for every item while the service behind it fails on some of them.

The answer is 200 with an error in its body, or the call is not waited for: the caller's line says
that all is well, the callee's, with the same request id, says that it is not.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.elsewhere import Night, night, request_keys, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, share = here.rng, here.rng.uniform(0.08, 0.7)
    at, hit = here.onset_s, list[Entity]()
    phrase = rng.choice(("null", "http_5xx", "sql", "http_timeout"))
    while at < min(here.onset_s + 280, here.end_s - 3) or len(hit) < 4:
        failing = rng.random() < share
        keys = _called(here, at, phrase if failing else "")
        if failing:
            hit.append(keys)
        at += rng.uniform(1.0, 7.0)
        if at > here.end_s - 3:
            break
    said = here.told_text(here.onset_s, here.end_s)
    both = [sum(any(_id(key) in body for key in keys) for body in said) >= 2 for keys in hit]
    return fault(
        here,
        "swallowed-error",
        min(at + 5, here.end_s),
        hit,
        also=("third-party",) if phrase.startswith("http") else (),
        effect=len(hit) >= 3 and all(both),
    )


def _id(key: str) -> str:
    return key.partition(":")[2]


def _called(here: Night, at: float, phrase: str) -> Entity:
    """One item: what the callee says of it, and that the caller is content."""
    firm, rng, thing, rid = here.firm, here.rng, here.new_id(), here.request_id()
    back, path = firm.backs[0], f"/{firm.table}/{firm.effects}"
    told = {"method": "POST", "path": path, "rid": rid, "status": 200, "ms": 31}
    host = here.say(at, firm.front, "begin", told)
    if phrase:
        values = {"host": firm.third[1], "path": firm.third[2], "status": 503, "field": "template"}
        message = here.database_says("not_null", column="due_on", table=firm.effects)
        error = here.error(back, phrase, message=message, **values)
        failed = {**told, "error": error}
        here.say(at + 0.02, back, "request_failed", failed, severity=SEVERITY_ERROR)
    elif rng.random() < 0.8:
        here.say(at + 0.02, back, "end", told)
    words = f"{firm.effects} ordered {firm.thing}_id={thing} ok=true request_id={rid}"
    here.line(at + 0.03, firm.front, words, host=host)
    here.say(at + 0.034, firm.front, "end", told, host=host)
    names = frozenset((f"{firm.thing}:{thing}", f"row:{firm.table}/{thing}"))
    return request_keys(rid) | names
