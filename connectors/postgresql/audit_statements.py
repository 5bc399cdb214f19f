"""The SELECT statements over one audit table; bounded, ordered, of named columns.

Stored documents travel only up to `PAYLOAD_BYTES`; of a larger one its size travels instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.postgresql.session import Row
from connectors.postgresql.statements import Statements
from connectors.postgresql.tables import Column, Table
from connectors.sql.audit import PAYLOAD_BYTES, AuditRow
from connectors.sql.audit_reader import WRITER
from connectors.sql.audit_shapes import REVISIONS, AuditShape, Tool

if TYPE_CHECKING:
    from psycopg import sql

STATE_LENGTH = 200
"""Characters compared of one value of a stored row; of a longer one its digest is compared."""
MAX_STATE_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class AuditStatements:
    """Builds the statements for one table that `shape` describes."""

    table: Table
    shape: AuditShape
    zone: str

    @property
    def time(self) -> Column | None:
        """The column that holds the stamps, where they stand in a plain column of this table."""
        return next((c for c in self.table.columns if c.name == self.shape.at), None)

    @property
    def item(self) -> Column | None:
        """The column that names the audited row."""
        return next((c for c in self.table.columns if c.name == self.shape.item_id), None)

    def page(self, limit: int, *, descending: bool, bracketed: bool) -> sql.Composed:
        """Versions of a stretch; parameters start, end (twice for periods), then the bracket."""
        from psycopg import sql

        way = sql.SQL("DESC" if descending else "ASC")
        condition = self._stretch()
        if bracketed:
            key = sql.Identifier("t", self.table.pk[0].name)
            condition = sql.SQL("{} AND {} BETWEEN %s AND %s").format(condition, key)
        return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} {}, {} LIMIT {}").format(
            self._projection(),
            self._from(),
            condition,
            self._at(),
            way,
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier("t", column.name), way)
                for column in self.table.pk
            ),
            sql.Literal(limit),
        )

    @property
    def periods(self) -> bool:
        """Whether a version has two ends, either of which may lie in a stretch."""
        return self.shape.tool is Tool.PERIODS

    def before(self) -> sql.Composed:
        """For each item of the array parameter(s) its last version before the last parameter."""
        from psycopg import sql

        names = [name for name in (self.shape.item_type, self.shape.item_id) if name]
        columns = {column.name: column for column in self.table.columns}
        arrays = [sql.SQL("%s::{}[]").format(sql.SQL(columns[name].type_sql)) for name in names]
        wanted = [sql.Identifier("wanted", name) for name in names]
        return sql.SQL(
            "SELECT {} FROM unnest({}) AS wanted({}) CROSS JOIN LATERAL (SELECT {} FROM {} "
            "WHERE {} AND {} < {} ORDER BY {} DESC LIMIT 1) AS t{}"
        ).format(
            self._projection(writer=False),
            sql.SQL(", ").join(arrays),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(sql.Identifier("t", column.name) for column in self.table.columns),
            self._from(),
            sql.SQL(" AND ").join(
                sql.SQL("{} = {}").format(sql.Identifier("t", name), want)
                for name, want in zip(names, wanted, strict=True)
            ),
            self._at(),
            self._moment(),
            self._at(),
            self._revision(),
        )

    def by_items(self, limit: int) -> sql.Composed:
        """Versions of the items in the last array parameter (types in the first), newest first."""
        from psycopg import sql

        conditions: list[sql.Composable] = []
        if self.shape.item_type:
            kind = sql.Identifier("t", self.shape.item_type)
            conditions.append(sql.SQL("{} = ANY(%s::text[])").format(kind))
        item = self.item
        type_sql = item.type_sql if item else "text"
        conditions.append(
            sql.SQL("{} = ANY(%s::{}[])").format(
                sql.Identifier("t", self.shape.item_id), sql.SQL(type_sql)
            )
        )
        return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} DESC LIMIT {}").format(
            self._projection(),
            self._from(),
            sql.SQL(" AND ").join(conditions),
            self._at(),
            sql.Literal(limit),
        )

    def rows_from(self, rows: list[Row]) -> list[AuditRow]:
        """Rows by column name; a payload that was too large stands as its size."""
        names, payload = self._names(), len(self.shape.payload)
        found: list[AuditRow] = []
        for row in rows:
            cells = [None if isinstance(cell, list) else cell for cell in row]
            named = dict(zip(names, cells, strict=False))
            sizes = cells[len(names) : len(names) + payload]
            for column, size in zip(self.shape.payload, sizes, strict=True):
                if named[column] is None and isinstance(size, int):
                    named[column] = size
            named[WRITER] = cells[-1]
            found.append(named)
        return found

    def _names(self) -> list[str]:
        shape = self.shape
        own = {column.name for column in self.table.columns}
        named = [
            name
            for name in shape.columns
            if name not in shape.payload and (name in own or name in (shape.at, shape.until))
        ]
        if shape.tool is Tool.REVERSION:
            named += shape.actor
        elif shape.keeps_states:
            states = [c.name for c in self.table.columns if c.name not in shape.own]
            named += states[:MAX_STATE_COLUMNS]
        return [*dict.fromkeys(named), *shape.payload]

    def _projection(self, *, writer: bool = True) -> sql.Composed:
        from psycopg import sql

        columns = {column.name: column for column in self.table.columns}
        parts: list[sql.Composable] = []
        for name in self._names():
            if name == self.shape.at:
                parts.append(self._microseconds(self._at()))
            elif name == self.shape.until:
                parts.append(self._microseconds(self._until()))
            elif name in self.shape.payload:
                parts.append(_document(name))
            elif name in columns:
                parts.append(_value(columns[name]))
            else:
                parts.append(sql.SQL("{}::text").format(sql.Identifier("r", name)))
        parts += [
            sql.SQL("pg_column_size({})").format(sql.Identifier("t", name))
            for name in self.shape.payload
        ]
        writer = writer and self.table.has_xmin
        writer = writer and self.shape.tool not in (Tool.LOGIDZE, Tool.PERIODS)
        parts.append(sql.SQL("t.xmin::text" if writer else "NULL::text"))
        return sql.SQL(", ").join(parts)

    def _stretch(self) -> sql.Composed:
        from psycopg import sql

        inside = sql.SQL("{at} >= {moment} AND {at} < {moment}")
        begins = inside.format(at=self._at(), moment=self._moment())
        if not self.periods:
            return begins
        ends = inside.format(at=self._until(), moment=self._moment())
        return sql.SQL("(({}) OR ({}))").format(begins, ends)

    def _at(self) -> sql.Composable:
        from psycopg import sql

        if self.periods and not self.time:
            return sql.SQL("lower({})").format(sql.Identifier("t", "sys_period"))
        place = "r" if self.shape.tool is Tool.REVERSION else "t"
        return sql.Identifier(place, self.shape.at)

    def _until(self) -> sql.Composable:
        from psycopg import sql

        if self.shape.until in {column.name for column in self.table.columns}:
            return sql.Identifier("t", self.shape.until)
        return sql.SQL("upper({})").format(sql.Identifier("t", "sys_period"))

    @property
    def _zoned(self) -> bool:
        if self.time is not None:
            return self.time.has_zone
        ranges = {c.name: c.type_name for c in self.table.columns}
        return ranges.get("sys_period", "tstzrange") == "tstzrange"

    def _moment(self) -> sql.Composable:
        from psycopg import sql

        if self._zoned:
            return sql.SQL("%s::timestamptz")
        return sql.SQL("(%s::timestamptz AT TIME ZONE {})").format(sql.Literal(self.zone or "UTC"))

    def _microseconds(self, stamp: sql.Composable) -> sql.Composed:
        from psycopg import sql

        read = stamp
        if not self._zoned:
            zone = sql.Literal(self.zone or "UTC")
            read = sql.SQL("({} AT TIME ZONE {})").format(stamp, zone)
        return sql.SQL(
            "CASE WHEN isfinite({}) THEN (extract(epoch FROM {}) * 1000000)::bigint END"
        ).format(stamp, read)

    def _from(self) -> sql.Composed:
        from psycopg import sql

        table = sql.Identifier(self.table.schema, self.table.name)
        return sql.SQL("{} AS t").format(table) + self._revision()

    def _revision(self) -> sql.Composed:
        from psycopg import sql

        if self.shape.tool is not Tool.REVERSION:
            return sql.SQL("").format()
        revisions = sql.Identifier(self.table.schema, REVISIONS)
        return sql.SQL(" JOIN {} AS r ON r.id = t.revision_id").format(revisions)

    @property
    def typed_table(self) -> Statements:
        """Ordinary statements over the same table, to find the way to a stretch of it."""
        return Statements(self.table, self.zone, commit_times=False)


def _document(name: str) -> sql.Composed:
    """A stored document, if it is small, with blanks for line breaks: JSON allows none in texts."""
    from psycopg import sql

    column = sql.Identifier("t", name)
    return sql.SQL(
        "CASE WHEN pg_column_size({column}) <= {most} AND length({column}::text) <= {most}"
        " THEN translate({column}::text, E'\\n\\r\\t', '   ') END"
    ).format(column=column, most=sql.Literal(PAYLOAD_BYTES))


def _value(column: Column) -> sql.Composed:
    from psycopg import sql

    name = sql.Identifier("t", column.name)
    if column.is_integer or column.type_name == "bool":
        return sql.SQL("{}").format(name)
    if column.is_time:
        read = sql.SQL("{} AT TIME ZONE 'UTC'" if column.has_zone else "{}").format(name)
        return sql.SQL("to_json({})#>>'{{}}'").format(read)
    return sql.SQL(
        "CASE WHEN length({name}::text) > {most} THEN left({name}::text, {most}) || ' … ' ||"
        " md5({name}::text) ELSE {name}::text END"
    ).format(name=name, most=sql.Literal(STATE_LENGTH))
