"""What must be acted on is not cut: it is wrapped, or said shorter, as the room allows."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui import story
from tests.tui.test_drawing import told
from timeline.coverage import Coverage, Sight
from tui.glyphs import UNICODE
from tui.header import header_height, header_lines
from tui.header_words import action_fits, action_pieces, blind_pieces
from tui.pieces import plain

RESUME = (
    "Resume statements with the 316 items never tried (12085, 12086, 12087 and 313 more), rather "
    "than from the beginning."
)
REPLAY = "Replay welcome_mail for 4649, 4650, 4651, 4652, 4653 and 4 more: the row is there now."
LOOKS = "metrics: it looks every 3.3 s; what came and went between two looks left no trace"
COMPLETE = "logs: complete to 06:44:50.597Z, the newest record so far"


def test_a_list_becomes_a_count_before_a_word_is_cut() -> None:
    assert action_pieces(REPLAY, 72, 1) == [
        "Replay welcome_mail for 4649 and 8 more: the row is there now."
    ]
    assert action_fits(REPLAY, 72, 1)
    assert " ".join(action_pieces(REPLAY, 72, 2)) == REPLAY


def test_an_aside_goes_before_the_end_of_the_sentence() -> None:
    assert not action_fits(RESUME, 80, 1)
    assert action_pieces(RESUME, 90, 1) == [
        "Resume statements with the 316 items never tried, rather than from the beginning."
    ]
    assert " ".join(action_pieces(RESUME, 72, 2)) == RESUME


def test_blind_spots_are_told_whole_and_the_others_counted() -> None:
    assert blind_pieces([COMPLETE, LOOKS], 75, 1) == [
        "logs: complete to 06:44:50.597Z, the newest record so far · s tells all 2"
    ]
    assert blind_pieces([LOOKS, COMPLETE], 72, 1) == [
        "metrics: it looks every 3.3 s · s tells all 2"
    ]
    assert blind_pieces([LOOKS], 60, 1) == ["metrics: it looks every 3.3 s · s tells more"]
    assert blind_pieces([COMPLETE], 60, 1) == [COMPLETE]
    assert blind_pieces([], 60, 1) == [""]


@given(
    st.lists(st.text(alphabet="ab ;,(漢", min_size=1, max_size=60), min_size=1, max_size=5),
    st.integers(30, 90),
    st.integers(1, 3),
)
def test_no_line_is_too_long_and_there_are_not_too_many(
    phrases: list[str], width: int, room: int
) -> None:
    for pieces in (blind_pieces(phrases, width, room), action_pieces(phrases[0], width, room)):
        assert len(pieces) <= room
        assert all(cell_len(piece) <= width for piece in pieces)


@pytest.mark.parametrize("size", [(80, 24), (80, 30), (99, 24), (80, 50)])
@pytest.mark.parametrize("action", [RESUME, REPLAY])
def test_on_80_columns_nothing_to_act_on_is_cut(action: str, size: tuple[int, int]) -> None:
    blind = tuple(
        Coverage(name, story.ONSET, story.T, Sight.PARTIAL, reason)
        for name, _, reason in (LOOKS.partition(": "), COMPLETE.partition(": "))
    )
    state = told()
    state.analysis = dataclasses.replace(story.ANALYSIS, next_action=action, blind=blind)
    lines = [plain(line) for line in header_lines(state, *size, UNICODE)]
    header = " ".join(line.strip() for line in lines)
    assert len(lines) == header_height(*size)
    assert action.rpartition(" ")[2] in header
    assert "it looks every 3.3 s" in header
    assert "…" not in header[header.index("Next: ") : header.index("clocks ")]
    assert "clocks" in header


def test_where_there_is_room_both_are_told_to_their_end() -> None:
    state = told()
    seen = Coverage("metrics", story.ONSET, story.T, Sight.PARTIAL, LOOKS.partition(": ")[2])
    state.analysis = dataclasses.replace(story.ANALYSIS, next_action=RESUME, blind=(seen,))
    header = " ".join(plain(line).strip() for line in header_lines(state, 80, 32, UNICODE))
    assert RESUME in header
    assert LOOKS in header
