"""What the person means by TIME: an instant, a key, or two instants that only they can tell apart.

Pure and standard library only: the present and the machine's zone are arguments. A time without a
zone is never guessed; when UTC and the machine's zone differ, both readings are handed back.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from timeline.words import age, day, wall_time

SECOND_NS = 1_000_000_000
AHEAD_ALLOWED_NS = 120 * SECOND_NS
"""How far after this machine's present a pin may lie: the clock that stamped the alert may run
ahead of the laptop's. Farther is a mistake, since nothing has happened there yet."""

FORMS = (
    "2026-03-14T03:14:15Z, 03:14, 'yesterday 03:14', '10m ago', an epoch in s, ms, µs or ns, "
    "or a key such as order:4711"
)
"""What TIME may be; every refusal names it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UNITS: tuple[tuple[int, int, str], ...] = (
    (10**11, SECOND_NS, "seconds"),
    (10**14, 1_000_000, "milliseconds"),
    (10**17, 1_000, "microseconds"),
    (10**20, 1, "nanoseconds"),
)
"""Below which number an epoch is in which unit (ns each): 10**11 s is the year 5138, and as
milliseconds 10**11 is 1973, before anything a log of today holds."""
_EPOCH_LEAST = 10**8

_UNITS_NS = {
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3_600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "w": 7 * 86_400 * SECOND_NS,
}
# Texts, not compiled patterns: an ordinary TIME needs one of them, and the screen waits for it.
_AMOUNT = (
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?"
    r"(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w) ?"
)
_CLOCK = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
_BASIC_CLOCK = r"([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:[.,]([0-9]+))?)?"
_ZONE = r" ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_DATE_TIME = rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})[T ]{_CLOCK}{_ZONE}"
_BASIC = rf"([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})T{_BASIC_CLOCK}{_ZONE}"
_TIME = rf"(?:(yesterday|today) (?:at )?)?T?{_CLOCK}{_ZONE}"
_KEY = r"[A-Za-z][\w.-]{0,63}:(?!//)\S{1,256}"


class PinProblem(ValueError):
    """TIME cannot be understood or cannot be meant; the message names what can."""


class Pin(NamedTuple):
    """One instant. `text` is the reading in words, `zone_note` how a missing zone was settled."""

    ns: int
    text: str
    zone_note: str = ""


class KeyPin(NamedTuple):
    """A key; T comes from what is found under it."""

    key: str


class Ambiguous(NamedTuple):
    """A time without a zone where UTC and the machine's zone differ: two readings or more.

    The machine's zone comes first, UTC last. A time that a clock change repeats has two readings
    in the machine's zone.
    """

    asked: str
    readings: tuple[Pin, ...]

    def sentence(self) -> str:
        return f"{self.asked!r} names no zone, and the zones it could mean differ."


Meant: TypeAlias = Pin | KeyPin | Ambiguous


class Wall(NamedTuple):
    """A calendar reading without its zone. `on` is None for today or, if ahead, yesterday."""

    asked: str
    at: time
    fraction: int
    on: date | None = None
    days_back: int | None = None


class _Reading(NamedTuple):
    ns: int
    zone: str
    local: datetime
    yesterday: bool


def parse_pin(text: str, *, now_ns: int, zone: tzinfo) -> Meant:
    """Understand TIME as typed at `now_ns` on a machine in `zone`.

    Raises `PinProblem` with one sentence when it is none of `FORMS`, does not exist, or lies in
    the future.
    """
    asked = " ".join(text.split())
    if asked.lower() == "now":
        return _pin(now_ns, now_ns)
    if (ago := _ago(asked)) is not None:
        return _checked(now_ns - ago, now_ns, asked)
    if (epoch := epoch_of(asked)) is not None:
        ns, unit = epoch
        return _checked(ns, now_ns, asked, f"{asked} was read as an epoch in {unit}")
    if (found := wall_of(asked)) is not None:
        wall, named = found
        return _settled(wall, named, now_ns, zone)
    if re.fullmatch(_KEY, asked, re.ASCII):
        return KeyPin(asked)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", asked):
        raise PinProblem(f"{asked} is a whole day; add a time, as in {asked}T03:14Z.")
    shown = asked if len(asked) <= 60 else asked[:59] + "…"
    raise PinProblem(f"{shown!r} is not a time; write {FORMS}.")


def _ago(asked: str) -> int | None:
    """Nanoseconds of `10m ago`, `2h30m ago`, `1.5 hours ago`."""
    body, found, _ = asked.lower().rpartition("ago")
    return length_of(body) if found else None


def length_of(body: str) -> int | None:
    """Nanoseconds of `10m`, `2h30m`, `1.5 hours`; None for anything else."""
    parts = list(re.finditer(_AMOUNT, body))
    if not parts or "".join(part.group() for part in parts) != body:
        return None
    return sum(int(Decimal(part[1]) * _UNITS_NS[_unit(part[2])]) for part in parts)


def _unit(word: str) -> str:
    return "ms" if word.startswith(("ms", "milli")) else word[0]


def epoch_of(asked: str) -> tuple[int, str] | None:
    """Nanoseconds of a number since 1970 and the unit it was read in; None for anything else."""
    if not re.fullmatch(r"[0-9]{9,20}(?:\.[0-9]{1,9})?", asked):
        return None
    number = Decimal(asked)
    for limit, unit, name in _EPOCH_UNITS:
        if _EPOCH_LEAST <= number < limit:
            return int(number * unit), name
    return None


def wall_of(asked: str) -> tuple[Wall, tzinfo | None] | None:
    """The calendar reading and the zone that was named, if one was."""
    match = _matched(_DATE_TIME, asked) or _matched(_BASIC, asked)
    if match is not None:
        year, month, date_day, *clock, zone = match.groups()
        try:
            on = date(int(year), int(month), int(date_day))
        except ValueError:
            raise PinProblem(f"There is no day {year}-{month}-{date_day}.") from None
        if not 1970 <= on.year <= 2200:
            raise PinProblem(f"{asked} lies outside of 1970 to 2200; write the year in full.")
        return _at(asked, clock, on, None), _named(zone)
    if match := _matched(_TIME, asked):
        word, *clock, zone = match.groups()
        days_back = None if word is None else int(word.lower() == "yesterday")
        return _at(asked, clock, None, days_back), _named(zone)
    return None


def _matched(pattern: str, asked: str) -> re.Match[str] | None:
    """The whole text by one of the calendar patterns, in capitals or not."""
    return re.fullmatch(pattern, asked, re.IGNORECASE)


def _at(asked: str, clock: list[str | None], on: date | None, days_back: int | None) -> Wall:
    hour, minute, second, fraction = clock
    try:
        at = time(int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        limits = "hours are 0 to 23, minutes and seconds 0 to 59"
        raise PinProblem(f"{asked} is not on any clock; {limits}.") from None
    return Wall(asked, at, int((fraction or "0").ljust(9, "0")[:9]), on, days_back)


def _named(zone: str | None) -> tzinfo | None:
    if zone is None:
        return None
    if zone.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise PinProblem(f"{zone} is not an offset from UTC; offsets reach from -12:00 to +14:00.")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)


def _settled(wall: Wall, named: tzinfo | None, now_ns: int, zone: tzinfo) -> Pin | Ambiguous:
    """One instant when only one can be meant; otherwise all that can."""
    if named is not None:
        readings = _readings(wall, named, now_ns)
    else:
        readings = [*_readings(wall, zone, now_ns), *_readings(wall, UTC, now_ns)]
    possible = [r for r in readings if r.ns <= now_ns + AHEAD_ALLOWED_NS]
    if not possible:
        soonest = min(reading.ns for reading in readings)
        raise PinProblem(f"{wall.asked} lies in the future ({age(now_ns - soonest)}).")
    distinct = list({reading.ns: reading for reading in possible}.values())
    if len(distinct) > 1:
        pins = tuple(_described(wall, r, now_ns, f"read as {r.zone}") for r in distinct)
        return Ambiguous(wall.asked, pins)
    only = distinct[0]
    return _described(wall, only, now_ns, "" if named else _why_only(only, possible, zone, wall))


def _readings(wall: Wall, zone: tzinfo, now_ns: int) -> list[_Reading]:
    """Every instant at which a clock in `zone` showed `wall`: none in a gap, two in a repeat."""
    now = (_EPOCH + timedelta(seconds=now_ns // SECOND_NS)).astimezone(zone)
    on, yesterday = wall.on, False
    if on is None:
        on = now.date() - timedelta(days=wall.days_back or 0)
        latest = now_ns + AHEAD_ALLOWED_NS
        today = [ns for ns, _ in instants_of(on, wall, zone)]
        if wall.days_back is None and today and min(today) > latest:
            on, yesterday = on - timedelta(days=1), True
    return [
        _Reading(ns, _zone_name(zone, local), local, yesterday)
        for ns, local in instants_of(on, wall, zone)
    ]


def instants_of(on: date, wall: Wall, zone: tzinfo) -> list[tuple[int, datetime]]:
    """Instants (ns) at which a clock in `zone` showed `wall` on that day: none, one or two."""
    found: dict[int, datetime] = {}
    for fold in (0, 1):
        local = datetime.combine(on, wall.at, zone).replace(fold=fold)
        instant = local.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
            seconds = (instant - _EPOCH) // timedelta(seconds=1)
            found.setdefault(seconds * SECOND_NS + wall.fraction, local)
    return list(found.items())


def _zone_name(zone: tzinfo, local: datetime) -> str:
    if zone is UTC:
        return "UTC"
    offset = local.strftime("%z")
    name = getattr(zone, "key", None)
    words = f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{name}, {words}" if name and name != "UTC" else words.replace("UTC+00:00", "UTC")


def _why_only(only: _Reading, possible: list[_Reading], zone: tzinfo, wall: Wall) -> str:
    if len(possible) > 1 or zone is UTC:
        return f"read as {only.zone}"
    if only.zone == "UTC":
        other = getattr(zone, "key", None) or "the zone of this machine"
        return f"read as UTC: no clock in {other} showed {wall.at:%H:%M} then"
    return f"read as {only.zone}: as UTC it would lie in the future"


def _described(wall: Wall, reading: _Reading, now_ns: int, how: str) -> Pin:
    notes = [f"{wall.asked} was {how}"] if how else []
    if reading.yesterday:
        notes.append(f"{wall.at:%H:%M} is still ahead today, so yesterday is meant")
    pin = _pin(reading.ns, now_ns)
    shown = "" if reading.zone == "UTC" else f" ({reading.local:%H:%M:%S} {reading.zone})"
    text = f"{_utc(reading.ns)}{shown}, {age(now_ns - reading.ns)}"
    return Pin(pin.ns, text, "; ".join(notes))


def _checked(ns: int, now_ns: int, asked: str, note: str = "") -> Pin:
    if ns < 0:
        raise PinProblem(f"{asked} lies before 1970.")
    if ns > now_ns + AHEAD_ALLOWED_NS:
        raise PinProblem(f"{asked} lies in the future ({age(now_ns - ns)}).")
    return _pin(ns, now_ns, note)


def _pin(ns: int, now_ns: int, note: str = "") -> Pin:
    return Pin(ns, f"{_utc(ns)}, {age(now_ns - ns)}", note)


def _utc(ns: int) -> str:
    return f"{day(ns)} {wall_time(ns).removesuffix('.000')}Z"
