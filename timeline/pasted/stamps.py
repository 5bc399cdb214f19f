"""Finds stamps in text: every usual way a date and a time are written, bounded and in order.

Owns the shapes. A day-first or month-first date keeps both days, a missing zone stays missing, an
abbreviation of two countries keeps both offsets. Nothing is taken from a number that stands in
free text without a name: it may be an id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache

from timeline.event import Precision
from timeline.pasted.calendar_words import ABBREVIATIONS, MONTHS
from timeline.pasted.contract import Day, Stamp
from timeline.pin import epoch_of

MOST_STAMPS = 20_000
"""Stamps read of one paste; a megabyte of stamped lines has fewer."""

_UNITS = {
    "seconds": Precision.SECOND,
    "milliseconds": Precision.MILLISECOND,
    "microseconds": Precision.MICROSECOND,
    "nanoseconds": Precision.NANOSECOND,
}
_ZONE = (
    r"(?P<zone>\ ?(?:UTC|GMT)[+-]\d{1,2}(?::?\d{2})?(?!\d)|\ ?[+-]\d{2}:?\d{2}(?![\d:])"
    r"|[+-]\d{2}(?![\d:])|Z\b|\ \(?[A-Z]{1,5}\)?(?![\w/])"
    r"|\ \(?(?:[A-Z][a-z]+|America|US)/[A-Z][A-Za-z_]{2,30}(?:/[A-Z][A-Za-z_]{2,30})?\)?)?"
)
_CLOCK = (
    r"(?P<hour>\d{1,2})(?::|h)(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?!\d|:\d)(?:\ ?(?P<half>[AaPp]\.?\ ?[Mm]\b\.?))?" + _ZONE
)
_MONTH = r"(?P<{0}>[^\W\d_]{{3,12}})\.?"
_WEEKDAY = r"(?:[^\W\d_]{2,13}\.?,?\ (?:den\ |the\ )?)?"
_JOIN = r"(?:,\ |\ |,?\ (?:at|um|om|à|a\ las|alle|às|kl\.?|o|-|–|—)\ )"
_DAY_SHAPES = (
    r"(?P<year_a>(?:19|20)\d{2})[-/.](?P<month_a>\d{1,2})[-/.](?P<day_a>\d{1,2})",
    r"(?P<year_j>(?:19|20)\d{2})年\ ?(?P<month_j>\d{1,2})月\ ?(?P<day_j>\d{1,2})日",
    r"(?P<one>\d{1,2})(?P<sign>[./-])(?P<two>\d{1,2})(?P=sign)(?P<three>(?:20)?\d{2})",
    r"(?P<day_b>\d{1,2})(?:\.|st|nd|rd|th|º)?[\ /-](?:de\ )?"
    + _MONTH.format("month_b")
    + r",?[\ /-](?:de\ )?(?P<year_b>(?:19|20)\d{2})",
    _MONTH.format("month_c")
    + r"\ (?P<day_c>\d{1,2})(?:st|nd|rd|th)?,?\ (?P<year_c>(?:19|20)\d{2})",
)
_LATE_YEAR = (  # Sat Mar 14 02:13:40 UTC 2026
    _MONTH.format("month") + r"\ {1,2}(?P<day>\d{1,2})\ " + _CLOCK + r"\ (?P<year>(?:19|20)\d{2})\b"
)
_YEARLESS = _MONTH.format("month") + r"\ {1,2}(?P<day>\d{1,2}),?\ (?:at\ )?" + _CLOCK
_BASIC = (
    r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})T"
    r"(?P<hour>\d{2})(?P<minute>\d{2})(?:(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?" + _ZONE
)
_KLOG = r"\b[IWEF](?P<month>\d{2})(?P<day>\d{2})\ (?=\d\d:\d\d:\d\d\.)" + _CLOCK
_REGIONS = ("Etc/UTC", "Etc/GMT")


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """In the order they are preferred where two begin at the same place."""
    days = [rf"(?<![\w./-]){shape}" for shape in _DAY_SHAPES]
    joined = [rf"{shape}(?:T|:|{_JOIN})\ ?{_CLOCK}" for shape in days]
    after = [
        rf"(?<![\w:.]){_CLOCK},?\ (?:on\ |am\ |le\ )?{_WEEKDAY}{shape}(?!\d)" for shape in days
    ]
    texts = [*joined, rf"(?<!\w){_LATE_YEAR}", rf"(?<!\w){_BASIC}", _KLOG, rf"(?<!\w){_YEARLESS}"]
    return tuple(re.compile(text) for text in (*texts, *after))


def stamps_in(text: str, most: int = MOST_STAMPS) -> list[Stamp]:
    """Stamps with a day and a time, in the order of the text, none inside another."""
    return [stamp for _, stamp in placed_in(text, most)]


def placed_in(text: str, most: int = MOST_STAMPS) -> list[tuple[int, Stamp]]:
    """`stamps_in`, each with where it begins."""
    found: list[tuple[int, int, int, Stamp]] = []
    if not any(sign.isdigit() for sign in text):
        return []
    for rank, pattern in enumerate(_patterns()):
        for match in pattern.finditer(text):
            stamp = _stamp(match)
            if stamp is not None:
                found.append((match.start(), rank, match.end(), stamp))
            if len(found) > most:
                break
    # whole dates claim their text before those without a year, and before time-first ones
    taken: list[tuple[int, Stamp]] = []
    end = -1
    for start, _, stop, stamp in sorted(found, key=lambda one: one[:2]):
        if start >= end:
            taken.append((start, stamp))
            end = stop
    return taken[:most]


def stamp_of(text: str) -> Stamp | None:
    """The stamp that a field's whole value is: a date and time, or an epoch in any unit."""
    text = text.strip().strip("\"'[]")
    if (epoch := epoch_stamp(text)) is not None:
        return epoch
    found = placed_in(text[:200], 2)
    return found[0][1] if len(found) == 1 and found[0][0] <= 14 else None


def epoch_stamp(text: str) -> Stamp | None:
    """A number since 1970, its unit by magnitude; digits behind the point refine it."""
    if (epoch := epoch_of(text)) is None:
        return None
    ns, unit = epoch
    precision = _UNITS[unit]
    digits = len(text.partition(".")[2])
    if precision is Precision.SECOND and digits:
        precision = _fraction_precision(digits)
    return Stamp(f"{text} ({unit})", precision, ns=ns)


def number_stamp(value: object) -> Stamp | None:
    """The stamp of a JSON value: a text or a number, never a truth value."""
    if isinstance(value, str):
        return stamp_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return epoch_stamp(str(value) if isinstance(value, int) else f"{Decimal(repr(value)):f}")


def _stamp(match: re.Match[str]) -> Stamp | None:
    part = match.groupdict()
    if part.get("half") == "am" and not _settle_am(match, part):
        return None
    clock = _clock(part)
    days = tuple(dict.fromkeys(_days(part)))
    if clock is None or not days:
        return None
    at, fraction, precision = clock
    zones = zones_of((part["zone"] or "").strip().strip("()"))
    odd = bool(zones) and _may_be_a_span(part)
    text = match.group().strip()
    if part["zone"] and not zones and match.end("zone") == match.end():
        text = text.removesuffix(part["zone"].strip()).strip()  # a word such as ERROR
    return Stamp(text, precision, None, days, at, fraction, zones, odd)


def _settle_am(match: re.Match[str], part: dict[str, str | None]) -> bool:
    """`12:13 am 14.03.` is noon in German and midnight in English: False, it cannot be told.

    Any other hour is the same in both, so the word is dropped where a date follows.
    """
    days = [match.start(name) for name in part if name.startswith(("one", "day")) and part[name]]
    if not days or min(days) < match.start("hour"):
        return True
    part["half"] = None
    return int(part["hour"] or 0) != 12


def _clock(part: dict[str, str | None]) -> tuple[time, int, Precision] | None:
    hour, second = int(part["hour"] or 0), int(part["second"] or 0)
    if half := part.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    try:
        at = time(hour, int(part["minute"] or 0), second)
    except ValueError:
        return None
    digits = part["fraction"] or ""
    if part["second"] is None:
        return at, 0, Precision.MINUTE
    precision = _fraction_precision(len(digits)) if digits else Precision.SECOND
    return at, int(digits.ljust(9, "0") or 0), precision


def _fraction_precision(digits: int) -> Precision:
    if digits <= 3:
        return Precision.MILLISECOND
    return Precision.MICROSECOND if digits <= 6 else Precision.NANOSECOND


def _days(part: dict[str, str | None]) -> Iterator[Day]:
    for year, month, day in _day_parts(part):
        try:
            date(2024 if year is None else year, month, day)
        except ValueError:
            continue
        yield Day(year, month, day)


def _day_parts(part: dict[str, str | None]) -> Iterator[tuple[int | None, int, int]]:
    if part.get("one") and part.get("two") and part.get("three"):
        yield from _numeric(part["one"] or "", part["two"] or "", part["three"] or "")
        return
    for ending in ("", "_a", "_b", "_c", "_j"):
        month, day = part.get(f"month{ending}"), part.get(f"day{ending}")
        if month and day:
            year = part.get(f"year{ending}")
            for number in _months(month):
                yield int(year) if year else None, number, int(day)


def _numeric(one: str, two: str, three: str) -> Iterator[tuple[int, int, int]]:
    """Day first and month first; with a year of two digits year first as well."""
    short = len(three) == 2
    year = int(three) + (2000 if short else 0)
    yield year, int(two), int(one)
    yield year, int(one), int(two)
    if short and len(one) == 2:
        yield int(one) + 2000, int(two), int(three)


def _months(word: str) -> tuple[int, ...]:
    return (int(word),) if word.isdigit() else MONTHS.get(word.lower().rstrip("."), ())


def zones_of(word: str) -> tuple[tzinfo | str, ...]:
    """Every zone that a word can mean; a region keeps its name. None for what is no zone."""
    if not word:
        return ()
    if word in ABBREVIATIONS:
        return ABBREVIATIONS[word]
    if "/" in word:
        return (UTC,) if word in _REGIONS else (word,)
    match = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", word)
    if match is None:
        return ()
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 14 or minutes > 59:
        return ()
    offset = timedelta(hours=hours, minutes=minutes)
    return (timezone(-offset if match[1] == "-" else offset) if offset else UTC,)


def _may_be_a_span(part: dict[str, str | None]) -> bool:
    """`02:13-02:45` is a span of time as well as a time with an offset."""
    zone = part["zone"] or ""
    return part["second"] is None and zone.startswith("-") and ":" in zone
