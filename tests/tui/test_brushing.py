"""Selecting time over the lanes: by keys and by dragging, told in words, opened only by enter."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import MouseMove

from tests.tui import story
from tests.tui.conftest import Night, Opening
from timeline.columns import COUNT_SCHEMA
from timeline.progress import IncidentGrew, PreviewArrived
from timeline.window import Window
from tui.density import Columns, density_of
from tui.glyphs import ASCII, UNICODE, Glyphs
from tui.lanes import LABEL_CELLS, axis_line, columns_for, lane_lines
from tui.overview import lanes_width
from tui.pieces import plain
from tui.selection import SMALLEST_NS, Selection, Stretch, held_in, selection_words
from tui.state import ScreenState

EVENTS = [*story.CAST, *story.crowd()]


def told() -> ScreenState:
    state = ScreenState(story.WINDOW, environment="", title="", now=lambda: story.NOW)
    incident = story.incident()
    density = density_of(incident.snapshot, incident.window)
    state.take(IncidentGrew(incident, story.ANALYSIS), density)
    return state


def between(first: str, last: str) -> Selection:
    start, end = story.at(first), story.at(last)
    return Selection(Stretch(start, start + 1), Stretch(end - 1, end))


def line_with(night: Night, words: str) -> str:
    return next(line for line in night.screen_lines() if words in line)


def columns_of(night: Night) -> Columns:
    return columns_for(night.state, lanes_width(night.app.size.width))


# -- what is selected ------------------------------------------------------------------------


def test_rows_and_errors_are_counted_to_the_nanosecond() -> None:
    state, selection = told(), between("02:07:29.117", "02:07:29.302")
    inside = [e for e in EVENTS if selection.start <= e.timestamp < selection.end]
    wrong = [e for e in inside if e.severity_number >= 17 or e.kind.value == "job.failed"]
    assert held_in(state, selection) == (len(inside), len(wrong), True)
    assert len(inside) > len(wrong) > 2
    expected = f"185 ms, {len(inside)} rows, {len(wrong)} errors"
    assert selection_words(state, selection) == expected


def test_a_selection_grows_either_way_from_where_it_began() -> None:
    begun = Selection(Stretch(500, 501), Stretch(500, 501))
    assert begun.extended(Stretch(900, 950))[0] == begun.anchor
    late, early = begun.extended(Stretch(900, 950)), begun.extended(Stretch(100, 150))
    assert (late.start, late.end) == (500, 950)
    assert (early.start, early.end) == (100, 501)


def test_what_an_engine_counted_is_told_as_about() -> None:
    state = told()
    assert state.incident is not None
    window = story.WINDOW
    bar = [("web", "log", window.start, window.end - window.start, 9, "", 48_000, True)]
    counts = pl.DataFrame(bar, schema=COUNT_SCHEMA, orient="row")
    snapshot = dataclasses.replace(state.incident.snapshot, counts=counts)
    incident = dataclasses.replace(state.incident, snapshot=snapshot)
    state.take(IncidentGrew(incident), density_of(snapshot, window))
    whole = Selection(Stretch(window.start, window.start + 1), Stretch(0, window.end))
    held = held_in(state, whole)
    assert not held.exact and held.rows > 48_000
    assert "about 48 " in selection_words(state, whole)


def test_before_a_snapshot_the_preview_is_counted() -> None:
    state = ScreenState(story.WINDOW, environment="", title="", now=lambda: story.NOW)
    state.take(PreviewArrived(story.preview()))
    first, last = state.preview_events[0], state.preview_events[-1]
    whole = Selection(Stretch(first.timestamp, first.timestamp + 1), Stretch(0, last.timestamp + 1))
    assert held_in(state, whole).rows == len(state.preview_events)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_window_of_a_selection_always_holds_its_t(one: int, other: int) -> None:
    second = SMALLEST_NS
    around = Window(7_000 * second, 0, 10_000 * second)
    selection = Selection(
        Stretch(one * second, one * second + 1), Stretch(other * second, other * second + 1)
    )
    window = selection.window(around)
    assert window.start <= window.pin < window.end
    assert window.end - window.start >= SMALLEST_NS
    if window.start <= around.pin < window.end:
        assert window.pin == around.pin
    else:
        assert window.pin == (window.end - 1 if window.end <= around.pin else window.start)


# -- keys ------------------------------------------------------------------------------------


async def test_v_selects_moving_extends_and_enter_looks_at_it_alone(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("o", "v")
        start = night.read_at
        assert "enter looks at it alone" in line_with(night, " selected ")
        await night.press("down", "down", "down")
        assert "4 rows" in line_with(night, " selected ")
        await night.press(*["down"] * 60)
        end = night.read_at
        assert end - start > SMALLEST_NS
        before = night.state.window
        await night.press("enter")
        window = night.collector.windows[-1]
        assert (window.start, window.end) == (start, end + 1)
        assert window.pin == end
        assert "T is pinned at its end now" in night.screen_lines()[-1]
        assert night.state.selection is None
        await night.press("u")
        assert night.collector.windows[-1] == night.state.window == before


async def test_left_and_right_extend_by_cells_even_where_nothing_happened(
    open_night: Opening,
) -> None:
    async with open_night() as night:
        await night.tell(IncidentGrew(story.incident([story.DEPLOY, story.PAGED]), story.ANALYSIS))
        await night.press("home", "v", "right", "right", "right", "right")
        columns, selection = columns_of(night), night.state.selection
        assert selection is not None
        first = columns.column(story.DEPLOY.timestamp)
        assert columns.column(selection.end - 1) == first + 4
        assert night.read_at == story.DEPLOY.timestamp
        await night.press("left")
        assert night.state.selection is not None
        assert night.state.selection.end < selection.end


async def test_the_cursor_stays_inside_what_left_and_right_select(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("o", "v")
        for keys in (("left",) * 4, ("right",) * 9):
            await night.press(*keys)
            selection = night.state.selection
            assert selection is not None
            assert selection.start <= night.read_at < selection.end
        columns, selected = columns_of(night), night.state.selection
        assert selected is not None
        begun = columns.column(selected.anchor.start)
        assert columns.column(selected.end - 1) == begun + 5


async def test_left_and_right_alone_go_from_cell_to_cell(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("o")
        columns = columns_of(night)
        place = columns.column(night.read_at)
        await night.press("right")
        assert columns.column(night.read_at) == place + 1
        await night.press("left", "left")
        assert columns.column(night.read_at) == place - 1
        assert night.state.selection is None


async def test_t_stays_when_it_was_selected(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("0", *["down"] * 20, "v", *["up"] * 60, "enter")
        window = night.collector.windows[-1]
        assert window.pin == story.T
        assert story.WINDOW.start < window.start < story.T < window.end < story.WINDOW.end
        assert "T is pinned" not in night.screen_lines()[-1]


@pytest.mark.parametrize("key", ["escape", "v"])
async def test_a_selection_is_let_go_without_another_window(open_night: Opening, key: str) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "v", "down", "down", key)
        assert night.state.selection is None
        assert len(night.collector.windows) == 1
        assert night.state.step == 0
        assert " selected " not in night.screen_text()
        await night.press("escape")
        assert night.state.step == -1


async def test_another_window_lets_the_selection_go(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("o", "v", "down", "right_square_bracket")
        assert night.state.selection is None


# -- the mouse -------------------------------------------------------------------------------


async def drag(night: Night, start: int, end: int, y: int = 1) -> None:
    """The left button down at one cell of the lanes, moved to another, and let go there."""
    await night.pilot.mouse_down("#overview", offset=(LABEL_CELLS + start, y))
    towards = 1 if end > start else -1
    for cell in range(start + towards, end + towards, towards):
        place = (LABEL_CELLS + cell, y)
        await night.pilot._post_mouse_events([MouseMove], "#overview", place, button=1)
    await night.pilot.mouse_up("#overview", offset=(LABEL_CELLS + end, y))
    await night.pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_dragging_selects_whole_cells_and_opens_nothing(
    open_night: Opening, size: tuple[int, int]
) -> None:
    async with open_night(size=size) as night:
        await night.tell_all()
        cursor, finding = night.timeline.cursor, night.state.finding
        overview = night.app.incident_screen.query_one("#overview")
        y = overview.size.height - 4
        await drag(night, 9, 3, y)
        columns, selection = columns_of(night), night.state.selection
        assert selection is not None
        assert selection.start == columns.stretch(3)[0]
        assert selection.end == columns.stretch(9)[1]
        assert night.timeline.cursor == cursor and night.state.finding == finding
        assert len(night.collector.windows) == 1
        assert " selected " in night.screen_text()
        await night.press("enter")
        window = night.collector.windows[-1]
        assert (window.start, window.end) == (max(selection.start, window.start), selection.end)
        assert window.pin == window.end - 1


async def test_a_drag_that_ends_beside_the_lanes_selects_no_finding(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await drag(night, 5, 60)
        columns, selection = columns_of(night), night.state.selection
        assert selection is not None and night.state.step == -1
        assert selection.end == columns.stretch(columns.cells - 1)[1]


async def test_a_click_on_the_lanes_goes_to_that_time(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.pilot.click("#overview", offset=(LABEL_CELLS + 4, 2))
        await night.pilot.pause()
        start, _ = columns_of(night).stretch(4)
        assert abs(night.read_at - start) < 2 * 1_041_000_000
        assert night.state.selection is None


# -- how it looks ----------------------------------------------------------------------------


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_a_selection_has_brackets_on_the_axis_and_quiets_the_rest(glyphs: Glyphs) -> None:
    state = told()
    columns = columns_for(state, 80)
    state.selection = Selection(Stretch(*columns.stretch(4)), Stretch(*columns.stretch(9)))
    axis = plain(axis_line(state, 80, None, glyphs))
    assert axis[LABEL_CELLS + 4] == "[" and axis[LABEL_CELLS + 9] == "]"
    assert axis[LABEL_CELLS + 5 : LABEL_CELLS + 9] == glyphs.heavy_rule * 4
    web = lane_lines(state, 80, 9, glyphs)[0]
    roles = [role for sign, role in web for _ in sign][LABEL_CELLS:]
    assert set(roles[4:10]) <= {"strong", "error", "warning"}
    assert set(roles[:4]) | set(roles[10:20]) == {"faint"}
    state.selection = None
    assert "[" not in plain(axis_line(state, 80, None, glyphs))
