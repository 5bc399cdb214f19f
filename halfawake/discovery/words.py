"""Words that `init` and `check` share: what may be claimed of an account and of a clock."""

from __future__ import annotations

from connectors.contract import CheckReport, Cost, Writes
from timeline.clock import MILLISECOND_NS, ClockReading

WRITES: dict[Writes, str] = {
    Writes.REFUSED: "refused",
    Writes.POSSIBLE: "POSSIBLE",
    Writes.UNKNOWN: "UNKNOWN",
    Writes.NOT_APPLICABLE: "local",
}
"""In one word; what a person should act on is in capitals."""
_AT_LENGTH: dict[Writes, str] = {
    Writes.REFUSED: "this account cannot write",
    Writes.POSSIBLE: "this account could write. halfawake never does; use one that cannot",
    Writes.UNKNOWN: "it is not proved that this account cannot write",
}

FEW_MS = 10
"""From here on fractions of a millisecond say nothing."""


def writes_words(report: CheckReport) -> str:
    """`POSSIBLE: this account could write. …`: the word and the sentence it stands for."""
    at_length = _AT_LENGTH.get(report.writes, report.no_account)
    return f"{WRITES[report.writes]}: {at_length}"


def cost_words(cost: Cost) -> str:
    """`orders.created_at: about 1,200 rows by orders_created_at_idx`, or why it is refused."""
    if cost.refused:
        return f"{cost.read}: REFUSED: {cost.refused}"
    amount = "" if cost.rows is None else f"about {cost.rows:,} rows"
    way = f"by {cost.way}" if cost.way else ""
    return f"{cost.read}: {' '.join(filter(None, [amount, way])) or 'not estimated'}"


def clock_words(reading: ClockReading | None) -> str:
    """`+0.31 ±1.20 ms` (server minus here), or nothing when the source has no clock to read."""
    if reading is None:
        return ""
    offset, error = reading.offset / MILLISECOND_NS, reading.error / MILLISECOND_NS
    digits = 0 if max(abs(offset), error) >= FEW_MS else 2
    return f"{offset:+.{digits}f} ±{error:.{digits}f} ms"
