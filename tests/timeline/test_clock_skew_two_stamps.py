"""clock-skew within one queue record: the database stamps some steps, the worker the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.detectors.clock_skew import ClockSkew, ClockSkewDetector
from timeline.event import Kind, Meaning
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, at

SINCE = 900.0


def told(world: World) -> list[Finding]:
    result = ClockSkewDetector().detect(world.incident())
    return [] if isinstance(result, NotEvaluated) else list(result)


def only(world: World) -> ClockSkew:
    (finding,) = told(world)
    assert isinstance(finding, ClockSkew)
    return finding


def recorded(
    off: float,
    *,
    wait: float = 0.03,
    took: float = 0.4,
    ends: str = "worker?",
    lines: bool = False,
    began: bool = False,
    hosts: int = 2,
) -> World:
    """Jobs that the database stamps as they are inserted and taken up, and a worker as they end.

    The clock of `w-2` is `off` by seconds from `SINCE` on. With `began` the database's stamps are
    those of the beginning of a transaction.
    """
    world = World()
    for number in range(100):
        second, host, job = 20.0 + number * 20, f"w-{1 + number % hosts}", f"k{number}"
        wrong = off if host == "w-2" and second >= SINCE else 0.0
        name, end = f"{host}_2026", second + wait + took + wrong
        world.job(second, Kind.JOB_ENQUEUED, job)
        world.job(second + wait, Kind.JOB_STARTED, job, worker=name)
        if began:
            world.events[-2:] = [
                replace(event, meaning=Meaning.TRANSACTION_START) for event in world.events[-2:]
            ]
        world.job(end, Kind.JOB_FINISHED, job, worker=name, clock=ends)
        if lines:
            world.log(second + wait + 0.01 + wrong, "runner", f"begun job_id={job}", clock=host)
            world.log(end - 0.01, "runner", f"done job_id={job}", clock=host)
    return world


@pytest.mark.parametrize("wait", [0.03, 8.0])
@pytest.mark.parametrize("began", [False, True])
def test_an_end_before_its_start_measures_the_worker_that_stamped_it(
    wait: float, began: bool
) -> None:
    """However long the job waited, and whatever the database's stamps mean."""
    finding = only(recorded(-3.0, wait=wait, began=began))
    assert not finding.qualifier
    assert "w-2_2026?" in (finding.clock, *finding.doubted)
    assert "w-1_2026?" not in (finding.clock, *finding.doubted)
    assert finding.violating == 28
    least = [abs(side) for side in (finding.low, finding.high) if side is not None]
    assert 2.5 * SECOND < min(least) < 2.7 * SECOND


def test_it_begins_with_the_first_job_and_not_with_the_clearest() -> None:
    assert at(SINCE) <= only(recorded(-3.0)).began < at(SINCE + 41)


def test_the_machine_in_the_workers_name_is_the_clock_of_its_lines() -> None:
    finding = only(recorded(-3.0, wait=8.0, lines=True))
    assert finding.verdict is Verdict.CERTAIN
    assert "w-2" in (finding.clock, *finding.doubted)
    least = [abs(side) for side in (finding.low, finding.high) if side is not None]
    assert 2.5 * SECOND < min(least) < 3.0 * SECOND


def test_three_workers_of_which_two_are_in_order_leave_no_doubt() -> None:
    finding = only(recorded(-3.0, hosts=3, took=0.2))
    assert finding.clock == "w-2_2026?" and finding.doubted == ()
    assert "behind" in finding.sentence()
    assert finding.verdict is Verdict.LIKELY  # workers of one name may run on two hosts


@pytest.mark.parametrize("off", [0.0, 3.0, -0.3])
def test_ends_in_their_order_are_silent(off: float) -> None:
    """A clock that is ahead makes work look long; one that is behind by less than the work took
    contradicts nothing."""
    assert told(recorded(off)) == []


def test_stamps_of_one_clock_alone_are_silent() -> None:
    """The database stamps the end as well: an odd order of its own stamps is no second clock."""
    assert told(recorded(-3.0, ends="")) == []


def test_a_slow_commit_is_no_clock() -> None:
    """The push is stamped as its transaction begins, and seen by nobody until it is committed; the
    transaction that takes a job up began before that."""
    world = World()
    for number in range(60):
        second, job = 20.0 + number * 30, f"c{number}"
        world.job(second, Kind.JOB_ENQUEUED, job)
        world.job(second - 2.0, Kind.JOB_STARTED, job, worker="w-1", clock="claimer")
        world.events[-2:] = [
            replace(event, meaning=Meaning.TRANSACTION_START) for event in world.events[-2:]
        ]
        world.job(second + 5.0, Kind.JOB_FINISHED, job, worker="w-1", clock="w-1")
    assert told(world) == []


def test_a_failed_attempt_before_lets_no_end_be_compared() -> None:
    """The start is that of the last attempt, the end that of the first."""
    world = recorded(0.0)
    for number in range(12):
        job, second = f"again{number}", 900.0 + number
        world.job(second - 60, Kind.JOB_ENQUEUED, job)
        world.job(second - 50, Kind.JOB_RETRIED, job, worker="w-1_2026", clock="worker?")
        world.job(second - 40, Kind.JOB_FINISHED, job, worker="w-1_2026", clock="worker?")
        world.job(second, Kind.JOB_STARTED, job, worker="w-1_2026")
    assert told(world) == []


def test_the_start_of_the_last_attempt_is_not_set_against_a_line_of_the_first() -> None:
    """The queue keeps one start a job; the worker wrote of all attempts, the first long before."""
    world = recorded(0.0, lines=True)
    for number in range(12):
        job, second = f"again{number}", 900.0 + number
        world.job(second - 60, Kind.JOB_ENQUEUED, job)
        world.log(second - 50, "runner", f"begun job_id={job}", clock="w-1")
        world.log(second - 49, "runner", f"timed out job_id={job}", clock="w-1")
        world.job(second, Kind.JOB_STARTED, job, worker="w-1_2026")
        world.log(second + 0.1, "runner", f"begun job_id={job}", clock="w-1")
        world.log(second + 0.3, "runner", f"done job_id={job}", clock="w-1")
        world.job(second + 0.3, Kind.JOB_FINISHED, job, worker="w-1_2026", clock="worker?")
    assert told(world) == []


def test_who_speaks_of_a_job_that_another_runs_is_no_worker_of_it() -> None:
    """A relay logs under the job's id before the queue lets the job go."""
    world = recorded(0.0, wait=8.0)
    for number in range(100):
        world.log(20.01 + number * 20, "relay", f"sent job_id=k{number}", clock="relay-0")
    assert told(world) == []


def test_names_that_change_with_every_process_stay_some_worker() -> None:
    world = recorded(-3.0)
    world.events = [
        replace(
            event,
            attributes=(event.attributes or "").replace("_2026", f"_{number // 3}"),
        )
        for number, event in enumerate(world.events)
    ]
    finding = only(world)
    assert "worker?" in (finding.clock, finding.against)
    assert finding.verdict is Verdict.LIKELY
