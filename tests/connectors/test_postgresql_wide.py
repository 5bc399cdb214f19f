"""A large table is never read from end to end: plans, probes of the key, and when it is refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import psycopg
import pytest
from psycopg import sql

from connectors.postgresql.catalog import read_catalog, read_server
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.plans import plan_of
from connectors.postgresql.reader import TableReader
from connectors.postgresql.routes import MOST_PROBES, How, Route, route_to
from connectors.postgresql.session import Row as Cells
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements
from connectors.sql.values import Row
from tests.conformance.collecting import fetched
from tests.connectors.pg import Database, connector, database_on, fetch, look_up, rows
from tests.servers.process import RunningServer
from timeline.event import Event, Kind
from timeline.keys import KeyRules
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

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


def test_no_statement_of_a_walk_touches_more_rows_than_its_pace(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows lie between the ids that were found: here three times as many."""
    monkeypatch.setattr("connectors.sql.pacing.MOST_ROWS", 500)
    slices: list[tuple[int, int]] = []
    timed = Session.timed

    async def noted(
        session: Session, statement: sql.Composed, parameters: Sequence[str | int] = ()
    ) -> tuple[list[Cells], float]:
        if "created_at" in repr(statement) and len(parameters) == 4:
            slices.append((int(parameters[2]), int(parameters[3])))
        return await timed(session, statement, parameters)

    monkeypatch.setattr(Session, "timed", noted)
    collected = fetch(database.url, around_the_middle(), tables=["gappy"])
    assert 299 <= len(rows(collected, Kind.ROW_INSERTED)) <= 301
    assert len(slices) > 3
    with database.connected() as session:
        for low, high in slices:
            row = session.execute(
                "SELECT count(*) FROM gappy WHERE id BETWEEN %s AND %s", (low, high)
            ).fetchone()
            assert row is not None
            assert row[0] <= 500
    ordered = sorted(slices)
    assert all(before[1] < after[0] for before, after in pairwise(ordered)), "no row read twice"


def test_what_lies_nearest_to_the_pin_survives_a_cut_that_is_said(database: Database) -> None:
    window = around_the_middle()
    collected = fetched(connector(database.url, tables=["steady"]), window, Budget(rows=40))
    found = [e.timestamp for e in rows(collected, Kind.ROW_INSERTED).values()]
    assert 20 <= len(found) <= 40
    assert max(abs(stamp - window.pin) for stamp in found) < 40 * SECOND_NS
    cut = [e for e in collected.coverage if "rows further from T are missing" in e.reason]
    assert {(gap.start == window.start, gap.end == window.end) for gap in cut} != set()
    missing = [window.pin - 100 * SECOND_NS, window.pin + 50 * SECOND_NS]
    for moment in missing:
        assert any(gap.start <= moment < gap.end for gap in cut), "not read, and said so"


def test_a_walk_that_runs_out_of_time_says_what_was_not_reached(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = TableReader.fresh

    async def slow(reader: TableReader, answer: Sequence[Row], window: Window) -> list[Event]:
        await asyncio.sleep(0.5)
        return await read(reader, answer, window)

    monkeypatch.setattr(TableReader, "fresh", slow)
    pin = around_the_middle().pin
    window = Window(pin, pin - 40 * MINUTE_NS, pin + 40 * MINUTE_NS)
    reader = connector(database.url, tables=["steady"])
    collected = fetched(reader, window, Budget(seconds=0.7))
    found = {e.timestamp for e in rows(collected, Kind.ROW_INSERTED).values()}
    cut = [e for e in collected.coverage if "the time it may take was up" in e.reason]
    step = SECOND_NS
    unseen = [at for at in range(window.start + step, window.end - step, step)
              if not any(abs(at - stamp) <= step for stamp in found)]  # fmt: skip
    assert unseen, "it was cut"
    assert all(any(gap.start <= at < gap.end for gap in cut) for at in unseen)
    assert min(abs(stamp - pin) for stamp in found) <= 60 * step


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
