"""Rows around T on a real server: what each stamp means, whose clock it is, what is carried."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from connectors.postgresql import PostgreSQLConnector, PostgreSQLOptions
from tests.conformance.collecting import fetched, looked_up
from tests.connectors.pg import (
    Database,
    connector,
    database_on,
    fetch,
    last_minutes,
    look_up,
    restarted,
    rows,
)
from tests.servers.postgresql import postgresql
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.coverage import Sight
from timeline.event import Kind, Meaning, Precision
from timeline.keys import KeyRules, KeyType
from timeline.window import MINUTE_NS, Budget, Window

pytestmark = pytest.mark.servers

USERS = """CREATE TABLE users (id bigserial PRIMARY KEY, email text, notes text,
  status text DEFAULT 'pending', plan_id int, created_at timestamptz DEFAULT now(),
  updated_at timestamptz DEFAULT now())"""


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as created:
        yield created


def test_an_insertion_is_stamped_with_the_start_of_its_transaction(database: Database) -> None:
    database.run(USERS)
    with database.connected() as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO users (id) VALUES (4711)")
        began = time.time_ns()
        time.sleep(0.3)
        connection.execute("COMMIT")
    event = rows(fetch(database.url), Kind.ROW_INSERTED)["users/4711"]
    assert event.meaning is Meaning.TRANSACTION_START
    assert event.timestamp < began, "the stamp lies before the row could be seen"
    assert event.clock == "", "now() is the database's own clock"
    assert event.precision is Precision.MICROSECOND
    assert event.seq == 4711
    assert {"user:4711", "row:users/4711"} <= set(event.keys)


def test_personal_columns_stay_where_they_are(database: Database) -> None:
    database.run(
        USERS, "INSERT INTO users (email, notes) VALUES ('ann@example.org', 'called twice')"
    )
    collected = fetch(database.url)
    (event,) = rows(collected, Kind.ROW_INSERTED).values()
    columns = json.loads(event.attributes or "{}")["columns"]
    assert set(columns) == {"id", "status", "plan_id", "created_at", "updated_at"}
    assert "ann@example.org" not in repr(collected.events)


def test_named_columns_are_carried_and_others_not(database: Database) -> None:
    database.run(USERS, "INSERT INTO users (notes) VALUES ('called twice')")
    table = {"name": "users", "columns": ["id", "notes"]}
    (event,) = rows(fetch(database.url, tables=[table]), Kind.ROW_INSERTED).values()
    assert json.loads(event.attributes or "{}")["columns"] == {"id": 1, "notes": "called twice"}


def test_an_update_is_told_once_and_an_insertion_is_no_update(database: Database) -> None:
    database.run(
        USERS,
        "INSERT INTO users DEFAULT VALUES",
        "INSERT INTO users DEFAULT VALUES",
        "UPDATE users SET status = 'active', updated_at = now() WHERE id = 2",
    )
    collected = fetch(database.url)
    assert set(rows(collected, Kind.ROW_INSERTED)) == {"users/1", "users/2"}
    assert set(rows(collected, Kind.ROW_UPDATED)) == {"users/2"}
    assert "now status=active" in rows(collected, Kind.ROW_UPDATED)["users/2"].body


def test_an_old_row_that_changed_in_the_window_is_seen(database: Database) -> None:
    database.run(
        USERS,
        "INSERT INTO users (created_at, updated_at) VALUES (now() - interval '2 years', now())",
    )
    collected = fetch(database.url)
    assert set(rows(collected, Kind.ROW_UPDATED)) == {"users/1"}
    assert not rows(collected, Kind.ROW_INSERTED), "the insertion lies outside the window"


def test_rows_that_refer_to_a_row_share_its_key(database: Database) -> None:
    database.run(
        USERS,
        "CREATE TABLE mails (id serial PRIMARY KEY, user_id bigint REFERENCES users,"
        " author bigint REFERENCES users (id), sent_on date, created_at timestamptz DEFAULT now())",
        "INSERT INTO users (id) VALUES (4711), (4712)",
        "INSERT INTO mails (user_id, author) VALUES (4711, 4712)",
    )
    mail = rows(fetch(database.url), Kind.ROW_INSERTED)["mails/1"]
    assert {"mail:1", "user:4711", "user:4712"} <= set(mail.keys)


def test_rows_of_one_transaction_share_its_key(database: Database) -> None:
    database.run(
        USERS, "INSERT INTO users (id) VALUES (1), (2)", "INSERT INTO users (id) VALUES (3)"
    )
    found = rows(fetch(database.url), Kind.ROW_INSERTED)
    writers = {
        row: next(key for key in event.keys if key.startswith("txn:"))
        for row, event in found.items()
    }
    assert writers["users/1"] == writers["users/2"] != writers["users/3"]


def test_a_soft_deletion_is_told(database: Database) -> None:
    database.run(
        "CREATE TABLE carts (id serial PRIMARY KEY, created_at timestamptz,"
        " deleted_at timestamptz)",
        "INSERT INTO carts (created_at, deleted_at) VALUES (now() - interval '1 day', now())",
    )
    assert set(rows(fetch(database.url), Kind.ROW_DELETED)) == {"carts/1"}


def test_stamps_without_a_zone_are_read_as_utc_and_said(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamp(0))",
        "INSERT INTO orders (created_at) VALUES (now() AT TIME ZONE 'UTC' - interval '1 minute')",
    )
    collected = fetch(database.url)
    event = rows(collected, Kind.ROW_INSERTED)["orders/1"]
    assert abs(time.time_ns() - MINUTE_NS - event.timestamp) < MINUTE_NS / 2
    assert event.precision is Precision.SECOND
    (remark,) = [remark for remark in collected.remarks if remark.topic == "zone-assumed"]
    assert "orders.created_at" in remark.sentence


def test_stamps_without_a_zone_take_the_declared_one(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamp)",
        "INSERT INTO orders (created_at) VALUES (now() AT TIME ZONE 'Asia/Tokyo')",
    )
    collected = fetch(database.url, zone="Asia/Tokyo")
    event = rows(collected, Kind.ROW_INSERTED)["orders/1"]
    assert abs(time.time_ns() - event.timestamp) < MINUTE_NS
    assert not [remark for remark in collected.remarks if remark.topic == "zone-assumed"]


def test_an_application_stamp_is_nobodys_single_clock(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamptz)",
        "INSERT INTO orders (created_at) VALUES (now())",
    )
    assert rows(fetch(database.url), Kind.ROW_INSERTED)["orders/1"].clock == "application?"
    declared = fetch(database.url, tables=[{"name": "orders", "clock": "database"}])
    assert rows(declared, Kind.ROW_INSERTED)["orders/1"].clock == ""


def test_impossible_stamps_cost_nothing_else(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamptz,"
        " updated_at timestamptz)",
        "INSERT INTO orders (created_at, updated_at) VALUES (now(), 'infinity'),"
        " (now(), '20000-01-01'), ('-infinity', now()), (now(), NULL)",
    )
    collected = fetch(database.url)
    assert set(rows(collected, Kind.ROW_INSERTED)) == {"orders/1", "orders/2", "orders/4"}
    assert set(rows(collected, Kind.ROW_UPDATED)) == {"orders/3"}
    looked = look_up(database.url, "order:1", "order:2", "order:3", "order:4")
    assert len(rows(looked, Kind.ROW_INSERTED)) == 3
    undated = [batch.undated for batch in looked.batches if batch.undated is not None]
    assert [frame.get_column("ref").to_list() for frame in undated] == [["orders/2#updated_at"]]


def test_the_tables_of_configured_keys_are_read_unasked(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (number text PRIMARY KEY, legacy text, created_at timestamptz)",
        "CREATE TABLE carts (id serial PRIMARY KEY, created_at timestamptz)",
        "INSERT INTO orders VALUES ('A-1', 'old-1', now())",
    )
    rules = KeyRules(
        (
            KeyType("purchase", table="orders", pk="number", public_id="legacy"),
            KeyType("ghost", table="in_another_database"),
        )
    )
    reader = PostgreSQLConnector(
        "db", PostgreSQLOptions.model_validate({"dsn": database.url, "tables": ["carts"]}), rules
    )
    collected = fetched(reader, last_minutes())
    order = rows(collected, Kind.ROW_INSERTED)["orders/A-1"]
    assert {"purchase:A-1", "purchase:old-1"} <= set(order.keys)
    assert not [entry for entry in collected.coverage if "another" in entry.reason]
    for key in ("purchase:A-1", "purchase:old-1", "row:orders/A-1"):
        again = looked_up(reader, (key,), last_minutes())
        assert [event.ref for event in again.events] == [order.ref]


def test_keys_of_every_shape(database: Database) -> None:
    database.run(
        "CREATE TABLE tokens (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),"
        " created_at timestamptz)",
        "CREATE TABLE lines (order_id int, position int, created_at timestamptz,"
        " PRIMARY KEY (order_id, position))",
        'CREATE TABLE "Odd ""Name" ("Key" text PRIMARY KEY, "createdAt" timestamptz)',
        "INSERT INTO tokens VALUES (DEFAULT, now())",
        "INSERT INTO lines SELECT 7, n, now() FROM generate_series(1, 5) AS n",
        "INSERT INTO \"Odd \"\"Name\" VALUES ('it''s; DROP', now())",
    )
    for size in (1, 1000):
        found = rows(fetch(database.url, page_rows=size), Kind.ROW_INSERTED)
        assert {f"lines/7,{n}" for n in range(1, 6)} <= set(found)
        assert "Odd \"Name/it's; DROP" in found
        assert len(found) == 7


def test_bytes_that_are_no_text_cost_one_character(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server, "TEMPLATE template0 ENCODING 'SQL_ASCII'") as database:
        database.run(
            "CREATE TABLE orders (id serial PRIMARY KEY, status text, created_at timestamptz)",
            r"INSERT INTO orders (status, created_at) VALUES (E'caf\xe9', now()), ('fine', now())",
        )
        found = rows(fetch(database.url), Kind.ROW_INSERTED)
    assert "caf\ufffd" in found["orders/1"].body
    assert "fine" in found["orders/2"].body


def test_a_partitioned_table_is_read_as_one(database: Database) -> None:
    database.run(
        "CREATE TABLE logs (id bigserial, created_at timestamptz NOT NULL, status text,"
        " PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at)",
        "CREATE TABLE logs_old PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2026-01-01')",
        "CREATE TABLE logs_new PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)",
        "INSERT INTO logs (created_at, status) VALUES (now(), 'new')",
    )
    (event,) = rows(fetch(database.url), Kind.ROW_INSERTED).values()
    assert event.actor == "logs"


def test_deleted_rows_make_absence_uncertain(database: Database) -> None:
    database.run(USERS, "INSERT INTO users DEFAULT VALUES")
    assert _sights(database) == {Sight.FULL}
    database.run("DELETE FROM users", "SELECT pg_stat_force_next_flush()")
    deadline = time.monotonic() + 5
    while _sights(database) == {Sight.FULL} and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _sights(database) == {Sight.NOW_ONLY}


def _sights(database: Database) -> set[Sight]:
    return {entry.sight for entry in fetch(database.url).coverage}


def test_the_rows_nearest_to_the_pin_survive_a_cut(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamptz)",
        "INSERT INTO orders (created_at) SELECT now() - n * interval '1 second'"
        " FROM generate_series(1, 100) AS n",
    )
    window = last_minutes()
    pinned = Window(window.end - MINUTE_NS, window.start, window.end)
    collected = fetched(connector(database.url, page_rows=3), pinned, Budget(rows=10))
    ids = sorted(event.seq for event in collected.events if event.kind is Kind.ROW_INSERTED)
    assert len(collected.events) == 10
    assert ids == list(range(ids[0], ids[-1] + 1)), "one unbroken stretch"
    assert 50 < ids[0] < 59 < 61 < ids[-1] < 70, "on both sides of the pin"
    cut = [entry for entry in collected.coverage if entry.sight is Sight.PARTIAL]
    kept = [event.timestamp for event in collected.events if event.kind is Kind.ROW_INSERTED]
    for entry in cut:
        assert not [stamp for stamp in kept if entry.start < stamp < entry.end - 1]


def test_a_commit_time_is_told_when_the_server_keeps_it() -> None:
    try:
        server = postgresql()
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        database = Database(server.url)
        database.run(USERS, "ALTER SYSTEM SET track_commit_timestamp = on")
        with restarted(server), database.connected() as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO users (id) VALUES (4711)")
            time.sleep(0.3)
            asked = time.time_ns()
            connection.execute("COMMIT")
            collected = fetch(database.url)
    committed = rows(collected, Kind.TXN_COMMIT)["users/4711"]
    inserted = rows(collected, Kind.ROW_INSERTED)["users/4711"]
    assert committed.meaning is Meaning.COMMITTED
    assert inserted.timestamp < asked <= committed.timestamp + 1_000
    assert "commit_timestamp" in json.loads(inserted.attributes or "{}")
    assert committed.id != inserted.id
