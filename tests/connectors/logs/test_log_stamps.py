"""Stamps: written and read back, the two readers agree, and nothing is bent into range."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.logs import stamps
from connectors.logs.dialect import Dialect
from connectors.logs.formats import FORMATS, STAMPS
from connectors.logs.linecolumns import read_lines
from connectors.logs.stampcolumns import read_texts
from connectors.logs.stamps import days_from_civil, guess_year, read_stamp
from connectors.logs.textformat import TextFormat
from connectors.logs.zones import ZoneRule, written_offset
from timeline.event import Precision

NOT_AFTER = 1_790_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(30_000_000 * 10**6, 7_000_000_000 * 10**6).map(
    lambda micros: EPOCH + timedelta(microseconds=micros)
)
"""Any microsecond from 1970 to 2191."""
offsets = st.sampled_from(["Z", " UTC", "+00:00", "-05:00", "+0530", "+13:45"])


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000


def column_stamp(text: str, zone: ZoneRule | None = None) -> tuple[int | None, str | None]:
    frame = read_texts(pl.Series([text]), tuple(STAMPS), zone or ZoneRule(), NOT_AFTER)
    return frame["timestamp"][0], frame["reason"][0]


def line_stamp(text: str, zone: ZoneRule | None = None) -> tuple[int | None, str | None]:
    for pattern in STAMPS.values():
        match = re.match(pattern, text)
        if match is not None:
            stamp = read_stamp(match.groupdict(), zone or ZoneRule(), NOT_AFTER)
            return stamp.ns, stamp.reason or None
    return None, stamps.NOT_A_TIME


@given(instants, offsets, st.integers(0, 999))
def test_what_was_written_is_what_is_read(moment: datetime, zone: str, nano: int) -> None:
    east = written_offset(zone.strip())
    assert east is not None
    local = moment.astimezone(timezone(timedelta(seconds=east)))
    text = f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond:06d}{nano:03d}{zone}"
    expected = nanoseconds(moment) + nano
    assert line_stamp(text) == (expected, None)
    assert column_stamp(text) == (expected, None)


@given(st.dates(date(1600, 1, 1), date(2500, 1, 1)))
def test_the_calendar_agrees_with_the_standard_library(day: date) -> None:
    assert days_from_civil(day.year, day.month, day.day) == day.toordinal() - 719_163


@given(
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]"
        r"([.,][0-9]{1,9})?( ?Z|\+0[0-9]:30| UTC)?",
        fullmatch=True,
    )
    | st.from_regex(r"[0-9]{9,19}(\.[0-9]{1,9})?", fullmatch=True)
)
def test_both_readers_give_the_same_answer(text: str) -> None:
    for zone in (ZoneRule(), ZoneRule.named("Europe/Berlin")):
        assert column_stamp(text, zone) == line_stamp(text, zone)


@pytest.mark.parametrize("item", FORMATS, ids=lambda item: item.name)
def test_both_readers_agree_on_every_format(item: TextFormat) -> None:
    dialect = Dialect(None, (item,), ZoneRule(), NOT_AFTER)
    line = dialect.read(item.example)
    row = read_lines(pl.Series([item.example]), dialect).to_dicts()[0]
    assert line is not None
    assert row["timestamp"] == line.stamp.ns
    assert row["precision"] == line.stamp.precision.value
    assert (row["message"], row["severity_number"]) == (line.message, line.severity_number)
    assert (row["service"], row["weak_actor"], row["host"]) == (
        line.service,
        line.weak_actor,
        line.host,
    )
    assert row["year_guessed"] == line.stamp.year_guessed
    assert row["zone_assumed"] == line.stamp.zone_assumed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1600-01-01T00:00:00Z", stamps.OUT_OF_RANGE),
        ("9999-12-31T23:59:59Z", stamps.OUT_OF_RANGE),
        ("2016-12-31T23:59:60Z", stamps.LEAP_SECOND),
        ("2026-02-30T00:00:00Z", stamps.IMPOSSIBLE),
        ("2026-13-01T00:00:00Z", stamps.IMPOSSIBLE),
        ("2026-03-14T24:00:00Z", stamps.IMPOSSIBLE),
        ("2026-03-14T02:61:00Z", stamps.IMPOSSIBLE),
        ("9999999999999999999", stamps.OUT_OF_RANGE),
        ("soon", stamps.NOT_A_TIME),
        ("14", stamps.NOT_A_TIME),
    ],
)
def test_what_has_no_instant_gets_none(text: str, reason: str) -> None:
    assert column_stamp(text) == (None, reason)
    assert line_stamp(text) == (None, reason)


@pytest.mark.parametrize(
    ("fraction", "precision"),
    [
        ("", Precision.SECOND),
        (".1", Precision.SECOND),
        (".12", Precision.SECOND),
        (".123", Precision.MILLISECOND),
        (",1234", Precision.MILLISECOND),
        (".123456", Precision.MICROSECOND),
        (".12345678", Precision.MICROSECOND),
        (".123456789", Precision.NANOSECOND),
    ],
)
def test_a_stamp_claims_no_finer_unit_than_it_was_written_in(
    fraction: str, precision: Precision
) -> None:
    frame = read_texts(
        pl.Series([f"2026-03-14T02:07:29{fraction}Z"]), ("iso",), ZoneRule(), NOT_AFTER
    )
    assert frame["precision"][0] == precision.value


def test_a_declared_zone_follows_its_summer_time() -> None:
    berlin = ZoneRule.named("Europe/Berlin")
    winter = datetime(2026, 3, 14, 3, 7, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    summer = datetime(2026, 7, 14, 3, 7, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    for moment in (winter, summer):
        text = f"{moment:%Y-%m-%d %H:%M:%S}"
        assert column_stamp(text, berlin) == (nanoseconds(moment), None)
        assert line_stamp(text, berlin) == (nanoseconds(moment), None)


def test_an_hour_that_never_was_and_an_hour_that_was_twice() -> None:
    berlin = ZoneRule.named("Europe/Berlin")
    skipped, twice = "2026-03-29 02:30:00", "2026-10-25 02:30:00"
    assert column_stamp(skipped, berlin) == (None, stamps.SKIPPED_LOCAL_TIME)
    assert line_stamp(skipped, berlin) == (None, stamps.SKIPPED_LOCAL_TIME)
    frame = read_texts(pl.Series([twice]), ("iso",), berlin, NOT_AFTER)
    assert frame["zone_ambiguous"].to_list() == [True]
    assert frame["timestamp"][0] == nanoseconds(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "CST", "02:00", "/etc/passwd"])
def test_a_zone_that_is_none_is_refused_with_an_example(zone: str) -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        ZoneRule.named(zone)


def test_an_abbreviation_that_names_several_zones_is_not_understood() -> None:
    pg = next(item for item in FORMATS if item.name == "postgresql")
    line = "2026-03-14 02:07:29.110 IST [812] LOG:  checkpoint"
    assumed = Dialect(None, (pg,), ZoneRule(), NOT_AFTER)
    rows = read_lines(pl.Series([line]), assumed)
    assert rows["reason"].to_list() == [stamps.UNKNOWN_ZONE]
    declared = Dialect(None, (pg,), ZoneRule.named("Asia/Kolkata"), NOT_AFTER)
    rows = read_lines(pl.Series([line]), declared)
    assert rows["timestamp"][0] == nanoseconds(datetime(2026, 3, 13, 20, 37, 29, 110_000, UTC))


@given(st.integers(0, 4_000_000_000), st.integers(1, 12), st.integers(1, 28))
def test_a_guessed_year_is_the_latest_that_is_not_in_the_future(
    not_after: int, month: int, day: int
) -> None:
    year = guess_year(month, day, not_after)
    reach = not_after + stamps.YEAR_GUESS_SLACK_S
    assert days_from_civil(year, month, day) * stamps.DAY_S <= reach
    assert days_from_civil(year + 1, month, day) * stamps.DAY_S > reach


def test_the_29th_of_february_goes_back_to_a_leap_year() -> None:
    not_after = int(datetime(2026, 3, 14, tzinfo=UTC).timestamp())
    assert guess_year(2, 29, not_after) == 2024
