"""Reads one table of a database that speaks through a `Dialect`.

Owns the decisions that keep a read cheap: plans of large tables are looked at before they run, and
a bracket of keys serves where a creation stamp has no index.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sql.brackets import STATEMENTS, bracket
from connectors.sql.reading import Reading, Route
from connectors.sql.rows import Record, RowEvents, record_from
from connectors.sql.statements import Plan, Statements, walked_value
from connectors.sql.tables import Column, ColumnKind, Table, role_of, single_pk
from connectors.sql.values import Parameter, Row, Session
from connectors.sql.walking import Keys
from timeline.window import Window

LONGEST_KEY = 255
"""Longest text that is looked for; no key column holds longer ones (InnoDB: 767 bytes)."""
LARGEST_KEY = 2**63 - 1
"""No integer key column of these databases holds more (but BIGINT UNSIGNED, halfway up)."""


class TableReader(Reading[Column]):
    """Reads one table."""

    def __init__(
        self, session: Session, statements: Statements, events: RowEvents, page_rows: int
    ) -> None:
        super().__init__(statements.table, events, page_rows)
        self.table: Table = statements.table
        self.session = session
        self.statements = statements

    async def route(self, column: Column, window: Window) -> Route | None:
        """By its stamps where the plan is fine, else between bracketed keys."""
        if not self.table.large or column.form is None:
            return Route()
        bounds = column.form.bounds(window.start, window.end)
        plan = await self._plan(self.statements.page(column, self.page_rows), bounds)
        if not plan.whole_scan:
            self.notes.append(f"{self.named(column)} is read through {plan.index or 'its plan'}")
            return Route()
        key = single_pk(self.table)
        if role_of(column) != "created" or key is None or not key.is_integer:
            self._refuse(window, column, "")
            return None
        found = await self.session.together(
            lambda select: bracket(select, self.statements, column, window.start, window.end),
            STATEMENTS,
        )
        if found.disorder:
            self._refuse(window, column, f"; its keys are not in the order of time: {key.name} "
                         f"{found.disorder}")  # fmt: skip
            return None
        if found.probes:
            self.gap(
                window,
                column,
                f"it has no index, so rows were found by {key.name} {found.low} to {found.high} "
                f"(bisected in {found.probes} look-ups): one written by a transaction of more than "
                "10 minutes may be missing",
            )
        share = (window.pin - window.start) / max(1, window.end - window.start)
        return Route((found.low, found.high), found.low + int((found.high - found.low) * share))

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

    async def page(
        self, column: Column, stretch: tuple[int, int], after: Row | None, *, descending: bool
    ) -> list[Row]:
        """Rows of a stretch in the order of its stamps."""
        if column.form is None:
            return []
        statement = self.statements.page(
            column, self.page_rows + 1, descending=descending, resumed=after is not None
        )
        parameters: list[Parameter] = [*column.form.bounds(*stretch)]
        if after is not None:
            cells = (walked_value(self.table, after, column), *after)
            parameters += [cell for cell in cells[: 1 + len(self.table.pk)] if cell is not None]
        return await self.session.read(statement, parameters)

    async def edge(self, keys: Keys, rows: int, *, descending: bool) -> int | None:
        """The key of the last of the next rows."""
        statement = self.statements.reach(rows, descending=descending)
        ((edge,),) = await self.session.read(statement, keys)
        return edge if isinstance(edge, int) else None

    async def slice(
        self, column: Column, stretch: tuple[int, int], keys: Keys, rows: int, *, descending: bool
    ) -> tuple[list[Row], float]:
        """Rows of a stretch between two keys, and the seconds that the server took."""
        if column.form is None:
            return [], 0.0
        statement = self.statements.slice(column, rows, descending=descending)
        return await self.session.timed(statement, [*column.form.bounds(*stretch), *keys])

    def stamp(self, column: Column, row: Row) -> int | None:
        """The walked column of a row (ns UTC)."""
        raw = walked_value(self.table, row, column)
        stamp = column.form.read(raw) if column.form else None
        return stamp if isinstance(stamp, int) else None

    def record(self, row: Row) -> Record:
        """A row of `Statements`' projection."""
        return record_from(self.table, row)

    def written(self, column: Column, value: str) -> str | None:
        """See `canonical`."""
        return canonical(column, value)

    async def rows_holding(self, column: Column, values: list[str], limit: int) -> list[Row] | None:
        """The newest rows with one of these values; None where only a whole scan finds them."""
        statement = self.statements.by_values(column, len(values), limit)
        parameters = [int(value) if column.is_integer else value for value in values]
        if self.table.large and (await self._plan(statement, parameters)).whole_scan:
            return None
        return await self.session.read(statement, parameters)


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
