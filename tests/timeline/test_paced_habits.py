"""Habits that only rows or lines show: rows that stop coming, turns that a second host tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.coverage import Sight
from timeline.detectors.extra_runs import ExtraRuns, ExtraRunsDetector
from timeline.detectors.missed_run import MissedRunDetector
from timeline.detectors.missed_run_findings import MissedRun
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import Knowledge, Schedule, Work
from timeline.order import Verdict

from .worlds import SECOND, START, World, at


def missed(world: World) -> list[Finding]:
    result = MissedRunDetector().detect(world.incident())
    return [] if isinstance(result, NotEvaluated) else list(result)


def rows(world: World, every: float, hole: tuple[float, float], *, first: float = 7.0) -> World:
    """A row of a table each turn but for those due in `hole`; the rows are read as they are now."""
    world.log(5.0, "web", "ready")
    place, seconds = 0, first
    while seconds < world.end:
        if not hole[0] <= seconds < hole[1]:
            world.row(seconds + place % 3 * 0.2, "balances", 100 + place)
        place, seconds = place + 1, seconds + every
    world.blind("postgres", 0, world.end, Sight.NOW_ONLY)
    return world


@pytest.mark.parametrize(
    ("every", "hole"), [(40.0, (1400.0, 1600.0)), (60.0, (1500.0, 1750.0)), (90.0, (1600.0, 9e9))]
)
def test_a_hole_in_even_rows_is_possible(every: float, hole: tuple[float, float]) -> None:
    (finding,) = missed(rows(World(), every, hole))
    assert isinstance(finding, MissedRun)
    assert finding.verdict is Verdict.POSSIBLE
    assert at(hole[0]) <= finding.began <= at(hole[0] + every + 1)
    assert (finding.again is None) == (hole[1] > 2100)


def test_a_configured_table_is_judged_by_rows_that_still_stand() -> None:
    world = rows(World(), 60.0, (1500.0, 1750.0))
    schedule = Schedule("balances", Work(table="balances"), every=60 * SECOND)
    world.knowledge = replace(Knowledge(), schedules=(schedule,))
    (finding,) = missed(world)
    assert isinstance(finding, MissedRun)
    assert len(finding.missed) == 5
    assert finding.verdict is Verdict.POSSIBLE


def test_two_turns_without_a_row_are_silent() -> None:
    assert not missed(rows(World(), 60.0, (1500.0, 1610.0)))


def test_a_batch_that_began_in_the_night_is_silent() -> None:
    assert not missed(rows(World(), 30.0, (1300.0, 9e9), first=900.0))


def test_rows_of_people_are_silent() -> None:
    world = World()
    world.log(5.0, "web", "ready")
    seconds = 4.0
    for place in range(40):
        seconds += (13, 71, 29, 55, 8)[place % 5]
        if not 1300 < seconds < 1700:
            world.row(seconds, "orders", place)
    world.blind("postgres", 0, world.end, Sight.NOW_ONLY)
    assert not missed(world)


# -- gauges ----------------------------------------------------------------------------------------


def gauge(world: World, tells: Callable[[float], float], *, until: float = 2090.0) -> World:
    from connectors.prometheus.api import Series
    from connectors.prometheus.telling import curve_events

    seconds = 0.0
    points = []
    while seconds < until:
        points.append((at(seconds), f"{tells(seconds):.3f}"))
        seconds += 15.0
    world.log(5.0, "web", "ready")
    for event in curve_events("prometheus", "sync", Series({"job": "sync"}, tuple(points))):
        world._add(event)
    return world


def last_run(seconds: float, *, every: float = 120.0, stops: float = 1400.0) -> float:
    return min(seconds, stops) // every * every


def test_an_age_that_grows_on_is_a_missed_run() -> None:
    (finding,) = missed(gauge(World(), lambda seconds: seconds - last_run(seconds)))
    assert isinstance(finding, MissedRun)
    assert finding.verdict is Verdict.LIKELY
    assert at(1430) < finding.began < at(1460)


@pytest.mark.parametrize("unit", [1, 1_000])
def test_an_instant_that_stays_is_a_missed_run(unit: int) -> None:
    world = gauge(World(), lambda seconds: (START / SECOND + last_run(seconds)) * unit)
    (finding,) = missed(world)
    assert finding.verdict is Verdict.LIKELY


def test_an_age_that_is_read_no_more_is_silent() -> None:
    assert not missed(gauge(World(), lambda s: s - last_run(s, stops=9e9), until=1500.0))


def test_an_uptime_is_silent() -> None:
    assert not missed(gauge(World(), lambda s: s if s < 700 else s - 700))


# -- a second host that tells each turn ------------------------------------------------------------


def extra(world: World) -> list[Finding]:
    result = ExtraRunsDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, ExtraRuns)]


def turns(
    world: World, words: str, *, every: float = 150.0, since: float = 1300.0, other: str = "new-1"
) -> World:
    place, seconds = 0, 20.0
    while seconds < 2080:
        world.log(seconds, "rollup", words.format(n=900 + place), clock="old-1", source="rollup")
        if seconds >= since:
            line = words.format(n=901 + place)
            world.log(seconds + 4.2, "rollup", line, clock=other, source="rollup")
        place, seconds = place + 1, seconds + every
    return world


@pytest.mark.parametrize(
    "words",
    ["Usage rolled up: rows={n}", "usage written rows={n}", "Rollup fertig n={n}"],
)
def test_turns_that_a_second_host_tells_as_well(words: str) -> None:
    (finding,) = extra(turns(World(), words))
    assert isinstance(finding, ExtraRuns)
    assert finding.verdict is Verdict.LIKELY
    assert finding.began == at(20.0 + 150 * 9)
    assert all(turn.times == 2 for turn in finding.turns)


def test_one_turn_told_twice_is_possible() -> None:
    (finding,) = extra(turns(World(), "usage written rows={n}", since=1900.0))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_table_that_gets_two_rows_each_turn() -> None:
    world = World()
    world.log(5.0, "web", "ready")
    for place in range(20):
        seconds = 12.0 + 100 * place
        world.row(seconds, "fixings", 100 + place)
        if seconds > 1500:
            world.row(seconds + 3, "fixings", 500 + place)
    (finding,) = extra(world)
    assert isinstance(finding, ExtraRuns)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.turns) == 5


def test_a_table_that_gets_two_rows_all_night_is_silent() -> None:
    world = World()
    world.log(5.0, "web", "ready")
    for place in range(20):
        world.row(12.0 + 100 * place, "fixings", 100 + place)
        world.row(15.0 + 100 * place, "fixings", 500 + place)
    assert not extra(world)


def test_two_hosts_all_night_are_silent() -> None:
    assert not extra(turns(World(), "usage written rows={n}", since=0.0))


def test_a_host_that_took_over_is_silent() -> None:
    world = turns(World(), "usage written rows={n}")
    taken = [e for e in world.events if e.clock == "old-1" and e.timestamp >= at(1300)]
    world.events = [event for event in world.events if event not in taken]
    assert not extra(world)


def test_one_host_that_says_it_twice_is_silent() -> None:
    assert not extra(turns(World(), "usage written rows={n}", other="old-1"))
