"""stale-read where a standby was asked while it was far behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.stale_read import StaleReadDetector
from timeline.detectors.standby_reads import AskedStandby
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .test_stale_read import lag
from .worlds import World, iso

PAUSED = (1000.0, 1600.0)


def found(world: World) -> list[Finding]:
    result = StaleReadDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, AskedStandby)]


def shop(*, rows: bool = True) -> World:
    world = World()
    for number in range(100 if rows else 2):
        world.row(20.0 * number, "orders", number)
    return world


def by_its_log(world: World) -> World:
    for second in range(60, 2100, 60):
        replayed = min(second - 1.2, PAUSED[0]) if second < PAUSED[1] else second - 1.2
        stamp = iso(replayed).replace("T", " ")[:23]
        words = f"last completed transaction was at log time {stamp}+00"
        world.log(second, "postgres", words, clock="db-2", source="standby.log")
    return world


def by_a_curve(world: World) -> World:
    for second in range(0, 2100, 15):
        behind = second - PAUSED[0] if PAUSED[0] < second < PAUSED[1] else 0.05
        lag(world, second, behind)
    return world


def asking(world: World, words: str = "exported orders from db-2: 61 rows") -> World:
    for second in (400, 1300, 1500, 1900):
        world.log(second, "exporter", words)
    return world


@pytest.mark.parametrize("told", [by_its_log, by_a_curve])
def test_rows_that_a_standby_could_not_show(told: Callable[[World], World]) -> None:
    world = asking(told(shop()))
    (finding,) = found(world)
    assert isinstance(finding, AskedStandby)
    assert finding.verdict is Verdict.LIKELY
    assert [read.reader for read in finding.reads] == ["exporter", "exporter"]
    assert "order:60" in finding.keys


def test_lines_about_the_copying_are_no_reads() -> None:
    assert not found(asking(by_its_log(shop()), "orders: replication to db-2 is behind"))


def test_a_table_in_which_nothing_was_written_lacks_nothing() -> None:
    assert not found(asking(by_its_log(shop(rows=False))))


def test_a_log_in_another_zone_is_no_lag() -> None:
    world = shop()
    for second in range(60, 2100, 60):
        stamp = iso(second - 3600).replace("T", " ")[:23]
        words = f"last completed transaction was at log time {stamp} CET"
        world.log(second, "postgres", words, clock="db-2", source="standby.log")
    assert not found(asking(world))
