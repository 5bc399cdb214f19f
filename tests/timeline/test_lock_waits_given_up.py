"""lock-queue: runs that wait one after the other behind one session, each until its time is up."""

from __future__ import annotations

from timeline.detectors.lock_queue import LockQueue, LockQueueDetector, LockTimeouts
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, healthy

BEGAN, EVERY, WAITS, RUNS = 1600.0, 2.0, 1.5, 5
LOCK = "advisory lock [5,0,7741,1]"
TIMED_OUT = "canceling statement due to lock timeout"


def found(world: World) -> list[Finding]:
    result = LockQueueDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def run(world: World, number: int, end: str, *, waits: float = WAITS, holder: str = "811") -> None:
    """One run asks for the lock, and its session ends to wait with the line `end`."""
    seconds, pid = BEGAN + number * EVERY, 900 + number
    line = f"[{pid}] app@shop process {pid} still waiting for ExclusiveLock on {LOCK} after "
    detail = f"␊DETAIL:  Process holding the lock: {holder}. Wait queue: {pid}." if holder else ""
    world.log(seconds + 0.3, "postgres", f"{line}300.123 ms{detail}", source="pg.log")
    ended = f"[{pid}] app@shop {end.format(pid=pid, lock=LOCK, took=round(waits * 1000))}"
    severity = 17 if TIMED_OUT in end else 9
    world.log(seconds + waits, "postgres", ended, source="pg.log", severity=severity)


def test_a_wait_lasts_until_the_server_ends_the_statement() -> None:
    world = healthy(World())
    for number in range(RUNS):
        run(world, number, TIMED_OUT)
        told = f"run={number} did not begin: {TIMED_OUT}"
        world.error(BEGAN + number * EVERY + WAITS + 0.01, "nightly", told)
    (finding,) = found(world)
    assert isinstance(finding, LockQueue)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.root is not None
    assert finding.root.session == "811"
    assert len(finding.waiters) == finding.gave_up == RUNS
    assert SECOND < finding.longest < 2 * SECOND


def test_runs_that_got_the_lock_in_a_moment_are_daily_life() -> None:
    world = healthy(World())
    for number in range(RUNS):
        run(world, number, "process {pid} acquired ExclusiveLock on {lock} after {took}.1 ms",
            waits=0.4)  # fmt: skip
    assert found(world) == []


def test_a_statement_that_server_and_client_tell_of_is_one() -> None:
    world = healthy(World())
    for number in range(RUNS):
        seconds = BEGAN + number * EVERY
        server = f"[{900 + number}] app@shop {TIMED_OUT}"
        world.log(seconds, "postgres", server, source="pg.log", severity=17)
        world.error(seconds + 0.01, "nightly", f"run={number} did not begin: {TIMED_OUT}")
    (finding,) = found(world)
    assert isinstance(finding, LockTimeouts)
    assert (finding.gave_up, finding.clients) == (RUNS, ("nightly",))
