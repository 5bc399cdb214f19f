"""Reads what the server says about itself and its tables: columns, sizes, keys, rights.

Asks pg_catalog rather than information_schema, which hides what the role may not select: a table
that exists but cannot be read has to be said. Sizes come from pg_class, because the size functions
wait for locks, and one table being altered must not cost the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import LiteralString

from connectors.postgresql.options import PostgreSQLOptions, TableOptions
from connectors.postgresql.session import Row, Session
from connectors.postgresql.shaping import Found, locked, looks_like_an_audit, missing, table_from
from connectors.postgresql.tables import Catalog, Column, Server, Table
from connectors.sql.audit_shapes import MARKS
from connectors.sql.tables import Unreadable, tables_of_keys
from connectors.sql.vocabulary import CREATED
from timeline.keys import KeyRules
from timeline.problems import Overloaded

MAX_DISCOVERED_TABLES = 20
"""Tables read without being named. Each costs at least two indexed reads."""
SERVER: LiteralString = """
SELECT current_setting('server_version'),
       pg_is_in_recovery(),
       current_setting('track_commit_timestamp') = 'on',
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
       (extract(epoch FROM pg_conf_load_time()) * 1000000)::bigint,
       CASE WHEN pg_is_in_recovery()
            THEN (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000000)::bigint END,
       CASE WHEN pg_is_in_recovery()
            THEN coalesce(pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn(), false)
                 AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver) END,
       current_user::text,
       current_database()::text,
       pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER'),
       (SELECT (extract(epoch FROM stats_reset) * 1000000)::bigint
          FROM pg_stat_database WHERE datname = current_database()),
       EXISTS (SELECT 1 FROM pg_stat_wal_receiver),
       CASE WHEN pg_is_in_recovery()
            THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint END,
       (SELECT (extract(epoch FROM max(last_msg_receipt_time)) * 1000000)::bigint
          FROM pg_stat_wal_receiver),
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END
"""

_TABLE_COLUMNS: LiteralString = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text,
       pg_table_is_visible(c.oid),
       (WITH RECURSIVE parts(oid) AS (
            SELECT c.oid UNION ALL
            SELECT i.inhrelid FROM pg_inherits AS i JOIN parts ON parts.oid = i.inhparent)
        SELECT CASE WHEN bool_or(p.reltuples < 0 OR p.relpages = 0) THEN NULL
                    ELSE sum(p.relpages) * current_setting('block_size')::bigint END
          FROM parts JOIN pg_class AS p ON p.oid = parts.oid
         WHERE p.relkind IN ('r', 'm'))::bigint,
       has_table_privilege(c.oid, 'SELECT'),
       has_table_privilege(c.oid, 'INSERT') OR has_table_privilege(c.oid, 'UPDATE')
         OR has_table_privilege(c.oid, 'DELETE'),
       row_security_active(c.oid),
       s.n_tup_del::bigint,
       count(*) OVER ()
"""
NAMED_TABLES: LiteralString = (
    _TABLE_COLUMNS
    + """
  FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS wanted(schema, name, place)
  JOIN pg_class AS c ON c.relname = wanted.name
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (n.nspname = wanted.schema OR (wanted.schema = '' AND pg_table_is_visible(c.oid)))
 ORDER BY wanted.place
"""
)
DISCOVERED_TABLES: LiteralString = (
    _TABLE_COLUMNS  # noqa: S608  # two constants joined
    + """
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND EXISTS (SELECT 1 FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND lower(a.attname) = ANY(%s) AND t.typname IN ('timestamptz', 'timestamp'))
 ORDER BY coalesce(s.n_tup_ins + s.n_tup_upd, 0) DESC, n.nspname, c.relname
 LIMIT %s
"""
)
AUDIT_TABLES: LiteralString = (
    _TABLE_COLUMNS  # noqa: S608  # two constants joined
    + """
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
   AND EXISTS (SELECT 1 FROM pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.attname = ANY(%s))
 ORDER BY coalesce(s.n_tup_ins + s.n_tup_upd, 0) DESC, n.nspname, c.relname
 LIMIT %s
"""
)
COLUMNS: LiteralString = """
SELECT a.attrelid::bigint, a.attname::text, t.typname::text, t.typtype::text, a.atttypmod,
       format_type(a.atttypid, NULL), coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
       has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
       coalesce((SELECT array_position(i.indkey::int2[], a.attnum) FROM pg_index AS i
                  WHERE i.indrelid = a.attrelid AND i.indisprimary), -1)::int,
       (SELECT target.relname::text FROM pg_constraint AS f
          JOIN pg_class AS target ON target.oid = f.confrelid
         WHERE f.contype = 'f' AND f.conrelid = a.attrelid AND f.conkey = ARRAY[a.attnum]
         ORDER BY f.conname LIMIT 1)
  FROM pg_attribute AS a
  JOIN pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum
"""


async def read_server(session: Session) -> Server:
    """Ask the server what it is. Raises `SourceProblem`."""
    (row,) = await session.read(SERVER)
    return Server(
        version=str(row[0]),
        replica=bool(row[1]),
        tracks_commits=bool(row[2]),
        now=_nanoseconds(row[3]) or 0,
        started_at=_nanoseconds(row[4]) or 0,
        configured_at=_nanoseconds(row[5]) or 0,
        replayed_until=_nanoseconds(row[6]),
        caught_up=bool(row[7]),
        role=str(row[8]),
        database=str(row[9]),
        sees_all_activity=bool(row[10]),
        stats_since=_nanoseconds(row[11]),
        streams=bool(row[12]),
        bytes_to_replay=None if row[13] is None else max(0, _whole(row[13])),
        heard_at=_nanoseconds(row[14]),
        replay_paused=bool(row[15]),
    )


async def read_catalog(
    session: Session, options: PostgreSQLOptions, key_rules: KeyRules
) -> Catalog:
    """Find the configured tables and, when asked to, those with a creation stamp and audit tables.

    A table that only has a column like an audit table's and is none is left alone.
    """
    found: dict[int, tuple[Row, TableOptions]] = {}
    unreadable: list[Unreadable] = []
    of_keys = tables_of_keys(options.tables, key_rules)
    for row, wanted in await _named(session, (*options.tables, *of_keys)):
        if row is not None:
            found.setdefault(_whole(row[0]), (row, wanted))
        elif wanted not in of_keys:  # a key's table may well be in another database
            unreadable.append(missing(wanted))
    left_out, marked = 0, set[int]()
    if options.discovers:
        rows = await session.read(DISCOVERED_TABLES, (sorted(CREATED), MAX_DISCOVERED_TABLES))
        for row in rows:
            found.setdefault(_whole(row[0]), (row, TableOptions(name=str(row[2]))))
        left_out = max(0, _whole(rows[0][10]) - len(rows)) if rows else 0
    if options.audits:
        for row in await session.read(AUDIT_TABLES, (list(MARKS), MAX_DISCOVERED_TABLES)):
            if (oid := _whole(row[0])) not in found:
                found[oid] = (row, TableOptions(name=str(row[2])))
                marked.add(oid)
    columns: dict[int, list[Column]] = {}
    for row in await _columns(session, sorted(found)):
        columns.setdefault(_whole(row[0]), []).append(_column(row))
    tables: list[Table] = []
    for oid, (row, wanted) in found.items():
        if oid not in columns:
            unreadable.append(locked(str(row[2])))
            continue
        table = table_from(_found(row), columns[oid], wanted, key_rules)
        if isinstance(table, Table):
            if table.audit is not None or oid not in marked:
                tables.append(table)
        elif oid not in marked or looks_like_an_audit(str(row[2]), columns[oid]):
            unreadable.append(table)
    return Catalog(tuple(tables), tuple(unreadable), left_out)


async def _named(
    session: Session, wanted: Sequence[TableOptions]
) -> list[tuple[Row | None, TableOptions]]:
    if not wanted:
        return []
    rows = await session.read(
        NAMED_TABLES, ([t.schema_name for t in wanted], [t.name for t in wanted])
    )
    by_name: dict[tuple[str, str], Row] = {}
    for row in rows:
        by_name[str(row[1]), str(row[2])] = row
        if row[4]:
            by_name["", str(row[2])] = row
    return [(by_name.get((t.schema_name, t.name)), t) for t in wanted]


async def _columns(session: Session, oids: Sequence[int]) -> list[Row]:
    """Columns of all tables at once, or table by table when one of them is locked.

    `pg_get_expr` opens the table in recent versions of PostgreSQL.
    """
    if not oids:
        return []
    try:
        return await session.read(COLUMNS, (oids,))
    except Overloaded:
        answered = []
        for oid in oids:
            with contextlib.suppress(Overloaded):
                answered += await session.read(COLUMNS, ([oid],))
        return answered


def _found(row: Row) -> Found:
    return Found(
        schema=str(row[1]),
        name=str(row[2]),
        kind=str(row[3]),
        visible=bool(row[4]),
        bytes=None if row[5] is None else _whole(row[5]),
        readable=bool(row[6]),
        writable=bool(row[7]),
        row_security=bool(row[8]),
        deleted_rows=None if row[9] is None else _whole(row[9]),
    )


def _column(row: Row) -> Column:
    return Column(
        name=str(row[1]),
        type_name=str(row[2]),
        is_enum=row[3] == "e",
        typmod=_whole(row[4]),
        type_sql=str(row[5]),
        default=str(row[6]),
        readable=bool(row[7]),
        primary_place=_whole(row[8]),
        references=str(row[9] or ""),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"the catalog answered {value!r} where a whole number was expected")
    return value


def _nanoseconds(microseconds: object) -> int | None:
    return None if microseconds is None else _whole(microseconds) * 1_000
