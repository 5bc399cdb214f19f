"""orphaned-record of rows that were committed behind the position of their reader."""

from __future__ import annotations

import pytest

from timeline.detectors.orphaned_record import OrphanedRecordDetector
from timeline.detectors.rows_passed_over import RowsPassedOver
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

WORDS = (
    "msg=sent letter_id={n} took=3",
    '{{"event":"relayed","letterId":{n}}}',
    "Published letter_id: {n} to exchange",
)


def found(world: World) -> list[RowsPassedOver]:
    result = OrphanedRecordDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, RowsPassedOver)]


def outbox(
    words: str = WORDS[0],
    *,
    late: tuple[int, ...] = (60, 71, 90),
    looks_back: bool = False,
    commits: bool = True,
) -> World:
    """A letter every ten seconds; those in `late` are committed 25 s after they were written."""
    world = World()
    for n in range(150):
        second = 20.0 + 10 * n
        commit = second + (25 if n in late else 0.2)
        world.row(second, "letters", 5000 + n, commit=commit if commits else None)
        if n not in late or looks_back:
            world.log(commit + 0.8, "relay", words.format(n=5000 + n))
    return world


@pytest.mark.parametrize("words", WORDS)
def test_rows_committed_behind_the_position(words: str) -> None:
    (finding,) = found(outbox(words))
    assert finding.verdict is Verdict.LIKELY
    assert [row[0] for row in finding.told.rows] == ["letter:5060", "letter:5071", "letter:5090"]


def test_a_reader_that_looks_back_leaves_nothing() -> None:
    assert not found(outbox(looks_back=True))


def test_no_commits_no_word() -> None:
    assert not found(outbox(commits=False))


def test_nothing_late_nothing_left() -> None:
    assert not found(outbox(late=()))


def test_one_row_alone_is_not_enough() -> None:
    assert not found(outbox(late=(60,)))


def test_a_log_with_gaps_lowers_it() -> None:
    world = outbox()
    world.blind("relay.log", 500, 2000)
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
