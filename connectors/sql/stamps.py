"""How a column writes instants, and how such text or number becomes nanoseconds UTC.

A stamp is never moved: one without a zone is read in the configured zone, the first time where
a clock reads it twice in a night, and callers say so. What cannot be an instant is given as words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

from connectors.sql.values import Cell, Parameter
from timeline.clean import clean
from timeline.event import Precision
from timeline.window import MINUTE_NS, SECOND_NS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NOMINAL = EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
LATEST_NS = 2**63 - 1
"""The year 2262; stamps after it, or before 1970, get no place on the timeline: they are listed."""
LOOKS_FOR_REPEATS = 200
"""Instants of a window at which the zone is asked whether its clock reads twice."""
QUARTER_NS = 15 * MINUTE_NS


def instant_of(moment: datetime) -> int:
    """Nanoseconds since the epoch of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND * 1_000


def moment_of(nanoseconds: int) -> datetime:
    """The aware UTC moment, whole microseconds (rounded down)."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1_000)


def iso(nanoseconds: int) -> str:
    """ISO 8601 text in UTC with microseconds."""
    return moment_of(nanoseconds).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Zone:
    """Zone of stamps that carry none; an empty name is UTC, assumed."""

    name: str = ""

    @property
    def is_utc(self) -> bool:
        return self.name in ("", "UTC", "Etc/UTC")

    def instant(self, nominal: datetime) -> int:
        """ns UTC of what a clock in this zone reads; of two such instants the first."""
        return instant_of(nominal.replace(tzinfo=_zone(self.name), fold=0))

    def nominal(self, start: int, end: int) -> tuple[datetime, datetime]:
        """What a clock there reads at least and at most during `[start, end)` (ns UTC)."""
        first, last = moment_of(start), moment_of(end - 1) + _MICROSECOND
        offsets = [moment.astimezone(_zone(self.name)).utcoffset() for moment in (first, last)]
        shifts = [offset for offset in offsets if offset is not None]
        bare_first, bare_last = first.replace(tzinfo=None), last.replace(tzinfo=None)
        return bare_first + min(shifts), bare_last + max(shifts)

    def repeats(self, start: int, end: int) -> bool:
        """Whether a clock there reads some of `[start, end)` twice, as it is put back."""
        if self.is_utc:
            return False
        step = max(QUARTER_NS, (end - start) // LOOKS_FOR_REPEATS)
        local = (moment_of(at).astimezone(_zone(self.name)) for at in (*range(start, end, step),))
        return any(m.replace(fold=0).utcoffset() != m.replace(fold=1).utcoffset() for m in local)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name or "UTC")


class Reads(Protocol):
    """Reads the instants of one column as they arrive."""

    @property
    def precision(self) -> Precision: ...

    @property
    def zone_missing(self) -> bool:
        """Whether the column leaves its zone to be assumed or configured."""
        ...

    def read(self, raw: Cell) -> int | str | None:
        """ns UTC; None for NULL; or words, for what has no place on the timeline."""
        ...


class StampForm(Reads, Protocol):
    """How one column writes instants."""

    def bounds(self, start: int, end: int) -> tuple[Parameter, Parameter]:
        """Half-open bounds, in the column's own order, that miss no stamp of `[start, end)`."""
        ...


def placed(nanoseconds: int, raw: Cell) -> int | str:
    """The instant where nanoseconds can say it, else words."""
    if 0 <= nanoseconds <= LATEST_NS:
        return nanoseconds
    return f"out of range: {clean(str(raw))}"


@dataclass(frozen=True, slots=True)
class DateTimeForm:
    """SQL text of a DATETIME or TIMESTAMP: `2026-11-20 03:14:00.123456`, always full length."""

    precision: Precision
    zone: Zone
    zone_missing: bool

    def read(self, raw: Cell) -> int | str | None:
        if raw is None:
            return None
        try:
            return placed(self.zone.instant(datetime.fromisoformat(str(raw))), raw)
        except (ValueError, OverflowError):
            return f"no date: {clean(str(raw))}"  # 0000-00-00, 2026-02-00

    def bounds(self, start: int, end: int) -> tuple[Parameter, Parameter]:
        low, high = self.zone.nominal(start, end)
        return _sql_text(low), _sql_text(high)


def _sql_text(nominal: datetime) -> str:
    return nominal.isoformat(sep=" ", timespec="microseconds")


@dataclass(frozen=True, slots=True)
class TextForm:
    """ISO 8601 text compared as text: `2026-11-20 03:14:00.1`, `…T03:14:00Z`, `…+02:00`.

    Bounds are whole seconds without fraction or zone, so that they sort right against any number
    of digits; `separators` and `offsets` (seconds east) are the extremes that a sample showed.
    """

    precision: Precision
    zone: Zone
    zone_missing: bool
    separators: tuple[str, str] = (" ", " ")
    offsets: tuple[int, int] = (0, 0)

    def read(self, raw: Cell) -> int | str | None:
        if raw is None:
            return None
        try:
            moment = datetime.fromisoformat(str(raw))
            if moment.tzinfo is None:
                return placed(self.zone.instant(moment), raw)
            return placed(instant_of(moment), raw)
        except (ValueError, OverflowError):
            return f"no date: {clean(str(raw))[:80]}"

    def bounds(self, start: int, end: int) -> tuple[Parameter, Parameter]:
        if self.zone_missing:
            low, high = self.zone.nominal(start, end)
        else:
            low = moment_of(start).replace(tzinfo=None) + timedelta(seconds=self.offsets[0])
            high = moment_of(end).replace(tzinfo=None) + timedelta(seconds=self.offsets[1])
        after = high.replace(microsecond=0) + timedelta(seconds=1)
        return (
            low.isoformat(sep=self.separators[0], timespec="seconds"),
            after.isoformat(sep=self.separators[1], timespec="seconds"),
        )


@dataclass(frozen=True, slots=True)
class NumberForm:
    """Numbers counted in `unit` ns since `zero` units before 1970 (a Julian day number)."""

    precision: Precision
    unit: int
    zero: float = 0
    zone_missing: bool = False

    def read(self, raw: Cell) -> int | str | None:
        if raw is None:
            return None
        if isinstance(raw, int) and not self.zero:
            return placed(raw * self.unit, raw)
        if isinstance(raw, int | float):
            digits = self.precision.nanoseconds
            return placed(round((raw - self.zero) * (self.unit / digits)) * digits, raw)
        return f"no number: {clean(raw)[:80]}"

    def bounds(self, start: int, end: int) -> tuple[Parameter, Parameter]:
        if self.zero:
            slack = SECOND_NS
            return (start - slack) / self.unit + self.zero, (end + slack) / self.unit + self.zero
        return start // self.unit, -(-end // self.unit)
