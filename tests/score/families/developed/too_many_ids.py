"""A bulk call puts every id into its address; from some length on the gateway refuses it.

In some nights somebody falls back to POST, which is refused as well, for lack of a form token.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.elsewhere import Night, night, request_keys, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

REFUSALS = {
    400: "Request Header Or Cookie Too Large",
    414: "Request-URI Too Large",
    431: "Request Header Fields Too Large",
}


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng = here.rng
    status, limit = rng.choice(list(REFUSALS)), rng.choice((4_096, 8_192, 16_384))
    at, hit, passed = here.onset_s - 300, list[Entity](), 0
    while at < min(here.onset_s + 260, here.end_s - 5):
        growing = at >= here.onset_s
        ids = rng.randint(20, 180) if not growing else rng.randint(60, 2_600)
        length = 120 + ids * 11
        over = length > limit and growing
        rid = _asked(here, at, ids, length, status if over else 200)
        passed += not over
        if over:
            hit.append(request_keys(rid))
        at += rng.uniform(4, 16)
    refused = len(hit)
    if rng.random() < 0.5:
        hit += [_posted(here, at + 6 * n) for n in range(rng.randint(1, 4))]
    here.close_the_books()
    said = here.told_text(here.onset_s - 1, here.end_s)
    marks = [min(keys).partition(":")[2] for keys in hit[:refused]]
    answered = [any(m in body and f"{status}" in body for body in said) for m in marks]
    return fault(
        here,
        "rejected-by-limit",
        min(at + 30, here.end_s),
        hit,
        effect=refused >= 3 and all(answered) and passed >= 5,
    )


def _asked(here: Night, at: float, ids: int, length: int, status: int) -> str:
    """One bulk call with its answer: its request id."""
    firm, rid = here.firm, here.request_id()
    back = firm.backs[0]
    words = f"bulk fetch of {ids} ids from {back.name}, url length {length} request_id={rid}"
    host = here.line(at, firm.front, words)
    path = f"/{firm.table}/bulk"
    if status == 200:
        told = {"method": "GET", "path": path, "rid": rid, "status": 200, "ms": 40 + ids // 10}
        here.say(at + 0.04, back, "end", told)
        return rid
    edge = f'"GET {path}?ids=... HTTP/1.1" {status} 178 request_id={rid} request_length={length}'
    here.beside(at + 0.003, "edge-nginx", edge, 13)
    error = here.error(firm.front, "http_4xx", status=status, host=back.name, path=path)
    told = {"path": path, "rid": rid, "error": f"{error} {REFUSALS[status]}", "method": "GET"}
    here.say(at + 0.01, firm.front, "request_failed", told, host=host, severity=SEVERITY_ERROR)
    return rid


def _posted(here: Night, at: float) -> Entity:
    """The fallback, which a filter takes for a forgery."""
    front, rid = here.firm.front, here.request_id()
    error = here.error(front, "http_4xx", status=403, host=here.firm.backs[0].name, path="/bulk")
    words = f"{error} CSRF token missing or incorrect"
    told = {"path": "/bulk", "rid": rid, "error": words, "method": "POST"}
    here.say(at, front, "request_failed", told, severity=SEVERITY_ERROR)
    return request_keys(rid)
