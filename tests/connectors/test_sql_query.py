"""Configured queries on real databases: their answers, and everything that is not run."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from connectors.contract import QueryAnswer
from connectors.sql.query import called_names, one_reading_statement
from connectors.sqlite import SQLiteConnector, SQLiteOptions
from tests.connectors import my, pg
from tests.servers.process import RunningServer
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, Overloaded, SourceProblem

LIMIT = 5
SECONDS = 5.0


class Reader(Protocol):
    """A connector that answers queries."""

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer: ...

    async def close(self) -> None: ...


def ask(
    reader: Reader, statement: str, limit: int = LIMIT, seconds: float = SECONDS
) -> QueryAnswer:
    async def once() -> QueryAnswer:
        try:
            return await reader.query(statement, limit, seconds)
        finally:
            await reader.close()

    return asyncio.run(once())


def refusal(reader: Reader, statement: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        ask(reader, statement)
    return caught.value.sentence()


# --- the text ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["SELECT 1", " select 1 ;\n", "(SELECT 1) UNION (SELECT 2)", "VALUES (1)", "TABLE t", "WITH a"],
)
def test_reading_statements_begin_like_one(text: str) -> None:
    assert one_reading_statement(text).rstrip() == text.rstrip(" ;\n")


@pytest.mark.parametrize(
    "text", ["", "DELETE FROM t", "SELECTED", "-- SELECT", "EXPLAIN SELECT 1", 'SELECT U&"n"(1)']
)
def test_others_are_refused_by_their_text(text: str) -> None:
    with pytest.raises(Misconfigured):
        one_reading_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT NextVal('s')",
        "SELECT nextval ('s')",
        "SELECT nextval -- why\n ('s')",
        "SELECT nextval/* why */('s')",
        'SELECT "nextval"(1)',
        "SELECT `nextval`(1)",
        "SELECT public.nextval(1)",
    ],
)
def test_a_called_name_is_found_however_it_is_written(text: str) -> None:
    assert "nextval" in called_names(text)


# --- PostgreSQL ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(postgresql_server: RunningServer) -> Iterator[pg.Database]:
    with pg.database_on(postgresql_server) as created:
        created.run(
            "CREATE TABLE orders (id int PRIMARY KEY, status text, note text)",
            "INSERT INTO orders SELECT n, 'paid', NULL FROM generate_series(1, 9) AS n",
            "CREATE SEQUENCE numbers",
            "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS"
            " 'INSERT INTO orders VALUES (99); SELECT 1'",
            "CREATE FUNCTION step(int, int) RETURNS int LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_notify(''told'', ''x''); RETURN 1; END'",
            "CREATE AGGREGATE tells(int) (SFUNC = step, STYPE = int, INITCOND = 0)",
            "CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = step)",
            "CREATE VIEW noisy AS SELECT pg_notify('told', id::text)::text FROM orders",
            "CREATE TABLE wide AS SELECT n AS id, repeat('x', 50) AS filler"
            " FROM generate_series(1, 50000) AS n",
            "ALTER TABLE wide ADD PRIMARY KEY (id)",
            "VACUUM ANALYZE wide, orders",
        )
        yield created


@pytest.mark.servers
def test_postgresql_answers_as_text(database: pg.Database) -> None:
    before = time.time_ns()
    answer = ask(
        pg.connector(database.url),
        "SELECT id, status, note, '50%' || '?' AS shown, '\x1b[31m' AS red,"
        " timestamptz '2026-11-20 03:14:00+00' AT TIME ZONE 'UTC' AS at, true AS yes"
        " FROM orders WHERE note IS NULL ORDER BY id DESC;",
    )
    assert answer.columns == ("id", "status", "note", "shown", "red", "at", "yes")
    assert len(answer.rows) == LIMIT
    assert not answer.complete
    shown = answer.rows[0]
    assert shown[:4] == ("9", "paid", None, "50%?")
    assert "\x1b" not in str(shown[4])
    assert shown[5:] == ("2026-11-20 03:14:00", "t")
    assert before <= answer.asked_at <= time.time_ns()


@pytest.mark.servers
@pytest.mark.parametrize(
    "statement",
    [
        "VALUES (1), (2)",
        "TABLE orders LIMIT 2",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "SELECT count(*), clock_timestamp() FROM orders",
        "SELECT pid, granted FROM pg_locks LIMIT 1",
        "SELECT 'it''s; fine' -- a comment",
    ],
)
def test_postgresql_answers_what_only_reads(database: pg.Database, statement: str) -> None:
    assert ask(pg.connector(database.url), statement).complete


EFFECTS = (
    "SELECT nextval('numbers')",
    "SELECT \"nextval\"('numbers')",
    "SELECT setval('numbers', 77)",
    "SELECT pg_notify('told', 'x')",
    "VALUES (pg_notify('told', 'x')), (NULL)",
    "SELECT 1 LIMIT (SELECT count(pg_notify('told', 'x')))",
    "SELECT * FROM noisy",
    "SELECT tells(id) FROM orders",
    "SELECT id ### 1 FROM orders",
    "SELECT pg_advisory_lock(4711)",
    "SELECT pg_try_advisory_lock(4711)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT set_config('work_mem', '1GB', false)",
    "SELECT lo_create(4711)",
    "SELECT lo_unlink(4711)",
    "SELECT txid_current()",
    "SELECT pg_sleep(3)",
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "SELECT writes()",
    "SELECT * FROM orders WHERE id = (SELECT writes())",
    "SELECT * FROM orders FOR UPDATE",
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone",
    "SELECT id INTO copied FROM orders",
    "SELECT 1; DELETE FROM orders",
    "SELECT 1; COMMIT; DELETE FROM orders; BEGIN",
    "SELECT 1; SELECT 2",
)


@pytest.mark.servers
@pytest.mark.parametrize("statement", EFFECTS)
def test_postgresql_runs_nothing_that_may_change_something(
    database: pg.Database, statement: str
) -> None:
    with database.connected() as listener:
        listener.execute("LISTEN told")
        before = _state(database)
        assert "PostgreSQL does not run it" in (
            said := refusal(pg.connector(database.url), statement)
        ) or said.startswith("Not run: ")
        assert _state(database) == before
        assert not list(listener.notifies(timeout=0.05))


def _state(database: pg.Database) -> tuple[object, ...] | None:
    """Everything that the statements above would leave behind; the session is over by now."""
    with database.connected() as session:
        return session.execute(
            "SELECT (SELECT count(*) FROM orders), (SELECT is_called FROM numbers),"
            " (SELECT last_value FROM numbers), (SELECT count(*) FROM pg_largeobject_metadata),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),"
            " to_regclass('copied')::text"
        ).fetchone()


@pytest.mark.servers
def test_a_dblink_is_not_followed(database: pg.Database) -> None:
    try:
        database.run("CREATE EXTENSION dblink")
    except Exception as error:  # the contrib package may not be there
        pytest.skip(str(error))
    statement = f"SELECT dblink_exec('{database.url}', 'DELETE FROM orders')"
    before = _state(database)
    assert "dblink_exec may change something" in refusal(pg.connector(database.url), statement)
    assert _state(database) == before


@pytest.mark.servers
def test_postgresql_does_not_read_a_large_table_whole(
    database: pg.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 200)
    said = refusal(pg.connector(database.url), "SELECT count(*) FROM wide WHERE filler = 'a'")
    assert "wide is too large to be read whole" in said
    assert ask(pg.connector(database.url), "SELECT id FROM wide WHERE id = 17").rows == (("17",),)


@pytest.mark.servers
def test_a_query_ends_with_its_time_and_the_connection_goes_on(database: pg.Database) -> None:
    slow = "SELECT count(*) FROM wide AS a, wide AS b WHERE a.id + b.id = 3"
    reader = pg.connector(database.url)

    async def twice() -> QueryAnswer:
        try:
            with pytest.raises(Overloaded):
                await reader.query(slow, LIMIT, 0.2)
            return await reader.query("SELECT 1 AS again", 1, 1.0)
        finally:
            await reader.close()

    started = time.monotonic()
    answer = asyncio.run(twice())
    assert time.monotonic() - started < 3
    assert answer.columns == ("again",)


@pytest.mark.servers
def test_what_postgresql_does_not_understand_is_said(database: pg.Database) -> None:
    assert 'relation "nowhere" does not exist' in refusal(
        pg.connector(database.url), "SELECT 1 FROM nowhere"
    )


# --- MariaDB -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(mariadb_server: RunningServer) -> Iterator[my.Database]:
    with my.database_on(mariadb_server) as created:
        created.run(
            "CREATE TABLE orders (id int PRIMARY KEY, status varchar(9), note text)",
            "INSERT INTO orders SELECT seq, 'paid', NULL FROM seq_1_to_9",
            "CREATE SEQUENCE numbers",
            "CREATE FUNCTION writes() RETURNS int MODIFIES SQL DATA"
            " BEGIN INSERT INTO orders VALUES (99, 'x', ''); RETURN 1; END",
            "CREATE TABLE wide (id int PRIMARY KEY, filler varchar(50))",
            "INSERT INTO wide SELECT seq, 'x' FROM seq_1_to_150000",
            "ANALYZE TABLE wide",
        )
        yield created


@pytest.mark.servers
def test_mariadb_answers_as_text(shop: my.Database) -> None:
    answer = ask(
        my.connector(shop.url),
        "SELECT id, status, note, CONCAT('50%', '?') AS shown, '\x1b[31m' AS red,"
        " TIMESTAMP '2026-11-20 03:14:00' AS at, id AS id FROM orders ORDER BY id DESC;",
    )
    assert answer.columns == ("id", "status", "note", "shown", "red", "at", "id")
    assert len(answer.rows) == LIMIT
    assert not answer.complete
    assert answer.rows[0][:4] == ("9", "paid", None, "50%?")
    assert "\x1b" not in str(answer.rows[0][4])
    assert answer.rows[0][5:] == ("2026-11-20 03:14:00", "9")


@pytest.mark.servers
@pytest.mark.parametrize(
    ("statement", "complete"),
    [
        ("VALUES (1), (2)", True),
        ("WITH a AS (SELECT 1 AS n) SELECT n FROM a", True),
        ("SELECT count(*) FROM orders", True),
        ("SELECT id FROM wide WHERE id < 1000 LIMIT 900", False),
    ],
)
def test_mariadb_answers_what_only_reads(shop: my.Database, statement: str, complete: bool) -> None:
    answer = ask(my.connector(shop.url), statement)
    assert answer.complete is complete
    assert len(answer.rows) <= LIMIT


@pytest.mark.servers
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT GET_LOCK('x', 1)",
        "SELECT get_lock/**/('x', 1)",
        "SELECT SLEEP(3)",
        "SELECT BENCHMARK(100000000, MD5('a'))",
        "SELECT NEXTVAL(numbers)",
        "SELECT NEXT VALUE FOR numbers",
        "SELECT LAST_INSERT_ID(77)",
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT id FROM orders INTO OUTFILE '/tmp/halfawake-{name}'",
        "SELECT id INTO @kept FROM orders LIMIT 1",
        "SELECT @kept := 1",
        "SELECT 1 /*! INTO @kept */",
        "SELECT * FROM orders FOR UPDATE",
        "SELECT * FROM orders LOCK IN SHARE MODE",
        "SELECT writes()",
        "SELECT `writes` ()",
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone",
        "SELECT 1; DELETE FROM orders",
        "SELECT 1; COMMIT; DELETE FROM orders",
    ],
)
def test_mariadb_runs_nothing_that_may_change_something(shop: my.Database, statement: str) -> None:
    name = secrets.token_hex(4)
    said = refusal(my.connector(shop.url), statement.format(name=name))
    assert said.startswith(("Not run: ", "The server does not run it: "))
    with shop.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders")
        assert cursor.fetchone() == (9,)
        cursor.execute("SELECT next_not_cached_value FROM numbers")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT IS_FREE_LOCK('x')")
        assert cursor.fetchone() == (1,)
    assert not Path(f"/tmp/halfawake-{name}").exists()


@pytest.mark.servers
def test_mariadb_does_not_read_a_large_table_whole(shop: my.Database) -> None:
    said = refusal(my.connector(shop.url), "SELECT count(*) FROM wide AS w WHERE filler = 'a'")
    assert "w is too large to be read whole" in said
    assert ask(my.connector(shop.url), "SELECT id FROM wide WHERE id = 17").rows == (("17",),)


@pytest.mark.servers
def test_bounds_of_a_query_do_not_outlive_it(shop: my.Database) -> None:
    reader = my.connector(shop.url)
    slow = "SELECT count(*) FROM wide a JOIN wide b ON a.id < 90000 AND b.id + a.id < 0"

    async def around() -> list[tuple[object, ...]]:
        asked = "SELECT @@max_statement_time, @@sql_select_limit > 1000000"
        try:
            before = await reader._session.read(asked)
            with pytest.raises(SourceProblem):
                await reader.query(slow, 3, 0.2)
            with pytest.raises(Misconfigured):
                await reader.query("SELECT nothing", 3, 0.2)
            assert (await reader.query("SELECT id FROM orders", 3, 1.0)).complete is False
            return [*before, *await reader._session.read(asked)]
        finally:
            await reader.close()

    before, after = asyncio.run(around())
    assert before == after
    assert after[1] == 1


# --- SQLite --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query") / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as created:
        created.executescript(
            "CREATE TABLE orders (id integer PRIMARY KEY, status text, note text);"
            "CREATE TABLE wide (id integer PRIMARY KEY, filler text);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 150000)"
            " INSERT INTO wide SELECT i, 'x' FROM n;"
            "INSERT INTO orders SELECT id, 'paid', NULL FROM wide LIMIT 9;"
        )
    return path


def on(path: Path) -> SQLiteConnector:
    return SQLiteConnector("db", SQLiteOptions(path=str(path)), KeyRules())


def test_sqlite_answers_as_text(file: Path) -> None:
    answer = ask(
        on(file),
        "SELECT id, status, note, '50%' || '?' AS shown, char(27) AS red, x'6869' AS raw, 1.5 AS n"
        " FROM orders ORDER BY id DESC;",
    )
    assert answer.columns == ("id", "status", "note", "shown", "red", "raw", "n")
    assert not answer.complete
    assert answer.rows[0][:4] == ("9", "paid", None, "50%?")
    assert "\x1b" not in str(answer.rows[0][4])
    assert answer.rows[0][5:] == ("hi", "1.5")


@pytest.mark.parametrize(
    "statement",
    [
        "VALUES (1), (2)",
        "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
        "SELECT count(*) FROM orders",
        "SELECT max(id), lower('A') FROM wide WHERE id > 149990",
        "SELECT o.id FROM orders AS o JOIN wide AS w ON w.id = o.id LIMIT 3",
    ],
)
def test_sqlite_answers_what_only_reads(file: Path, statement: str) -> None:
    if "JOIN" in statement:  # the plan names aliases only, so one scan of two is too much
        assert "wide is too large" in refusal(on(file), statement)
        statement = statement.replace(" AS o", "").replace("o.id", "orders.id")
    assert ask(on(file), statement).complete


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT load_extension('evil')",
        "WITH gone AS (SELECT 1) DELETE FROM orders",
        "WITH gone AS (SELECT 1) INSERT INTO orders SELECT 99, 'x', 'y'",
        "SELECT 1; DELETE FROM orders",
        "SELECT * FROM pragma_user_version",
        "SELECT * FROM orders WHERE id = ?",
        "SELECT * FROM nowhere",
    ],
)
def test_sqlite_runs_nothing_that_may_change_something(file: Path, statement: str) -> None:
    before = file.read_bytes()
    assert "SQLite does not run it" in refusal(on(file), statement)
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_sqlite_does_not_read_a_large_table_whole(file: Path) -> None:
    assert "wide is too large" in refusal(on(file), "SELECT count(*) FROM wide WHERE filler = 'a'")
    assert "wide is too large" in refusal(on(file), "SELECT 1 FROM wide AS w WHERE filler = 'a'")


def test_a_query_of_a_file_ends_with_its_time(file: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    started = time.monotonic()
    with pytest.raises(Overloaded):
        ask(on(file), endless, seconds=0.2)
    assert time.monotonic() - started < 2
