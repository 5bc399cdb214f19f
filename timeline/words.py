"""How an instant, a distance, an event and a verdict are written, the same on screen and on paper.

Owns the short words and number formats that the screen and the plain rendering share. Times are
cut to what their source recorded and never padded: a stamp with second precision has no `.000`.
Plain standard library: these words are needed for the first frame.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from timeline.event import Event, Kind, Lane, Precision, severity_name
from timeline.window import MINUTE_NS, SECOND_NS, Window

if TYPE_CHECKING:
    from timeline.order import Order

MILLISECOND_NS = 1_000_000
HOUR_NS = 60 * MINUTE_NS
MANY_DAYS = 100
"""From this many days on the hours of a distance tell nothing."""
DAY_NS = 24 * HOUR_NS
OPEN_ENDED_NS = 2**62 - 1
"""From this length on (146 years) a stretch has no end: `timeline.clock.FOREVER_NS` is longer."""

REACHING = "Reaching the sources."
"""What is said before anything else is known."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_DIGITS = {
    Precision.NANOSECOND: 9,
    Precision.MICROSECOND: 6,
    Precision.MILLISECOND: 3,
    Precision.SECOND: 0,
    Precision.MINUTE: 0,
}


def moment(timestamp: int) -> datetime:
    """The instant as an aware UTC datetime, cut to the second."""
    return _EPOCH + timedelta(seconds=timestamp // SECOND_NS)


def day(timestamp: int) -> str:
    """`2026-11-21`, in UTC."""
    return _day_and_second(timestamp // SECOND_NS)[0]


@lru_cache(maxsize=4_096)  # a table writes each second of a night many times over
def _day_and_second(seconds: int) -> tuple[str, str]:
    date, _, second = moment(seconds * SECOND_NS).strftime("%Y-%m-%d %H:%M:%S").partition(" ")
    return date, second


def wall_time(timestamp: int, precision: Precision = Precision.MILLISECOND, digits: int = 9) -> str:
    """`02:07:29.117`: UTC time of day, the digits its source wrote, at most `digits` of them."""
    if precision is Precision.MINUTE:
        return moment(timestamp).strftime("%H:%M")
    text = _day_and_second(timestamp // SECOND_NS)[1]
    shown = min(_FRACTION_DIGITS[precision], digits)
    if not shown:
        return text
    return f"{text}.{timestamp % SECOND_NS:09d}"[: len(text) + 1 + shown]


def clock_face(timestamp: int) -> str:
    """`02:07:29`, with milliseconds only when there are any: for T, the onset and window ends."""
    cut = timestamp % SECOND_NS == 0
    return wall_time(timestamp, Precision.SECOND if cut else Precision.MILLISECOND)


def signed_distance(delta: int, precision: Precision = Precision.MILLISECOND) -> str:
    """`-6m11.2s`, `+0.117s`, `-3d02h`: a distance from T in at most eight characters.

    Digits are cut, never rounded, so that a distance cannot cross the instant it measures to.
    """
    if delta == 0:
        return "0"
    sign, size = ("-" if delta < 0 else "+"), abs(delta)
    if size >= MANY_DAYS * DAY_NS:
        return f"{sign}{size // DAY_NS}d"
    if size >= DAY_NS:
        return f"{sign}{size // DAY_NS}d{size % DAY_NS // HOUR_NS:02d}h"
    if size >= HOUR_NS:
        return f"{sign}{size // HOUR_NS}h{size % HOUR_NS // MINUTE_NS:02d}m"
    if precision is Precision.MINUTE:
        return f"{sign}{size // MINUTE_NS}m"
    seconds, fraction = size % MINUTE_NS // SECOND_NS, size % SECOND_NS
    whole = precision is Precision.SECOND
    if whole and size < SECOND_NS:
        return "0s"  # closer than the stamp can tell: no side is claimed
    if size >= MINUTE_NS:
        tail = "" if whole else f".{fraction // 100_000_000}"
        return f"{sign}{size // MINUTE_NS}m{seconds:02d}{tail}s"
    tail = "" if whole else f".{fraction // MILLISECOND_NS:03d}"
    return f"{sign}{seconds}{tail}s"


def span_words(size: int) -> str:
    """`6 min 11 s`, `2.1 s`, `850 ms`, `3 h 5 min`: a length of time in at most two units."""
    size = abs(size)
    if size >= OPEN_ENDED_NS:
        return "open-ended"
    if size < SECOND_NS:
        return f"{size / MILLISECOND_NS:.3g} ms"
    if size < 10 * SECOND_NS:
        return f"{size // 100_000_000 / 10:g} s"
    units = ((DAY_NS, "d"), (HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s"))
    parts: list[tuple[int, str]] = []
    for length, name in units:
        count, size = divmod(size, length)
        if count or parts:
            parts.append((count, name))
    return " ".join(f"{count} {name}" for count, name in parts[:2] if count)


def age(delta: int) -> str:
    """`31 min ago` for a positive distance to now, `in 4 min` for a negative one."""
    if abs(delta) < SECOND_NS:
        return "now"
    size = abs(delta)
    if size >= MINUTE_NS:
        size -= size % MINUTE_NS
    else:
        size -= size % SECOND_NS
    return f"in {span_words(size)}" if delta < 0 else f"{span_words(size)} ago"


def window_words(window: Window) -> str:
    """`-30/+5 min`: how far the window reaches before and after T."""
    before, after = window.pin - window.start, window.end - window.pin
    for unit, name in ((HOUR_NS, "h"), (MINUTE_NS, "min"), (SECOND_NS, "s")):
        if before % unit == after % unit == 0 and unit <= max(before, after) < 100 * unit:
            return f"-{before // unit}/+{after // unit} {name}"
    if max(before, after) < MINUTE_NS:
        return f"-{span_words(before)}/+{span_words(after)}"
    return f"-{_whole_unit(before)}/+{_whole_unit(after)}"


def _whole_unit(size: int) -> str:
    rounded = size - size % (MINUTE_NS if size >= MINUTE_NS else SECOND_NS)
    return span_words(rounded) if rounded else "0"


def grouped(count: int) -> str:
    """`12 304`: thousands set apart by a space, as no locale misreads it."""
    return f"{count:,}".replace(",", " ")


def count_of(count: int, noun: str, plural: str = "") -> str:
    """`1 row`, `12 304 rows`."""
    return f"{grouped(count)} {noun if count == 1 else plural or noun + 's'}"


LANE_WORDS: dict[Lane, str] = {
    Lane.LOG: "log",
    Lane.QUEUE: "queue",
    Lane.DATABASE: "db",
    Lane.METRIC: "metric",
    Lane.CHANGE: "change",
    Lane.NOTE: "note",
}
"""Lane names of at most six characters."""

KIND_WORDS: dict[Kind, str] = {
    Kind.LOG: "",
    Kind.JOB_ENQUEUED: "enqueue",
    Kind.JOB_STARTED: "start",
    Kind.JOB_FINISHED: "finish",
    Kind.JOB_FAILED: "FAILED",
    Kind.JOB_RETRIED: "retry",
    Kind.JOB_DEAD: "DEAD",
    Kind.ROW_INSERTED: "insert",
    Kind.ROW_UPDATED: "update",
    Kind.ROW_DELETED: "delete",
    Kind.ROW_VERSION: "version",
    Kind.TXN_BEGIN: "begin",
    Kind.TXN_COMMIT: "commit",
    Kind.TXN_ABORT: "ABORT",
    Kind.METRIC: "",
    Kind.CHANGE: "",
    Kind.NOTE: "",
    Kind.GAP: "gap",
}
"""What happened, in at most seven characters; capitals say that it went wrong, without colour."""

FAILED_KINDS = frozenset({Kind.JOB_FAILED, Kind.JOB_DEAD, Kind.TXN_ABORT})
"""Kinds that count as errors whatever their severity number says."""


def what_word(event: Event) -> str:
    """`ERROR` for a log line, `enqueue` for a job: at most seven characters, or empty."""
    return KIND_WORDS[event.kind] or severity_name(event.severity_number)


ORDER_GLYPHS = {"certain": "\u2192", "likely": "\u21e2", "possible": "~"}
"""By the value of a `Verdict`: orders are not loaded for the first frame."""
ORDER_GLYPHS_ASCII = {"certain": "->", "likely": "=>", "possible": "~"}


def order_glyph(order: Order | None, *, ascii_only: bool = False) -> str:
    """How a step follows the one before it; `x` when the records say the opposite."""
    if order is None:
        return ""
    if order.verdict is None:
        return "x"
    return (ORDER_GLYPHS_ASCII if ascii_only else ORDER_GLYPHS)[order.verdict]


def order_words(order: Order) -> str:
    """`certain: one clock (web), 4.2 ms apart`."""
    verdict = "contradicted" if order.verdict is None else _ORDER_WORDS[order.verdict]
    return f"{verdict}: {order.because}"


_ORDER_WORDS = {"certain": "certain", "likely": "likely", "possible": "undecided"}
