"""Which tables hold the things that other tables, jobs and log lines name by id.

Reads the catalogue alone, in two bounded statements; no row of any table is touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import LiteralString

from connectors.discovery import KeyHint, Sampled
from connectors.postgresql.session import Row, Session
from timeline.keys import KeyRules

MAX_COLUMNS = 5_000
"""Columns looked at; a schema with more id columns than this is configured by hand."""
MAX_KEYS = 30
"""Keys proposed, the most referenced tables first: a file that people read to the end."""

PRIMARY_KEYS: LiteralString = """
SELECT n.nspname::text, c.relname::text, a.attname::text, pg_table_is_visible(c.oid)
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
 WHERE i.indisprimary AND i.indnatts = 1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND has_column_privilege(c.oid, a.attnum, 'SELECT')
 ORDER BY n.nspname, c.relname
 LIMIT %s
"""
"""Tables identified by one column that this account may read."""

REFERENCES: LiteralString = """
SELECT c.relname::text, a.attname::text, coalesce(tn.nspname::text, ''),
       coalesce(t.relname::text, '')
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_constraint AS f
    ON f.conrelid = c.oid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum]
  LEFT JOIN pg_class AS t ON t.oid = f.confrelid
  LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND (f.oid IS NOT NULL OR a.attname LIKE '%%\\_id')
 ORDER BY c.relname, a.attname
 LIMIT %s
"""
"""Columns that name another row: by a foreign key, or as frameworks without one spell them."""


@dataclass
class _Thing:
    """One table whose rows are named by others."""

    name: str
    table: str
    pk: str
    fields: dict[str, int] = field(default_factory=dict)
    """Column -> in how many tables it names this thing."""


async def sampled(session: Session) -> Sampled:
    """Tables with their primary key and the columns that refer to them. Raises `SourceProblem`."""
    keys = await session.read(PRIMARY_KEYS, (MAX_COLUMNS,))
    references = await session.read(REFERENCES, (MAX_COLUMNS,))
    hints = hints_from(keys, references)
    if not hints:
        return Sampled(notes=("no table is named by a column of another, so no [keys] are known",))
    return Sampled(tuple(hints[:MAX_KEYS]))


def hints_from(keys: Iterable[Row], references: Iterable[Row]) -> list[KeyHint]:
    """One hint for each table that others refer to, the most referenced first.

    A table's reference to itself (`parent_id`) names a role and not a thing, and a column name
    that leads to two tables says nothing by itself: both are left out.
    """
    things = _things(keys)
    targets: dict[str, set[str]] = {}
    found: list[tuple[str, str]] = []
    for row in references:
        table, column, schema, target = (str(cell) for cell in row)
        thing = _target(things, column, schema, target)
        if thing is None or target == table:
            continue
        targets.setdefault(column, set()).add(thing)
        found.append((thing, column))
    for thing, column in found:
        if len(targets[column]) == 1:
            fields = things[thing].fields
            fields[column] = fields.get(column, 0) + 1
    named = [thing for thing in things.values() if thing.fields]
    named.sort(key=lambda thing: (-sum(thing.fields.values()), thing.name))
    return [
        KeyHint(thing.name, tuple(sorted(thing.fields)), thing.table, thing.pk) for thing in named
    ]


def _things(keys: Iterable[Row]) -> dict[str, _Thing]:
    """Things by the table's qualified name."""
    rules = KeyRules()
    things = {}
    for row in keys:
        schema, table, pk = (str(cell) for cell in row[:3])
        typed = rules.row_keys(table, "")[1]
        label = table if row[3] else f"{schema}.{table}"
        things[f"{schema}.{table}"] = _Thing(typed.partition(":")[0], label, pk)
    return things


def _target(things: dict[str, _Thing], column: str, schema: str, table: str) -> str | None:
    """The thing a column names: by its foreign key, else by its spelling when that is clear."""
    if table:
        qualified = f"{schema}.{table}"
        return qualified if qualified in things else None
    wanted = column.removesuffix("_id")
    same = [qualified for qualified, thing in things.items() if thing.name == wanted]
    return same[0] if len(same) == 1 else None
