"""Rows and dividers: where an event stands, and which line shows it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui import story
from timeline.event import Kind
from timeline.filter_terms import Needle
from tui.row import RowMark
from tui.rows import Placed, PreviewRows, Rows, SnapshotRows, first_rows_of_days, identity


@pytest.fixture(params=["preview", "snapshot"])
def rows(request: pytest.FixtureRequest) -> Rows:
    if request.param == "preview":
        return PreviewRows([*story.CAST, *story.crowd()])
    return SnapshotRows(story.incident().snapshot)


def test_every_event_is_found_where_it_stands(rows: Rows) -> None:
    for index in range(0, len(rows), 37):
        assert rows.index_of(rows.event(index)) == index


def test_rows_are_in_time_order(rows: Rows) -> None:
    stamps = [rows.event(index).timestamp for index in range(len(rows))]
    assert stamps == sorted(stamps)


def test_index_at_counts_the_rows_before(rows: Rows) -> None:
    stamps = [rows.event(index).timestamp for index in range(len(rows))]
    for instant in (0, story.WINDOW.start, story.ONSET, story.T, story.T + 1, story.NOW):
        assert rows.index_at(instant) == sum(stamp < instant for stamp in stamps)


def test_transitions_of_one_record_are_different_rows() -> None:
    first = story.ENQUEUED
    second = dataclasses.replace(first, kind=Kind.JOB_STARTED)
    assert first.id == second.id
    rows = PreviewRows([first, second])
    found = {rows.index_of(first), rows.index_of(second)}
    assert found == {0, 1}
    assert identity(rows.event(rows.index_of(second) or 0)) == identity(second)


def test_an_event_that_is_not_there_has_no_place(rows: Rows) -> None:
    stranger = dataclasses.replace(story.PAGED, ref="elsewhere@1")
    assert rows.index_of(stranger) is None


def test_search_minds_case_only_for_capitals_and_takes_signs_literally(rows: Rows) -> None:
    found = rows.matching(Needle("lookuperror"))
    assert found is not None
    bodies = {rows.event(int(found[n])).body.partition(":")[0] for n in range(len(found))}
    assert len(found) == 2
    assert bodies == {"LookupError", "welcome_mail(user_id=4711)"}
    for text, count in (
        ("LookupError", 2),
        ("LOOKUPERROR", 0),
        ("mail(user_id=4711)", 3),
        ("mail.user_id=4711.", 0),
    ):
        held = rows.matching(Needle(text))
        assert held is not None and len(held) == count, text


def test_preview_and_snapshot_agree_on_the_order() -> None:
    preview = PreviewRows([*story.CAST, *story.crowd()])
    snapshot = SnapshotRows(story.incident().snapshot)
    assert len(preview) == len(snapshot)
    same = [identity(preview.event(n)) == identity(snapshot.event(n)) for n in range(len(preview))]
    assert all(same)


@given(
    rows=st.integers(0, 40),
    places=st.lists(st.integers(0, 40), max_size=6),
)
def test_lines_and_rows_are_inverse(rows: int, places: list[int]) -> None:
    marks = [RowMark(min(place, rows), "day", 0) for place in sorted(places)]
    placed = Placed(rows, marks)
    seen: list[int] = []
    dividers = 0
    for line in range(len(placed)):
        found = placed.at(line)
        if isinstance(found, int):
            seen.append(found)
            assert placed.line_of(found) == line
            assert placed.nearest_row(line) == found
        else:
            dividers += 1
            assert isinstance(found, RowMark)
            assert found.before == len(seen)
    assert seen == list(range(rows))
    assert dividers == len(marks)


def test_a_new_day_begins_at_its_first_row() -> None:
    def at_day(day: int, second: int) -> int:
        return (day * 86_400 + second) * story.SECOND

    stamps = [at_day(1, 5), at_day(1, 86_399), at_day(2, 0), at_day(9, 1), at_day(9, 2)]
    events = [
        dataclasses.replace(story.PAGED, timestamp=stamp, ref=f"web.log@{n}")
        for n, stamp in enumerate(stamps)
    ]
    assert first_rows_of_days(PreviewRows(events)) == [0, 2, 3]
