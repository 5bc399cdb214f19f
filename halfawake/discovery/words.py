"""Words that `init` and `check` share: what may be claimed of an account and of a clock."""

from __future__ import annotations

from timeline.clock import MILLISECOND_NS, ClockReading

WRITES: dict[bool | None, str] = {True: "refused", False: "POSSIBLE", None: "unknown"}
"""`CheckReport.writes_refused` in one word."""
WRITES_AT_LENGTH: dict[bool | None, str] = {
    True: "refused: this account cannot write",
    False: "POSSIBLE: this account could write. halfawake never does; use one that cannot",
    None: "unknown: the server does not tell what this account may do",
}


FEW_MS = 10
"""From here on fractions of a millisecond say nothing."""


def clock_words(reading: ClockReading | None) -> str:
    """`+0.31 ±1.20 ms` (server minus here), or nothing when the source has no clock to read."""
    if reading is None:
        return ""
    offset, error = reading.offset / MILLISECOND_NS, reading.error / MILLISECOND_NS
    digits = 0 if max(abs(offset), error) >= FEW_MS else 2
    return f"{offset:+.{digits}f} ±{error:.{digits}f} ms"
