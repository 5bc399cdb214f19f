"""How people spell days, clocks and zones in front of a note: the patterns, and what they mean.

Owns the shapes alone; `connectors.notes.written` makes notes of them. Nothing is guessed: an
abbreviation of two countries names both and is refused, a date that reads two ways is none.
Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from connectors.logs.zones import ZoneRule
from timeline.pasted.calendar_words import ABBREVIATIONS, MONTHS

_NUMERIC_DAY = re.compile(r"(?<![0-9])([0-9]{4})[-_/.]?([0-9]{2})[-_/.]?([0-9]{2})(?![0-9])")
_NAMED_DAY = re.compile(
    r"(?<!\w)(?:(?P<day_a>[0-9]{1,2})(?:\.|st|nd|rd|th)?[ -](?:of )?(?P<month_a>[^\W\d_]{3,12})\.?"
    r"|(?P<month_b>[^\W\d_]{3,12})\.? (?P<day_b>[0-9]{1,2})(?:st|nd|rd|th)?),?[ -]"
    r"(?P<year>[0-9]{4})(?![0-9])"
)
LONGEST_BARE_DAY = 40
"""Characters of a line that is nothing but a day: `Wednesday, September 30th, 2026`."""
_ASIDE = re.compile(r"\s+\([^()]{1,40}\)$")
"""Behind a day, in brackets: `2026-03-14 (all times UTC)`."""
_WEEKDAY = re.compile(r"^[^\W\d_]{2,12}\.?,?\s+(?=\S*\d|[^\W\d_]+\.? \d)")

_NAMES = "|".join(sorted(ABBREVIATIONS, key=len, reverse=True))
_REGION = r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?"
_OFFSET = r"(?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2}"
ZONE = rf"(?:\s?(?:{_OFFSET}|Z)\b|\s\(?(?:{_NAMES}|{_REGION})\b\)?|(?:UTC|GMT)\b)"
CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
HALF = r"\s?[aApP]\.?[mM]\b\.?"
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
ABOUT = r"(?:[~≈]\s?|(?:ca?\.|circa|approx\.?|approximately|about|around)\s)"
LEAD = (
    r"^(?:\s*(?:[-*+•]|[0-9]{1,3}[.)])\s+|\s{0,3}\|\s*|\s{0,3})"  # a list, a table, plain text
    r"(?:\[[ xX]\]\s+)?[*_`\[(]{0,3}"
)
"""Deeper plain text belongs to the note above, as in Markdown."""
LIST_LEAD = r"^(?:\s*(?:[-*+•]|[0-9]{1,3}[.)])\s+|\s{0,3}\|\s*)(?:\[[ xX]\]\s+)?[*_`\[(]{0,3}"
_SPAN = rf"(?:\s?[-–—]\s?|\s(?:to|until|till)\s)(?P<until>{CLOCK}(?:{HALF})?)"
CLOCK_PART = (
    rf"(?P<about>{ABOUT})?(?P<clock>{CLOCK})(?P<half>{HALF})?(?P<on>\+(?![0-9]))?"
    rf"(?P<zone>{ZONE})?(?:{_SPAN}(?P<late_zone>{ZONE})?)?"
)
JOIN = r"(?:T|[ ]{1,4}|,\s?|\s?\|\s?|\s(?:at|@)\s)"
TAIL = r"[*_`\])]{0,3}\s*(?:(?:[|:–—]|-(?=\s))(?:\*\*(?=\s))?)?\s*(?P<rest>.*)$"
_ZONE_NAME = rf"(?P<name>{_OFFSET}|{_NAMES}|{_REGION})\b"
_STATED = re.compile(
    rf"(?i:\b(?:all\s+)?(?:times?|timestamps?|timeline)\b(?:\s+(?:are|is|in|zone|below|shown|given))*"
    rf"\s*[:=]?\s*[(\[]?\s*){_ZONE_NAME}"
)


@dataclass(frozen=True, slots=True)
class SpeltZone:
    """What a zone's word means: an offset as `+01:00`, a rule of its own, or why neither."""

    offset: str = ""
    rule: ZoneRule | None = None
    problem: str = ""


def day_in(text: str) -> str:
    """The first date in a heading, a line or a file's name as `2026-03-14`; empty for none."""
    for year, month, day in _NUMERIC_DAY.findall(text):
        if "1970" <= year <= "2200" and "01" <= month <= "12" and "01" <= day <= "31":
            return f"{year}-{month}-{day}"
    for match in _NAMED_DAY.finditer(text):
        day, month = match["day_a"] or match["day_b"], match["month_a"] or match["month_b"]
        months = MONTHS.get(month.lower(), ())
        if len(months) == 1 and (spelt := _calendar(match["year"], months[0], day)):
            return spelt
    return ""


def is_bare_day(line: str) -> bool:
    """Whether a line holds nothing but a date."""
    bare = _ASIDE.sub("", line.strip()).strip("*_=-: ")
    if not bare or len(bare) > LONGEST_BARE_DAY:
        return False
    without = _WEEKDAY.sub("", bare, count=1)
    patterns = (_NUMERIC_DAY, _NAMED_DAY)
    return any(one.fullmatch(text) for one in patterns for text in (bare, without))


def zone_stated(line: str) -> str:
    """The zone that a line states for what follows: `All times UTC.`, `| Time (CET) | Event |`."""
    match = _STATED.search(line)
    return match["name"] if match else ""


def zone_of(word: str) -> SpeltZone:
    """What the word behind a clock means; an empty word means nothing at all."""
    name = word.strip().strip("()")
    if not name or name == "Z":
        return SpeltZone(offset=name)
    if re.fullmatch(_OFFSET, name):
        return SpeltZone(offset=name.removeprefix("UTC").removeprefix("GMT"))
    if name in ABBREVIATIONS:
        meant = ABBREVIATIONS[name]
        if len(meant) > 1:
            listed = ", ".join(offset_of(zone) for zone in meant)
            return SpeltZone(
                problem=f"{name} names {len(meant)} zones ({listed}): write the offset"
            )
        return SpeltZone(offset=offset_of(meant[0]))
    try:
        return SpeltZone(rule=ZoneRule.named(name))
    except ValueError:
        return SpeltZone(problem=f"the zone {name} is not known")


def offset_of(zone: tzinfo) -> str:
    """`+01:00` of a fixed zone."""
    text = datetime(2000, 1, 1, tzinfo=UTC).astimezone(zone).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def _calendar(year: str, month: int, day: str) -> str:
    try:
        return date(int(year), month, int(day)).isoformat()
    except ValueError:
        return ""
