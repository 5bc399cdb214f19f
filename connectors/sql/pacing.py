"""How many rows the next statement of a walk may touch, told by what the last one took.

Pure: measures nothing itself. Keeps every statement of a walk through an unknown table short,
whatever the width of its rows, the state of its cache and the load of its server.
"""

from __future__ import annotations

from dataclasses import dataclass

SLOWEST_S = 0.050
"""What one statement may take of a busy server: shorter than anybody notices."""
QUICK_S = SLOWEST_S / 6
"""Below this the next statement may touch twice as many rows: it takes a third of `SLOWEST_S` then,
and even three times as dear a row is no harm."""
SLOW_S = SLOWEST_S / 2
"""Above this the next one touches half as many."""
FIRST_ROWS = 500
LEAST_ROWS = 50
MOST_ROWS = 4_000
"""A row that is shown costs about 5 µs and one that is passed over a tenth of it (PostgreSQL 15,
warm cache), so a walk out of a gap into a crowd still takes no longer than half of `SLOWEST_S`."""


@dataclass(slots=True)
class Pace:
    """Rows that the next statement may touch."""

    rows: int = FIRST_ROWS

    def took(self, seconds: float) -> None:
        """Learn what the last statement took of the server's time."""
        if seconds > SLOW_S:
            self.rows = max(LEAST_ROWS, self.rows // 2)
        elif seconds < QUICK_S:
            self.rows = min(MOST_ROWS, self.rows * 2)
