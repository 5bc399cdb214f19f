"""Rules of reading a paste that a table of examples cannot show: clock changes, hostile, huge."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timeline.test_pasted_table import HERE, ns, pins, region, understood
from timeline.clean import clean
from timeline.pasted.labels import relative_in
from timeline.pasted.readings import Here
from timeline.pasted.registry import KINDS, understand
from timeline.pasted.settle import settle
from timeline.pasted.stamps import epoch_stamp, stamps_in
from timeline.pin import PinProblem

BERLIN = ZoneInfo("Europe/Berlin")
SUMMER = Here(ns("2026-06-01T12:00:00"), BERLIN, region=region)
WITHIN_S = 20.0
"""Generous: a megabyte takes about two seconds, and quadratic reading would take minutes."""


def test_a_time_that_a_clock_change_skips_keeps_every_reading() -> None:
    found, said = pins("2026-03-29 02:30:00 ERROR boom", SUMMER)
    expected = ["2026-03-29T00:30:00", "2026-03-29T01:30:00", "2026-03-29T02:30:00"]
    assert sorted(found) == list(map(ns, expected))
    assert "names no zone" in said


def test_a_time_that_a_clock_change_repeats_is_asked_about_although_its_zone_is_named() -> None:
    found, said = pins("down since 2025-10-26 02:30:00 Europe/Berlin", SUMMER)
    assert sorted(found) == [ns("2025-10-26T00:30:00"), ns("2025-10-26T01:30:00")]
    assert "clock change" in said


def test_a_zone_that_was_said_settles_a_stamp_without_one() -> None:
    said = Here(HERE.now, BERLIN, zone_named=True, region=region)
    assert pins("2026-03-14 03:13:40 ERROR boom", said)[0] == (ns("2026-03-14T02:13:40"),)
    assert pins("2026-03-14T03:13:40Z ERROR boom", said)[0] == (), "a stated zone is not overruled"


def test_a_reading_in_the_future_is_left_out_and_the_note_says_how_it_was_read() -> None:
    found, said = pins("2026-03-14 03:13:40 ERROR boom")
    assert found == (ns("2026-03-14T02:13:40"),)
    assert "no zone is stated" in said


def test_an_unknown_region_is_a_missing_zone() -> None:
    nowhere = Here(HERE.now, BERLIN)
    assert len(pins("down since 2026-03-14 01:13:40 Europe/Atlantis", nowhere)[0]) == 2


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("1773454420", "s"),
        ("1773454420482", "ms"),
        ("1773454420482117", "us"),
        ("1773454420482117913", "ns"),
    ],
)
def test_the_unit_of_an_epoch_is_its_magnitude(text: str, unit: str) -> None:
    stamp = epoch_stamp(text)
    assert stamp is not None
    assert stamp.precision.value == unit
    assert stamp.ns is not None
    assert stamp.ns // 10**9 == 1773454420


@pytest.mark.parametrize(
    "text", ["order 1773454420 failed", "v1.2.3", "10.0.0.9:8080", "2026-13-40T99:00Z"]
)
def test_a_number_in_prose_is_no_stamp(text: str) -> None:
    assert stamps_in(text) == []


def test_noon_in_german_and_midnight_in_english_is_no_stamp() -> None:
    assert stamps_in("12:13 am 14.03.2026 UTC") == []


def test_a_relative_phrase_about_something_else_is_left_out() -> None:
    assert relative_in("deployed 3 hours ago") == ()
    (only,) = relative_in("started vor 2 Stunden")
    assert only.ago == 2 * 3_600 * 10**9


def test_a_relative_phrase_is_not_replaced_by_a_time_nobody_explains() -> None:
    found, said = pins("it broke 2 hours ago, see the graph of 2026-03-13T10:00:00Z")
    assert found == ()
    assert "2 hours ago" in said


def test_a_date_beside_a_relative_phrase_is_not_taken_for_the_start() -> None:
    found, said = pins("Sentry SHOP-1\nStarted: 2 hours ago\nDate: Sat, 14 Mar 2026 02:43:40 +0000")
    assert found == ()
    assert "2 hours ago" in said


def test_an_abbreviation_settled_by_the_future_is_told() -> None:
    found, said = pins("down since Mar 14, 2026 2:13 AM EDT")
    assert found == (ns("2026-03-13T15:13:00"),)
    assert "would lie in the future" in said


def test_the_window_reaches_the_end_of_a_resolved_alert() -> None:
    text = "[RESOLVED] x\nStarted: 2026-03-14 02:13:40 UTC\nEnded: 2026-03-14 02:31:40 UTC"
    settled = settle(understood(text), HERE)
    assert settled.after == (18 + 1) * 60 * 10**9
    assert "02:31:40Z" in settled.window_why


def test_texts_of_a_paste_cannot_drive_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07\u202eevil"
    alert = {
        "labels": {"alertname": hostile, "service": hostile, "env": hostile},
        "annotations": {"a": hostile},
        "startsAt": "2026-03-14T02:13:40Z",
    }
    found = understood(json.dumps({"alerts": [alert]}))
    assert found.service
    for text in (found.title, found.service, found.environment, *found.keys, *found.remarks):
        assert text == clean(text)
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    "text",
    [
        "1" * 1_000_000,
        "1/2/" * 250_000,
        "02:13:" * 160_000,
        "[" * 1_000_000,
        '{"a":' * 200_000,
        "\n" * 1_000_000,
        "x.rb" * 250_000,
        "    at " * 140_000,
        "https://" + "a&" * 400_000,
        "time:('" * 140_000,
        "2026-03-14T02:13:40Z ERROR boom request_id=8f2c\n" * 20_000,
        "Sentry\n" + "2 hours ago " * 80_000,
    ],
    ids=lambda text: text[:8].strip() or "breaks",
)
def test_a_megabyte_of_anything_is_read_in_bounded_time(text: str) -> None:
    began = time.monotonic()
    found = understand(text)
    if found is not None:
        try:
            settle(found, HERE)
        except PinProblem as problem:
            assert "\n" not in str(problem)
    assert time.monotonic() - began < WITHIN_S


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    found = understand(text)
    if found is not None:
        assert found.kind


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "alerts",
                        "startsAt",
                        "labels",
                        "annotations",
                        "event",
                        "data",
                        "occurred_at",
                        "alert",
                        "alertId",
                        "message",
                        "createdAt",
                        "eventID",
                        "timestamp",
                        "tags",
                        "AlarmName",
                        "NewStateValue",
                        "Trigger",
                        "messages",
                        "incident",
                        "payload",
                        "event_action",
                        "summary",
                        "status",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_of_other_types_breaks_it(value: object) -> None:
    found = understand(json.dumps(value))
    if found is not None:
        try:
            settle(found, HERE)
        except PinProblem as problem:
            assert str(problem)


def test_every_kind_stays_with_the_standard_library() -> None:
    modules = ", ".join(f"timeline.pasted.{name}" for name in KINDS)
    code = f"import sys, {modules}; print('polars' in sys.modules, 'textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_zone_of_a_stamp_is_said() -> None:
    stated, missing = stamps_in("2026-03-14T02:13:40Z and 2026-03-14 02:13:40")
    assert stated.zone_stated
    assert stated.zones == (UTC,)
    assert not missing.zone_stated
