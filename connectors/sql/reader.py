"""Reads the rows of one table around T, nearest to T first, within a budget; and rows by key.

Owns the decisions that keep a read cheap: plans of large tables are looked at before they run,
the key bracket serves where a creation stamp has no index, and what was not read is said.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from connectors.sql.brackets import STATEMENTS, Bracket, bracket
from connectors.sql.rows import Record, RowEvents, primary_key, record_from, referred_types
from connectors.sql.statements import Plan, Statements, walked_value
from connectors.sql.tables import Column, ColumnKind, Table
from connectors.sql.values import Parameter, Row, Session
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Window

LOOKUP_ROWS = 200
"""Rows shown per table and key type; the newest ones."""
LONGEST_KEY = 255
"""Longest text that is looked for; no key column holds longer ones (InnoDB: 767 bytes)."""
LARGEST_KEY = 2**63 - 1
"""No integer key column of these databases holds more (but BIGINT UNSIGNED, halfway up)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch (ns UTC) of one table that was not read; 0 to 0 is the whole window."""

    start: int
    end: int
    reason: str
    remedy: str = ""
    cut: bool = False


@dataclass
class TableReader:
    """Reads one table. `gaps` collects what it could not read, `notes` how a large one was read."""

    session: Session
    statements: Statements
    events: RowEvents
    page_rows: int
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
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
            share = -(-rows // (len(columns) - place))
            async for page in self.column(column, window, share, deadline):
                rows -= len(page)
                yield page

    async def column(
        self, column: Column, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        """The same for one column; what goes wrong with it costs only it."""
        if time.monotonic() > deadline:
            self.gap(window, column, "the time it may take was up", cut=True)
            return
        try:
            async for kept in self.walked(column, window, rows, deadline):
                yield kept
        except Unreachable:
            raise  # every further read would wait as long for the same silence
        except SourceProblem as problem:
            self.gap(window, column, problem.what, problem.remedy)

    async def walked(
        self, column: Column, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        """Pages on both sides of the pin, each page a transaction of its own."""
        keys = await self._bracket(column, window)
        if keys is _REFUSED:
            return
        pin = min(max(window.pin, window.start), window.end)
        for start, end, descending in ((pin, window.end, False), (window.start, pin, True)):
            if start >= end:
                continue
            walk = _Walk(self, column, (start, end), descending, keys, window, deadline)
            async for page in walk.pages(rows if descending else -(-rows // 2)):
                rows -= len(page)
                yield page

    async def _bracket(self, column: Column, window: Window) -> Bracket | None:
        """Key bounds to add to the condition; None where the plan is fine without."""
        if not self.table.large or column.form is None:
            return None
        bounds = column.form.bounds(window.start, window.end)
        plan = await self._plan(self.statements.page(column, self.page_rows), bounds)
        if not plan.whole_scan:
            self.notes.append(f"{self._named(column)} is read through {plan.index or 'its plan'}")
            return None
        key = self.table.single_pk
        if self.table.role_of(column) != "created" or key is None or not key.is_integer:
            self._refuse(window, column, "")
            return _REFUSED
        found = await self.session.together(
            lambda select: bracket(select, self.statements, column, window.start, window.end),
            STATEMENTS,
        )
        if not found.probes:
            return found  # an empty table
        if found.disorder:
            self._refuse(window, column, f"; its keys are not in the order of time: {key.name} "
                         f"{found.disorder}")  # fmt: skip
            return _REFUSED
        self.gap(
            window,
            column,
            f"it has no index, so rows were found by {key.name} {found.low} to {found.high} "
            f"(bisected in {found.probes} look-ups): one written by a transaction of more than "
            "10 minutes may be missing",
        )
        return found

    def _refuse(self, window: Window, column: Column, why: str) -> None:
        self.gap(
            window,
            column,
            f"it has no index and {self.table.label} is too large to be read whole{why}",
            "Rows named in logs and jobs are still looked up by key.",
        )

    async def _plan(self, statement: str, parameters: Sequence[Parameter]) -> Plan:
        dialect = self.statements.dialect
        rows = await self.session.read(f"{dialect.explain} {statement}", parameters)
        return dialect.plan(rows, self.table)

    async def fresh(self, rows: Sequence[Row], window: Window) -> list[Event]:
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

    def gap(
        self, window: Window, column: Column, why: str, remedy: str = "", *, cut: bool = False
    ) -> None:
        """Say that this column was not, or not wholly, read."""
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
            folded = {value.casefold(): key for value, key in wanted.items()}  # as collations do
            for record in await self._records(column, list(wanted)):
                found.setdefault(record.pk, record)
                value = record.pk if column in self.table.pk else record.columns.get(column.name)
                text = canonical(column, str(value)) or ""
                if own and (key := folded.get(text.casefold())) is not None:
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
                if column is not None and (text := canonical(column, value)) is not None:
                    asked.setdefault(column, {})[text] = key
        return asked

    async def _records(self, column: Column, values: list[str]) -> list[Record]:
        statement = self.statements.by_values(column, len(values), LOOKUP_ROWS + 1)
        parameters = [int(value) if column.is_integer else value for value in values]
        if self.table.large and (await self._plan(statement, parameters)).whole_scan:
            label = self.table.label
            reason = f"{self._named(column)} has no index: {label} was not searched by it"
            self.gaps.append(Gap(0, 0, reason))
            return []
        rows = await self.session.read(statement, parameters)
        if len(rows) > LOOKUP_ROWS:
            reason = (
                f"{self.table.label}: more than {LOOKUP_ROWS} rows carry these keys; "
                f"the {LOOKUP_ROWS} newest are shown"
            )
            self.gaps.append(Gap(0, 0, reason, cut=True))
        return [record_from(self.table, row) for row in rows[:LOOKUP_ROWS]]


_REFUSED = Bracket()
"""No way to read a stretch of this column without reading the whole table."""


@dataclass
class _Walk:
    """Walks one column away from the pin, page by page, each page a transaction of its own."""

    reader: TableReader
    column: Column
    stretch: tuple[int, int]
    descending: bool
    keys: Bracket | None
    window: Window
    deadline: float

    async def pages(self, rows: int) -> AsyncIterator[list[Event]]:
        """Pages of at most `rows` events altogether; leaves a gap where it had to stop."""
        reader, resume = self.reader, None
        while True:
            answer = await self._page(resume)
            more = len(answer) > reader.page_rows
            kept = answer[: reader.page_rows]
            events = await reader.fresh(kept, self.window)
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
                self._stopped(self._reached(resume), "the time it may take was up")
                return

    async def _page(self, resume: Row | None) -> list[Row]:
        reader, form = self.reader, self.column.form
        if form is None:
            return []
        statement = reader.statements.page(
            self.column,
            reader.page_rows + 1,
            descending=self.descending,
            resumed=resume is not None,
            bracketed=self.keys is not None,
        )
        parameters: list[Parameter] = [*form.bounds(*self.stretch)]
        if self.keys is not None:
            parameters += [self.keys.low, self.keys.high]
        if resume is not None:
            cells = (walked_value(reader.table, resume, self.column), *resume)
            parameters += [cell for cell in cells[: 1 + len(reader.table.pk)] if cell is not None]
        return await reader.session.read(statement, parameters)

    def _reached(self, row: Row) -> int:
        raw = walked_value(self.reader.table, row, self.column)
        stamp = self.column.form.read(raw) if self.column.form else None
        return stamp if isinstance(stamp, int) else self.window.pin

    def _stopped(self, at: int, why: str) -> None:
        start, end = (self.window.start, at) if self.descending else (at, self.window.end)
        reader = self.reader
        reader.gaps.append(
            Gap(
                min(start, end),
                max(start, end) + 1,
                f"{reader.table.label}.{self.column.name}: {why}; rows further from T are missing",
                "Narrow the window or follow a key.",
                cut=True,
            )
        )


def canonical(column: Column, value: str) -> str | None:
    """`value` as `column` would write it; None when it cannot hold it, so asking is no error."""
    if column.kind is ColumnKind.INTEGER:
        number = value.isascii() and value.isdigit() and len(value) <= len(str(LARGEST_KEY))
        return str(int(value)) if number and int(value) <= LARGEST_KEY else None
    if column.kind in (ColumnKind.UUID, ColumnKind.BINARY):
        digits = value.replace("-", "").lower()
        hexadecimal = len(digits) == 32 and all(c in "0123456789abcdef" for c in digits)
        return digits if hexadecimal else None
    if column.kind is ColumnKind.TEXT:
        return value if 0 < len(value) <= LONGEST_KEY and _is_text(value) else None
    return None


def _is_text(value: str) -> bool:
    """Whether it can be sent: a lone surrogate, left by a damaged log line, cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
