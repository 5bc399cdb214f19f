"""Reads what the file says of its tables: columns, keys, about how many rows, how times are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.sql.audit_shapes import FRAMEWORK_MARKS, HISTORY_STAMP, REVISIONS, Tool
from connectors.sql.options import TableOptions
from connectors.sql.stamps import StampForm, TextForm, Zone
from connectors.sql.tables import (
    Catalog,
    Column,
    ColumnKind,
    Found,
    Table,
    Unreadable,
    chosen,
    tables_of_keys,
    with_revisions,
)
from connectors.sql.values import Row, Select
from connectors.sql.vocabulary import CREATED, DELETED, UPDATED
from connectors.sqlite.dialect import quoted
from connectors.sqlite.forms import SAMPLED_ROWS, Told, form_from
from connectors.sqlite.options import SQLiteOptions
from timeline.event import Precision
from timeline.keys import KeyRules
from timeline.problems import BadAnswer

MAX_DISCOVERED_TABLES = 20
"""Tables read without being named. Each costs at least two indexed reads."""
MAX_TABLES = 2_000
"""Names read from the schema; no framework makes more."""
SMALLEST_ROW = 10
"""Bytes: no row of a table takes less of the file, so its size bounds their number."""

TABLES = (
    "SELECT name, type, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_master"
    " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " ORDER BY name LIMIT ?"
)
COLUMNS = "SELECT name, type, dflt_value, pk FROM pragma_table_info(?)"
FOREIGN_KEYS = 'SELECT "from", "table" FROM pragma_foreign_key_list(?)'
SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
NO_TIME = Told(None)
NO_NUMBERS = -1
"""Of a view or a table made WITHOUT ROWID: nothing counts its rows."""
MARKS_OF_FRAMEWORKS = (
    ("django_migrations", "Django"),
    ("ar_internal_metadata", "Rails"),
    ("_prisma_migrations", "Prisma"),
    ("alembic_version", "Alembic (SQLAlchemy)"),
    ("knex_migrations", "Knex"),
    ("migrations", "Laravel or TypeORM"),
)
"""A table each framework keeps for itself; the first that is there names the file's owner."""


@dataclass(frozen=True, slots=True)
class FileCatalog:
    """The tables, and what the file says of itself."""

    catalog: Catalog
    framework: str
    journal_mode: str
    bytes: int


@dataclass(frozen=True, slots=True)
class CatalogReader:
    """The work that reads the catalog in one transaction. Raises `BadAnswer` for a cut file."""

    path: Path
    options: SQLiteOptions
    key_rules: KeyRules

    def __call__(self, select: Select) -> FileCatalog:
        listed = {str(row[0]): row for row in select(TABLES, (MAX_TABLES,))}
        size = int(select(SIZE, ())[0][0] or 0)
        journal_mode = str(select("PRAGMA journal_mode", ())[0][0])
        if journal_mode != "wal":
            _whole(self.path, size)
        tables: list[Table] = []
        unreadable: list[Unreadable] = []
        named = self.options.tables
        discovered, left_out = self._discovered(select, listed)
        wanted = (*named, *tables_of_keys(named, self.key_rules), *discovered)
        for table in {item.name: item for item in reversed(wanted)}.values():
            if table.name not in listed or table.schema_name:
                unreadable += [_missing(table)] if table in named else []
                continue
            stored = listed[table.name][1] == "table" and not listed[table.name][2]
            found, doubts = self._found(select, table, size, stored=stored)
            unreadable += doubts
            match chosen(found, table, self.key_rules):
                case Table() as readable:
                    tables.append(readable)
                case Unreadable() as why:
                    unreadable.append(why)
        tables.reverse()  # as they were asked for
        tables += self._audits(select, listed, {table.name for table in tables}, size)
        tables = [self._joined(select, table, size) for table in tables]
        return FileCatalog(
            Catalog(tuple(tables), tuple(unreadable), left_out),
            next((name for mark, name in MARKS_OF_FRAMEWORKS if mark in listed), ""),
            journal_mode,
            size,
        )

    def _audits(
        self, select: Select, listed: dict[str, Row], read: set[str], size: int
    ) -> Iterator[Table]:
        """Tables with a column like an audit table's; those that are none are left alone."""
        if not self.options.audits:
            return
        for name, row in listed.items():
            if row[1] != "table" or row[2] or name in read:
                continue
            if any(column[0] in FRAMEWORK_MARKS for column in select(COLUMNS, (name,))):
                wanted = TableOptions(name=name)
                found, _ = self._found(select, wanted, size, stored=True)
                table = chosen(found, wanted, self.key_rules)
                if isinstance(table, Table) and table.audit is not None:
                    yield table

    def _joined(self, select: Select, table: Table, size: int) -> Table:
        if table.audit is None or table.audit.tool is not Tool.REVERSION:
            return table
        revisions, _ = self._found(select, TableOptions(name=REVISIONS), size, stored=True)
        return with_revisions(table, revisions.columns)

    def _discovered(self, select: Select, listed: dict[str, Row]) -> tuple[list[TableOptions], int]:
        """Tables with a creation stamp, those with the largest row number first."""
        if not self.options.discovers:
            return [], 0
        stamped = [
            name
            for name, row in listed.items()
            if row[1] == "table" and not row[2] and _has_creation_stamp(select(COLUMNS, (name,)))
        ]
        stamped.sort(key=lambda name: (-_row_numbers(select, name), name))
        kept = [TableOptions(name=name) for name in stamped[:MAX_DISCOVERED_TABLES]]
        return kept, len(stamped) - len(kept)

    def _found(
        self, select: Select, wanted: TableOptions, size: int, *, stored: bool
    ) -> tuple[Found, list[Unreadable]]:
        """`stored`: it is neither a view nor a virtual table, which run somebody's code."""
        name = wanted.name
        references = {str(row[0]): str(row[1]) for row in select(FOREIGN_KEYS, (name,))}
        columns = [_column(row, references) for row in select(COLUMNS, (name,))]
        told = {
            column.name: self._form(select, name, column, stored=stored)
            for column in columns
            if _may_be_time(column, wanted)
        }
        known = [form.form for form in told.values() if form and form.form]
        usual = Told(known[0] if known else _default_form(Zone(self.options.zone)))
        forms = {column: form or usual for column, form in told.items()}
        numbers = _row_numbers(select, name) if stored else NO_NUMBERS
        bound = size // SMALLEST_ROW
        row_number = Column("rowid", "", ColumnKind.INTEGER, long=False)
        found = Found(
            schema="",
            name=name,
            label=name,
            rows=bound if numbers == NO_NUMBERS else min(numbers, bound),
            columns=tuple(replace(c, form=forms.get(c.name, NO_TIME).form) for c in columns),
            fallback_pk=None if numbers == NO_NUMBERS else row_number,
        )
        doubts = [
            Unreadable(f"{name}.{column}", f"{name}.{column}: {form.doubt}", "")
            for column, form in forms.items()
            if form.doubt
        ]
        return found, doubts

    def _form(self, select: Select, table: str, column: Column, *, stored: bool) -> Told | None:
        """Told by the newest and the oldest rows, for a format may have changed on the way."""
        name = quoted(column.name)
        sample: list[tuple[str, str | int | float | None]] = []
        for order in ("ORDER BY rowid DESC", "ORDER BY rowid ASC") if stored else ("",):
            try:
                rows = select(_sample(table, name, order), ())
            except sqlite3.OperationalError as error:
                if "no such column" not in str(error):
                    raise
                rows = select(_sample(table, name, ""), ())  # made WITHOUT ROWID
            sample += [(str(row[0]), row[1]) for row in rows]
        return form_from(sample, Zone(self.options.zone))


def _whole(path: Path, size: int) -> None:
    """SQLite takes a last page that was cut off for an empty one, and its rows for none."""
    there = path.stat().st_size
    if there < size:
        raise BadAnswer(
            f"The file ends after {there:,} of its {size:,} bytes",
            where=str(path),
            remedy="It was copied while it was written, or cut: take another copy.",
        )


def _sample(table: str, column: str, order: str) -> str:
    return (
        f"SELECT typeof(c), c FROM (SELECT {column} AS c FROM {quoted(table)}"  # noqa: S608
        f" {order} LIMIT {SAMPLED_ROWS}) WHERE c IS NOT NULL"
    )


def _default_form(zone: Zone) -> StampForm:
    """What Django and Rails write; serves a column that holds nothing yet."""
    return TextForm(Precision.MICROSECOND, zone, zone_missing=True)


def _has_creation_stamp(columns: Sequence[Row]) -> bool:
    return any(str(row[0]).lower() in CREATED for row in columns)


def _row_numbers(select: Select, table: str) -> int:
    """Width of the range of row numbers, an upper bound of the rows; or `NO_NUMBERS`."""
    try:
        ((low, high),) = select(
            f"SELECT (SELECT min(rowid) FROM {quoted(table)}),"  # noqa: S608
            f" (SELECT max(rowid) FROM {quoted(table)})",
            (),
        )
    except sqlite3.OperationalError as error:
        if "no such column" not in str(error):
            raise
        return NO_NUMBERS
    return high - low + 1 if isinstance(low, int) and isinstance(high, int) else 0


def _may_be_time(column: Column, wanted: TableOptions) -> bool:
    if wanted.time_columns:
        return column.name in wanted.time_columns
    return column.name.lower() in {*CREATED, *UPDATED, *DELETED, HISTORY_STAMP}


def _column(row: Row, references: dict[str, str]) -> Column:
    declared = str(row[1] or "").upper()
    return Column(
        name=str(row[0]),
        type_name=declared.lower() or "no type",
        kind=_kind(declared),
        long=False,  # there are no long types: every text is cut by the statement
        primary_place=int(row[3] or 0) - 1,
        references=references.get(str(row[0]), ""),
    )


def _kind(declared: str) -> ColumnKind:
    """SQLite's affinity rules ("Datatypes In SQLite", 3.1), with its texts and blobs apart."""
    if "INT" in declared:
        return ColumnKind.INTEGER
    if "BLOB" in declared:
        return ColumnKind.BINARY
    if any(word in declared for word in ("CHAR", "CLOB", "TEXT", "UUID")) or not declared:
        return ColumnKind.TEXT
    return ColumnKind.OTHER


def _missing(wanted: TableOptions) -> Unreadable:
    label = f"{wanted.schema_name}.{wanted.name}" if wanted.schema_name else wanted.name
    remedy = "An SQLite file has no schemas." if wanted.schema_name else "Check the name."
    return Unreadable(label, f"there is no table {label}", remedy)
