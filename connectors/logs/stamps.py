"""One written time stamp into nanoseconds UTC, or the reason why it has none.

Standard library only; `stampcolumns` does the same for whole columns and must agree with it. The
calendar arithmetic is plain integers: no library that wraps years outside 1677-2262 or that reads
a leap second as the next minute has a hand in it. A stamp in second :60 has no number of its own
in POSIX time, so its line stays undated and is listed with that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.logs.zones import ZoneRule, written_offset, written_region
from timeline.event import Precision

SECOND_NS = 1_000_000_000
DAY_S = 86_400
LAST_SECOND = 9_223_372_035
"""Seconds from the epoch that still fit in int64 nanoseconds: 1677-09-21 to 2262-04-11."""
YEAR_GUESS_SLACK_S = 14 * 3_600
"""A year-less date may run ahead of the file's mtime by the widest zone, UTC+14, and no more."""

OUT_OF_RANGE = "time outside 1677-2262, out of range"
LEAP_SECOND = "leap second :60 has no instant of its own"
IMPOSSIBLE = "impossible date or time"
UNKNOWN_ZONE = "time zone abbreviation not understood"
SKIPPED_LOCAL_TIME = "local time skipped by its zone's clock change"
SHORT_YEAR, CENTURY = 2, 2000
"""Digits of a year without its century, and the century that is meant: no log is older."""
NO_TIME = "no time stamp"
NOT_A_TIME = "the time field holds no time"
BROKEN_JSON = "broken JSON"

MONTHS: dict[str, int] = {
    "Jan": 1,
    "Feb": 2,
    "Mar": 3,
    "Apr": 4,
    "May": 5,
    "Jun": 6,
    "Jul": 7,
    "Aug": 8,
    "Sep": 9,
    "Oct": 10,
    "Nov": 11,
    "Dec": 12,
}
PRECISION_BY_THIRDS = (
    Precision.SECOND,
    Precision.MILLISECOND,
    Precision.MICROSECOND,
    Precision.NANOSECOND,
)
"""By whole groups of three fraction digits: `.11` promises no more than its second."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamp as read. `ns` is None when there is a `reason`."""

    ns: int | None
    precision: Precision = Precision.SECOND
    reason: str = ""
    zone_assumed: bool = False
    zone_ambiguous: bool = False
    year_guessed: bool = False


def read_stamp(groups: Mapping[str, str | None], zone: ZoneRule, not_after: int) -> Stamp:
    """Read the named groups of a pattern of `formats`.

    `zone` serves stamps without one. `not_after` (epoch seconds, the file's mtime) bounds the
    year of stamps without one.
    """
    epoch = groups.get("epoch")
    if epoch is not None:
        return _from_epoch(epoch)
    return _from_calendar(groups, zone, not_after)


def _from_epoch(text: str) -> Stamp:
    whole, _, fraction = text.partition(".")
    unit = epoch_unit(len(whole))
    ns = int(whole) * unit + int(fraction[:9].ljust(9, "0") or 0) * unit // SECOND_NS
    if abs(ns) > LAST_SECOND * SECOND_NS:
        return Stamp(None, reason=OUT_OF_RANGE)
    thirds = {SECOND_NS: 0, 1_000_000: 1, 1_000: 2, 1: 3}[unit] + len(fraction) // 3
    return Stamp(ns, PRECISION_BY_THIRDS[min(thirds, 3)])


def epoch_unit(digits: int) -> int:
    """Nanoseconds per unit of an epoch number of so many digits: s, ms, us or ns."""
    if digits <= 11:
        return SECOND_NS
    if digits <= 14:
        return 1_000_000
    return 1_000 if digits <= 17 else 1


def _from_calendar(groups: Mapping[str, str | None], zone: ZoneRule, not_after: int) -> Stamp:
    month_text, year_text = groups.get("month") or "", groups.get("year")
    month = MONTHS.get(month_text) or (int(month_text) if month_text.isdigit() else 0)
    day = int(groups.get("day") or 0)
    year = int(year_text) if year_text else guess_year(month, day, not_after)
    if year_text and len(year_text) == SHORT_YEAR:
        year += CENTURY
    hour, minute, second = (int(groups.get(k) or 0) for k in ("hour", "minute", "second"))
    if not _valid_date(year, month, day) or hour > 23 or minute > 59 or second > 60:
        return Stamp(None, reason=IMPOSSIBLE)
    if second == 60:
        return Stamp(None, reason=LEAP_SECOND)
    local = days_from_civil(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second
    if abs(local - second) > LAST_SECOND - DAY_S:  # by the minute, as `stampcolumns` reads it
        return Stamp(None, reason=OUT_OF_RANGE)
    written = (groups.get("zone") or "").strip()
    offset = written_offset(written) if written else None
    assumed = ambiguous = False
    if offset is None:
        region = written_region(written)
        if written and region is None and zone.assumed:
            return Stamp(None, reason=UNKNOWN_ZONE)
        zone = region or zone
        reading = zone.at(local)
        if reading.offset is None:
            return Stamp(None, reason=SKIPPED_LOCAL_TIME)
        offset, ambiguous, assumed = reading.offset, reading.ambiguous, zone.assumed
    fraction = groups.get("fraction") or ""
    return Stamp(
        (local - offset) * SECOND_NS + int(fraction[:9].ljust(9, "0") or 0),
        PRECISION_BY_THIRDS[min(len(fraction) // 3, 3)],
        zone_assumed=assumed,
        zone_ambiguous=ambiguous,
        year_guessed=not year_text,
    )


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar (era arithmetic, March first)."""
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def guess_year(month: int, day: int, not_after: int) -> int:
    """The latest year in which the date does not begin after `not_after` (epoch seconds)."""
    latest = datetime.fromtimestamp(not_after, UTC).year + 1
    for year in range(latest, latest - 10, -1):  # a 29 February may need to go back eight years
        if (
            _valid_date(year, month, day)
            and days_from_civil(year, month, day) * DAY_S <= not_after + YEAR_GUESS_SLACK_S
        ):
            return year
    return latest


def _valid_date(year: int, month: int, day: int) -> bool:
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return day <= lengths[month - 1]
