"""Columns: an event goes into the frame and comes out the same."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA, event_from, frame_from, reference
from timeline.event import Event, Kind, Lane, Meaning, Precision, evidence_id, intrinsic_seq

TEXT = st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace").decode())
EVENTS = st.builds(
    Event,
    timestamp=st.integers(-(2**63), 2**63 - 1),
    source=TEXT,
    lane=st.sampled_from(list(Lane)),
    kind=st.sampled_from(list(Kind)),
    body=TEXT,
    ref=TEXT,
    seq=st.integers(0, 2**63 - 1),
    severity_number=st.integers(0, 24),
    actor=TEXT,
    clock=TEXT,
    meaning=st.sampled_from(list(Meaning)),
    precision=st.sampled_from(list(Precision)),
    keys=st.lists(TEXT, max_size=3).map(tuple),
    attributes=st.none() | TEXT,
)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=6))
def test_round_trip(events: list[Event]) -> None:
    frame, keys = frame_from(events)
    assert dict(frame.schema) == EVENT_SCHEMA
    assert dict(keys.schema) == KEY_SCHEMA
    held: list[list[str]] = [[] for _ in events]
    for row, key in keys.iter_rows():
        held[row].append(key)
    back = [event_from(record, own) for record, own in zip(frame.to_dicts(), held, strict=True)]
    assert back == events


def test_a_line_of_a_file_is_named_by_its_byte() -> None:
    frame, _ = frame_from([Event(1, "web", Lane.LOG, Kind.LOG, "hello", "unused", seq=7)])
    line = frame.with_columns(
        ref=pl.lit(None, pl.String), file=pl.lit("web.log"), offset=pl.lit(4_096, pl.UInt64)
    ).to_dicts()[0]
    assert reference(line) == "web.log@4096"
    assert event_from(line).id == evidence_id("web", "web.log@4096")


def test_a_column_of_the_wrong_type_is_said() -> None:
    frame, _ = frame_from([Event(1, "web", Lane.LOG, Kind.LOG, "hello", "r")])
    record = frame.to_dicts()[0] | {"timestamp": "yesterday"}
    with pytest.raises(TypeError, match="yesterday"):
        event_from(record)


def test_evidence_ids_do_not_change_between_versions() -> None:
    """Expected values from `b2sum -l 48` and `b2sum -l 64`."""
    assert evidence_id("web", "web.log@4096") == "ea34646c0bad"
    assert intrinsic_seq("users/4711") == 5148212022490687103
