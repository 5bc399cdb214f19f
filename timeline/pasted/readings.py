"""Every instant that a stamp can mean, given the present and the zone of the person's clock.

The future is left out: nothing has happened there yet. Nothing else is, so that a clock change,
a missing zone and a day-first date stay as many readings as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from timeline.jump import zone_words
from timeline.pasted.contract import Day, Stamp
from timeline.pin import AHEAD_ALLOWED_NS, Wall, instants_of
from timeline.window import SECOND_NS
from timeline.words import age, day, wall_time

YEARS_BACK = 8
"""How far back the year of a stamp without one is looked for: 29 February may be that far."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Here:
    """The present (ns UTC), the zone of the person's clock, and where named zones are found.

    `zone_named`: the person said that zone for stamps that state none.
    """

    now: int
    zone: tzinfo
    zone_named: bool = False
    region: Callable[[str], tzinfo | None] = lambda name: None


class Reading(NamedTuple):
    """One instant (ns UTC) and how the stamp was read to get it."""

    ns: int
    how: str


def readings_of(stamp: Stamp, here: Here) -> list[Reading]:
    """The readings that do not lie in the future, each instant once, likeliest zone first."""
    if stamp.ns is not None:
        found = [Reading(stamp.ns, "")]
    else:
        found = [
            reading for zone in zones_for(stamp, here) for reading in _in_zone(stamp, zone, here)
        ]
    possible = [one for one in found if 0 <= one.ns <= here.now + AHEAD_ALLOWED_NS]
    once: dict[int, Reading] = {}
    for reading in possible:
        once.setdefault(reading.ns, reading)
    return list(once.values())


def zones_for(stamp: Stamp, here: Here) -> list[tzinfo]:
    """Zones the stamp can be in: those it states, or the person's and UTC."""
    stated = [
        zone
        for one in stamp.zones
        if (zone := here.region(one) if isinstance(one, str) else one) is not None
    ]
    if stated and not stamp.or_unstated:
        return stated
    own = [here.zone] if here.zone_named else [here.zone, UTC]
    return [*stated, *own]


def _in_zone(stamp: Stamp, zone: tzinfo, here: Here) -> Iterator[Reading]:
    for written in stamp.days:
        for on in _dates(written, here.now):
            found = list(_instants(stamp, on, zone))
            if written.year is None and not any(
                one.ns <= here.now + AHEAD_ALLOWED_NS for one in found
            ):
                continue
            yield from found
            break


def _dates(written: Day, now: int) -> Iterator[date]:
    """The date, or without a year every such date from the newest back."""
    years = [written.year] if written.year is not None else []
    this_year = (_EPOCH + timedelta(seconds=now // SECOND_NS)).year
    for year in years or range(this_year + 1, this_year - YEARS_BACK, -1):
        try:
            yield date(year, written.month, written.day)
        except ValueError:
            continue


def _instants(stamp: Stamp, on: date, zone: tzinfo) -> Iterator[Reading]:
    wall = Wall(stamp.text, stamp.at, stamp.fraction, on)
    shown = instants_of(on, wall, zone)
    if shown:
        for ns, local in shown:
            yield Reading(ns, _how(zone, local, stamp, on))
        return
    for fold, side in ((0, "before"), (1, "after")):  # a clock change left this time out
        local = datetime.combine(on, stamp.at, zone).replace(fold=fold)
        seconds = (local.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)
        how = f"{_how(zone, local, stamp, on)}, the offset {side} a clock change that skips it"
        yield Reading(seconds * SECOND_NS + stamp.fraction, how)


def _how(zone: tzinfo, local: datetime, stamp: Stamp, on: date) -> str:
    words = "UTC" if zone is UTC else zone_words(zone, local)
    return f"{words}, on {on.day} {on:%B}" if len(stamp.days) > 1 else words


def told(reading: Reading, stamp: Stamp, now: int) -> str:
    """`2026-03-14 02:13:40Z (UTC), 31 min ago`, in the digits that the stamp has."""
    how = f" (read as {reading.how})" if reading.how else ""
    return (
        f"{day(reading.ns)} {wall_time(reading.ns, stamp.precision)}Z{how}, {age(now - reading.ns)}"
    )
