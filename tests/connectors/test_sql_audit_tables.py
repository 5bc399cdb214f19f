"""Audit tables on real MariaDB and SQLite, in the schemas that frameworks' migrations create."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sql.brackets import MAX_PROBES, Bracket, bracket
from connectors.sqlite import SQLiteConnector, SQLiteOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors import my
from tests.connectors.my import last_minutes
from tests.servers.process import RunningServer
from timeline.event import Event, Kind, Meaning
from timeline.keys import KeyRules
from timeline.window import Budget


@dataclass(frozen=True)
class World:
    """One database and how its frameworks' migrations write their types."""

    run: Callable[..., None]
    fetch: Callable[..., Collected]
    look_up: Callable[..., Collected]
    number: str
    """A key that counts itself."""
    text: str
    stamp: str

    def table(self, name: str, *columns: str, key: str = "id") -> None:
        """`$text` and `$stamp` stand for the types."""
        body = ", ".join(columns).replace("$text", self.text).replace("$stamp", self.stamp)
        self.run(f"CREATE TABLE {name} ({key} {self.number}, {body})")


def stamp(ago: timedelta = timedelta()) -> str:
    """As Rails and Django write it: UTC without a zone."""
    return (datetime.now(UTC) - ago).strftime("%Y-%m-%d %H:%M:%S.%f")


def row(table: str, **values: str | int | None) -> str:
    cells = ("NULL" if v is None else v if isinstance(v, int) else f"'{v}'"
             for v in values.values())  # fmt: skip
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(map(str, cells))})"


YEAR, MINUTE = timedelta(days=365), timedelta(minutes=1)


@pytest.fixture(params=[pytest.param("mariadb", marks=pytest.mark.servers), "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "mariadb":
        server: RunningServer = request.getfixturevalue("mariadb_server")
        with my.database_on(server) as database:
            yield World(
                run=database.run,
                fetch=lambda **options: my.fetch(database.url, **options),
                look_up=lambda *keys, **options: my.look_up(database.url, *keys, **options),
                number="bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
                text="longtext",
                stamp="datetime(6)",
            )
        return
    path = tmp_path / "shop.sqlite3"

    def run(*statements: str) -> None:
        with closing(sqlite3.connect(path)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def reader(**options: object) -> SQLiteConnector:
        validated = SQLiteOptions.model_validate({"path": str(path), **options})
        return SQLiteConnector("db", validated, KeyRules())

    yield World(
        run=run,
        fetch=lambda **options: fetched(reader(**options), last_minutes(), Budget()),
        look_up=lambda *keys, **options: looked_up(reader(**options), keys, last_minutes()),
        number="integer PRIMARY KEY AUTOINCREMENT NOT NULL",
        text="text",
        stamp="datetime(6)",
    )


def versions(collected: Collected) -> list[tuple[Event, dict[str, object]]]:
    found = [event for event in collected.events if event.kind is Kind.ROW_VERSION]
    found.sort(key=lambda event: (event.timestamp, event.seq))
    return [(event, json.loads(event.attributes or "{}")) for event in found]


def orders(world: World) -> None:
    world.table("orders", "status varchar(20)", "email varchar(99)", "created_at $stamp")
    world.run(row("orders", id=4711, status="active", created_at=stamp(YEAR)))


def paper_trail(world: World, changes: str, **more: str | int) -> None:
    orders(world)
    world.table(
        "versions", "item_type varchar(191) NOT NULL", "item_id bigint NOT NULL",
        "event varchar(255) NOT NULL", "whodunnit varchar(255)", "object $text",
        "object_changes $text", "created_at $stamp")  # fmt: skip
    world.run(
        "CREATE INDEX by_item ON versions (item_type, item_id)",
        row("versions", item_type="Order", item_id=4711, event="update", whodunnit="7",
            object_changes=changes, created_at=stamp(), **more),
    )  # fmt: skip


CHANGES = (
    '{"status": ["pending", "active"], "email": ["a@example.org", "b@example.org"],'
    ' "lock_version": [3, 4]}'
)


def test_paper_trail(world: World) -> None:
    paper_trail(world, CHANGES)
    collected = world.fetch()
    ((event, told),) = versions(collected)
    assert told["changed"] == {
        "status": ["pending", "active"],
        "email": ["(not shown)", "(not shown)"],
    }
    assert told["columns"] == {"status": "active", "email": "(not shown)"}
    assert told["before"] == {"status": "pending", "email": "(not shown)"}
    assert told["lock_version"] == [3, 4]
    assert (told["table"], told["pk"], told["actor"]) == ("orders", 4711, "7")
    assert {"order:4711", "row:orders/4711"} <= set(event.keys)
    assert event.meaning is Meaning.TRANSACTION_START
    assert event.clock == "application?"
    assert event.body == (
        "orders/4711 updated by 7: status pending → active, email changed (paper_trail)"
    )
    assert "example.org" not in repr(event)
    assert not [e for e in collected.events if e.actor == "versions"], "and no row of its own"


def test_configured_columns_are_told_with_their_values(world: World) -> None:
    paper_trail(world, CHANGES)
    table = {"name": "orders", "columns": ["id", "status", "email"]}
    ((_, told),) = versions(world.fetch(tables=[table]))
    assert told["before"] == {"status": "pending", "email": "a@example.org"}


def test_stored_yaml_and_bombs_are_shown_opaque(world: World) -> None:
    paper_trail(world, "---\nstatus:\n- !ruby/object:Kernel {}\n")
    base: dict[str, str | int | None] = {
        "item_type": "Order",
        "event": "update",
        "created_at": stamp(),
    }
    world.run(
        row("versions", item_id=2, object_changes='{"a":' + "[" * 50_000, **base),
        row("versions", item_id=3, object_changes='{"a":"' + "x" * 300_000 + '"}', **base),
    )
    notes = {told["pk"]: str(told["note"]) for _, told in versions(world.fetch())}
    assert "YAML" in notes[4711]
    assert "broken JSON" in notes[2]
    assert "300,008 bytes, too large, not opened" in notes[3]


def test_versions_of_a_row_are_looked_up_by_its_key(world: World) -> None:
    paper_trail(world, CHANGES)
    world.run(f"UPDATE versions SET created_at = '{stamp(2 * YEAR)}'")
    assert not versions(world.fetch())
    for key in ("order:4711", "row:orders/4711"):
        assert len(versions(world.look_up(key))) == 1
    assert not versions(world.look_up("order:4712", "user:4711"))


def test_audits_can_be_left_alone(world: World) -> None:
    paper_trail(world, CHANGES)
    assert not versions(world.fetch(tables=["orders"], audits=False))
    assert versions(world.fetch(tables=["orders"]))


def test_a_likeness_is_no_audit_table_and_no_complaint(world: World) -> None:
    orders(world)
    world.table("notes", "whodunnit varchar(9)")
    collected = world.fetch(tables=["orders"])
    assert not [entry for entry in collected.coverage if "notes" in entry.reason]


def test_audited_names_the_user_the_request_and_its_version(world: World) -> None:
    world.table(
        "audits", "auditable_id bigint", "auditable_type varchar(255)", "associated_id bigint",
        "associated_type varchar(255)", "user_id bigint", "user_type varchar(255)",
        "username varchar(255)", "action varchar(255)", "audited_changes $text",
        "version int DEFAULT 0", "comment varchar(255)", "remote_address varchar(255)",
        "request_uuid varchar(255)", "created_at $stamp")  # fmt: skip
    world.run(
        row("audits", auditable_type="OrderItem", auditable_id=5, user_type="Admin::User",
            user_id=7, action="update", audited_changes='{"status": ["a", "b"]}', version=12,
            request_uuid="req-9", created_at=stamp()),
        row("audits", auditable_type="OrderItem", auditable_id=6, action="create", version=1,
            audited_changes='{"status": "a"}', created_at=stamp()),
        row("audits", auditable_type="OrderItem", auditable_id=7, action="destroy", version=2,
            audited_changes='{"status": "z"}', created_at=stamp()),
    )  # fmt: skip
    found = {told["pk"]: (event, told) for event, told in versions(world.fetch())}
    event, told = found[5]
    assert {"order_item:5", "user:7", "request:req-9"} <= set(event.keys)
    assert "table" not in told, "which table holds an OrderItem is not known here"
    assert told["version"] == 12
    assert event.body == "order_item/5 updated by Admin::User 7: status a → b (audited)"
    assert (found[6][1]["columns"], found[6][1]["before"]) == ({"status": "a"}, {})
    assert (found[7][1]["columns"], found[7][1]["before"]) == ({}, {"status": "z"})


def test_simple_history_asks_for_the_state_before(world: World) -> None:
    world.table(
        "shop_historicalorder", "id bigint NOT NULL", "status varchar(20)", "email varchar(99)",
        "lock_version int", "history_date $stamp NOT NULL", "history_change_reason varchar(100)",
        "history_type varchar(1) NOT NULL", "history_user_id int", key="history_id")  # fmt: skip
    history = "shop_historicalorder"
    world.run(
        f"CREATE INDEX by_id ON {history} (id)",
        f"CREATE INDEX by_date ON {history} (history_date)",
        row(history, id=5, status="new", email="a", lock_version=1, history_date=stamp(YEAR),
            history_type="+", history_user_id=1),
        row(history, id=5, status="paid", email="b", lock_version=2, history_date=stamp(),
            history_type="~", history_user_id=2),
        row(history, id=6, status="new", email="c", history_date=stamp(), history_type="+"),
    )  # fmt: skip
    told = {told["pk"]: told for _, told in versions(world.fetch())}
    assert told[5]["changed"] == {
        "status": ["new", "paid"],
        "email": ["(not shown)", "(not shown)"],
    }
    assert told[5]["lock_version"] == [1, 2]
    assert (told[5]["actor"], told[5]["action"]) == ("2", "updated")
    assert told[6]["action"] == "created"
    assert told[6]["before"] == {}


def test_reversion_joins_its_revisions(world: World) -> None:
    document = '[{"model": "shop.order", "pk": 5, "fields": {"status": "%s"}}]'
    world.table("reversion_revision", "date_created $stamp", "comment $text", "user_id int")
    world.table(
        "reversion_version", "object_id varchar(191)", "format varchar(255)",
        "serialized_data $text", "object_repr $text", "content_type_id int", "revision_id int",
        "db varchar(191)")  # fmt: skip
    base: dict[str, str | int | None] = {
        "object_id": "5",
        "format": "json",
        "content_type_id": 3,
        "db": "default",
    }
    world.run(
        row("reversion_revision", id=1, date_created=stamp(YEAR), comment="", user_id=1),
        row("reversion_revision", id=2, date_created=stamp(), comment="", user_id=8),
        row("reversion_version", serialized_data=document % "new", revision_id=1, **base),
        row("reversion_version", serialized_data=document % "paid", revision_id=2, **base),
    )
    ((event, told),) = versions(world.fetch())
    assert told["changed"] == {"status": ["new", "paid"]}
    assert told["actor"] == "8"
    assert "order:5" in event.keys


def test_a_large_audit_table_is_found_by_its_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sql.tables.LARGE_ROWS", 500)
    monkeypatch.setattr("connectors.mysql.dialect.LARGE_ROWS", 500)
    brackets: list[Bracket] = []

    def noted(*asked: object) -> Bracket:
        brackets.append(bracket(*asked))  # type: ignore[arg-type]
        return brackets[-1]

    monkeypatch.setattr("connectors.sql.audit_tables.bracket", noted)
    paper_trail(world, "")
    world.run(
        "DELETE FROM versions",
        *(row("versions", item_type="Order", item_id=n, event="update",
              created_at=stamp(timedelta(minutes=2_000 - n))) for n in range(2_000)),
    )  # fmt: skip
    found = versions(world.fetch(tables=["orders"]))
    assert {told["pk"] for _, told in found} >= {1_997, 1_998, 1_999}
    assert len(found) <= 6, "one a minute"
    assert 0 < brackets[0].probes <= 2 * MAX_PROBES
    assert brackets[0].high - brackets[0].low < 100
    assert [told["pk"] for _, told in versions(world.look_up("order:17"))] == [17]


@pytest.mark.servers
def test_a_versioned_table_of_mariadb_tells_the_same_attributes(
    mariadb_server: RunningServer,
) -> None:
    with my.database_on(mariadb_server) as database:
        database.run(
            "CREATE TABLE plans (id int PRIMARY KEY, status varchar(9), lock_version int)"
            " WITH SYSTEM VERSIONING",
            "INSERT INTO plans VALUES (1, 'free', 1)",
            "UPDATE plans SET status = 'paid', lock_version = 2",
            "DELETE FROM plans",
        )
        collected = my.fetch(database.url)
    created, updated = (told for _, told in versions(collected))
    (deleted,) = [e for e in collected.events if e.kind is Kind.ROW_DELETED]
    assert (created["action"], created["before"]) == ("created", {})
    assert updated["columns"] == {"status": "paid", "lock_version": 2}
    assert updated["before"] == {"status": "free", "lock_version": 1}
    assert updated["lock_version"] == [1, 2]
    assert (updated["tool"], updated["actor"], updated["table"]) == (
        "system-versioned",
        "",
        "plans",
    )
    gone = json.loads(deleted.attributes or "{}")
    assert (gone["columns"], gone["before"]["status"]) == ({}, "paid")
