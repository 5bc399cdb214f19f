"""Resque's times: written by Ruby or Node, in UTC, with an offset, or in a local zone.

A zone abbreviation names no zone (IST is three of them), so only UTC and GMT are taken as they
are; any other needs the zone that a person has configured, else the stamp is left alone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from connectors.queues.active_job import iso_ns
from connectors.queues.transitions import epoch_ns
from timeline.window import SECOND_NS

LOCAL_FORMAT = re.compile(
    r"(\d{4})[/-](\d\d)[/-](\d\d) (\d\d):(\d\d):(\d\d)(?: ([A-Z+-][\w:+-]*))?\Z"
)
"""Ruby's `%Y/%m/%d %H:%M:%S %Z` (failure/redis.rb) and `Time#to_s`; resque-retry drops the zone."""
NODE_FORMAT = re.compile(r"\w{3} (\w{3} \d\d \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})")
"""JavaScript's `Date.toString()` (ECMA-262, Date.prototype.toString)."""
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)\Z")
UTC_NAMES = frozenset(("UTC", "GMT", "Z"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp_ns(stamp: str, zone: str = "") -> int | None:
    """ns UTC of any of Resque's spellings, to the second; None when it cannot be known."""
    if stamp.isascii() and stamp.isdigit():
        return epoch_ns(stamp, SECOND_NS)
    if (found := iso_ns(stamp)) is not None:
        return found
    try:
        if node := NODE_FORMAT.match(stamp):
            return _ns(datetime.strptime(" ".join(node.groups()), "%b %d %Y %H:%M:%S %z"))
        if local := LOCAL_FORMAT.match(stamp):
            year, month, day, hour, minute, second = map(int, local.groups()[:6])
            as_if_utc = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            return _placed(as_if_utc, local.group(7) or "", zone)
    except (ValueError, OverflowError):
        pass
    return None


def _placed(as_if_utc: datetime, named: str, zone: str) -> int | None:
    """The instant of a wall clock's reading, given as if the wall stood in UTC."""
    if named in UTC_NAMES:
        return _ns(as_if_utc)
    if offset := OFFSET.match(named):
        sign, hours, minutes = offset.groups()
        east = timedelta(hours=int(hours), minutes=int(minutes))
        return _ns(as_if_utc - east if sign == "+" else as_if_utc + east)
    return _in_zone(as_if_utc, named, ZoneInfo(zone)) if zone else None


def _in_zone(as_if_utc: datetime, named: str, zone: tzinfo) -> int | None:
    """The instant in `zone`; of an hour that exists twice, the one its abbreviation names."""
    both = [as_if_utc.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    fitting = {_ns(moment) for moment in both if not named or moment.tzname() == named}
    return fitting.pop() if len(fitting) == 1 else None


def _ns(moment: datetime) -> int | None:
    whole = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return whole if whole > 0 else None
