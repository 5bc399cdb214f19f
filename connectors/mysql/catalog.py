"""Reads what the server says about itself and its tables: columns, sizes, keys, versions.

information_schema shows only what the account may read, so a table that is not listed may exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.mysql.options import MySQLOptions
from connectors.mysql.session import Flavour
from connectors.sql.audit_shapes import FRAMEWORK_MARKS, REVISIONS, Tool
from connectors.sql.options import TableOptions
from connectors.sql.stamps import DateTimeForm, Zone
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
from connectors.sql.vocabulary import CREATED
from timeline.event import Precision
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

MAX_DISCOVERED_TABLES = 20
"""Tables read without being named. Each costs at least two indexed reads."""
MAX_CANDIDATES = 500
SHORT_TEXT = 255
"""Characters: the longest that an indexed key or a state is declared with."""

SERVER = """
SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED), CURRENT_USER(),
       UNIX_TIMESTAMP(NOW()) - (SELECT VARIABLE_VALUE FROM {status} WHERE VARIABLE_NAME = 'UPTIME')
"""
"""The server counts its uptime to the start of the statement, so the difference never wavers."""
STATUS = {True: "information_schema.GLOBAL_STATUS", False: "performance_schema.global_status"}
"""Where MariaDB (True) and MySQL from 5.7 on (False) keep their status variables."""
NAMED = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s LIMIT 1
"""
STAMPED = """
SELECT DISTINCT TABLE_NAME FROM information_schema.COLUMNS
 WHERE TABLE_SCHEMA = %s AND DATA_TYPE IN ('datetime', 'timestamp')
   AND LOWER(COLUMN_NAME) IN ({names}) ORDER BY TABLE_NAME LIMIT %s
"""
VERSIONED = """
SELECT TABLE_NAME FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'SYSTEM VERSIONED' ORDER BY TABLE_NAME LIMIT %s
"""
MARKED = """
SELECT DISTINCT TABLE_NAME FROM information_schema.COLUMNS
 WHERE TABLE_SCHEMA = %s AND COLUMN_NAME IN ({names}) ORDER BY TABLE_NAME LIMIT %s
"""
COLUMNS = """
SELECT COLUMN_NAME, DATA_TYPE, DATETIME_PRECISION, COLUMN_DEFAULT, EXTRA,
       CHARACTER_MAXIMUM_LENGTH, COALESCE({generated}, ''), PRIVILEGES
  FROM information_schema.COLUMNS
 WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION LIMIT 5000
"""
KEYS = """
SELECT CONSTRAINT_NAME, COLUMN_NAME, ORDINAL_POSITION, REFERENCED_TABLE_NAME
  FROM information_schema.KEY_COLUMN_USAGE
 WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s
   AND (CONSTRAINT_NAME = 'PRIMARY' OR REFERENCED_TABLE_NAME IS NOT NULL) LIMIT 5000
"""

INTEGER_TYPES = frozenset(["tinyint", "smallint", "mediumint", "int", "bigint"])
TEXT_TYPES = frozenset(["char", "varchar", "enum", "set", "text", "tinytext", "mediumtext"])
TIME_TYPES = frozenset(["datetime", "timestamp"])
PERIOD = ("ROW START", "ROW END")
"""How declared period columns are generated."""
ROW_START, ROW_END = "ROW_START", "ROW_END"
"""Names of the period columns that nobody declared (MariaDB, "System-Versioned Tables")."""
DATABASE_CLOCK = re.compile(
    r"\b(?:current_timestamp|now|localtime(?:stamp)?)\b|on update", re.IGNORECASE
)
"""Defaults, and ON UPDATE, by which the database itself writes the clock of its host."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the server is, at the instant it was asked. Times are ns UTC of its own clock."""

    flavour: Flavour
    now: int
    started_at: int | None
    """To the second: the server states how long it runs; None when it does not say."""
    account: str


def read_server(select: Select, flavour: Flavour) -> Server:
    """Ask the server what it is."""
    (row,) = select(SERVER.replace("{status}", STATUS[flavour.mariadb]), ())
    return Server(
        flavour=flavour,
        now=int(row[0] or 0) * 1_000,
        started_at=None if row[2] is None else int(float(row[2])) * SECOND_NS,
        account=str(row[1]),
    )


@dataclass(frozen=True, slots=True)
class CatalogReader:
    """The work that reads the catalog in one transaction."""

    options: MySQLOptions
    key_rules: KeyRules
    flavour: Flavour

    def __call__(self, select: Select) -> Catalog:
        tables: list[Table] = []
        unreadable: list[Unreadable] = []
        named = self.options.tables
        discovered, left_out = self._discovered(select)
        for wanted in _each_once((*named, *tables_of_keys(named, self.key_rules), *discovered)):
            found = self._found(select, wanted)
            if found is None:
                unreadable += [_missing(wanted)] if wanted in named else []
                continue
            match chosen(found, wanted, self.key_rules):
                case Table() as readable:
                    tables.append(readable)
                case Unreadable() as why:
                    unreadable.append(why)
        read = {table.name for table in tables}
        tables += [table for table in self._audits(select) if table.name not in read]
        tables = [self._joined(select, table) for table in tables]
        return Catalog(tuple(tables), tuple(unreadable), left_out)

    def _audits(self, select: Select) -> Iterator[Table]:
        """Tables with a column like an audit table's; those that are none are left alone."""
        if not self.options.audits:
            return
        statement = MARKED.replace("{names}", ", ".join(["%s"] * len(FRAMEWORK_MARKS)))
        database = self.options.address.database
        for row in select(statement, (database, *FRAMEWORK_MARKS, MAX_DISCOVERED_TABLES)):
            wanted = TableOptions(name=str(row[0]))
            if (found := self._found(select, wanted)) is not None:
                table = chosen(found, wanted, self.key_rules)
                if isinstance(table, Table) and table.audit is not None:
                    yield table

    def _joined(self, select: Select, table: Table) -> Table:
        if table.audit is None or table.audit.tool is not Tool.REVERSION:
            return table
        revisions = self._found(select, TableOptions(name=REVISIONS))
        return with_revisions(table, revisions.columns if revisions else ())

    def _discovered(self, select: Select) -> tuple[list[TableOptions], int]:
        """Versioned tables, then those with a creation stamp, by name: nothing counts writes."""
        if not self.options.discovers:
            return [], 0
        statement = STAMPED.replace("{names}", ", ".join(["%s"] * len(CREATED)))
        database = self.options.address.database
        rows = select(VERSIONED, (database, MAX_CANDIDATES)) if self.flavour.mariadb else []
        rows += select(statement, (database, *sorted(CREATED), MAX_CANDIDATES))
        names = list(dict.fromkeys(str(row[0]) for row in rows))
        kept = [TableOptions(name=name) for name in names[:MAX_DISCOVERED_TABLES]]
        return kept, len(names) - len(kept)

    def _found(self, select: Select, wanted: TableOptions) -> Found | None:
        schema = wanted.schema_name or self.options.address.database
        place = (schema, wanted.name)
        rows = select(NAMED, place)
        if not rows:
            return None
        has_expression = self.flavour.version >= ((10, 2, 5) if self.flavour.mariadb else (5, 7, 6))
        expression = "GENERATION_EXPRESSION" if has_expression else "NULL"
        keys = select(KEYS, place)
        primary = {str(k[1]): int(k[2] or 0) for k in keys if k[0] == "PRIMARY"}
        references = {str(k[1]): str(k[3]) for k in keys if k[3]}
        answered = select(COLUMNS.replace("{generated}", expression), place)
        columns = [_column(row, primary, references, Zone(self.options.zone)) for row in answered]
        generated = {str(row[6]).upper(): c for row, c in zip(answered, columns, strict=True)}
        versioned = rows[0][2] == "SYSTEM VERSIONED"
        kept = [
            column
            for row, column in zip(answered, columns, strict=True)
            # the end of the period is part of the key of such a table, but not of the row's name
            if _readable(row) and not (versioned and str(row[6]).upper() in PERIOD)
        ]
        return Found(
            schema=schema,
            name=str(rows[0][1]),
            label=wanted.name if not wanted.schema_name else f"{schema}.{wanted.name}",
            rows=int(rows[0][3]) if rows[0][3] is not None else None,
            columns=tuple(kept),
            period=_period(generated) if versioned else None,
        )


def _each_once(wanted: Sequence[TableOptions]) -> list[TableOptions]:
    first: dict[tuple[str, str], TableOptions] = {}
    for table in wanted:
        first.setdefault((table.schema_name, table.name), table)
    return list(first.values())


def _readable(row: Row) -> bool:
    """`PRIVILEGES` names what the account may do with the column."""
    return "select" in str(row[7]).lower()


def _column(row: Row, primary: dict[str, int], references: dict[str, str], zone: Zone) -> Column:
    name, type_name = str(row[0]), str(row[1]).lower()
    is_timestamp = type_name == "timestamp"
    form = None
    if type_name in TIME_TYPES:
        # a TIMESTAMP is kept in UTC and our session's zone is UTC; a DATETIME has no zone
        form = DateTimeForm(
            _precision(row[2]), Zone("UTC") if is_timestamp else zone, not is_timestamp
        )
    length = int(row[5]) if row[5] is not None else 0
    return Column(
        name=name,
        type_name=type_name,
        kind=_kind(type_name),
        form=form,
        long=type_name not in INTEGER_TYPES and length > SHORT_TEXT,
        primary_place=primary.get(name, 0) - 1,
        references=references.get(name, ""),
        database_clock=DATABASE_CLOCK.search(f"{row[3]} {row[4]}") is not None,
    )


def _precision(digits: object) -> Precision:
    """Whole seconds unless the column was declared with a fraction."""
    count = int(str(digits or 0))
    if count == 0:
        return Precision.SECOND
    return Precision.MILLISECOND if count <= 3 else Precision.MICROSECOND


def _kind(type_name: str) -> ColumnKind:
    if type_name in INTEGER_TYPES:
        return ColumnKind.INTEGER
    if type_name in TEXT_TYPES:
        return ColumnKind.TEXT
    if type_name == "uuid":
        return ColumnKind.UUID
    if "binary" in type_name or "blob" in type_name:
        return ColumnKind.BINARY
    return ColumnKind.TIME if type_name in TIME_TYPES else ColumnKind.OTHER


def _period(generated: dict[str, Column]) -> tuple[Column, Column] | None:
    """Beginning and end of a version; None where they are transaction numbers, not stamps."""
    start, end = (generated.get(name) for name in PERIOD)
    if start is not None and end is not None:
        return (start, end) if start.is_time and end.is_time else None
    form = DateTimeForm(Precision.MICROSECOND, Zone("UTC"), zone_missing=False)
    return (
        Column(ROW_START, "timestamp", ColumnKind.TIME, form, database_clock=True),
        Column(ROW_END, "timestamp", ColumnKind.TIME, form, database_clock=True),
    )


def _missing(wanted: TableOptions) -> Unreadable:
    label = f"{wanted.schema_name}.{wanted.name}" if wanted.schema_name else wanted.name
    return Unreadable(
        label,
        f"there is no table {label} that the account may see",
        f"Check the name, or GRANT SELECT ON {label} to the account.",
    )
