"""How each time column of a database writes its instants, told from a sample of its values.

SQLite has no type for times: frameworks write ISO 8601 text, others seconds, milliseconds or a
Julian day number (SQLite manual, "Date And Time Functions"). What a sample cannot tell is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.sql.stamps import NumberForm, StampForm, TextForm, Zone
from connectors.sql.values import Cell
from timeline.event import Precision
from timeline.window import SECOND_NS

SAMPLED_ROWS = 200
"""Newest and oldest rows looked at for values of a column; soft deletions are often all NULL."""
EARLIEST_S, LATEST_S = 946_684_800, 4_102_444_800
"""The years 2000 to 2100: in these, seconds, milliseconds, microseconds and Julian days of one
instant are numbers of different magnitude, so a number alone tells its unit."""
UNITS = (
    (SECOND_NS, Precision.SECOND),
    (1_000_000, Precision.MILLISECOND),
    (1_000, Precision.MICROSECOND),
    (1, Precision.NANOSECOND),
)
DAY_NS = 86_400 * SECOND_NS
JULIAN_EPOCH = 2_440_587.5
"""Julian day number of 1970-01-01T00:00Z."""
JULIAN_PRECISION = Precision.MILLISECOND
"""A Julian day in a 64-bit float keeps about 40 µs today."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a sample tells of one column. `form` is None where it tells nothing usable."""

    form: StampForm | None
    doubt: str = ""
    """In words: why the column is not, or not wholly, read."""


def form_from(sample: Sequence[tuple[str, Cell]], zone: Zone) -> Told | None:
    """The form of a column by (typeof, value) pairs without NULL; None for an empty sample."""
    kinds = Counter(kind for kind, _ in sample)
    if not kinds:
        return None
    main, _ = kinds.most_common(1)[0]
    values = [value for kind, value in sample if kind == main]
    form = _of_texts(values, zone) if main == "text" else _of_numbers(values)
    if form is None:
        return Told(None, f"its values ({str(values[0])[:40]!r}, …) are no times")
    if len(kinds) > 1:
        others = ", ".join(sorted(set(kinds) - {main}))
        return Told(form, f"it holds {main} and {others}; only the {main} is read")
    return Told(form)


def _of_texts(values: Sequence[Cell], zone: Zone) -> TextForm | None:
    """The commonest shape decides; the extremes of separators and offsets widen the bounds."""
    moments = [moment for value in values if (moment := _moment(str(value))) is not None]
    texts = [str(value) for value in values if _moment(str(value)) is not None]
    if len(moments) * 2 <= len(values):
        return None
    digits = max(_fraction(text) for text in texts)
    offsets = [offset.total_seconds() for m in moments if (offset := m.utcoffset()) is not None]
    separators = sorted(text[10] for text in texts)
    bare = len(offsets) < len(moments)
    return TextForm(
        precision=_precision(digits),
        zone=zone,
        zone_missing=bare,
        separators=(separators[0], separators[-1]),
        offsets=(int(min(offsets, default=0)), int(max(offsets, default=0))),
    )


def _moment(text: str) -> datetime | None:
    if len(text) < len("2026-11-20 03:14") or text[4] != "-":
        return None  # a bare day, or ISO's basic format, which does not sort with the extended one
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _fraction(text: str) -> int:
    _, dot, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return digits if dot else 0


def _precision(digits: int) -> Precision:
    if digits == 0:
        return Precision.SECOND
    return Precision.MILLISECOND if digits <= 3 else Precision.MICROSECOND


def _of_numbers(values: Sequence[Cell]) -> NumberForm | None:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers:
        return None
    middle = sorted(numbers)[len(numbers) // 2]
    whole = all(isinstance(number, int) for number in numbers)
    for unit, precision in UNITS:
        if EARLIEST_S <= middle * unit / SECOND_NS < LATEST_S:
            return NumberForm(precision if whole else Precision.MICROSECOND, unit)
    day = (middle - JULIAN_EPOCH) * DAY_NS / SECOND_NS
    if EARLIEST_S <= day < LATEST_S and not whole:
        return NumberForm(JULIAN_PRECISION, DAY_NS, JULIAN_EPOCH)
    return None
