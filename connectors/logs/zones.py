"""Time zones of log stamps: what a written zone means, and which zone a zone-less stamp takes.

The zone of the machine that runs halfawake is never consulted. Abbreviations that name several
zones (CST, BST, IST) are not understood on purpose: the person declares the zone instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOUR_S = 3_600

ABBREVIATION_S: dict[str, int] = {
    "Z": 0,
    "UTC": 0,
    "GMT": 0,
    "WET": 0,
    "WEST": HOUR_S,
    "CET": HOUR_S,
    "CEST": 2 * HOUR_S,
    "EET": 2 * HOUR_S,
    "EEST": 3 * HOUR_S,
    "EST": -5 * HOUR_S,
    "EDT": -4 * HOUR_S,
    "CDT": -5 * HOUR_S,
    "MST": -7 * HOUR_S,
    "MDT": -6 * HOUR_S,
    "PST": -8 * HOUR_S,
    "PDT": -7 * HOUR_S,
    "JST": 9 * HOUR_S,
    "AEST": 10 * HOUR_S,
    "AEDT": 11 * HOUR_S,
}
"""Seconds east of UTC of the abbreviations in use for one zone only."""

_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")


def written_offset(zone: str) -> int | None:
    """Seconds east of UTC of a zone as written in a stamp, or None when it is not understood."""
    if zone in ABBREVIATION_S:
        return ABBREVIATION_S[zone]
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    seconds = int(hours) * HOUR_S + int(minutes or 0) * 60
    return -seconds if sign == "-" else seconds


@lru_cache(maxsize=256)
def written_region(zone: str) -> ZoneRule | None:
    """The rule of an IANA name with its slash (`Europe/Berlin`), or None for any other text.

    PHP writes its zone by that name (main.c: `d-M-Y H:i:s e`).
    """
    if "/" not in zone:
        return None
    try:
        return ZoneRule.named(zone)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class LocalReading:
    """What a local time means in a zone. `offset` is None when the zone skipped that time."""

    offset: int | None
    ambiguous: bool = False
    """True in the hour a zone repeats in autumn; `offset` is then that of the first pass."""


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """The zone of stamps that carry none. `declared` is empty when UTC is merely assumed."""

    declared: str = ""
    _zone: tzinfo = field(default=UTC, repr=False)
    defined: bool = False
    """Whether it is the format itself that says so, and nobody's configuration."""

    @classmethod
    def by_definition(cls) -> ZoneRule:
        """UTC, of a format that is defined so."""
        return cls("UTC", UTC, defined=True)

    @classmethod
    def named(cls, declared: str | None) -> ZoneRule:
        """A rule from an IANA name or an offset like `+02:00`; ValueError says what is wrong."""
        if not declared:
            return cls()
        offset = written_offset(declared)
        if offset is not None:
            return cls(declared, timezone(timedelta(seconds=offset)))
        try:
            return cls(declared, ZoneInfo(declared))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"zone {declared!r} is neither an IANA name (Europe/Berlin) nor an offset (+02:00)"
            ) from error

    @property
    def assumed(self) -> bool:
        return not self.declared

    def at(self, local_seconds: int) -> LocalReading:
        """The reading of a wall-clock time, given as if it were UTC seconds since the epoch."""
        if self._zone is UTC:
            return LocalReading(0)
        return _reading(self._zone, local_seconds // 60)


@lru_cache(maxsize=65_536)
def _reading(zone: tzinfo, local_minute: int) -> LocalReading:
    """Zone rules change on whole minutes, so a minute is the finest grain that needs asking."""
    naive = datetime(1970, 1, 1) + timedelta(minutes=local_minute)  # noqa: DTZ001  wall clock
    try:
        first = naive.replace(tzinfo=zone, fold=0).utcoffset()
        second = naive.replace(tzinfo=zone, fold=1).utcoffset()
        if first is None or second is None:
            return LocalReading(None)
        if first == second:
            return LocalReading(int(first.total_seconds()))
        if first < second:  # spring: the clock jumped over this minute
            return LocalReading(None)
        return LocalReading(int(first.total_seconds()), ambiguous=True)
    except OverflowError:
        return LocalReading(0)
