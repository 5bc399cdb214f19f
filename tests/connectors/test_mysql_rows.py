"""Rows around T on a real MariaDB: what each stamp means, whose clock it is, what is carried."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conformance.collecting import fetched
from tests.connectors.my import Database, connector, database_on, fetch, last_minutes, look_up, rows
from tests.servers.process import RunningServer
from timeline.event import Kind, Meaning, Precision
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

pytestmark = pytest.mark.servers

USERS = (
    "CREATE TABLE users (id bigint AUTO_INCREMENT PRIMARY KEY, email varchar(80), notes text,"
    " status varchar(20) DEFAULT 'pending', plan_id int,"
    " created_at timestamp(6) NOT NULL DEFAULT current_timestamp(6),"
    " updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6))"
)


UUID = "0189c2a4-0b1f-7def-8a3b-1c2d3e4f5a6b"


@pytest.fixture
def database(mariadb_server: RunningServer) -> Iterator[Database]:
    with database_on(mariadb_server) as created:
        yield created


def test_an_insertion_is_stamped_before_it_could_be_seen(database: Database) -> None:
    database.run(USERS)
    with database.connected() as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO users (id) VALUES (4711)")
        began = time.time_ns()
        time.sleep(0.3)
        cursor.execute("COMMIT")
    event = rows(fetch(database.url), Kind.ROW_INSERTED)["users/4711"]
    assert event.meaning is Meaning.TRANSACTION_START
    assert event.timestamp < began
    assert event.clock == "", "the default is the database's own clock"
    assert event.precision is Precision.MICROSECOND
    assert event.seq == 4711
    assert {"user:4711", "row:users/4711"} <= set(event.keys)


@pytest.mark.parametrize(
    ("declared", "precision"),
    [
        ("timestamp", Precision.SECOND),
        ("timestamp(3)", Precision.MILLISECOND),
        ("datetime(2)", Precision.MILLISECOND),
        ("datetime(6)", Precision.MICROSECOND),
        ("datetime", Precision.SECOND),
    ],
)
def test_the_precision_is_the_columns(
    database: Database, declared: str, precision: Precision
) -> None:
    digits = declared.partition("(")[2].removesuffix(")") or "0"
    database.run(
        f"CREATE TABLE things (id int PRIMARY KEY, created_at {declared} NULL)",
        f"INSERT INTO things VALUES (1, utc_timestamp({digits}))"
        if declared.startswith("datetime")
        else f"INSERT INTO things VALUES (1, now({digits}))",
    )
    (event,) = rows(fetch(database.url), Kind.ROW_INSERTED).values()
    assert event.precision is precision
    assert event.timestamp % precision.nanoseconds == 0
    assert abs(event.timestamp - time.time_ns()) < MINUTE_NS


def test_a_timestamp_is_an_instant_and_a_datetime_is_read_in_its_zone(database: Database) -> None:
    """One instant, written by sessions in two zones, into both kinds of columns."""
    database.run(
        "CREATE TABLE stamps (id int PRIMARY KEY, created_at timestamp NULL)",
        "CREATE TABLE dates (id int PRIMARY KEY, created_at datetime NULL)",
    )
    now = time.time_ns() // SECOND_NS
    with database.connected() as connection, connection.cursor() as cursor:
        for key, zone in ((1, "+00:00"), (2, "+09:00")):
            cursor.execute("SET time_zone = %s", (zone,))
            for table in ("stamps", "dates"):
                cursor.execute(f"INSERT INTO {table} VALUES (%s, from_unixtime(%s))", (key, now))
    window = Window(now * SECOND_NS, (now - 86_400) * SECOND_NS, (now + 86_400) * SECOND_NS)
    found = rows(fetch(database.url, window), Kind.ROW_INSERTED)
    assert found["stamps/1"].timestamp == found["stamps/2"].timestamp == now * SECOND_NS
    assert found["dates/1"].timestamp == now * SECOND_NS
    assert found["dates/2"].timestamp == (now + 9 * 3600) * SECOND_NS, "assumed to be UTC"
    tokyo = rows(fetch(database.url, window, zone="Asia/Tokyo"), Kind.ROW_INSERTED)
    assert tokyo["dates/2"].timestamp == now * SECOND_NS
    assert tokyo["stamps/2"].timestamp == now * SECOND_NS


def test_an_assumed_zone_is_said(database: Database) -> None:
    database.run("CREATE TABLE dates (id int PRIMARY KEY, created_at datetime)", USERS)
    said = {r.topic: r.sentence for r in fetch(database.url).remarks}
    assert "dates.created_at" in said["zone-assumed"]
    assert "users" not in said["zone-assumed"], "a TIMESTAMP needs no assumption"
    assert "zone-assumed" not in {r.topic for r in fetch(database.url, zone="UTC").remarks}


def test_an_impossible_date_is_listed_not_placed(database: Database) -> None:
    database.run("CREATE TABLE dates (id int PRIMARY KEY, created_at datetime)")
    with database.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute("INSERT INTO dates VALUES (1, '0000-00-00'), (2, '1850-01-01')")
    collected = look_up(database.url, "date:1", "date:2")
    assert collected.events == []
    undated = [b.undated for b in collected.batches if b.undated is not None]
    (reasons,) = [frame.get_column("reason").to_list() for frame in undated]
    assert sorted(reason.split(":")[1].strip() for reason in reasons) == ["no date", "out of range"]


def test_personal_columns_stay_where_they_are(database: Database) -> None:
    database.run(USERS, "INSERT INTO users (email, notes) VALUES ('ann@example.org', 'called')")
    collected = fetch(database.url)
    (event,) = rows(collected, Kind.ROW_INSERTED).values()
    columns = json.loads(event.attributes or "{}")["columns"]
    assert set(columns) == {"id", "status", "plan_id", "created_at", "updated_at"}
    assert "ann@example.org" not in repr(collected.events)


def test_an_update_is_told_once_and_an_insertion_is_no_update(database: Database) -> None:
    database.run(USERS, "INSERT INTO users (id) VALUES (1), (2)")
    time.sleep(0.01)
    database.run("UPDATE users SET status = 'active' WHERE id = 2")
    collected = fetch(database.url)
    assert set(rows(collected, Kind.ROW_INSERTED)) == {"users/1", "users/2"}
    assert set(rows(collected, Kind.ROW_UPDATED)) == {"users/2"}
    assert "now status=active" in rows(collected, Kind.ROW_UPDATED)["users/2"].body


def test_rows_that_refer_to_a_row_share_its_key(database: Database) -> None:
    database.run(
        USERS,
        "CREATE TABLE mails (id int PRIMARY KEY, user_id bigint, author bigint,"
        " created_at timestamp NOT NULL DEFAULT now(),"
        " FOREIGN KEY (author) REFERENCES users (id))",
        "INSERT INTO users (id) VALUES (4711), (4712)",
        "INSERT INTO mails (id, user_id, author) VALUES (1, 4711, 4712)",
    )
    mail = rows(fetch(database.url), Kind.ROW_INSERTED)["mails/1"]
    assert {"mail:1", "user:4711", "user:4712"} <= set(mail.keys)
    looked = look_up(database.url, "user:4711")
    assert {event.ref.partition("#")[0] for event in looked.events} == {"mails/1", "users/4711"}


@pytest.mark.parametrize(
    ("declared", "value", "key"),
    [
        ("uuid", f"'{UUID}'", UUID),
        ("char(36)", "'0189C2A4-0B1F'", "0189c2a4-0b1f"),
        (
            "binary(16)",
            f"x'{UUID.replace('-', '')}'",
            UUID,
        ),
        ("bigint unsigned", "9123456789012345678", "9123456789012345678"),
    ],
)
def test_keys_of_every_kind_are_looked_up(
    database: Database, declared: str, value: str, key: str
) -> None:
    database.run(
        f"CREATE TABLE orders (id {declared} PRIMARY KEY, created_at timestamp DEFAULT now())",
        f"INSERT INTO orders (id) VALUES ({value})",
    )
    collected = look_up(database.url, f"order:{key}")
    assert len(collected.events) == 1
    assert not [remark for remark in collected.remarks if remark.topic == "not-found"]


@pytest.mark.parametrize(
    "hostile", ["' OR '1'='1", "\\' OR 1=1 -- ", "%s", "%(x)s", "\udc80", "a" * 300, "\x00", "`"]
)
def test_a_hostile_key_is_a_value(database: Database, hostile: str) -> None:
    database.run(
        "CREATE TABLE orders (id varchar(40) PRIMARY KEY, created_at timestamp DEFAULT now())",
        "INSERT INTO orders (id) VALUES ('a'), ('b')",
    )
    assert look_up(database.url, f"order:{hostile}").events == []
    assert len(rows(fetch(database.url), Kind.ROW_INSERTED)) == 2


def test_names_that_look_like_code_are_names(database: Database) -> None:
    name = "odd`; DROP TABLE users; -- %s"
    quoted = "`" + name.replace("`", "``") + "`"
    with database.connected() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {quoted} (id int PRIMARY KEY, created_at datetime(6))")
        cursor.execute(f"INSERT INTO {quoted} VALUES (7, utc_timestamp(6))")
    assert [event.seq for event in rows(fetch(database.url), Kind.ROW_INSERTED).values()] == [7]


def test_the_rows_nearest_to_the_pin_survive_a_cut(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id int PRIMARY KEY, created_at datetime(6))",
        "INSERT INTO orders SELECT seq, utc_timestamp(6) - INTERVAL seq SECOND FROM seq_1_to_100",
    )
    window = last_minutes()
    pinned = Window(window.end - MINUTE_NS, window.start, window.end)
    collected = fetched(connector(database.url, page_rows=3), pinned, Budget(rows=10))
    ids = sorted(event.seq for event in collected.events if event.kind is Kind.ROW_INSERTED)
    assert ids == list(range(ids[0], ids[-1] + 1)), "one unbroken stretch"
    assert 50 < ids[0] < 60 < ids[-1] < 70, "on both sides of the pin"
    assert any(remark.topic == "cut" for remark in collected.remarks)


@pytest.mark.parametrize("indexed", [True, False])
def test_a_large_table_is_never_read_from_end_to_end(
    database: Database, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    monkeypatch.setattr("connectors.sql.tables.LARGE_ROWS", 1_000)
    monkeypatch.setattr("connectors.mysql.dialect.LARGE_ROWS", 1_000)
    database.run(
        "CREATE TABLE orders (id bigint PRIMARY KEY, user_id int, created_at datetime(6),"
        " updated_at datetime(6))",
        "INSERT INTO orders SELECT seq, seq, utc_timestamp(6) - INTERVAL (60000 - seq) SECOND,"
        " utc_timestamp(6) FROM seq_1_to_60000",
        "ANALYZE TABLE orders",
    )
    if indexed:
        database.run("CREATE INDEX by_time ON orders (created_at)")
        database.run("CREATE INDEX by_user ON orders (user_id)")
    collected = fetch(database.url, tables=["orders"])
    assert 290 <= len(rows(collected, Kind.ROW_INSERTED)) <= 300, "five minutes of one row a second"
    reasons = " ".join(entry.reason for entry in collected.coverage)
    notes = " ".join(remark.sentence for remark in collected.remarks)
    assert "orders.updated_at: it has no index" in reasons
    assert ("rows were found by id" in reasons) is not indexed
    assert ("read through by_time" in notes) is indexed
    looked = look_up(database.url, "user:4711", tables=["orders"])
    assert bool(looked.events) is indexed
    assert any("user_id has no index" in e.reason for e in looked.coverage) is not indexed
    assert [e.seq for e in look_up(database.url, "order:59999", tables=["orders"]).events]


VERSIONED = (
    "CREATE TABLE plans (id int PRIMARY KEY, status varchar(9), note text) WITH SYSTEM VERSIONING",
    "CREATE TABLE prices (id int PRIMARY KEY, status varchar(9),"
    " since timestamp(6) GENERATED ALWAYS AS ROW START,"
    " until timestamp(6) GENERATED ALWAYS AS ROW END,"
    " PERIOD FOR SYSTEM_TIME (since, until)) WITH SYSTEM VERSIONING",
)


@pytest.mark.parametrize("table", ["plans", "prices"])
def test_every_version_is_told_with_what_it_changed(database: Database, table: str) -> None:
    """Also of a row that is gone: the history of a versioned table outlives it."""
    database.run(
        *VERSIONED,
        f"INSERT INTO {table} (id, status) VALUES (1, 'free'), (2, 'free')",
        f"UPDATE {table} SET status = 'paid' WHERE id = 1",
        f"UPDATE {table} SET status = 'old' WHERE id = 1",
        f"DELETE FROM {table} WHERE id = 2",
    )
    collected = fetch(database.url)
    told = sorted(
        (e for e in collected.events if e.ref.startswith(table)), key=lambda e: e.timestamp
    )
    words = [(event.kind, event.body.removeprefix(f"{table}/")) for event in told]
    assert sorted(words[:2]) == [
        (Kind.ROW_VERSION, "1 inserted (status=free)"),
        (Kind.ROW_VERSION, "2 inserted (status=free)"),
    ]
    assert words[2:] == [
        (Kind.ROW_VERSION, "1 changed status free → paid"),
        (Kind.ROW_VERSION, "1 changed status paid → old"),
        (Kind.ROW_DELETED, "2 deleted (was status=free)"),
    ]
    assert json.loads(told[2].attributes or "{}")["changed"] == {"status": ["free", "paid"]}
    assert {event.meaning for event in told} == {Meaning.TRANSACTION_START}
    looked = look_up(database.url, f"{table[:-1]}:2")
    assert {event.kind for event in looked.events} == {Kind.ROW_VERSION, Kind.ROW_DELETED}


def test_a_change_outside_the_carried_columns_is_said_without_its_value(database: Database) -> None:
    database.run(
        *VERSIONED,
        "INSERT INTO plans (id, note) VALUES (1, 'quiet')",
        "UPDATE plans SET note = 'ann@example.org' WHERE id = 1",
    )
    collected = fetch(database.url)
    assert any("columns that are not carried" in event.body for event in collected.events)
    assert "ann@example.org" not in repr(collected.events)
