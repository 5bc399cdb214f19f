"""MySQL's way of writing our statements, and of saying what it would do with them."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.sql.statements import VALUE_LENGTH, Dialect, Plan
from connectors.sql.tables import LARGE_ROWS, Column, ColumnKind, Table
from connectors.sql.values import Row

ACCESS, KEY, ROWS = "type", "key", "rows"
EXPLAIN_COLUMNS_MARIADB = (ACCESS, 3), (KEY, 5), (ROWS, 8)
EXPLAIN_COLUMNS_MYSQL = (ACCESS, 4), (KEY, 6), (ROWS, 9)
"""Places in EXPLAIN's answer: MySQL from 5.7 on has a further column `partitions` in front."""


def quoted(name: str) -> str:
    """An identifier in backticks; the driver reads a single % as a parameter."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def _stamp(expression: str) -> str:
    """As text: an impossible date (0000-00-00) has to arrive too."""
    return f"CAST({expression} AS CHAR)"


def _value(expression: str, column: Column) -> str:
    if column.kind is ColumnKind.INTEGER:
        return expression
    if column.kind is ColumnKind.BINARY:
        return f"HEX(LEFT({expression}, {VALUE_LENGTH // 2}))"
    return f"LEFT(CAST({expression} AS CHAR), {VALUE_LENGTH})"


def _parameter(column: Column) -> str:
    return "UNHEX(%s)" if column.kind is ColumnKind.BINARY else "%s"


def _plan(rows: Sequence[Row], table: Table) -> Plan:
    """`ALL` reads the table and `index` an index from end to end.

    With a LIMIT the estimate of an `index` access is the limit, not what may have to be passed
    over to reach it: there the size of the table counts.
    """
    whole, index = False, ""
    for row in rows:
        places = dict(EXPLAIN_COLUMNS_MYSQL if len(row) > 10 else EXPLAIN_COLUMNS_MARIADB)
        access, key = row[places[ACCESS]], row[places[KEY]]
        estimate = int(row[places[ROWS]] or 0)
        large = estimate > LARGE_ROWS
        whole = whole or (access == "ALL" and large) or (access == "index" and table.large)
        index = index or str(key or "")
    return Plan(whole, index)


MYSQL = Dialect(
    quoted=quoted,
    mark="%s",
    stamp=_stamp,
    value=_value,
    parameter=_parameter,
    explain="EXPLAIN FORMAT=TRADITIONAL",
    plan=_plan,
    text="CHAR",
)
