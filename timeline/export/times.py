"""Instants as exports write them: date in every row, recorded precision, units always named.

Integers of nanoseconds in, text out; the words for lengths are those of the screen
(`timeline.words`). Digits are cut, never rounded and never padded: `.000` after a stamp of whole
seconds would claim what nobody recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.event import PRECISION_NS, Precision
from timeline.window import MINUTE_NS, SECOND_NS
from timeline.words import HOUR_NS, day, span_words, wall_time

if TYPE_CHECKING:
    from timeline.export.document import Moment

MILLISECOND_NS = 1_000_000
COARSE = {
    Precision.SECOND: " A time without a fraction was recorded to the second.",
    Precision.MINUTE: " A time without seconds was recorded to the minute.",
}
"""What is said below a table that holds such times."""


def table_time(timestamp: int, precision: Precision) -> str:
    """`2026-03-14 02:07:29.117` in UTC, in the unit the stamp was recorded in."""
    return f"{day(timestamp)} {wall_time(timestamp, precision)}"


def rfc3339(timestamp: int, precision: Precision) -> str:
    """`2026-03-14T02:07:29.117Z`; a stamp of whole minutes keeps the `:00` that RFC 3339 asks."""
    if precision is Precision.MINUTE:
        timestamp, precision = timestamp - timestamp % MINUTE_NS, Precision.SECOND
    return f"{day(timestamp)}T{wall_time(timestamp, precision)}Z"


def stated_precision(timestamp: int) -> Precision:
    """The coarsest of s, ms, us, ns that writes a typed or computed instant in full."""
    units = (Precision.SECOND, Precision.MILLISECOND, Precision.MICROSECOND)
    exact = (unit for unit in units if timestamp % PRECISION_NS[unit] == 0)
    return next(exact, Precision.NANOSECOND)


def from_pin(difference: int, precision: Precision = Precision.MILLISECOND) -> str:
    """Signed distance (ns) from T with its units: `-2.365 s`, `+1 min 4.010 s`, `-3 h 5 min`.

    Not `T+0:05`, which some read as minutes and others as seconds. Nothing finer than a
    millisecond is printed unless the distance itself is shorter and the source that fine.
    """
    sign, size = ("-" if difference < 0 else "+"), abs(difference)
    if 0 < size < MILLISECOND_NS and PRECISION_NS[precision] < MILLISECOND_NS:
        return sign + (span_words(size) if size >= 1_000 else f"{size} ns")
    size -= size % max(PRECISION_NS[precision], MILLISECOND_NS)
    if size == 0:
        return "0 s"
    if size >= HOUR_NS or (precision is Precision.MINUTE and size):
        return sign + span_words(size)
    minutes, rest = divmod(size, MINUTE_NS)
    whole, rest = divmod(rest, SECOND_NS)
    fraction = "" if PRECISION_NS[precision] >= SECOND_NS else f".{rest // MILLISECOND_NS:03d}"
    return f"{sign}{f'{minutes} min ' if minutes else ''}{whole}{fraction} s"


def instant_and_distance(moment: Moment, pin: int) -> str:
    """`2026-03-14T02:07:29.117Z (-2.365 s from T)`."""
    distance = from_pin(moment.timestamp - pin, moment.precision)
    return f"{rfc3339(moment.timestamp, moment.precision)} ({distance} from T)"
