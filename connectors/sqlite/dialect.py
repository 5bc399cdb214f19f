"""SQLite's way of writing our statements, and of saying what it would do with them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.sql.statements import VALUE_LENGTH, Dialect, Plan
from connectors.sql.tables import Column, Table
from connectors.sql.values import Row

_INDEX = re.compile(r"USING (?:COVERING )?INDEX (\S+)|USING (INTEGER PRIMARY KEY|PRIMARY KEY)")


def quoted(name: str) -> str:
    """An identifier in double quotes (SQLite manual, "SQLite Keywords")."""
    return '"' + name.replace('"', '""') + '"'


def _stamp(expression: str) -> str:
    return expression


def _value(expression: str, column: Column) -> str:
    """Any cell may hold any type, whatever was declared."""
    return (
        f"CASE typeof({expression})"
        f" WHEN 'text' THEN substr({expression}, 1, {VALUE_LENGTH})"
        f" WHEN 'blob' THEN hex(substr({expression}, 1, {VALUE_LENGTH // 2}))"
        f" ELSE {expression} END"
    )


def _plan(rows: Sequence[Row], table: Table) -> Plan:
    """`SCAN t` reads a table or an index from end to end, `SEARCH t USING …` a part of it."""
    details = [str(row[3]) for row in rows]
    found = [match for detail in details if (match := _INDEX.search(detail))]
    index = (found[0][1] or found[0][2].lower()) if found else ""
    return Plan(any(detail.startswith("SCAN") for detail in details) and table.large, index)


SQLITE = Dialect(
    quoted=quoted,
    mark="?",
    stamp=_stamp,
    value=_value,
    parameter=lambda _column: "?",
    explain="EXPLAIN QUERY PLAN",
    plan=_plan,
    text="TEXT",
)
