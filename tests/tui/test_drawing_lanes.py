"""Lanes as they are drawn: columns and bands over the window, what was counted, T on its axis."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui import story
from tests.tui.test_drawing import told
from timeline.columns import COUNT_SCHEMA
from timeline.coverage import Coverage, CoverageMap, Sight
from timeline.progress import IncidentGrew, Phase, StatusChanged
from timeline.store import empty_snapshot
from timeline.window import Window
from tui.density import Columns, bands_of, density_of
from tui.glyphs import UNICODE
from tui.header import header_lines
from tui.lanes import axis_line, columns_for, lane_lines
from tui.pieces import plain
from tui.state import ScreenState

# -- lanes -----------------------------------------------------------------------------------


@given(
    before=st.integers(1, 10**12),
    after=st.integers(1, 10**12),
    cells=st.integers(8, 200),
    where=st.floats(0, 1, exclude_max=True),
)
def test_columns_cover_the_window_and_never_hide_t(
    before: int, after: int, cells: int, where: float
) -> None:
    window = Window(10**13, 10**13 - before, 10**13 + after)
    columns = Columns.over(window, cells)
    assert columns.cells <= cells
    instant = window.start + int((window.end - window.start) * where)
    cell = columns.cell(instant)
    if cell is not None:
        assert cell != columns.before
        assert (cell < columns.before) == (instant < window.pin)
    assert columns.cell(window.pin - 1) in (None, columns.before - 1)


def test_bands_count_every_row_of_the_window_once() -> None:
    incident = story.incident()
    columns = Columns.over(story.WINDOW, 40)
    bands = density_of(incident.snapshot, incident.window).bands(columns)
    inside = [e for e in [*story.CAST, *story.crowd()] if story.WINDOW.contains(e.timestamp)]
    for source in story.SOURCES:
        own = [event for event in inside if event.source == source.name]
        assert bands[source.name].rows == len(own)
    failed = sum(e.severity_number >= 17 for e in inside if e.source == "web")
    assert bands["web"].error_rows == failed
    assert bands["jobs"].error_rows == 1


def test_bands_from_preview_events_agree_with_the_snapshot() -> None:
    events = [e for e in [*story.CAST, *story.crowd()] if story.WINDOW.contains(e.timestamp)]
    columns = Columns.over(story.WINDOW, 40)
    plainly = bands_of(events, columns)
    for name, band in density_of(story.incident().snapshot, story.WINDOW).bands(columns).items():
        assert band.rows == plainly[name].rows
        assert band.error_rows == plainly[name].error_rows


def test_t_stands_in_the_same_cell_of_every_lane() -> None:
    lines = [plain(line) for line in lane_lines(told(), 64, 10, UNICODE)]
    assert len({line.index("┃") for line in lines}) == 1
    axis = plain(axis_line(told(), 64, None, UNICODE))
    assert axis.index("T") == lines[0].index("┃")


def test_emptiness_is_shaded_unless_the_source_was_looking() -> None:
    state = told()
    lines = {plain(line).split()[1]: plain(line) for line in lane_lines(state, 64, 5, UNICODE)}
    assert "░" in lines["jobs"]
    assert "░" not in lines["deploys"]
    assert state.incident is not None
    blind = Coverage("deploys", story.WINDOW.start, story.T, Sight.BLIND, "token expired")
    snapshot = dataclasses.replace(state.incident.snapshot, coverage=CoverageMap((blind,)))
    incident = dataclasses.replace(state.incident, snapshot=snapshot)
    state.take(IncidentGrew(incident))
    lines = {plain(line).split()[1]: plain(line) for line in lane_lines(state, 64, 5, UNICODE)}
    assert "░" in lines["deploys"]


def test_a_failed_source_says_why_in_its_lane() -> None:
    state = told()
    failed = dataclasses.replace(
        story.statuses()[1], source="billing", phase=Phase.FAILED, problem="connection refused"
    )
    state.take(StatusChanged((failed,)))
    assert any("failed: connection refused" in plain(x) for x in lane_lines(state, 64, 9, UNICODE))


def test_more_sources_than_lines_are_counted() -> None:
    lines = lane_lines(told(), 64, 3, UNICODE)
    assert plain(lines[-1]).startswith("+ 3 more sources")


def test_the_cursor_and_the_onset_stand_on_the_axis() -> None:
    state = told()
    cell = columns_for(state, 64).cell(story.at("01:50:00"))
    assert cell is not None
    axis = plain(axis_line(state, 64, story.at("01:50:00"), UNICODE))
    assert axis.index("▴") == cell + axis.index("T") - columns_for(state, 64).before
    assert "onset┊" in axis


def test_the_onset_is_a_whole_word_on_either_side_of_its_sign_or_none() -> None:
    state, start, end = told(), story.WINDOW.start, story.T
    for width in range(30, 100, 7):
        for here in range(start, end, (end - start) // 37):
            axis = plain(axis_line(state, width, here, UNICODE)).replace("▴", "┊")
            assert "onset┊" in axis or "┊onset" in axis or not set("onse") & set(axis), axis


def test_what_is_next_is_read_to_its_end() -> None:
    ids = "564e0158-3245-4a74-80a0-7fbcd684d3d6", "ed013699-6e58-4173-ad21-7420fbd8fe11"
    action = f"Check {ids[0]} and {ids[1]} for double effects."
    state = told()
    state.analysis = dataclasses.replace(story.ANALYSIS, next_action=action)
    for width, height in ((80, 24), (120, 24), (120, 40), (200, 60)):
        header = " ".join(
            plain(line).strip() for line in header_lines(state, width, height, UNICODE)
        )
        assert "for double effects." in header, (width, height)
    assert all(one in header for one in ids)


def test_the_date_of_t_is_said_once() -> None:
    seen = Coverage("logs", story.ONSET, story.T, Sight.PARTIAL, "complete to 2026-03-14 02:18:40Z")
    state = told()
    state.analysis = dataclasses.replace(story.ANALYSIS, blind=(seen,))
    header = "".join(plain(line) for line in header_lines(state, 120, 40, UNICODE))
    assert "logs: complete to 02:18:40Z" in header


# -- counted lanes ---------------------------------------------------------------------------


def counted_state(total: int, errors: int, *, levels: bool = True) -> ScreenState:
    """The source `web` as an engine counts it: `total` records in bars of a minute, evenly."""
    minute, window = 60_000_000_000, story.WINDOW
    starts = list(range(window.start, window.end, minute))
    share, rest = divmod(total - errors, len(starts))
    rows = [(start, 9, share + (rest if not index else 0)) for index, start in enumerate(starts)]
    hurt = max(start for start in starts if start <= story.at("02:07:29"))
    rows.append((hurt, 17 if levels else 0, errors))
    told = [("web", "log", start, minute, severity, "", n, True) for start, severity, n in rows]
    return told_with(pl.DataFrame(told, schema=COUNT_SCHEMA, orient="row"))


def told_with(counts: pl.DataFrame) -> ScreenState:
    state = told()
    assert state.incident is not None
    snapshot = dataclasses.replace(state.incident.snapshot, counts=counts)
    incident = dataclasses.replace(state.incident, snapshot=snapshot)
    state.take(IncidentGrew(incident), density_of(snapshot, incident.window))
    return state


def test_a_lane_draws_what_was_counted_and_not_what_travelled() -> None:
    state = counted_state(48_211, 41)
    assert state.density is not None
    for cells in (20, 40, 120):
        bands = state.density.bands(Columns.over(story.WINDOW, cells))
        assert (bands["web"].rows, bands["web"].error_rows) == (48_211, 41)
        assert sum(bands["web"].counts) == 48_211
    plainly = told().density
    assert plainly is not None
    columns = Columns.over(story.WINDOW, 40)
    assert state.density.bands(columns)["mailer"] == plainly.bands(columns)["mailer"]


def test_errors_that_travelled_are_shown_where_the_engine_cannot_tell_them() -> None:
    state = counted_state(48_211, 41, levels=False)
    columns = Columns.over(story.WINDOW, 40)
    assert state.density is not None
    plainly = told().density
    assert plainly is not None
    band = state.density.bands(columns)["web"]
    assert band.rows == 48_211
    assert band.error_rows == plainly.bands(columns)["web"].error_rows > 0


@pytest.mark.parametrize(
    ("total", "errors", "words"),
    [
        (48_211, 41, " 48 211   41 err"),
        (4_893_112, 41, "4 893 112 41 err"),
        (4_893_112, 1_204, "4.9 M  1 204 err"),
    ],
)
def test_counts_of_millions_are_never_cut(total: int, errors: int, words: str) -> None:
    lines = [plain(line) for line in lane_lines(counted_state(total, errors), 80, 5, UNICODE)]
    (web,) = [line for line in lines if line.split()[1] == "web"]
    assert web.rstrip().endswith(words)


def test_an_empty_cell_that_was_counted_is_not_shaded() -> None:
    window = story.WINDOW
    empty = [("web", "log", window.start, window.end - window.start, 0, "", 0, True)]
    state = told_with(pl.DataFrame(empty, schema=COUNT_SCHEMA, orient="row"))
    assert state.incident is not None
    words = "counted, not fetched: 0 records"
    for complete_from, shaded in ((13, False), (0, True)):
        entry = Coverage("web", window.start, window.end, Sight.PARTIAL, words, "", complete_from)
        snapshot = dataclasses.replace(
            empty_snapshot(),
            coverage=CoverageMap((entry,)),
            counts=state.incident.snapshot.counts,
        )
        incident = dataclasses.replace(state.incident, snapshot=snapshot)
        state.take(IncidentGrew(incident), density_of(snapshot, window))
        lines = [plain(line) for line in lane_lines(state, 80, 5, UNICODE)]
        (web,) = [line for line in lines if line.split()[1] == "web"]
        assert ("░" in web) is shaded
