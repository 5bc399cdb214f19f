"""Reads the rows of configured tables around T, nearest to T first, within a budget.

Each column goes the way that `routes` found cheap, and what was not read is said.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from connectors.postgresql.plans import plan_of
from connectors.postgresql.routes import LOOKED_UP, MARGIN_WORDS, How, by_ids, route_to
from connectors.postgresql.rows import (
    Record,
    RowEvents,
    primary_key,
    record_from,
    referred_types,
)
from connectors.postgresql.session import Row, Session
from connectors.postgresql.statements import (
    Span,
    Statements,
    explained,
    span_of,
)
from connectors.postgresql.tables import Column, Table
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Window

LOOKUP_ROWS = 200
"""Rows shown per table and key type; the newest ones."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch (ns UTC) of one table that was not read, with the reason and the remedy."""

    start: int
    end: int
    reason: str
    remedy: str = ""
    cut: bool = False


@dataclass
class TableReader:
    """Reads one table. `gaps` collects what it could not read."""

    session: Session
    statements: Statements
    events: RowEvents
    page_rows: int
    gaps: list[Gap] = field(default_factory=list)
    undated: list[tuple[str, str, str]] = field(default_factory=list)
    """(reason, body, ref) of stamps met on the way that have no place on the timeline."""
    _seen: set[str] = field(default_factory=set)

    @property
    def table(self) -> Table:
        return self.statements.table

    async def around(
        self, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        """Pages of events inside `window`, at most `rows` of them, nearest to the pin first."""
        columns = self.table.times
        for place, column in enumerate(columns):
            if time.monotonic() > deadline:
                self._gap(window, column, "the time it may take was up", cut=True)
                continue
            share = -(-rows // (len(columns) - place))
            try:
                async for page in self._column(column, window, share, deadline):
                    rows -= len(page)
                    yield page
            except Unreachable:
                raise  # every further read would wait as long for the same silence
            except SourceProblem as problem:
                self._gap(window, column, problem.what, problem.remedy)

    async def _column(
        self, column: Column, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        route = await route_to(self.session, self.statements, column, window, self.page_rows)
        if route.how is How.REFUSED:
            self._gap(window, column, route.words(), LOOKED_UP)
            return
        if route.how is How.IDS:
            self._gap(
                window,
                column,
                f"no index on {column.name}, so rows were found {by_ids(route)}: one written by a "
                f"transaction of more than {MARGIN_WORDS} may be missing",
            )
        pin = min(max(window.pin, window.start), window.end)
        after, before = span_of(pin, window.end), span_of(window.start, pin)
        for span, descending in ((after, False), (before, True)):
            if span.start >= span.end:
                continue
            walk = _Walk(self, column, span, descending, route.bracket, window, deadline)
            async for page in walk.pages(rows if descending else -(-rows // 2)):
                rows -= len(page)
                yield page

    def fresh(self, rows: Sequence[Row], window: Window) -> list[Event]:
        """Events inside `window` of rows not met before."""
        seen_at = time.time_ns()
        events: list[Event] = []
        for row in rows:
            key = primary_key(self.table, row)
            if key in self._seen:
                continue
            self._seen.add(key)
            record = record_from(self.table, row)
            self.undated += self.events.undated(record)
            events += [e for e in self.events.of(record, seen_at) if window.contains(e.timestamp)]
        return events

    def _gap(
        self, window: Window, column: Column, why: str, remedy: str = "", *, cut: bool = False
    ) -> None:
        reason = f"{self._named(column)}: {why}"
        self.gaps.append(Gap(window.start, window.end, reason, remedy, cut))

    def _named(self, column: Column) -> str:
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
        for column, wanted in self._questions(keys, key_rules).items():
            own = column in self.table.pk or column == self.table.public_id
            if own:
                answered.update(dict.fromkeys(wanted.values(), False))
            for record in await self._records(column, list(wanted)):
                found.setdefault(record.pk, record)
                value = record.pk if column in self.table.pk else record.columns.get(column.name)
                if own and (key := wanted.get(str(value))) is not None:
                    answered[key] = True
        events = [e for record in found.values() for e in self.events.of(record, seen_at)]
        for record in found.values():
            self.undated += self.events.undated(record)
        return events, answered

    def _questions(self, keys: Iterable[str], key_rules: KeyRules) -> dict[Column, dict[str, str]]:
        """For each column to search: value asked for -> key it came from."""
        table = self.table
        asked: dict[Column, dict[str, str]] = {}
        for key in keys:
            kind, value = split_key(key)
            mine = kind == table.key_type
            if kind == "row":
                name, _, value = value.rpartition("/")
                mine = name in (table.name, table.label)
                kind = key_rules.row_keys(name, "")[1].removesuffix(":")
            own = [table.single_pk, table.public_id] if mine else []
            others = [c for c in table.carried if kind in referred_types(c, key_rules)]
            for column in (*own, *others):
                if column is not None and comparable(column, value):
                    asked.setdefault(column, {})[value] = key
        return asked

    async def _records(self, column: Column, values: list[str]) -> list[Record]:
        statement = self.statements.by_values(column, LOOKUP_ROWS + 1)
        if self.table.large:
            plan = plan_of(await self.session.read(explained(statement), (values,)))
            if plan.scans_everything:
                self.gaps.append(
                    Gap(
                        0,
                        0,
                        f"{self._named(column)} has no index: {self.table.label} was not "
                        "searched by it",
                    )
                )
                return []
        rows = await self.session.read(statement, (values,))
        if len(rows) > LOOKUP_ROWS:
            self.gaps.append(
                Gap(
                    0,
                    0,
                    f"{self.table.label}: more than {LOOKUP_ROWS} rows carry these keys; "
                    f"the {LOOKUP_ROWS} newest are shown",
                    cut=True,
                )
            )
        return [record_from(self.table, row) for row in rows[:LOOKUP_ROWS]]


@dataclass
class _Walk:
    """Walks one column away from the pin, page by page, each page a transaction of its own."""

    reader: TableReader
    column: Column
    span: Span
    descending: bool
    bracket: tuple[int, int] | None
    window: Window
    deadline: float

    async def pages(self, rows: int) -> AsyncIterator[list[Event]]:
        """Pages of at most `rows` events altogether; leaves a gap where it had to stop."""
        reader, resume = self.reader, None
        while True:
            answer = await self._page(resume)
            more = len(answer) > reader.page_rows
            kept = answer[: reader.page_rows]
            events = reader.fresh(kept, self.window)
            if len(events) > rows:
                self._stopped(events[rows].timestamp, f"more than the {rows} rows it may read")
                if rows:
                    yield events[:rows]
                return
            rows -= len(events)
            if events:
                yield events
            if not more:
                return
            resume = kept[-1]
            if time.monotonic() > self.deadline:
                self._stopped(self._stamp(resume) * 1_000, "the time it may take was up")
                return

    async def _page(self, resume: Row | None) -> list[Row]:
        reader, statements = self.reader, self.reader.statements
        statement = statements.page(
            self.column,
            reader.page_rows + 1,
            descending=self.descending,
            resumed=resume is not None,
            bracketed=self.bracket is not None,
        )
        parameters: list[str | int] = [*statements.bounds(self.column, self.span)]
        parameters += self.bracket or ()
        if resume is not None:
            parameters.append(statements.cursor(self.column, self._stamp(resume)))
            parameters += [str(cell) for cell in resume[: len(reader.table.pk)]]
        return await reader.session.read(statement, parameters)

    def _stamp(self, row: Row) -> int:
        """The walked column of a row, in nominal microseconds: the projection's last cell."""
        stamp = row[-1]
        return stamp if isinstance(stamp, int) else 0

    def _stopped(self, at: int, why: str) -> None:
        start, end = (self.window.start, at) if self.descending else (at, self.window.end)
        table = self.reader.table.label
        self.reader.gaps.append(
            Gap(
                min(start, end),
                max(start, end) + 1,
                f"{table}.{self.column.name}: {why}; rows further from T are missing",
                "Narrow the window or follow a key.",
                cut=True,
            )
        )


def comparable(column: Column, value: str) -> bool:
    """Whether `value` can be written as `column`'s type, so that asking cannot be an error."""
    if column.is_integer:
        return (
            value.isascii()
            and value.isdigit()
            and len(value) < 10 + 9 * (column.type_name == "int8")
        )
    if column.type_name == "uuid":
        digits = value.replace("-", "")
        return len(digits) == 32 and all(c in "0123456789abcdefABCDEF" for c in digits)
    return column.type_name in ("text", "varchar", "bpchar", "citext")
