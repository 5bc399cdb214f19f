"""Reads the rows of one table around T, nearest to T first, within a budget; and rows by key.

What every SQL database has in common: which columns and keys are asked for, what becomes of the
rows, and what is said of those that were not read. How it is asked, each reader adds.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from connectors.sql.rows import Record, RowEvents, primary_key, referred_types
from connectors.sql.tables import TableLike, single_pk
from connectors.sql.values import Row
from connectors.sql.walking import C, Gap, Keys, KeyWalk, StampWalk, Walk
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Window

LOOKUP_ROWS = 200
"""Rows shown per table and key type; the newest ones."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a stretch of one column is read: in the order of its stamps, or between integer keys."""

    keys: Keys | None = None
    pin: int = 0
    """About the key that was given out at the pin: where a walk through keys begins."""


class Reading(ABC, Generic[C]):
    """Reads one table. `gaps` collects what it could not read, `notes` how a large one was read."""

    def __init__(self, table: TableLike[C], events: RowEvents, page_rows: int) -> None:
        self.table = table
        self.events = events
        self.page_rows = page_rows
        self.gaps: list[Gap] = []
        self.notes: list[str] = []
        self.undated: list[tuple[str, str, str]] = []
        """(reason, body, ref) of stamps met on the way that have no place on the timeline."""
        self._seen: set[str] = set()

    @property
    def label(self) -> str:
        return self.table.label

    async def around(
        self, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        """Pages of events inside `window`, at most `rows` of them, nearest to the pin first."""
        columns = self.table.times
        for place, column in enumerate(columns):
            if time.monotonic() > deadline:
                self.gap(window, column, "the time it may take was up", cut=True)
                continue
            share = -(-rows // (len(columns) - place))
            try:
                async for page in self._column(column, window, share, deadline):
                    rows -= len(page)
                    yield page
            except Unreachable:
                raise  # every further read would wait as long for the same silence
            except SourceProblem as problem:
                self.gap(window, column, problem.what, problem.remedy)

    async def _column(
        self, column: C, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        route = await self.route(column, window)
        if route is None:
            return
        for walk in self._walks(column, window, deadline, route):
            async for page in walk.pages(rows if walk.descending else -(-rows // 2)):
                rows -= len(page)
                yield page

    def _walks(
        self, column: C, window: Window, deadline: float, route: Route
    ) -> tuple[Walk[C], Walk[C]]:
        """Away from the pin on either side, first to later rows."""
        later, earlier = (
            (self, column, False, window, deadline),
            (self, column, True, window, deadline),
        )
        if route.keys is not None:
            low, high = route.keys
            pin = min(max(route.pin, low), high + 1)
            return KeyWalk(*later, (pin, high)), KeyWalk(*earlier, (low, pin - 1))
        pin = min(max(window.pin, window.start), window.end)
        return StampWalk(*later, (pin, window.end)), StampWalk(*earlier, (window.start, pin))

    async def fresh(self, rows: Sequence[Row], window: Window) -> list[Event]:
        """Events inside `window` of rows not met before."""
        seen_at = time.time_ns()
        events: list[Event] = []
        for row in rows:
            key = primary_key(self.table, row)
            if key in self._seen:
                continue
            self._seen.add(key)
            record = self.record(row)
            self.undated += self.events.undated(record)
            events += [e for e in self.events.of(record, seen_at) if window.contains(e.timestamp)]
        return events

    def gap(
        self, window: Window, column: C, why: str, remedy: str = "", *, cut: bool = False
    ) -> None:
        """Say that this column was not, or not wholly, read."""
        reason = f"{self.named(column)}: {why}"
        self.gaps.append(Gap(window.start, window.end, reason, remedy, cut))

    def named(self, column: C) -> str:
        return f"{self.table.label}.{column.name}"

    async def by_keys(
        self, keys: Iterable[str], key_rules: KeyRules
    ) -> tuple[list[Event], dict[str, bool]]:
        """Rows that are, or refer to, the rows named by `keys`.

        The second part says for each key this table holds itself whether the row was there.
        """
        seen_at = time.time_ns()
        answered: dict[str, bool] = {}
        found: dict[str, Record] = {}
        for column, wanted in self.questions(keys, key_rules).items():
            own = column in self.table.pk or column == self.table.public_id
            if own:
                answered.update(dict.fromkeys(wanted.values(), False))
            folded = {value.casefold(): key for value, key in wanted.items()}  # as collations do
            for record in await self._holding(column, list(wanted)):
                found.setdefault(record.pk, record)
                value = record.pk if column in self.table.pk else record.columns.get(column.name)
                text = self.written(column, str(value)) or ""
                if own and (key := folded.get(text.casefold())) is not None:
                    answered[key] = True
        events = [e for record in found.values() for e in self.events.of(record, seen_at)]
        for record in found.values():
            self.undated += self.events.undated(record)
        return events, answered

    def questions(self, keys: Iterable[str], key_rules: KeyRules) -> dict[C, dict[str, str]]:
        """For each column to search: value asked for -> key it came from."""
        table = self.table
        asked: dict[C, dict[str, str]] = {}
        for key in keys:
            kind, value = split_key(key)
            mine = kind == table.key_type
            if kind == "row":
                name, _, value = value.rpartition("/")
                mine = name in (table.name, table.label)
                kind = key_rules.row_keys(name, "")[1].removesuffix(":")
            own = [single_pk(table), table.public_id] if mine else []
            others = [c for c in table.carried if kind in referred_types(c, key_rules)]
            for column in (*own, *others):
                if column is not None and (text := self.written(column, value)) is not None:
                    asked.setdefault(column, {})[text] = key
        return asked

    async def _holding(self, column: C, values: list[str]) -> list[Record]:
        rows = await self.rows_holding(column, values, LOOKUP_ROWS + 1)
        if rows is None:
            reason = f"{self.named(column)} has no index: {self.label} was not searched by it"
            self.gaps.append(Gap(0, 0, reason))
            return []
        if len(rows) > LOOKUP_ROWS:
            reason = (
                f"{self.label}: more than {LOOKUP_ROWS} rows carry these keys; "
                f"the {LOOKUP_ROWS} newest are shown"
            )
            self.gaps.append(Gap(0, 0, reason, cut=True))
        return [self.record(row) for row in rows[:LOOKUP_ROWS]]

    # how it is asked; everything that reads may raise `SourceProblem`

    @abstractmethod
    async def route(self, column: C, window: Window) -> Route | None:
        """How a stretch is read; None where it is not, of which a gap then tells."""

    @abstractmethod
    async def page(
        self, column: C, stretch: tuple[int, int], after: Row | None, *, descending: bool
    ) -> list[Row]:
        """See `connectors.sql.walking.Walked`."""

    @abstractmethod
    async def edge(self, keys: Keys, rows: int, *, descending: bool) -> int | None:
        """See `connectors.sql.walking.Walked`."""

    @abstractmethod
    async def slice(
        self, column: C, stretch: tuple[int, int], keys: Keys, rows: int, *, descending: bool
    ) -> tuple[list[Row], float]:
        """See `connectors.sql.walking.Walked`."""

    @abstractmethod
    def stamp(self, column: C, row: Row) -> int | None:
        """See `connectors.sql.walking.Walked`."""

    @abstractmethod
    def record(self, row: Row) -> Record:
        """A row as it was answered, unpacked."""

    @abstractmethod
    def written(self, column: C, value: str) -> str | None:
        """`value` as `column` writes it; None when it cannot hold it, so asking is no error."""

    @abstractmethod
    async def rows_holding(self, column: C, values: list[str], limit: int) -> list[Row] | None:
        """The newest rows with one of these values; None where only a whole scan finds them."""
