"""The range of integer keys that holds a stretch of time, found by bisection.

For a creation stamp without an index, on the assumption, tested on every probe, that keys are
given out nearly in the order of time. A handful of index look-ups instead of a whole scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.sql.stamps import iso
from connectors.sql.statements import Statements
from connectors.sql.tables import Column
from connectors.sql.values import Select
from timeline.window import MINUTE_NS

MAX_PROBES = 30
"""Look-ups for one end: enough for a thousand million keys; sparser keys end in a wider range."""
MARGIN_NS = 10 * MINUTE_NS
"""Keys and creation stamps disagree by the length of the writing transaction; ten minutes is far
beyond what an online transaction holds."""
STATEMENTS = 2 * MAX_PROBES + 1


@dataclass(slots=True)
class Bracket:
    """`[low, high]` of keys, and how it was found."""

    low: int = 1
    high: int = 0
    probes: int = 0
    disorder: str = ""
    """Two keys whose stamps contradict the assumption, in words; empty when none did."""


@dataclass(slots=True)
class _Search:
    select: Select
    statement: str
    column: Column
    stamps: dict[int, int] = field(default_factory=dict)
    probes: int = 0

    def first_since(self, low: int, high: int, moment: int) -> tuple[int, int]:
        """Bounds of the first key in `[low, high)` whose stamp is at or after `moment` (ns)."""
        for _ in range(MAX_PROBES):
            if low >= high:
                break
            middle = low + (high - low) // 2
            key, stamp = self._at(middle)
            if key is None or key >= high:
                high = middle
            elif stamp is None or stamp < moment:
                low = key + 1
            else:
                high = middle
        return low, high

    def _at(self, key: int) -> tuple[int | None, int | None]:
        self.probes += 1
        rows = self.select(self.statement, (key,))
        if not rows or not isinstance(rows[0][0], int):
            return None, None
        stamp = self.column.form.read(rows[0][1]) if self.column.form else None
        if not isinstance(stamp, int):
            return rows[0][0], None
        self.stamps[rows[0][0]] = stamp
        return rows[0][0], stamp


def bracket(
    select: Select, statements: Statements, column: Column, start: int, end: int
) -> Bracket:
    """The keys of rows whose `column` lies in `[start, end)` (ns UTC), with a margin."""
    (row,) = select(statements.ends(), ())
    if not isinstance(row[0], int) or not isinstance(row[1], int):
        return Bracket()  # an empty table
    search = _Search(select, statements.probe(column), column)
    low, _ = search.first_since(row[0], row[1] + 1, start - MARGIN_NS)
    _, high = search.first_since(low, row[1] + 1, end + MARGIN_NS)
    return Bracket(low, high, search.probes, _disorder(search.stamps))


def _disorder(stamps: dict[int, int]) -> str:
    latest_key, latest = 0, -1
    for key, stamp in sorted(stamps.items()):
        if stamp < latest - MARGIN_NS:
            return f"{key} was stamped {iso(stamp)}, {latest_key} before it {iso(latest)}"
        if stamp > latest:
            latest_key, latest = key, stamp
    return ""
