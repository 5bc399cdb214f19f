"""The SELECT statements over one table, built from identifiers the database itself named.

Every statement has a LIMIT and a total order. What differs between databases is a `Dialect`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.sql.tables import Column, Table
from connectors.sql.values import Cell, Row

VALUE_LENGTH = 200
"""Characters of one carried value; longer ones are cut by the server, not by us."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the database said about a statement before running it."""

    whole_scan: bool
    """Whether it would read a large table or index from end to end."""
    index: str = ""
    """The index it would use, or empty."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one database writes what our statements need."""

    quoted: Callable[[str], str]
    """An identifier, quoted so that nothing in it is code."""
    mark: str
    """Stands for a parameter."""
    stamp: Callable[[str], str]
    """Expression that gives a time column as its `StampForm` reads it."""
    value: Callable[[str, Column], str]
    """Expression that gives a carried value or key, texts cut to `VALUE_LENGTH`."""
    parameter: Callable[[Column], str]
    """A parameter mark in the column's own type, so that its index serves."""
    explain: str
    """What is put before a statement to see its plan."""
    plan: Callable[[Sequence[Row], Table], Plan]
    """Reads the rows that `explain` answered."""
    text: str
    """The type that CAST makes a text of."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Builds statements for one table. `history` reads all row versions instead of the rows."""

    table: Table
    dialect: Dialect
    history: str = ""
    """Follows the table's name: MariaDB's FOR SYSTEM_TIME ALL."""

    def page(
        self,
        column: Column,
        limit: int,
        *,
        descending: bool = False,
        resumed: bool = False,
        also: Sequence[Column] = (),
    ) -> str:
        """Rows of a stretch of `column` in its order.

        Parameters: low and high bound; the values of the column and of the primary key of the row
        to go on after when `resumed`.
        """
        name, mark = self._name(column), self.dialect.mark
        conditions = [f"{name} >= {mark}", f"{name} < {mark}"]
        ordered = [column, *self.table.pk]
        if resumed:
            names = ", ".join(self._name(item) for item in ordered)
            marks = ", ".join([mark, *(self.dialect.parameter(c) for c in self.table.pk)])
            conditions.append(f"({names}) {'<' if descending else '>'} ({marks})")
        direction = " DESC" if descending else " ASC"
        order = ", ".join(self._name(item) + direction for item in ordered)
        return self._select(also, " AND ".join(conditions), order, limit)

    def reach(self, rows: int, *, descending: bool = False) -> str:
        """The integer key of the last of the next `rows` rows between two keys, or NULL."""
        key, mark = self._name(self.table.pk[0]), self.dialect.mark
        return (
            f"SELECT {'min' if descending else 'max'}(near.id) FROM (SELECT {key} AS id"  # noqa: S608
            f" FROM {self._from()} WHERE {key} BETWEEN {mark} AND {mark}"
            f" ORDER BY {key} {'DESC' if descending else 'ASC'} LIMIT {rows:d}) AS near"
        )

    def slice(self, column: Column, limit: int, *, descending: bool = False) -> str:
        """Rows of a stretch of `column` between two integer keys, in the order of the keys.

        Parameters: low and high bound, then the two keys. Touches no row outside of the keys.
        """
        name, key, mark = self._name(column), self._name(self.table.pk[0]), self.dialect.mark
        condition = f"{name} >= {mark} AND {name} < {mark} AND {key} BETWEEN {mark} AND {mark}"
        return self._select((), condition, f"{key} {'DESC' if descending else 'ASC'}", limit)

    def by_values(self, column: Column, count: int, limit: int, also: Sequence[Column] = ()) -> str:
        """Rows whose `column` is one of `count` parameters, newest key first."""
        marks = ", ".join([self.dialect.parameter(column)] * count)
        order = ", ".join(f"{self._name(item)} DESC" for item in (*self.table.pk, *also))
        return self._select(also, f"{self._name(column)} IN ({marks})", order, limit)

    def probe(self, column: Column) -> str:
        """Key and stamp of the first row with a key of at least the parameter."""
        key = self._name(self.table.pk[0])
        return (
            f"SELECT {key}, {self.dialect.stamp(self._name(column))} FROM {self._from()}"  # noqa: S608
            f" WHERE {key} >= {self.dialect.mark} ORDER BY {key} LIMIT 1"
        )

    def ends(self) -> str:
        """The smallest and the largest key."""
        key = self._name(self.table.pk[0])
        return f"SELECT min({key}), max({key}) FROM {self._from()} LIMIT 1"  # noqa: S608

    def _select(self, also: Sequence[Column], condition: str, order: str, limit: int) -> str:
        return (
            f"SELECT {', '.join((*self._projection(), *(self._stamp(c) for c in also)))}"  # noqa: S608
            f" FROM {self._from()} WHERE {condition} ORDER BY {order} LIMIT {limit:d}"
        )

    def _projection(self) -> list[str]:
        parts = [self.dialect.value(self._name(c), c) for c in self.table.pk]
        parts += [self._stamp(c) for c in self.table.times]
        return parts + [
            self._stamp(c) if c.is_time else self.dialect.value(self._name(c), c)
            for c in self.table.carried
        ]

    def _stamp(self, column: Column) -> str:
        return self.dialect.stamp(self._name(column))

    def _name(self, column: Column) -> str:
        return f"t.{self.dialect.quoted(column.name)}"

    def _from(self) -> str:
        table = self.dialect.quoted(self.table.name)
        if self.table.schema:
            table = f"{self.dialect.quoted(self.table.schema)}.{table}"
        return f"{table} {self.history} AS t" if self.history else f"{table} AS t"


def walked_value(table: Table, row: Row, column: Column, also: Sequence[Column] = ()) -> Cell:
    """The raw cell of `column` in a row of `page`: what the next page goes on after."""
    if column in table.times:
        return row[len(table.pk) + table.times.index(column)]
    place = len(table.pk) + len(table.times) + len(table.carried)
    return row[place + list(also).index(column)]
