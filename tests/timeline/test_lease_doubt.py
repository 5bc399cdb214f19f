"""lost-worker by a lease alone: a worker that goes on under its name is only possibly lost."""

from __future__ import annotations

import pytest

from timeline.order import Verdict

from .test_lost_worker import only, overdue, silent, started
from .worlds import World, healthy

HELD = 1300.0


def busy(world: World, until: float, worker: str = "w1", since: float = 100.0) -> None:
    """A job every forty seconds by `worker`, each done within one."""
    for number, seconds in enumerate(range(int(since), int(until), 40)):
        name, thing = f"{worker}k{number}", f"user_id={5000 + number}"
        world.run(name, thing, seconds - 1.0, seconds, seconds + 1.0, worker=worker)


def test_a_worker_that_began_other_jobs_until_the_look_may_live() -> None:
    world = healthy(World())
    started(world, seconds=HELD)
    busy(world, 2100)
    overdue(world, "j1")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.weakest_link == (
        "only its lease ran out: w1 began 19 other jobs since, the last at 02:34:20.000"
    )


@pytest.mark.parametrize("until", [HELD, HELD + 90, HELD + 300])
def test_one_that_began_nothing_more_after_a_while_is_likely_lost(until: float) -> None:
    world = healthy(World())
    started(world, seconds=HELD)
    busy(world, until)
    overdue(world, "j1")
    assert only(world).verdict is Verdict.LIKELY


def test_what_other_workers_begin_says_nothing_of_it() -> None:
    world = healthy(World())
    started(world, seconds=HELD)
    busy(world, 2100, "w2")
    overdue(world, "j1")
    assert only(world).verdict is Verdict.LIKELY


def test_a_missing_heartbeat_speaks_of_the_worker_itself() -> None:
    world = healthy(World())
    started(world, seconds=HELD)
    busy(world, 2100)
    silent(world)
    assert only(world).verdict is Verdict.LIKELY
