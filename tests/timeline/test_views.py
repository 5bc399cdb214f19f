"""Filters: the same rows a plain loop would find, in time order, and only while wanted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timeline.test_store import event, snapshot_of, told
from timeline.event import Event, Lane
from timeline.views import Filter, rows_matching

EVENTS = st.lists(
    st.builds(
        event,
        source=st.sampled_from(["web", "db"]),
        timestamp=st.integers(0, 9),
        seq=st.integers(0, 99),
        body=st.sampled_from(["Timeout (redis)", "timeout", "ok", "a.b", "axb", "Grüße"]),
        keys=st.sampled_from([(), ("user:1",), ("user:2", "job:a")]),
    ),
    max_size=20,
    unique_by=lambda e: (e.source, e.seq),
)
FILTERS = st.builds(
    Filter,
    text=st.sampled_from(["", "time", "Time", "a.b", "(", "GRÜ", "grü"]),
    lanes=st.sampled_from([frozenset(), frozenset({Lane.LOG}), frozenset({Lane.QUEUE})]),
    sources=st.sampled_from([frozenset(), frozenset({"web"}), frozenset({"nowhere"})]),
    keys=st.sampled_from([frozenset(), frozenset({"user:1", "job:a"})]),
)


def passes(one: Event, wanted: Filter) -> bool:
    capital = wanted.text != wanted.text.lower()
    body = one.body if capital else one.body.lower()
    return (
        wanted.text in body
        and (not wanted.lanes or one.lane in wanted.lanes)
        and (not wanted.sources or one.source in wanted.sources)
        and (not wanted.keys or bool(wanted.keys & set(one.keys)))
    )


@settings(deadline=None)
@given(EVENTS, FILTERS)
def test_the_rows_a_loop_would_find(events: list[Event], wanted: Filter) -> None:
    snapshot = snapshot_of(events)
    rows = rows_matching(snapshot, wanted)
    assert rows is not None
    expected = [one for one in told(snapshot) if passes(one, wanted)]
    assert snapshot.events_at(rows.to_list()) == expected


def test_slices_join_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.views.SLICE_ROWS", 3)
    snapshot = snapshot_of([event(timestamp=50 - n, seq=n, body=f"n{n % 4}") for n in range(20)])
    rows = rows_matching(snapshot, Filter(text="n1"))
    assert rows is not None
    assert [e.seq for e in snapshot.events_at(rows.to_list())] == [17, 13, 9, 5, 1]


def test_severity_and_regular_expressions() -> None:
    snapshot = snapshot_of([event(seq=n, body=f"took {n} ms") for n in range(30)])
    rows = rows_matching(snapshot, Filter(text=r"took 1\d ms", regex=True))
    assert rows is not None and rows.len() == 10
    none = rows_matching(snapshot, Filter(least_severity=1))
    assert none is not None and none.is_empty()
    with pytest.raises(ValueError, match=r"'\(' is not a regular expression"):
        rows_matching(snapshot, Filter(text="(", regex=True))


def test_an_unwanted_answer_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.views.SLICE_ROWS", 2)
    snapshot = snapshot_of([event(seq=n) for n in range(9)])
    answers = iter([False, False, True])
    assert rows_matching(snapshot, Filter(text="x"), lambda: next(answers)) is None
    assert list(answers) == []
