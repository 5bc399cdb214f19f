"""A payment service calls back, has no answer within its limit, and calls back again later.

No event id is written by anybody; the proxy writes JSON and the queue keeps nothing of what went
well. Each call is a request of its own that pushes the same kind of job about the same record; the
first job is long over when the second is made, a minute later.

A person sees it by: two and three `pushed` lines about one record under different requests, the
runs of two and three jobs about it, each its first attempt; as many rows for that record where the
others have one; in the proxy's log the calls whose caller had gone before the answer.
"""

from __future__ import annotations

import json

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, run_on
from tests.score.third_company.house import Watch, job_names, move_in, request_names, watch
from tests.score.truth import Truth
from tests.score.world import Thing, World

LIMIT_S = 5.0


def prepare(world: World) -> None:
    move_in(world, ("dramatiq", "rabbitmq", "solid-queue", "procrastinate"))


def inject(world: World) -> Truth:
    here = watch(world)
    rng = here.rng
    pause = rng.choice((20.0, 45.0, 60.0))
    path = rng.choice(("/callbacks/settled", "/notify/payment", "/ipn"))
    title = f"Settle{here.house.thing.title()}Job"
    at = rng.uniform(15, 50)
    while at < here.onset_s - 20:
        _calls(here, at, path, title, pause, slow=False)
        at += rng.uniform(15, 45)
    at, hit, twice = here.onset_s, list[Thing](), 0
    end = min(here.onset_s + rng.uniform(200, 500), here.end_s - 100)
    while at < end:
        thing, jobs = _calls(here, at, path, title, pause, slow=True)
        hit.append(thing)
        twice += jobs > 1
        at += rng.uniform(15, 60)
    close(here)
    return fault(
        here,
        "duplicate-enqueue",
        end + 100,
        hit,
        also=("duplicate-create", "third-party", "re-press", "retry-storm"),
        effect=bool(hit) and twice == len(hit),
    )


def _calls(
    here: Watch, at: float, path: str, title: str, pause: float, *, slow: bool
) -> tuple[Thing, int]:
    """One record with every call about it; how many jobs were made."""
    rng, firm = here.rng, here.house
    thing = here.new_id()
    here.row(at - rng.uniform(3, 9), firm.table, thing, columns={"state": "open"})
    found, made = here.entity(thing), 0
    while True:
        late = slow and made < 2 and (made == 0 or rng.random() < 0.3)
        took = rng.uniform(LIMIT_S + 0.5, 14) if late else rng.uniform(0.1, 1.4)
        rid, host = here.begun(at, path=path)
        here.say(at + 0.01, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 3}, host=host)
        sent = at + took * rng.uniform(0.6, 0.95)
        job = here.push(sent, thing, host, title)
        told = {"job": title, "jid": job.id, "id": thing, "rid": rid}
        here.say(sent + 0.003, firm.front, "pushed", told, host=host)
        here.answered(at + took, rid, host, 200, took * 1000)
        begun, lasted = sent + rng.uniform(0.05, 0.8), rng.uniform(0.2, 1.5)
        ran = run_on(here, job, begun, lasted)
        here.effect_row(begun + lasted * 0.8, thing, ran.host)
        _proxied(here, at, path, rid, min(took, LIMIT_S), late=late)
        found.keys |= job_names(job.id) | request_names(rid)
        made += 1
        if not late:
            return found, made
        at += LIMIT_S + pause * made + rng.uniform(0, 2)


def _proxied(here: Watch, at: float, path: str, rid: str, waited: float, *, late: bool) -> None:
    """The proxy's line about one call, written when the caller had his answer or had gone."""
    told = {
        "method": "POST",
        "path": path,
        "response_code": 0 if late else 200,
        "response_flags": "DC" if late else "-",
        "duration": round(waited * 1000),
        "request_id": rid,
    }
    here.aside(at + waited, "envoy", json.dumps(told, separators=(",", ":")))
