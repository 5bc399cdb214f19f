"""Audit tables of databases that speak through a `Dialect`: their statements, and how rows return.

Every statement has a LIMIT and a total order. Stored documents travel only up to `PAYLOAD_BYTES`;
of a larger one its size travels instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.sql.audit import PAYLOAD_BYTES, AuditRow
from connectors.sql.audit_events import VersionEvents
from connectors.sql.audit_reader import AuditReader, Way
from connectors.sql.audit_shapes import REVISIONS, AuditShape, Tool
from connectors.sql.brackets import STATEMENTS, bracket
from connectors.sql.reader import canonical
from connectors.sql.statements import Dialect, Statements
from connectors.sql.tables import Catalog, Column, Table, single_pk
from connectors.sql.values import Parameter, Row, Select, Session
from timeline.keys import KeyRules
from timeline.window import Window

STATE_LENGTH = 2_000
"""Characters compared of one value of a stored row: a change further on is not noticed."""
MAX_STATE_COLUMNS = 100
MAX_BEFORE = 200
"""Items whose version before the first is asked for, each by a statement of its own."""


@dataclass(frozen=True, slots=True)
class SqlAudits:
    """One audit table. See `connectors.sql.audit_reader.AuditTable`."""

    session: Session
    dialect: Dialect
    table: Table
    shape: AuditShape

    @property
    def label(self) -> str:
        return self.table.label

    async def way(self, window: Window) -> Way:
        """By its stamps where a plan finds that cheap, else by its integer keys."""
        time = self._column(self.shape.at)
        if time is None or time.form is None:
            return Way(refused="it has no stamp to find its rows by")
        if not self.table.large:
            return Way()
        bounds = time.form.bounds(window.start, window.end)
        if not await self._scans(self._page(1, descending=False, bracketed=False), bounds):
            return Way()
        key = single_pk(self.table)
        if key is None or not key.is_integer or self._joined:
            return Way(refused=f"not read: no index on {time.name}")
        statements = Statements(self.table, self.dialect)
        found = await self.session.together(
            lambda select: bracket(select, statements, time, window.start, window.end), STATEMENTS
        )
        if found.disorder:
            why = f"its keys are not in the order of time: {key.name} {found.disorder}"
            return Way(refused=f"not read: no index on {time.name}, and {why}")
        return Way((found.low, found.high))

    async def stretch(
        self, way: Way, start: int, end: int, limit: int, *, descending: bool
    ) -> list[AuditRow]:
        """The first or the last versions of `[start, end)` (ns UTC)."""
        time = self._column(self.shape.at)
        if time is None or time.form is None:
            return []
        statement = self._page(limit, descending=descending, bracketed=way.keys is not None)
        parameters = [*time.form.bounds(start, end), *(way.keys or ())]
        return self._rows(await self.session.read(statement, parameters))

    async def before(self, rows: Sequence[AuditRow]) -> tuple[list[AuditRow], str]:
        """Of every item in `rows` the version before the earliest of them."""
        names = [name for name in (self.shape.item_type, self.shape.item_id) if name]
        first: dict[tuple[Parameter, ...], Parameter] = {}
        for row in sorted(rows, key=lambda row: int(row.get(self.shape.at) or 0)):
            item = tuple(value for name in names if (value := row.get(name)) is not None)
            if len(item) == len(names) and (stamp := row[_STAMP]) is not None:
                first.setdefault(item, stamp)
        if not first:
            return [], ""
        equal = " AND ".join(f"{self._name(name)} = {self.dialect.mark}" for name in names)
        at = self._name(self.shape.at)
        statement = self._select(f"{equal} AND {at} < {self.dialect.mark}", f"{at} DESC", 1)
        asked = [(*item, stamp) for item, stamp in first.items()]
        if self.table.large and await self._scans(statement, asked[0]):
            return [], "what the first version of each row changed is not told: no index by row"

        def ask(select: Select) -> list[Row]:
            return [row for item in asked[:MAX_BEFORE] for row in select(statement, item)]

        found = await self.session.together(ask, len(asked[:MAX_BEFORE]))
        left = len(asked) - MAX_BEFORE
        untold = f"what the first version of {left} more rows changed is not told: too many rows"
        return self._rows(found), untold if left > 0 else ""

    async def of_items(
        self, item_type: str, values: Sequence[str], limit: int
    ) -> list[AuditRow] | None:
        """The newest versions of some items; None where only a whole scan finds them."""
        item = self._column(self.shape.item_id)
        asked: list[Parameter] = [
            int(text) if item.is_integer else text
            for value in values
            if item is not None and (text := canonical(item, value)) is not None
        ]
        if item is None or not asked:
            return []
        marks = ", ".join([self.dialect.parameter(item)] * len(asked))
        condition = f"{self._name(item.name)} IN ({marks})"
        if self.shape.item_type:
            condition += f" AND {self._name(self.shape.item_type)} = {self.dialect.mark}"
            asked.append(item_type)
        statement = self._select(condition, f"{self._name(self.shape.at)} DESC", limit)
        if self.table.large and await self._scans(statement, asked):
            return None
        return self._rows(await self.session.read(statement, asked))

    async def _scans(self, statement: str, parameters: Sequence[Parameter]) -> bool:
        rows = await self.session.read(f"{self.dialect.explain} {statement}", parameters)
        return self.dialect.plan(rows, self.table).whole_scan

    def _page(self, limit: int, *, descending: bool, bracketed: bool) -> str:
        at, mark = self._name(self.shape.at), self.dialect.mark
        condition = f"{at} >= {mark} AND {at} < {mark}"
        if bracketed:
            condition += f" AND {self._name(self.table.pk[0].name)} BETWEEN {mark} AND {mark}"
        direction = "DESC" if descending else "ASC"
        ordered = [at, *(self._name(column.name) for column in self.table.pk)]
        return self._select(condition, ", ".join(f"{name} {direction}" for name in ordered), limit)

    def _select(self, condition: str, order: str, limit: int) -> str:
        quoted = self.dialect.quoted
        place = f"{quoted(self.table.schema)}." if self.table.schema else ""
        source = f"{place}{quoted(self.table.name)} AS t"
        if self._joined:
            key, revision = quoted("id"), quoted("revision_id")
            source += f" JOIN {place}{quoted(REVISIONS)} AS r ON r.{key} = t.{revision}"
        parts = [self._value(name) for name in self._names]
        parts += [f"LENGTH({self._text(name)})" for name in self.shape.payload]
        parts.append(self.dialect.stamp(self._name(self.shape.at)))
        return (
            f"SELECT {', '.join(parts)} FROM {source} WHERE {condition}"  # noqa: S608
            f" ORDER BY {order} LIMIT {limit:d}"
        )

    def _rows(self, rows: Sequence[Row]) -> list[AuditRow]:
        """Rows by column name; a payload that was too large stands as its size."""
        names, payload = self._names, self.shape.payload
        time = self._column(self.shape.at)
        found: list[AuditRow] = []
        for row in rows:
            named = dict(zip(names, row, strict=False))
            for column, size in zip(payload, row[len(names) : -1], strict=True):
                if named[column] is None and isinstance(size, int):
                    named[column] = size
            stamp = time.form.read(row[-1]) if time is not None and time.form is not None else None
            named[self.shape.at] = stamp // 1_000 if isinstance(stamp, int) else None
            named[_STAMP] = row[-1]
            found.append(named)
        return found

    @property
    def _names(self) -> list[str]:
        """Columns to read, each once, the documents last."""
        own = {column.name for column in self.table.columns}
        joined = {self.shape.at, *self.shape.actor} if self._joined else set()
        named = [name for name in self.shape.columns if name in own | joined]
        if self.shape.keeps_states and not self._joined:
            states = [c.name for c in self.table.columns if c.name not in self.shape.own]
            named += states[:MAX_STATE_COLUMNS]
        return [n for n in dict.fromkeys(named) if n not in self.shape.payload] + [
            *self.shape.payload
        ]

    def _value(self, name: str) -> str:
        column, expression = self._column(name), self._name(name)
        if name in self.shape.payload:
            text = self._text(name)
            return f"CASE WHEN LENGTH({text}) <= {PAYLOAD_BYTES} THEN {text} END"
        if column is not None and column.is_integer:
            return expression
        return (
            f"SUBSTR(CAST({expression} AS {self.dialect.text}), 1, {STATE_LENGTH})"
            if column is None or not column.is_time
            else self.dialect.stamp(expression)
        )

    def _text(self, name: str) -> str:
        return f"CAST({self._name(name)} AS {self.dialect.text})"

    def _name(self, name: str) -> str:
        of_revision = self._joined and name in (self.shape.at, *self.shape.actor)
        return f"{'r' if of_revision else 't'}.{self.dialect.quoted(name)}"

    @property
    def _joined(self) -> bool:
        return self.shape.tool is Tool.REVERSION

    def _column(self, name: str) -> Column | None:
        return next((column for column in self.table.columns if column.name == name), None)


_STAMP = "\0stamp"
"""Key under which a row carries its stamp as the database wrote it."""


def audit_readers(
    session: Session,
    dialect: Dialect,
    source: str,
    endpoint: str,
    catalog: Catalog,
    rules: KeyRules,
) -> list[AuditReader]:
    """A reader of each audit table of the catalog."""
    return [
        AuditReader(
            [SqlAudits(session, dialect, table, table.audit)],
            VersionEvents(
                source, table.label, table.audit.item_table, endpoint, rules, catalog.records
            ),
        )
        for table in catalog.audits
        if table.audit is not None
    ]
