"""clock-skew by rows that are dated before the rows they refer to."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from timeline.detectors.clock_skew import ClockSkewDetector
from timeline.detectors.clock_skew_told import DatedTooEarly
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at


def told(world: World) -> list[DatedTooEarly]:
    found = ClockSkewDetector().detect(world.incident())
    found = [] if isinstance(found, NotEvaluated) else found
    return [one for one in found if isinstance(one, DatedTooEarly)]


def paid(
    behind: float,
    *,
    since: float = 900.0,
    everyone: bool = False,
    dated_by: str = "application?",
    spread: float = 0.0,
    updated: bool = False,
    named: bool = True,
) -> World:
    """Orders, and half a second later a payment for each by one of three workers, who date it
    themselves; `w-2` does so by a clock that is `behind` from `since` on."""
    rng, world = random.Random(5), World()
    for number in range(150):
        second, writer = 20 + number * 12.0, f"w-{1 + number % 3}"
        world.row(second, "orders", number)
        wrong = (writer == "w-2" or everyone) and second >= since
        off = behind + rng.uniform(0, spread) if wrong else 0.0
        columns: dict[str, object] = {"order_id": number}
        columns |= {"written_by": writer} if named else {}
        world.row(second + 0.5 - off, "payments", 7000 + number, columns=columns)
        world.events[-1] = replace(world.events[-1], clock=dated_by)
        if updated:
            world.row(second + 1, "payments", 7000 + number, kind=Kind.ROW_UPDATED, columns=columns)
    return world


@pytest.mark.parametrize("behind", [3.0, 40.0])
def test_rows_before_their_parents_show_the_writer_that_is_behind(behind: float) -> None:
    (finding,) = told(paid(behind))
    assert finding.verdict is Verdict.LIKELY and not finding.qualifier
    assert (finding.column, finding.writer) == ("written_by", "w-2")
    assert finding.table == "payments" and finding.rows == 25
    assert abs(finding.least / 1e9 - (behind - 0.5)) < 0.01
    assert at(900) <= finding.began < at(940)
    assert "before the rows that they refer to" in finding.sentence()


@pytest.mark.parametrize(
    "world",
    [
        paid(0.0),
        paid(-3.0),  # ahead: the payment is merely late
        paid(0.4),  # by less than the work took
        paid(3.0, dated_by=""),  # the server's `now()`: the beginning of a transaction
        paid(3.0, everyone=True, since=0.0),  # the parents are dated late, all night
        paid(3.0, everyone=True),  # no writer is apart from the others
        paid(3.0, spread=2_000.0),  # dates of long ago, copied from elsewhere
        paid(3.0, updated=True),  # the parent may have been set later
        paid(3.0, named=False),  # nobody tells whose rows they are
    ],
)
def test_rows_that_no_clock_made_early_are_silent(world: World) -> None:
    assert told(world) == []
