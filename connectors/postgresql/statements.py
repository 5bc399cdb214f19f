"""The SELECT statements over one table, built from identifiers the server itself named.

Every statement has a LIMIT and a total order. Times travel as whole microseconds since the epoch,
so that neither the session's TimeZone nor its DateStyle can change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.postgresql.tables import Column, Table
from connectors.postgresql.tables import iso as iso  # re-exported: how instants are written

if TYPE_CHECKING:
    from psycopg import sql

VALUE_LENGTH = 200
"""Characters of one carried value; longer ones are cut by the server, not by us."""
ALIAS = "t"
"""Qualifies every column, so that ORDER BY never means an output column of the same name."""
SAMPLES = 9
"""Rows sampled along a key before it is trusted to rise with time; they also are the first three
steps of each search."""
BISECT_STEPS = 7
"""Probes for each end of a stretch. With the samples they narrow any table to 1/1024 of itself: of
ten million ids less than ten thousand, which are passed over in a few milliseconds."""
PIN_STEPS = 5
"""Probes for the pin between the two ends, where the walk begins."""
NEAR_IDS = 4_096
"""Ids this close are not told apart: reading so many rows in key order is one or two pages."""


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open stretch of microseconds since the epoch."""

    start: int
    end: int


def span_of(start_ns: int, end_ns: int) -> Span:
    """The microseconds that lie in `[start_ns, end_ns)`."""
    return Span(-(-start_ns // 1_000), -(-end_ns // 1_000))


class Statements:
    """Builds statements for one table. `zone` is that of its columns without one."""

    def __init__(self, table: Table, zone: str, *, commit_times: bool) -> None:
        self.table = table
        self.zone = zone
        self.commit_times = commit_times and table.has_xmin

    def page(
        self, column: Column, limit: int, *, descending: bool = False, resumed: bool = False
    ) -> sql.Composed:
        """Rows of a stretch of `column` in its order.

        Parameters: those of `bounds`; then the `cursor` and the primary key of the row to go on
        after when `resumed`.
        """
        from psycopg import sql

        ordered = [column, *self.table.pk]
        conditions: list[sql.Composable] = []
        if resumed:
            conditions.append(
                sql.SQL("({}) {} ({})").format(
                    sql.SQL(", ").join(self._name(item) for item in ordered),
                    sql.SQL("<" if descending else ">"),
                    sql.SQL(", ").join(
                        sql.SQL("%s::") + sql.SQL(item.type_sql)  # named by format_type()
                        for item in ordered
                    ),
                )
            )
        return self._stretch(column, conditions, ordered, limit, descending=descending)

    def reach(self, rows: int, *, descending: bool = False) -> sql.Composed:
        """The integer key of the last of the next `rows` rows between two keys, or NULL."""
        from psycopg import sql

        key = self._name(self.table.pk[0])
        return sql.SQL(
            "SELECT {}(near.id)::bigint FROM (SELECT {key} AS id FROM {} WHERE {key} BETWEEN %s"
            " AND %s ORDER BY {key} {} LIMIT {}) AS near"
        ).format(
            sql.SQL("min" if descending else "max"),
            self._from(),
            sql.SQL("DESC" if descending else "ASC"),
            sql.Literal(rows),
            key=key,
        )

    def slice(self, column: Column, limit: int, *, descending: bool = False) -> sql.Composed:
        """Rows of a stretch of `column` between two integer keys, in the order of the keys.

        Parameters: those of `bounds`, then the two keys. Touches no row outside of the keys.
        """
        from psycopg import sql

        key = self.table.pk[0]
        between = sql.SQL("{} BETWEEN %s AND %s").format(self._name(key))
        return self._stretch(column, [between], [key], limit, descending=descending)

    def _stretch(
        self,
        column: Column,
        conditions: Sequence[sql.Composable],
        ordered: Sequence[Column],
        limit: int,
        *,
        descending: bool,
    ) -> sql.Composed:
        from psycopg import sql

        name, moment = self._name(column), self._moment(column)
        stretch = sql.SQL("{} >= {} AND {} < {}").format(name, moment, name, moment)
        direction = sql.SQL(" DESC" if descending else " ASC")
        return sql.SQL("SELECT {}, {} FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
            self._projection(),
            self._microseconds(column, nominal=True),
            self._from(),
            sql.SQL(" AND ").join([stretch, *conditions]),
            sql.SQL(", ").join(self._name(item) + direction for item in ordered),
            sql.Literal(limit),
        )

    def by_values(self, column: Column, limit: int) -> sql.Composed:
        """Rows whose `column` is one of the values of the only (array) parameter, newest first."""
        from psycopg import sql

        return sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s::{}[]) ORDER BY {} LIMIT {}").format(
            self._projection(),
            self._from(),
            self._name(column),
            sql.SQL(column.type_sql),  # named by format_type()
            sql.SQL(", ").join(self._name(item) + sql.SQL(" DESC") for item in self.table.pk),
            sql.Literal(limit),
        )

    def samples(self, column: Column) -> sql.Composed:
        """(id, µs) of rows at even steps between the smallest and the largest integer key."""
        from psycopg import sql

        return sql.SQL(
            """SELECT probe.id, probe.stamp
  FROM (SELECT min({key})::bigint AS low, max({key})::bigint AS high FROM {table}) AS ends
  CROSS JOIN generate_series(0, {steps}) AS place
  CROSS JOIN LATERAL (
       SELECT {key}::bigint AS id, {stamp} AS stamp FROM {table}
        WHERE {key} >= ends.low + (ends.high - ends.low) / {steps} * place
        ORDER BY {key} LIMIT 1) AS probe"""
        ).format(
            key=self._name(self.table.pk[0]),
            table=self._from(),
            stamp=self._microseconds(column),
            steps=sql.Literal(SAMPLES - 1),
        )

    def first_id_since(self, column: Column, steps: int) -> sql.Composed:
        """Bisects integer keys for the first row with `column` >= the third parameter.

        The first two are ids between which that row is known to be. Answers (low, high, probes):
        the row's id lies in [low, high], as close as `steps` index probes bring it.
        """
        from psycopg import sql

        key = self._name(self.table.pk[0])
        return sql.SQL(
            """WITH RECURSIVE search(low, high, step, moment) AS (
    SELECT %s::bigint, %s::bigint, 0, {moment}
  UNION ALL
    SELECT CASE WHEN probe.early THEN probe.id + 1 ELSE low END,
           CASE WHEN probe.early THEN high ELSE low + (high - low) / 2 END,
           step + 1, moment
      FROM search CROSS JOIN LATERAL (
           SELECT {key}::bigint AS id, coalesce({column} < moment, true) AS early
             FROM {table} WHERE {key} >= low + (high - low) / 2 ORDER BY {key} LIMIT 1) AS probe
     WHERE high - low > {near} AND step < {steps})
SELECT low, high, step FROM search ORDER BY step DESC LIMIT 1"""
        ).format(
            key=key,
            table=self._from(),
            column=self._name(column),
            moment=self._moment(column),
            near=sql.Literal(NEAR_IDS),
            steps=sql.Literal(steps),
        )

    def bounds(self, column: Column, span: Span) -> tuple[str, str]:
        """Parameters for the stretch conditions of `page`."""
        return iso(span.start), iso(span.end)

    def cursor(self, column: Column, nominal: int) -> str:
        """Parameter to resume after a row whose column reads `nominal` microseconds."""
        return iso(nominal, zone=column.has_zone)

    def _projection(self) -> sql.Composed:
        from psycopg import sql

        parts: list[sql.Composable] = [
            sql.SQL("{}::text").format(self._name(column)) for column in self.table.pk
        ]
        parts += [self._microseconds(column) for column in self.table.times]
        parts += [self._value(column) for column in self.table.carried]
        parts.append(sql.SQL("t.xmin::text" if self.table.has_xmin else "NULL::text"))
        if self.commit_times:
            parts.append(
                sql.SQL("(extract(epoch FROM pg_xact_commit_timestamp(t.xmin)) * 1000000)::bigint")
            )
        else:
            parts.append(sql.SQL("NULL::bigint"))
        return sql.SQL(", ").join(parts)

    def _value(self, column: Column) -> sql.Composable:
        from psycopg import sql

        if column.is_time:
            return self._microseconds(column)
        if column.is_integer or column.type_name == "bool":
            return self._name(column)
        return sql.SQL("left({}::text, {})").format(self._name(column), sql.Literal(VALUE_LENGTH))

    def _microseconds(self, column: Column, *, nominal: bool = False) -> sql.Composed:
        """Microseconds since the epoch; `nominal` reads a stamp without zone as it stands."""
        from psycopg import sql

        name = self._name(column)
        stamp: sql.Composable = name
        if not column.has_zone and not nominal:
            stamp = sql.SQL("({} AT TIME ZONE {})").format(name, sql.Literal(self._zone))
        return sql.SQL(
            "CASE WHEN isfinite({}) THEN (extract(epoch FROM {}) * 1000000)::bigint END"
        ).format(name, stamp)

    def _moment(self, column: Column) -> sql.Composable:
        """A parameter holding an instant, in the column's own type so that its index serves."""
        from psycopg import sql

        if column.has_zone:
            return sql.SQL("%s::timestamptz")
        return sql.SQL("(%s::timestamptz AT TIME ZONE {})").format(sql.Literal(self._zone))

    @property
    def _zone(self) -> str:
        return self.zone or "UTC"

    def _name(self, column: Column) -> sql.Identifier:
        from psycopg import sql

        return sql.Identifier(ALIAS, column.name)

    def _from(self) -> sql.Composed:
        from psycopg import sql

        table = sql.Identifier(self.table.schema, self.table.name)
        return sql.SQL("{} AS {}").format(table, sql.Identifier(ALIAS))


def explained(statement: sql.Composed) -> sql.Composed:
    """The plan of `statement` as JSON; nothing is executed."""
    from psycopg import sql

    return sql.SQL("EXPLAIN (FORMAT JSON) ") + statement
