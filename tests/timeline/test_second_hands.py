"""overlapping-runs by what each of two hands left: rows of both, lines of both, calls of both."""

from __future__ import annotations

import pytest

from timeline.detectors.overlapping_runs import BOTH_LEFT, OverlappingRuns, OverlappingRunsDetector
from timeline.detectors.worked_twice import RanTwice, WorkedTwice
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

WHEN = 1500.0


def found(world: World, kind: type[Finding]) -> list[Finding]:
    result = OverlappingRunsDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, kind)]


# -- a row of each ---------------------------------------------------------------------------------


def one_row_each(world: World, *, table: str = "dockings", column: str = "berth_id") -> None:
    """Things that one job each leaves one row about."""
    for place in range(8):
        when, thing = 100.0 + 60 * place, 900 + place
        world.run(f"n{place}", f"{column}={thing}", when, when + 0.1, when + 3, job_class="Close")
        world.row(when + 2, table, 5000 + place, columns={column: thing})


def two_rows(world: World, *, table: str = "dockings", column: str = "berth_id") -> None:
    """Two jobs of two kinds on one thing, seven seconds together, with a row of each."""
    for name, kind, start, end in (("a1", "Close", 0, 12), ("b1", "Dock", 5, 9)):
        world.run(name, f"{column}=77", WHEN + start - 1, WHEN + start, WHEN + end, job_class=kind)
    for pk, seconds in ((7001, 8.5), (7002, 11.5)):
        world.row(WHEN + seconds, table, pk, columns={column: 77})


@pytest.mark.parametrize(
    ("table", "column"), [("dockings", "berth_id"), ("sent_mails", "user_id"), ("x", "lot_id")]
)
def test_a_row_of_each_is_possible(table: str, column: str) -> None:
    world = World()
    one_row_each(world, table=table, column=column)
    two_rows(world, table=table, column=column)
    (finding,) = found(world, OverlappingRuns)
    assert isinstance(finding, OverlappingRuns)
    assert finding.sign == BOTH_LEFT
    assert finding.verdict is Verdict.POSSIBLE
    assert "each left a row about it" in finding.sentence()
    assert {"job:a1", "job:b1"} <= set(finding.keys)


def test_a_warning_of_one_of_them_makes_it_likely() -> None:
    world = World()
    one_row_each(world)
    two_rows(world)
    world.log(WHEN + 11.9, "worker-2", "Sperre gehört jemand anderem job_id=a1", severity=13)
    (finding,) = found(world, OverlappingRuns)
    assert finding.verdict is Verdict.LIKELY


def test_a_table_of_parts_is_silent() -> None:
    world = World()
    one_row_each(world)
    for place in range(8):
        world.row(103.0 + 60 * place, "dockings", 6000 + place, columns={"berth_id": 900 + place})
    two_rows(world)
    assert not found(world, OverlappingRuns)


def test_one_row_for_both_is_silent() -> None:
    world = World()
    one_row_each(world)
    two_rows(world)
    world.events = [event for event in world.events if "row:dockings/7002" not in event.keys]
    assert not found(world, OverlappingRuns)


def test_two_jobs_of_one_class_are_another_story() -> None:
    world = World()
    one_row_each(world)
    for name, start in (("a1", 0.0), ("b1", 0.2)):
        world.run(name, "berth_id=77", WHEN, WHEN + start, WHEN + start + 3, job_class="Close")
        world.row(WHEN + start + 2, "dockings", 7000 + int(10 * start), columns={"berth_id": 77})
    assert not found(world, OverlappingRuns)


# -- the same many things --------------------------------------------------------------------------


def relay(world: World, words: str, *, second: tuple[float, float] = (1400.0, 1520.0)) -> None:
    """One host tells each thing all night; another one told them, too, for a while."""
    for place in range(150):
        seconds = 20.0 + 12 * place
        world.log(seconds, "relay", words.format(n=4000 + place, rows=place % 7), clock="node-a")
        if second[0] <= seconds < second[1]:
            line = words.format(n=4000 + place, rows=place % 5)
            world.log(seconds + 1.7, "relay", line, clock="node-b")


@pytest.mark.parametrize(
    "words",
    [
        "posted page_id={n} records={rows}",
        '{{"msg":"applied","order_id":"{n}","records":{rows}}}',
        "Blatt übernommen page_id={n}",
    ],
)
def test_two_hosts_that_tell_each_of_many_things(words: str) -> None:
    world = World()
    relay(world, words)
    (finding,) = found(world, WorkedTwice)
    assert finding.verdict is Verdict.LIKELY
    assert at(1390) < finding.began < at(1430)


def test_hosts_that_both_tell_all_night_are_silent() -> None:
    world = World()
    relay(world, "posted page_id={n} records={rows}", second=(0.0, 2100.0))
    assert not found(world, WorkedTwice)


def test_hosts_that_take_turns_are_silent() -> None:
    world = World()
    for place in range(150):
        host = "node-a" if place < 110 else "node-b"
        world.log(20.0 + 12 * place, "relay", f"posted page_id={4000 + place}", clock=host)
    assert not found(world, WorkedTwice)


def test_a_second_pass_afterwards_is_not_at_once() -> None:
    world = World()
    relay(world, "posted page_id={n} records={rows}", second=(0.0, 0.0))
    for place in range(110, 120):
        line = f"posted page_id={4000 + place} records=1"
        world.log(1900.0 + place, "relay", line, clock="node-b")
    assert not found(world, WorkedTwice)


# -- one call by two sessions ----------------------------------------------------------------------

POSTGRES = "[{pid}] app@shop LOG:  duration: {ms:.3f} ms  statement: {call}"
MYSQL = "# Thread_id: {pid} Query_time: {s:.6f}  Lock_time: 0.000018 {call}"


def closings(world: World, line: str, call: str, *, twice: int | None = 7) -> None:
    for period in range(10):
        start = 100.0 + 160 * period
        sessions = [(start, 60.0, 4000 + period)]
        if period == twice:
            sessions.append((start + 20, 70.0, 5000 + period))
        for begun, took, pid in sessions:
            words = line.format(pid=pid, ms=took * 1000, s=took, call=call.format(n=300 + period))
            world.log(begun + took, "postgresql", words, source="db-log")


@pytest.mark.parametrize(
    ("line", "call"),
    [
        (POSTGRES, "CALL close_ledger({n}, 'EUR')"),
        (POSTGRES, "select fn_settle(period => {n})"),
        (MYSQL, "CALL close_month({n})"),
    ],
)
def test_one_call_by_two_sessions(line: str, call: str) -> None:
    world = World()
    closings(world, line, call)
    (finding,) = found(world, RanTwice)
    assert isinstance(finding, RanTwice)
    assert finding.verdict is Verdict.LIKELY
    assert finding.call.others == 9
    assert finding.began == at(100.0 + 160 * 7 + 20)


def test_calls_that_name_nothing_are_silent() -> None:
    world = World()
    closings(world, POSTGRES, "SELECT count(*) FROM orders WHERE id > 0")
    assert not found(world, RanTwice)


def test_calls_for_different_periods_at_once_are_silent() -> None:
    world = World()
    closings(world, POSTGRES, "CALL close_ledger({n})", twice=None)
    world.log(1500.0, "postgresql", POSTGRES.format(pid=9, ms=9e4, call="CALL close_ledger(999)"))
    assert not found(world, RanTwice)
