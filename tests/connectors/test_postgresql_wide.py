"""A large table is never read from end to end: plans, probes of the key, and when it is refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import psycopg
import pytest

from connectors.postgresql.catalog import read_catalog, read_server
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.plans import plan_of
from connectors.postgresql.routes import MOST_PROBES, How, Route, route_to
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements
from tests.connectors.pg import Database, database_on, fetch, look_up, rows
from tests.servers.process import RunningServer
from timeline.event import Kind
from timeline.keys import KeyRules
from timeline.window import MINUTE_NS, SECOND_NS, Window

pytestmark = pytest.mark.servers

ROWS = 200_000
SHARE = 3
PINNED_BEFORE_S = 50_000
"""The pin lies in the middle of the table, where neither end of the key helps."""


@pytest.fixture(scope="module")
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    """One row a second up to now; ids rise with time but for one shuffled table."""
    with database_on(postgresql_server) as created:
        for name, stamp in (
            ("steady", f"now() - ({ROWS} - n) * interval '1 second'"),
            ("shuffled", f"now() - (n::bigint * 7919 % {ROWS}) * interval '1 second'"),
            ("gappy", f"now() - ({ROWS} - n) * interval '1 second'"),
        ):
            key = "n::bigint * n" if name == "gappy" else "n"
            created.run(
                f"CREATE TABLE {name} (id bigint, user_id int, status text,"
                " created_at timestamptz, updated_at timestamptz)",
                f"INSERT INTO {name} SELECT {key}, n, 'done', {stamp}, now()"
                f" FROM generate_series(1, {ROWS}) AS n",
                f"ALTER TABLE {name} ADD PRIMARY KEY (id)",
                f"VACUUM ANALYZE {name}",
            )
        created.run(
            "CREATE TABLE indexed AS SELECT * FROM steady",
            "ALTER TABLE indexed ADD PRIMARY KEY (id)",
            "CREATE INDEX indexed_created_at ON indexed (created_at)",
            "CREATE TABLE second (LIKE steady INCLUDING INDEXES)",
            "INSERT INTO second SELECT * FROM steady",
            "CREATE INDEX second_status_created ON second (status, user_id, created_at)",
            "VACUUM ANALYZE indexed, second",
        )
        yield created


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.postgresql.tables.LARGE_BYTES", 1_000_000)
    monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 1_000)


def around_the_middle() -> Window:
    pin = time.time_ns() - PINNED_BEFORE_S * SECOND_NS
    return Window(pin, pin - 4 * MINUTE_NS, pin + MINUTE_NS)


def route(database: Database, table: str, window: Window) -> Route:
    async def ask() -> Route:
        options = PostgreSQLOptions.model_validate({"dsn": database.url, "tables": [table]})
        session = Session(options)
        try:
            await read_server(session)
            catalog = await read_catalog(session, options, KeyRules())
            (found,) = catalog.tables
            statements = Statements(found, "", commit_times=False)
            return await route_to(session, statements, found.times[0], window, 1_000)
        finally:
            await session.close()

    return asyncio.run(ask())


def test_an_index_on_the_stamp_is_used_and_named(database: Database) -> None:
    way = route(database, "indexed", around_the_middle())
    assert way.how is How.INDEX
    assert way.index == "indexed_created_at"
    assert way.probes == 0
    assert "by index indexed_created_at, about" in way.words()


@pytest.mark.parametrize("table", ["steady", "gappy"])
def test_without_one_few_probes_of_the_key_find_the_place(database: Database, table: str) -> None:
    before = _scans(database, table)
    way = route(database, table, around_the_middle())
    counted = _settled(database, table, before) - before
    assert way.how is How.IDS
    assert way.index == f"{table}_pkey"
    assert 0 < counted <= MOST_PROBES <= 30, "as the server counted them"
    assert counted == way.probes
    assert way.bracket is not None
    low, high = way.bracket
    with database.connected() as session:
        row = session.execute(
            f"SELECT count(*) FROM {table} WHERE id BETWEEN {low} AND {high}".encode()
        ).fetchone()
    assert row is not None
    assert row[0] < ROWS / SHARE, "a small part of the table"


@pytest.mark.parametrize("table", ["indexed", "steady", "gappy"])
def test_every_way_finds_every_row_of_the_window(database: Database, table: str) -> None:
    collected = fetch(database.url, around_the_middle(), tables=[table])
    assert 299 <= len(rows(collected, Kind.ROW_INSERTED)) <= 301
    reasons = " ".join(entry.reason for entry in collected.coverage)
    assert (f"found by its ids ({table}_pkey" in reasons) is (table != "indexed")


def test_ids_that_do_not_rise_with_time_are_not_trusted(database: Database) -> None:
    collected = fetch(database.url, around_the_middle(), tables=["shuffled"])
    assert not rows(collected, Kind.ROW_INSERTED)
    (gap,) = [e for e in collected.coverage if e.reason.startswith("shuffled.created_at")]
    assert "not read: no index on created_at" in gap.reason
    assert "do not rise with it" in gap.reason


def test_an_index_that_has_the_stamp_in_the_last_place_is_no_way(database: Database) -> None:
    """Its condition narrows nothing: all of the index would be walked."""
    url, _ = database.role(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "ALTER ROLE {role} SET enable_seqscan = off",
        "ALTER ROLE {role} SET enable_bitmapscan = off",
    )
    with psycopg.connect(url) as session:
        row = session.execute(
            "EXPLAIN (FORMAT JSON) SELECT id FROM second WHERE created_at > now() - interval '1 h'"
            " ORDER BY created_at LIMIT 1001"
        ).fetchone()
    plan = plan_of(row)
    assert plan.indexes == ("second_status_created",), "the planner does take it"
    assert plan.costly
    assert not plan.scans_everything
    way = route(Database(url), "second", around_the_middle())
    assert way.how is How.IDS


def test_a_stamp_that_moves_with_every_write_has_no_place_among_ids(database: Database) -> None:
    collected = fetch(database.url, around_the_middle(), tables=["steady"])
    assert any(
        e.reason.startswith("steady.updated_at: not read: no index on updated_at")
        for e in collected.coverage
    )


def test_a_column_without_an_index_is_not_searched(database: Database) -> None:
    looked = look_up(database.url, "user:4711", tables=["steady"])
    assert not looked.events
    assert any("user_id has no index" in entry.reason for entry in looked.coverage)


def _scans(database: Database, table: str) -> int:
    with database.connected() as session:
        row = session.execute(
            "SELECT coalesce(idx_scan, 0) FROM pg_stat_user_indexes WHERE indexrelname = %s",
            (f"{table}_pkey",),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _settled(database: Database, table: str, before: int, within_s: float = 10.0) -> int:
    """The count once a session has reported: that of a closed one at its end."""
    until, seen = time.monotonic() + within_s, before
    while time.monotonic() < until:
        count = _scans(database, table)
        if count > before and count == seen:
            return count
        seen = count
        time.sleep(0.3)
    return seen
