"""Reads one table of PostgreSQL, each column on the way that `routes` found cheap."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.postgresql.plans import plan_of
from connectors.postgresql.routes import LOOKED_UP, MARGIN_WORDS, How, by_ids, route_to
from connectors.postgresql.rows import RowEvents, WrittenRecord, record_from
from connectors.postgresql.session import Row as Cells
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements, explained, span_of
from connectors.postgresql.tables import Column, Table
from connectors.sql.reading import Reading, Route
from connectors.sql.values import Row
from connectors.sql.walking import Keys
from timeline.window import Window


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
        """By an index, by ids, or whole; None where it is not read."""
        way = await route_to(self.session, self.statements, column, window, self.page_rows)
        if way.how is How.REFUSED:
            self.gap(window, column, way.words(), LOOKED_UP)
            return None
        if way.how is How.IDS:
            self.gap(
                window,
                column,
                f"no index on {column.name}, so rows were found {by_ids(way)}: one written by a "
                f"transaction of more than {MARGIN_WORDS} may be missing",
            )
        return Route(way.bracket, way.pin)

    async def page(
        self, column: Column, stretch: tuple[int, int], after: Row | None, *, descending: bool
    ) -> list[Row]:
        """Rows of a stretch in the order of its stamps."""
        statements, resumed = self.statements, after is not None
        statement = statements.page(
            column, self.page_rows + 1, descending=descending, resumed=resumed
        )
        parameters: list[str | int] = [*statements.bounds(column, span_of(*stretch))]
        if after is not None:
            nominal = after[-1]  # the walked column as it stands is the projection's last cell
            parameters.append(statements.cursor(column, int(nominal or 0)))
            parameters += [str(cell) for cell in after[: len(self.table.pk)]]
        return _plain(await self.session.read(statement, parameters))

    async def edge(self, keys: Keys, rows: int, *, descending: bool) -> int | None:
        """The key of the last of the next rows."""
        statement = self.statements.reach(rows, descending=descending)
        ((edge,),) = await self.session.read(statement, keys)
        return edge if isinstance(edge, int) else None

    async def slice(
        self, column: Column, stretch: tuple[int, int], keys: Keys, rows: int, *, descending: bool
    ) -> tuple[list[Row], float]:
        """Rows of a stretch between two keys, and the seconds that the server took."""
        statement = self.statements.slice(column, rows, descending=descending)
        bounds = self.statements.bounds(column, span_of(*stretch))
        answer, seconds = await self.session.timed(statement, [*bounds, *keys])
        return _plain(answer), seconds

    def stamp(self, column: Column, row: Row) -> int | None:
        """The walked column of a row (ns UTC)."""
        raw = row[len(self.table.pk) + self.table.times.index(column)]
        return raw * 1_000 if isinstance(raw, int) else None

    def record(self, row: Row) -> WrittenRecord:
        """A row of `Statements`' projection."""
        return record_from(self.table, row)

    def written(self, column: Column, value: str) -> str | None:
        """The value itself where it can be compared."""
        return value if comparable(column, value) else None

    async def rows_holding(self, column: Column, values: list[str], limit: int) -> list[Row] | None:
        """The newest rows with one of these values; None where only a whole scan finds them."""
        statement = self.statements.by_values(column, limit)
        if self.table.large:
            plan = plan_of(await self.session.read(explained(statement), (values,)))
            if plan.scans_everything:
                return None
        return _plain(await self.session.read(statement, (values,)))


def _plain(rows: Sequence[Cells]) -> list[Row]:
    """The rows of a table: none of our projections answers an array."""
    return [tuple(None if isinstance(cell, list) else cell for cell in row) for row in rows]


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
