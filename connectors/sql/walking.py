"""Walks one column of a table away from the pin, page by page, each page a transaction of its own.

Two ways: in the order of the stamps, where an index or a small table gives it; else in the order of
integer keys between two of them. Owns how far each got and says what it did not reach.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from connectors.sql.brackets import MARGIN_NS
from connectors.sql.pacing import Pace
from connectors.sql.tables import ColumnLike
from connectors.sql.values import Row
from timeline.event import Event
from timeline.window import Window

C = TypeVar("C", bound=ColumnLike)
C_asked = TypeVar("C_asked", bound=ColumnLike, contravariant=True)
Keys = tuple[int, int]
"""Two integer keys, both included; nothing lies between (1, 0)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch (ns UTC) of one table that was not read; 0 to 0 is the whole window."""

    start: int
    end: int
    reason: str
    remedy: str = ""
    cut: bool = False


class Walked(Protocol[C_asked]):
    """What a walk asks of the table it walks. Everything may raise `SourceProblem`."""

    page_rows: int
    gaps: list[Gap]

    def named(self, column: C_asked) -> str:
        """`orders.created_at`, for sentences."""
        ...

    async def page(
        self, column: C_asked, stretch: tuple[int, int], after: Row | None, *, descending: bool
    ) -> list[Row]:
        """At most `page_rows + 1` rows of a stretch (ns UTC) in the order of `column`."""
        ...

    async def edge(self, keys: Keys, rows: int, *, descending: bool) -> int | None:
        """The key of the last of the next `rows` rows between two keys."""
        ...

    async def slice(
        self, column: C_asked, stretch: tuple[int, int], keys: Keys, rows: int, *, descending: bool
    ) -> tuple[list[Row], float]:
        """At most `rows` rows of a stretch between two keys in their order; the server's s."""
        ...

    def stamp(self, column: C_asked, row: Row) -> int | None:
        """The walked column of a row (ns UTC)."""
        ...

    async def fresh(self, rows: Sequence[Row], window: Window) -> list[Event]:
        """Events inside `window` of rows that were not met before."""
        ...


@dataclass
class Walk(Generic[C]):
    """One side of the pin."""

    table: Walked[C]
    column: C
    descending: bool
    window: Window
    deadline: float

    async def pages(self, rows: int) -> AsyncIterator[list[Event]]:
        """Pages of at most `rows` events altogether; leaves a gap where it had to stop."""
        reached = self.window.pin
        while not self.over:
            answer = await self.page()
            events = await self.table.fresh(answer, self.window)
            if len(events) > rows:
                self._stopped(events[rows].timestamp, f"more than the {rows} rows it may read")
                if rows:
                    yield events[:rows]
                return
            rows -= len(events)
            if events:
                yield events
            if answer:
                reached = self.table.stamp(self.column, answer[-1]) or reached
            if not self.over and time.monotonic() > self.deadline:
                self._stopped(reached, "the time it may take was up")
                return

    @property
    def over(self) -> bool:
        """Whether nothing is left to read."""
        raise NotImplementedError

    async def page(self) -> list[Row]:
        """The next rows, those nearest to the pin first."""
        raise NotImplementedError

    def disorder(self) -> int:
        """By how many ns a row that is still to come may lie nearer to the pin than one read."""
        return 0

    def _stopped(self, at: int, why: str) -> None:
        window = self.window
        at += self.disorder() if self.descending else -self.disorder()
        start, end = (window.start, at) if self.descending else (at, window.end)
        start, end = max(start, window.start), min(end, window.end)
        self.table.gaps.append(
            Gap(
                min(start, end),
                max(start, end) + 1,
                f"{self.table.named(self.column)}: {why}; rows further from T are missing",
                "Narrow the window or follow a key.",
                cut=True,
            )
        )


@dataclass
class StampWalk(Walk[C]):
    """In the order of the stamps, which an index gives or a small table is sorted by."""

    stretch: tuple[int, int]
    """Half-open, in ns UTC."""
    _after: Row | None = None
    _more: bool = True

    @property
    def over(self) -> bool:
        return not self._more or self.stretch[0] >= self.stretch[1]

    async def page(self) -> list[Row]:
        table = self.table
        answer = await table.page(
            self.column, self.stretch, self._after, descending=self.descending
        )
        self._more = len(answer) > table.page_rows
        kept = answer[: table.page_rows]
        self._after = kept[-1] if kept else None
        return kept


@dataclass
class KeyWalk(Walk[C]):
    """In the order of integer keys, slice by slice, where no index gives that of the stamps.

    No slice touches more rows than its pace allows, however many lie between the keys, so that
    none takes long; all of the window's rows in it are told, on whichever side of the pin.
    """

    keys: Keys
    """Not yet walked."""
    pace: Pace = field(default_factory=Pace)

    @property
    def over(self) -> bool:
        return self.keys[0] > self.keys[1]

    async def page(self) -> list[Row]:
        table, rows, (low, high) = self.table, self.pace.rows, self.keys
        edge = await table.edge(self.keys, rows, descending=self.descending)
        if edge is None:
            self.keys = (1, 0)
            return []
        keys = (edge, high) if self.descending else (low, edge)
        stretch = (self.window.start, self.window.end)
        answer, seconds = await table.slice(
            self.column, stretch, keys, rows + 1, descending=self.descending
        )
        self.pace.took(seconds)
        kept = answer[:rows]
        if len(answer) > rows:  # some were committed since the edge was asked for
            edge = int(kept[-1][0] or 0)
        self.keys = (low, edge - 1) if self.descending else (edge + 1, high)
        return kept

    def disorder(self) -> int:
        return MARGIN_NS
