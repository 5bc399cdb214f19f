"""orphaned-record: a stretch of rows without the follow-up that those on both sides of it have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.orphaned_record import OrphanedRecord, OrphanedRecordDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy, sign_up

BEGAN, LOST = 1200.0, 100
"""A hundred within a minute, beside the hundred and forty of the whole window."""


def found(world: World) -> list[OrphanedRecord]:
    result = OrphanedRecordDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [one for one in result if isinstance(one, OrphanedRecord)]


def lost_at_once(world: World) -> None:
    for number in range(LOST):
        sign_up(world, number, BEGAN + 0.5 * number, mail=False)


def test_what_a_lost_queue_held_is_alone_however_much_it_was() -> None:
    world = healthy(World())
    lost_at_once(world)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.table, finding.lacks) == ("users", "row in mails")
    assert len(finding.orphans) == LOST


def every_second_one_has_it() -> World:
    """Rows of two kinds, of which one never needs the mail."""
    world = healthy(World())
    for number in range(2 * LOST):
        sign_up(world, number, BEGAN + 0.3 * number, mail=number % 2 == 0)
    return world


def nothing_before() -> World:
    """The mail was only introduced after them."""
    world = World()
    lost_at_once(world)
    for number in range(200, 300):
        sign_up(world, number, BEGAN + 60 + 5 * (number - 200))
    return world


def nothing_after() -> World:
    """They wait: nobody later has the mail yet."""
    world = healthy(World(), until=BEGAN, every=8)
    lost_at_once(world)
    for number in range(200, 210):
        sign_up(world, number, BEGAN + 60 + 5 * (number - 200), mail=False)
    return world


@pytest.mark.parametrize("confuser", [every_second_one_has_it, nothing_before, nothing_after])
def test_a_habit_and_one_side_alone_are_silent(confuser: Callable[[], World]) -> None:
    assert found(confuser()) == []
