"""TIME on the command line: every accepted form, and that nothing without a zone is guessed."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.pin import FORMS, Ambiguous, KeyPin, Pin, PinProblem, parse_pin

BERLIN = ZoneInfo("Europe/Berlin")
LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str) -> int:
    """Nanoseconds of an ISO instant of microsecond precision at most."""
    moment = datetime.fromisoformat(text)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (moment - epoch) // timedelta(microseconds=1) * 1_000


NOW = ns("2026-03-14T02:52:00+00:00")


def pin(text: str, zone: tzinfo = BERLIN, now: int = NOW) -> Pin:
    found = parse_pin(text, now_ns=now, zone=zone)
    assert isinstance(found, Pin), found
    return found


def readings(text: str, zone: tzinfo = BERLIN, now: int = NOW) -> list[int]:
    found = parse_pin(text, now_ns=now, zone=zone)
    assert isinstance(found, Ambiguous), found
    return [reading.ns for reading in found.readings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-14T02:13:40Z", "2026-03-14T02:13:40+00:00"),
        ("2026-03-14t02:13:40z", "2026-03-14T02:13:40+00:00"),
        ("2026-03-14 02:13:40 UTC", "2026-03-14T02:13:40+00:00"),
        ("2026-03-14T03:13:40+01:00", "2026-03-14T02:13:40+00:00"),
        ("2026-03-14T03:13:40+0100", "2026-03-14T02:13:40+00:00"),
        ("2026-03-14T03:13:40+01", "2026-03-14T02:13:40+00:00"),
        ("2026-03-13T20:13:40-06:00", "2026-03-14T02:13:40+00:00"),
        ("2026-03-14 07:43 +05:30", "2026-03-14T02:13:00+00:00"),
        ("2026-03-14T02:13:40,482Z", "2026-03-14T02:13:40.482000+00:00"),
        ("20260314T021340Z", "2026-03-14T02:13:40+00:00"),
        ("  2026-03-14   02:13Z ", "2026-03-14T02:13:00+00:00"),
        ("02:13:15.5Z", "2026-03-14T02:13:15.500000+00:00"),
        ("T02:13Z", "2026-03-14T02:13:00+00:00"),
        ("yesterday 03:14Z", "2026-03-13T03:14:00+00:00"),
        ("yesterday at 03:14+01:00", "2026-03-13T02:14:00+00:00"),
        ("today 2:13 UTC", "2026-03-14T02:13:00+00:00"),
        ("10m ago", "2026-03-14T02:42:00+00:00"),
        ("10 min ago", "2026-03-14T02:42:00+00:00"),
        ("2h30m ago", "2026-03-14T00:22:00+00:00"),
        ("1.5 hours ago", "2026-03-14T01:22:00+00:00"),
        ("1d 2h 3s ago", "2026-03-13T00:51:57+00:00"),
        ("90s ago", "2026-03-14T02:50:30+00:00"),
        ("500ms ago", "2026-03-14T02:51:59.500000+00:00"),
        ("now", "2026-03-14T02:52:00+00:00"),
        ("1773453220", "2026-03-14T01:53:40+00:00"),
        ("1773453220.25", "2026-03-14T01:53:40.250000+00:00"),
        ("1773453220250", "2026-03-14T01:53:40.250000+00:00"),
        ("1773453220250000", "2026-03-14T01:53:40.250000+00:00"),
        ("1773453220250000000", "2026-03-14T01:53:40.250000+00:00"),
    ],
)
def test_an_instant_that_only_one_thing_can_mean(text: str, expected: str) -> None:
    assert pin(text).ns == ns(expected)


def test_nanoseconds_are_kept_and_finer_digits_cut() -> None:
    assert pin("2026-03-14T02:13:40.123456789Z").ns % 10**9 == 123_456_789
    assert pin("2026-03-14T02:13:40.1234567899Z").ns % 10**9 == 123_456_789
    assert pin("1773453220123456789").ns == 1_773_453_220_123_456_789


def test_a_time_without_a_zone_is_never_guessed() -> None:
    found = parse_pin("03:14", now_ns=NOW, zone=BERLIN)
    assert isinstance(found, Ambiguous)
    local, utc = found.readings
    assert local.ns == ns("2026-03-14T02:14:00+00:00")
    assert "38 min ago" in local.text
    assert "Europe/Berlin" in local.text
    assert utc.ns == ns("2026-03-13T03:14:00+00:00")
    assert "yesterday" in utc.zone_note
    assert "03:14" in found.sentence()


def test_a_date_without_a_zone_has_two_readings_when_both_are_past() -> None:
    assert readings("2026-03-13 22:00", NEW_YORK) == [
        ns("2026-03-14T02:00:00+00:00"),
        ns("2026-03-13T22:00:00+00:00"),
    ]


def test_a_reading_in_the_future_cannot_be_meant_and_that_is_said() -> None:
    found = pin("2026-03-14 03:14", BERLIN)
    assert found.ns == ns("2026-03-14T02:14:00+00:00")
    assert "as UTC it would lie in the future" in found.zone_note


@pytest.mark.parametrize("zone", [UTC, LONDON, ZoneInfo("UTC")])
def test_zones_that_agree_leave_nothing_to_ask(zone: tzinfo) -> None:
    found = pin("2026-03-14 02:14", zone)
    assert found.ns == ns("2026-03-14T02:14:00+00:00")
    assert found.zone_note.endswith("was read as UTC")


def test_london_in_summer_differs_from_utc() -> None:
    now = ns("2026-07-01T12:00:00+00:00")
    assert readings("2026-07-01 03:14", LONDON, now) == [
        ns("2026-07-01T02:14:00+00:00"),
        ns("2026-07-01T03:14:00+00:00"),
    ]


def test_a_time_still_ahead_today_means_yesterday_and_says_so() -> None:
    found = pin("23:00", UTC)
    assert found.ns == ns("2026-03-13T23:00:00+00:00")
    assert "yesterday" in found.zone_note


def test_a_clock_a_minute_ahead_of_the_laptop_does_not_turn_into_yesterday() -> None:
    assert pin("02:53Z").ns == ns("2026-03-14T02:53:00+00:00")
    assert pin("2026-03-14T02:53:30Z").ns == ns("2026-03-14T02:53:30+00:00")


def test_a_repeated_hour_has_both_local_readings() -> None:
    now = ns("2026-10-25T12:00:00+00:00")
    assert readings("02:30", BERLIN, now) == [
        ns("2026-10-25T00:30:00+00:00"),
        ns("2026-10-25T01:30:00+00:00"),
        ns("2026-10-25T02:30:00+00:00"),
    ]


def test_a_skipped_hour_has_no_local_reading() -> None:
    found = pin("02:30", BERLIN, ns("2026-03-29T12:00:00+00:00"))
    assert found.ns == ns("2026-03-29T02:30:00+00:00")
    assert "no clock in Europe/Berlin showed 02:30" in found.zone_note


@pytest.mark.parametrize("key", ["order:4711", "job:8f2c", "row:users/42", "request:ab-12.c"])
def test_a_key(key: str) -> None:
    assert parse_pin(key, now_ns=NOW, zone=BERLIN) == KeyPin(key)


@pytest.mark.parametrize(
    "text",
    ["", "0314", "yesterday", "5 ago", "m ago", "ago", "http://x/y", "order:", "4711", "next week",
     "2026-03-14T", "03:14 Europe/Berlin", "Mar 14 03:14:15", "٠٣:١٤", "order:47 11", "-1m ago",
     "12345678", "99999999999999999999999"],
)  # fmt: skip
def test_anything_else_is_refused_with_the_forms_that_are_taken(text: str) -> None:
    with pytest.raises(PinProblem) as refusal:
        parse_pin(text, now_ns=NOW, zone=BERLIN)
    assert FORMS in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("2026-02-30T00:00Z", "There is no day 2026-02-30"),
        ("24:00", "not on any clock"),
        ("03:60", "not on any clock"),
        ("2026-03-14", "a whole day"),
        ("2026-03-14T03:14+15:00", "not an offset"),
        ("2027-01-01T00:00Z", "lies in the future"),
        ("2026-03-15 03:14", "lies in the future"),
        ("today 23:00", "lies in the future"),
        ("1873453220", "lies in the future"),
        ("99999d ago", "lies before 1970"),
        ("0026-03-14T03:14Z", "1970 to 2200"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, named: str) -> None:
    with pytest.raises(PinProblem, match=named):
        parse_pin(text, now_ns=NOW, zone=BERLIN)


def test_reading_the_command_line_loads_nothing_heavy() -> None:
    loaded = "import sys, timeline.pin; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    shown = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert not {"polars", "pydantic", "textual", "rich"} & set(ast.literal_eval(shown.stdout))


@given(st.text(max_size=80))
def test_no_text_does_anything_but_parse_or_refuse(text: str) -> None:
    try:
        found = parse_pin(text, now_ns=NOW, zone=BERLIN)
    except PinProblem as refusal:
        assert "\n" not in str(refusal)
        assert str(refusal).endswith(".")
    else:
        assert isinstance(found, (Pin, KeyPin, Ambiguous))


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2026, 3, 13)),  # noqa: DTZ001
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_every_reading_shows_the_time_that_was_typed(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    typed = moment.strftime("%Y-%m-%dT%H:%M:%S")
    found = parse_pin(typed, now_ns=NOW, zone=zone)
    assert not isinstance(found, KeyPin)
    for reading in found.readings if isinstance(found, Ambiguous) else (found,):
        instant = datetime.fromtimestamp(reading.ns // 10**9, UTC)
        shown = {instant.strftime("%Y-%m-%dT%H:%M:%S")}
        shown.add(instant.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S"))
        assert typed in shown


@given(st.integers(10**8, NOW // 10**9))
def test_one_instant_in_every_epoch_unit(seconds: int) -> None:
    found = {pin(str(seconds * unit)).ns for unit in (1, 10**6, 10**9)}
    milliseconds = seconds * 1_000
    if milliseconds >= 10**11:
        found.add(pin(str(milliseconds)).ns)
    assert found == {seconds * 10**9}
