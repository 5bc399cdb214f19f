"""Which instant is meant by a time typed over an open window, and in which words to say so.

Pure and standard library only. Distances count from T. A time of day is looked for on the days of
the window, as UTC and in the other zone; when more than one instant fits, none is chosen.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from timeline.pin import PinProblem, Wall, epoch_of, instants_of, length_of, wall_of
from timeline.window import Window
from timeline.words import clock_face, day, moment, signed_distance

FORMS = "02:13, 02:13:40.5, -6m or +90s from T, 2026-03-14T02:13Z, or an epoch"
"""What may be typed; every refusal names it."""
MOST_DAYS = 62
"""A window of more days needs a date: a time of day would fit too often."""
_ZONES_REACH = timedelta(hours=14)
"""No zone is farther from UTC."""


class Instant(NamedTuple):
    """An instant (ns UTC) and how it was understood: `02:07:40Z, T -6m00.0s`."""

    at: int
    words: str


def instant_of(text: str, window: Window, zone: tzinfo | None = None) -> Instant:
    """Understand a time typed over `window`; `zone` is that of the person's clock, if not UTC.

    Raises `PinProblem` with one sentence when it is no time, fits nowhere or more than once.
    """
    asked = " ".join(text.split())
    if asked[:1] in ("+", "-"):
        length = length_of(asked[1:].strip().lower())
        if length is not None:
            at = window.pin + (length if asked[0] == "+" else -length)
            return Instant(at, told(at, window.pin))
    elif length_of(asked.lower()) is not None:
        raise PinProblem(f"{asked} from T in which direction? Write -{asked} or +{asked}.")
    if (epoch := epoch_of(asked)) is not None:
        at, unit = epoch
        return Instant(at, f"{told(at, window.pin)}; an epoch in {unit}")
    found = wall_of(asked)
    if found is None:
        shown = asked if len(asked) <= 40 else f"{asked[:39]}\u2026"
        raise PinProblem(f"{shown!r} is no time; write {FORMS}.")
    wall, named = found
    if wall.days_back is not None:
        raise PinProblem("Write the date: today and yesterday are not those of the window.")
    zones = [named] if named is not None else [UTC, *([zone] if zone is not None else [])]
    return _only(asked, _readings(wall, zones, window), window)


def told(at: int, pin: int) -> str:
    """`02:07:40Z, T -6m00.0s`; with its date when T has another."""
    date_words = "" if day(at) == day(pin) else f"{day(at)} "
    distance = signed_distance(at - pin) if at != pin else ""
    return f"{date_words}{clock_face(at)}Z, T{' ' if distance else ''}{distance}"


class _Reading(NamedTuple):
    at: int
    local: datetime
    zone: tzinfo


def _readings(wall: Wall, zones: list[tzinfo], window: Window) -> list[_Reading]:
    """Every instant the wall time can mean; a time of day only on days of the window."""
    days = [wall.on] if wall.on is not None else _days(window, wall.asked)
    found = [
        _Reading(at, local, zone)
        for zone in zones
        for on in days
        for at, local in instants_of(on, wall, zone)
        if wall.on is not None or window.start <= at <= window.end
    ]
    return list({reading.at: reading for reading in reversed(found)}.values())[::-1]


def _days(window: Window, asked: str) -> list[date]:
    first = (moment(window.start) - _ZONES_REACH).date()
    count = ((moment(window.end) + _ZONES_REACH).date() - first).days + 1
    if count > MOST_DAYS:
        raise PinProblem(f"The window has many days: add a date, as in {day(window.pin)}T{asked}Z.")
    return [first + timedelta(days=number) for number in range(count)]


def _only(asked: str, readings: list[_Reading], window: Window) -> Instant:
    if not readings:
        span = f"{clock_face(window.start)} to {clock_face(window.end)} UTC"
        raise PinProblem(f"{asked} is not in this window ({span}); add a date to go elsewhere.")
    if len(readings) > 1:
        choices = " or ".join(f"{day(r.at)}T{clock_face(r.at)}Z" for r in readings[:3])
        raise PinProblem(f"{asked} fits more than once: write {choices}.")
    only = readings[0]
    words = told(only.at, window.pin)
    if only.zone is not UTC and only.local.utcoffset():
        words = f"{words} ({only.local:%H:%M:%S} {zone_words(only.zone, only.local)})"
    return Instant(only.at, words)


def zone_words(zone: tzinfo, local: datetime) -> str:
    """`Europe/Berlin, UTC+02:00`, or the offset alone for a zone without a name."""
    offset = local.strftime("%z")
    words = f"UTC{offset[:3]}:{offset[3:5]}"
    name = getattr(zone, "key", None)
    return f"{name}, {words}" if name else words
