"""Workers that stood still for a change to the job table all come back in the same minute.

What was left in the meantime is started within seconds, by every worker at its full width; the
service that all follow-ups ask has far fewer connections than that, and fails for others, too.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.seventh_company.acts import opened, seconds_of, tried, unrun, written_between
from tests.score.seventh_company.utility import Shift, move_in, request_names
from tests.score.truth import Entity, Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR

LEAST = 30
PATH = "/internal/followups"


def prepare(world: World) -> None:
    move_in(world, workers=(3, 5))
    world.paused = (world.onset_s - world.rng.uniform(330, 560), world.onset_s)


def inject(world: World) -> Truth:
    here = opened(world)
    begin, worker = here.onset_s, here.utility.worker
    stopped = here.paused[0]
    words = f"{worker.name}: fetching of jobs stopped (migration of the job table)"
    here.change(stopped, words, worker.name, who="ops")
    here.change(begin, f"{worker.name}: fetching of jobs on again", worker.name, who="ops")
    left = written_between(here, stopped, begin)
    unrun(here, left)
    _asked_all_night(here)
    over = begin + here.rng.uniform(60, 110)
    failed = [thing for thing in left if _taken(here, thing, begin, over)]
    hurt = _others_suffer(here, begin + 4, over)
    things: list[Thing | Entity] = [*left, *hurt]
    return fault(
        here,
        "resume-herd",
        over + 60,
        things,
        also=("connections-exhausted", "backlog", "change-before"),
        effect=len(left) >= LEAST and len(failed) >= len(left) // 4,
    )


def _asked_all_night(here: Shift) -> None:
    """Every follow-up that was done asked the same service."""
    for job in list(here.jobs):
        for run in job.attempts:
            if run.ended is not None and run.outcome == "finished":
                at, took = seconds_of(here, run.started), (run.ended - run.started) / 1e9
                asked = here.utility.backs[0]
                here.served(at + took * 0.2, asked, PATH, method="POST", status=201, took=took / 2)


def _taken(here: Shift, thing: Thing, begin: float, over: float) -> bool:
    """Started at once; whether its first attempt failed for want of a connection elsewhere."""
    at, asked = begin + here.rng.triangular(0.2, 12, 1.5), here.utility.backs[0]
    if here.rng.random() < 0.4:
        took = here.rng.uniform(4, 25)
        tried(here, thing, at, took)
        here.served(at + 0.1, asked, PATH, method="POST", status=201, took=took * 0.9)
        return False
    error = here.error(
        here.utility.worker, "http_5xx", host=f"{asked.name}.svc", path="/internal", status=503
    )
    took = here.rng.uniform(5, 20)
    tried(here, thing, at, took, "retried", error)
    rid = here.request_id()
    words = here.error(asked, "pool")
    here.served(
        at + 0.1,
        asked,
        PATH,
        method="POST",
        status=503,
        took=took * 0.9,
        error=words,
        rid=rid,
    )
    again = max(over, at + took + 5) + here.rng.uniform(0, 90)
    if tried(here, thing, again, here.rng.uniform(0.2, 1.5)):
        here.served(again + 0.1, asked, PATH, method="POST", status=201, took=0.1)
    return True


def _others_suffer(here: Shift, begin: float, end: float) -> list[Entity]:
    """Requests of people that ask the same service meanwhile; its database says why."""
    firm, hit = here.utility, []
    asked = firm.backs[0]
    for _ in range(here.rng.randint(12, 25)):
        at = here.rng.uniform(begin, end)
        rid, took = here.request_id(), here.rng.uniform(3, 9)
        path = f"/{firm.table}"
        words = here.error(asked, "pool")
        here.served(at + 0.01, asked, path, status=503, took=took, error=words, rid=rid)
        url = {"host": f"{asked.name}.svc", "path": path, "status": 503}
        cause = here.error(firm.front, "http_5xx", **url)
        here.served(at, firm.front, path, status=502, took=took + 0.05, error=cause, rid=rid)
        hit.append(request_names(rid))
    for _ in range(here.rng.randint(4, 9)):
        at = here.rng.uniform(begin, begin + 30)
        pid = here.rng.randint(12_000, 15_000)
        here.database_log(
            at, pid, "FATAL:  sorry, too many clients already", severity=SEVERITY_ERROR
        )
    return hit
