"""Where a queue's tables are in this database, and which columns this version of it has.

Asks pg_catalog for exactly the names that the description holds. A table that is there and cannot
be read is said, never taken for absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from connectors.postgresql.session import Row, Session
from connectors.sqlqueue.shape import Records, System
from timeline.problems import AccessRefused, BadAnswer, NothingHere

LARGE_BYTES = 160 * 1024 * 1024
"""From this size on (or when it is unknown) a plan is looked at before a statement runs."""

PLACES: LiteralString = """
SELECT n.nspname::text, c.relname::text, c.relkind::text,
       (WITH RECURSIVE parts(oid) AS (
            SELECT c.oid UNION ALL
            SELECT i.inhrelid FROM pg_inherits AS i JOIN parts ON parts.oid = i.inhparent)
        SELECT CASE WHEN bool_or(p.reltuples < 0 OR p.relpages = 0) THEN NULL
                    ELSE sum(p.relpages) * current_setting('block_size')::bigint END
          FROM parts JOIN pg_class AS p ON p.oid = parts.oid
         WHERE p.relkind IN ('r', 'm'))::bigint,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       row_security_active(c.oid),
       (WITH RECURSIVE parts(oid) AS (
            SELECT c.oid UNION ALL
            SELECT i.inhrelid FROM pg_inherits AS i JOIN parts ON parts.oid = i.inhparent)
        SELECT sum(s.n_tup_del) FROM parts JOIN pg_stat_all_tables AS s ON s.relid = parts.oid
       )::bigint,
       (SELECT string_agg(a.attname || ' ' || t.typname, ',') FROM pg_attribute AS a
          JOIN pg_type AS t ON t.oid = a.atttypid
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = ANY(%s::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND (n.nspname = %s OR (%s = '' AND pg_table_is_visible(c.oid)))
 LIMIT 50
"""
"""The tables of one system; of a partitioned one, its parts together."""
ELSEWHERE: LiteralString = """
SELECT DISTINCT n.nspname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = %s AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
 ORDER BY 1 LIMIT 5
"""
"""Schemas that hold a table of the name we look for, for the sentence that says it is not here."""
COLUMN = re.compile(r"\b([a-z])\.([a-z_]+)\b")
"""A column in a fragment: aliases are one letter."""
PRESENCE = re.compile(r"\b([a-z]\.[a-z_]+) IS (NOT )?NULL\b")


@dataclass(frozen=True, slots=True)
class Place:
    """One table as the catalogue tells it. `bytes` is None when it was never analysed."""

    schema: str
    name: str
    is_view: bool
    bytes: int | None
    readable: bool
    filtered: bool
    """Whether row security would hide rows from this role."""
    deleted_rows: int | None
    columns: dict[str, str]
    """Column to type name (`timestamptz`)."""

    @property
    def large(self) -> bool:
        return self.bytes is None or self.bytes > LARGE_BYTES

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Here:
    """Where everything of one system is."""

    system: System
    places: dict[str, Place]
    """By table name; what is missing or may not be read is not in it."""
    unreadable: tuple[str, ...] = ()
    """Tables that are there and not readable, with the reason."""

    @property
    def jobs(self) -> Place:
        return self.places[self.system.jobs.tables[0].name]

    @property
    def deleted_rows(self) -> int | None:
        place = self.places.get(self.system.deletes_from or self.jobs.name)
        return None if place is None else place.deleted_rows

    def column_type(self, column: str) -> str:
        """Type of a column of the table of jobs; empty where this version lacks it."""
        return self.jobs.columns.get(column, "")

    def has(self, records: Records) -> bool:
        """Whether the first of its tables can be read."""
        return records.tables[0].name in self.places

    def type_of(self, records: Records, fragment: str) -> str:
        """Type of a fragment that is one bare column; empty for any other."""
        match = COLUMN.fullmatch(fragment)
        if match is None:
            return ""
        return self._columns(records).get(match[1], {}).get(match[2], "")

    def lacks(self, records: Records, fragment: str) -> bool:
        """Whether a fragment names a column or table that is not there."""
        known, named = self._columns(records), {table.alias for table in records.tables}
        return any(
            column not in known.get(alias, {})
            for alias, column in COLUMN.findall(fragment)
            if alias in named
        )

    def reduced(self, records: Records, fragment: LiteralString) -> LiteralString:
        """The fragment without questions whether a row is there that has no table."""

        def answered(match: re.Match[str]) -> str:
            absent = self.lacks(records, match[1])
            return match[0] if not absent else "false" if match[2] else "true"

        return PRESENCE.sub(answered, fragment)

    def _columns(self, records: Records) -> dict[str, dict[str, str]]:
        return {
            table.alias: self.places[table.name].columns
            for table in records.tables
            if table.name in self.places
        }


async def locate(session: Session, system: System, schema: str) -> Here:
    """Find the tables of `system`.

    Raises `NothingHere` when its jobs have no table there, `AccessRefused` when they may not be
    read, `BadAnswer` when the table is not the one that the system makes.
    """
    wanted = schema or system.schema
    names = sorted({table.name for part in _parts(system) for table in part.tables})
    names += [
        name for name in (system.version_table, system.deletes_from, system.queue_table) if name
    ]
    found = {
        place.name: place
        for place in map(_place, await session.read(PLACES, (names, wanted, wanted)))
    }
    first = system.jobs.tables[0].name
    if first not in found:
        others = [str(name) for (name,) in await session.read(ELSEWHERE, (first,))]
        named = f" It is in {', '.join(others)}: set {system.schema_option}." if others else ""
        raise NothingHere(
            f"There is no table {first} of {system.product}",
            where=f"{session.where}, schema {wanted or 'of the search path'}",
            remedy=f"Check the database (a queue may have its own) and the schema.{named}",
        )
    readable = {n: p for n, p in found.items() if p.readable and not p.filtered}
    refused = tuple(_refusal(p) for p in found.values() if not p.readable or p.filtered)
    if first not in readable:
        raise AccessRefused(
            "The table of jobs cannot be read, so nothing is known",
            where=f"{session.where}: {_refusal(found[first])}",
            remedy=f"GRANT USAGE ON SCHEMA {found[first].schema} and SELECT on its tables to the "
            "role; where row security is on, the role needs BYPASSRLS as well.",
        )
    here = Here(system, readable, refused)
    for fragment in (system.jobs.id, system.jobs.state, system.jobs.live):
        if not here.lacks(system.jobs, here.reduced(system.jobs, fragment)):
            continue
        if refused:
            raise AccessRefused(
                "A table that tells what became of the jobs cannot be read",
                where=f"{session.where}: {'; '.join(refused)}",
                remedy="GRANT SELECT on all tables of the queue to the role.",
            )
        raise BadAnswer(
            f"{here.jobs.label} is not a table that {system.product} makes: it lacks a column of "
            f"{fragment}",
            where=session.where,
            remedy="Another product, or a version that we do not know, made it.",
        )
    return here


def _parts(system: System) -> Iterator[Records]:
    yield system.jobs
    if system.history is not None:
        yield system.history


def _refusal(place: Place) -> str:
    reason = "row security would hide rows" if place.readable else "no right to SELECT"
    return f"{place.label}: {reason}"


def _place(row: Row) -> Place:
    pairs = [pair.split(" ", 1) for pair in str(row[7] or "").split(",") if " " in pair]
    return Place(
        schema=str(row[0]),
        name=str(row[1]),
        is_view=row[2] == "v",
        bytes=row[3] if isinstance(row[3], int) else None,
        readable=bool(row[4]),
        filtered=bool(row[5]),
        deleted_rows=row[6] if isinstance(row[6], int) else None,
        columns={name: type_name for name, type_name in pairs},
    )
