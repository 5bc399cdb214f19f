"""A replica falls seconds behind; workers read from it and do not find what is long committed.

The message goes out after the commit, the row is on the primary, a later attempt finds it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.score.families.acts import fault
from tests.score.second_company.acts import PUSHED_AFTER_S, fulfilled, ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng = here.rng
    behind, took = rng.uniform(2.0, 14.0), rng.uniform(60, 240)
    ended = here.onset_s + took
    shown = rng.choice(("lines", "curve", "both"))
    if shown != "lines":
        _lag(here, behind, ended)
    at, things = here.onset_s, list[Thing]()
    while at < ended - 1:
        things.append(_not_there_yet(here, at, behind, says_where=shown != "curve"))
        at += rng.uniform(3, 25)
    here.close_the_books()
    committed_first = all(
        thing.job is not None
        and thing.job.attempts[0].outcome == "retried"
        and thing.job.attempts[-1].outcome == "finished"
        for thing in things
    )
    return fault(
        here, "stale-read", ended + 30, things, effect=committed_first and len(things) >= 3
    )


def _lag(here: Night, behind: float, ended: float) -> None:
    """How far the replica is behind, every ten seconds; its name tells that it is one."""

    def points() -> Iterator[tuple[float, float]]:
        for tick in range(int(here.end_s // 10)):
            at = tick * 10.0
            late = here.onset_s - 10 <= at < ended
            factor = here.rng.uniform(0.8, 1.2)
            yield at, behind * factor if late else 0.03 * factor

    labels = {"instance": "pg-replica-2", "job": "postgresql"}
    here.curve("pg_replication_lag_seconds", labels, list(points()))


def _not_there_yet(here: Night, at: float, behind: float, *, says_where: bool) -> Thing:
    firm, rng = here.firm, here.rng
    receipt, job = ordered(here, at)
    words = here.error(firm.worker, "not_found", id=receipt.thing)
    begun = at + PUSHED_AFTER_S + rng.uniform(0.05, min(behind * 0.6, 2.0))
    where = " (read from pg-replica-2)" if says_where else ""
    here.run(job, begun, 0.02, "retried", words + where)
    fulfilled(here, job, receipt.thing, begun + behind + rng.uniform(1, 10), 0.4)
    return here.entity(receipt.thing, receipt.rid, job)
