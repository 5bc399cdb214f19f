"""Audit tables on a real server, in the schemas that the frameworks' own migrations create."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conformance.collecting import fetched
from tests.connectors.pg import Database, connector, database_on, fetch, last_minutes, look_up
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning
from timeline.window import Budget

pytestmark = pytest.mark.servers

VERSIONS = """CREATE TABLE versions (id bigserial PRIMARY KEY, item_type varchar NOT NULL,
  item_id bigint NOT NULL, event varchar NOT NULL, whodunnit varchar, object text,
  object_changes {changes}, created_at timestamp(6))"""
VERSIONS_INDEX = "CREATE INDEX ON versions (item_type, item_id)"
ORDERS = """CREATE TABLE orders (id bigserial PRIMARY KEY, status text, email text,
  created_at timestamptz DEFAULT now(), updated_at timestamptz)"""
NOW = "now() AT TIME ZONE 'UTC'"


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as created:
        yield created


def versions(events: list[Event]) -> list[tuple[Event, dict[str, object]]]:
    found = [event for event in events if event.kind is Kind.ROW_VERSION]
    found.sort(key=lambda event: (event.timestamp, event.seq))
    return [(event, json.loads(event.attributes or "{}")) for event in found]


def paper_trail(database: Database, kind: str = "jsonb") -> None:
    changes = '{"status": ["pending", "active"], "email": ["a@example.org", "b@example.org"]}'
    database.run(
        ORDERS,
        "INSERT INTO orders (id, status) VALUES (4711, 'active')",
        VERSIONS.format(changes=kind),
        VERSIONS_INDEX,
        "INSERT INTO versions (item_type, item_id, event, whodunnit, object_changes, created_at)"
        f" VALUES ('Order', 4711, 'update', '7', '{changes}', {NOW})",
    )


@pytest.mark.parametrize("kind", ["jsonb", "text"])
def test_paper_trail(database: Database, kind: str) -> None:
    paper_trail(database, kind)
    ((event, told),) = versions(fetch(database.url).events)
    assert told["changed"] == {
        "status": ["pending", "active"],
        "email": ["(not shown)", "(not shown)"],
    }
    assert (told["table"], told["pk"], told["actor"]) == ("orders", 4711, "7")
    assert {"order:4711", "row:orders/4711"} <= set(event.keys)
    assert any(key.startswith("txn:") for key in event.keys), "its writer's transaction"
    assert event.meaning is Meaning.TRANSACTION_START
    assert event.clock == "application?"
    assert event.body == (
        "orders/4711 updated by 7: status pending → active, email changed (paper_trail)"
    )
    assert "example.org" not in repr(event)


def test_what_a_detector_relies_on_is_in_the_attributes(database: Database) -> None:
    database.run(
        ORDERS,
        "INSERT INTO orders (id, status) VALUES (4711, 'active')",
        VERSIONS.format(changes="jsonb"),
        "INSERT INTO versions (item_type, item_id, event, whodunnit, object_changes, created_at)"
        " VALUES ('Order', 4711, 'update', '7',"
        ' \'{"status": ["pending", "active"], "lock_version": [3, 4], "email": [null, "b"]}\','
        f" {NOW})",
    )
    ((event, told),) = versions(fetch(database.url).events)
    assert told["columns"] == {"status": "active", "email": "(not shown)"}
    assert told["before"] == {"status": "pending", "email": None}
    assert told["lock_version"] == [3, 4]
    assert f"txn:{told['txn']}" in event.keys
    assert (told["table"], told["pk"], told["actor"]) == ("orders", 4711, "7")


def test_a_version_is_told_once_and_its_table_tells_no_rows(database: Database) -> None:
    paper_trail(database)
    events = fetch(database.url).events
    assert not [e for e in events if e.kind is Kind.ROW_INSERTED and e.actor == "versions"]
    assert [e.actor for e in events if e.kind is Kind.ROW_INSERTED] == ["orders"]


def test_configured_columns_are_told_with_their_values(database: Database) -> None:
    paper_trail(database)
    table = {"name": "orders", "columns": ["id", "status", "email"]}
    ((_, told),) = versions(fetch(database.url, tables=[table]).events)
    assert told["changed"]["email"] == ["a@example.org", "b@example.org"]  # type: ignore[index]


def test_stored_yaml_and_bombs_are_shown_opaque(database: Database) -> None:
    paper_trail(database, "text")
    columns = "item_type, item_id, event, object_changes, created_at"
    database.run(
        f"INSERT INTO versions ({columns}) VALUES"
        f" ('Order', 1, 'update', E'---\\nstatus:\\n- !ruby/object:Kernel {{}}\\n', {NOW}),"
        f" ('Order', 2, 'update', '{{\"a\":' || repeat('[', 50000), {NOW}),"
        f" ('Order', 3, 'update', '{{\"a\":\"' || repeat('x', 3000000) || '\"}}', {NOW}),"
        f" ('Order', 4, 'update', E'{{\\n \"status\": [\\n\"a\", \"b\"]}}', {NOW})",
    )
    started = time.monotonic()
    notes = {
        told["pk"]: (told["note"], told["changed"])
        for _, told in versions(fetch(database.url).events)
    }
    assert time.monotonic() - started < 5
    assert "YAML" in str(notes[1][0])
    assert "broken JSON" in str(notes[2][0])
    assert "too large, not opened" in str(notes[3][0])
    assert notes[4] == ("", {"status": ["a", "b"]}), "JSON on several lines"
    assert len(notes) == 5


def test_versions_of_a_row_are_looked_up_by_its_key(database: Database) -> None:
    paper_trail(database)
    database.run(f"UPDATE versions SET created_at = {NOW} - interval '2 years'")
    assert not versions(fetch(database.url).events)
    for key in ("order:4711", "row:orders/4711"):
        assert len(versions(look_up(database.url, key).events)) == 1
    assert not versions(look_up(database.url, "order:4712", "user:4711").events)


def test_a_bulk_change_keeps_what_is_nearest_to_the_pin(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.postgresql.audits.AUDIT_ROWS", 10)
    paper_trail(database)
    database.run(
        "INSERT INTO versions (item_type, item_id, event, created_at)"
        f" SELECT 'Order', n, 'update', {NOW} - n * interval '1 second'"
        " FROM generate_series(1, 100) AS n"
    )
    collected = fetch(database.url)
    found = versions(collected.events)
    assert len(found) == 11, "ten before the pin and the one after it"
    assert {told["pk"] for _, told in found} == {4711, *range(1, 11)}
    cut = [remark.sentence for remark in collected.remarks if remark.topic == "cut"]
    assert any("more than 10 versions" in sentence for sentence in cut)


def test_audited_names_the_user_and_the_request(database: Database) -> None:
    database.run(
        "CREATE TABLE audits (id bigserial PRIMARY KEY, auditable_id bigint, auditable_type"
        " varchar, associated_id bigint, associated_type varchar, user_id bigint, user_type"
        " varchar, username varchar, action varchar, audited_changes jsonb, version int DEFAULT 0,"
        " comment varchar, remote_address varchar, request_uuid varchar, created_at timestamp(6))",
        "INSERT INTO audits (auditable_type, auditable_id, user_type, user_id, action,"
        " audited_changes, request_uuid, created_at) VALUES ('OrderItem', 5, 'Admin::User', 7,"
        f" 'update', '{{\"status\": [\"a\", \"b\"]}}', 'req-9', {NOW})",
    )
    ((event, told),) = versions(fetch(database.url).events)
    assert {"order_item:5", "user:7", "request:req-9"} <= set(event.keys)
    assert "table" not in told, "which table holds an OrderItem is not known here"
    assert event.body == "order_item/5 updated by Admin::User 7: status a → b (audited)"


def test_logidze_tells_the_versions_of_the_window_only(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id bigserial PRIMARY KEY, status text, log_data jsonb,"
        " created_at timestamptz, updated_at timestamptz)",
        "INSERT INTO orders VALUES (5, 'paid', jsonb_build_object('v', 2, 'h', jsonb_build_array("
        " jsonb_build_object('v', 1, 'ts', 1000, 'c', jsonb_build_object('status', 'new')),"
        " jsonb_build_object('v', 2, 'ts', floor(extract(epoch FROM now()) * 1000)::bigint,"
        "   'c', jsonb_build_object('status', 'paid'), 'm', jsonb_build_object('_r', 9)))),"
        " now() - interval '1 year', now())",
    )
    collected = fetch(database.url)
    ((event, told),) = versions(collected.events)
    assert told["changed"] == {"status": ["new", "paid"]}
    assert told["actor"] == "9"
    assert event.ref == "orders/5v2"
    assert [e.ref for e in collected.events if e.kind is Kind.ROW_UPDATED], "and the row itself"
    assert len(versions(look_up(database.url, "order:5").events)) == 2


def test_simple_history_asks_for_the_state_before(database: Database) -> None:
    database.run(
        "CREATE TABLE shop_historicalorder (id int NOT NULL, status varchar(20), email varchar,"
        " history_id serial PRIMARY KEY, history_date timestamptz NOT NULL,"
        " history_change_reason varchar(100), history_type varchar(1), history_user_id int)",
        "CREATE INDEX ON shop_historicalorder (id)",
        "CREATE INDEX ON shop_historicalorder (history_date)",
        "INSERT INTO shop_historicalorder (id, status, email, history_date, history_type,"
        " history_user_id) VALUES (5, 'new', 'a', now() - interval '1 year', '+', 1),"
        " (5, 'paid', 'b', now(), '~', 2), (6, 'new', 'c', now(), '+', NULL)",
    )
    updated, created = sorted(
        (told for _, told in versions(fetch(database.url).events)), key=lambda t: str(t["pk"])
    )
    assert updated["changed"] == {
        "status": ["new", "paid"],
        "email": ["(not shown)", "(not shown)"],
    }
    assert (updated["actor"], updated["action"]) == ("2", "updated")
    assert created["action"] == "created"


def test_reversion_joins_its_revisions(database: Database) -> None:
    document = '[{"model": "shop.order", "pk": 5, "fields": {"status": "%s"}}]'
    database.run(
        "CREATE TABLE reversion_revision (id serial PRIMARY KEY, date_created timestamptz,"
        " comment text, user_id int)",
        "CREATE TABLE reversion_version (id serial PRIMARY KEY, object_id varchar(191),"
        " format varchar, serialized_data text, object_repr text, content_type_id int,"
        " revision_id int REFERENCES reversion_revision, db varchar(191))",
        "INSERT INTO reversion_revision VALUES (1, now() - interval '1 year', '', 1),"
        " (2, now(), '', 8)",
        "INSERT INTO reversion_version (object_id, format, serialized_data, content_type_id,"
        f" revision_id, db) VALUES ('5', 'json', '{document % 'new'}', 3, 1, 'default'),"
        f" ('5', 'json', '{document % 'paid'}', 3, 2, 'default')",
    )
    ((event, told),) = versions(fetch(database.url).events)
    assert told["changed"] == {"status": ["new", "paid"]}
    assert told["actor"] == "8"
    assert "order:5" in event.keys


def test_periods_of_two_tables_are_read_together(database: Database) -> None:
    """The versions as the temporal_tables trigger leaves them: past ones beside the present."""
    database.run(
        "CREATE TABLE orders (id int PRIMARY KEY, status text, sys_period tstzrange NOT NULL)",
        "CREATE TABLE orders_history (LIKE orders)",
        "WITH past AS (INSERT INTO orders_history VALUES"
        " (5, 'new', tstzrange(now() - interval '1 year', now() - interval '1 minute')))"
        " INSERT INTO orders VALUES (5, 'paid', tstzrange(now() - interval '1 minute', NULL)),"
        " (6, 'old', tstzrange(now() - interval '1 year', NULL))",
    )
    ((event, told),) = versions(fetch(database.url).events)
    assert told["changed"] == {"status": ["new", "paid"]}
    assert told["table"] == "orders"
    assert event.clock == "", "a trigger writes the database's own clock"


def test_a_large_audit_table_is_found_by_its_ids(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.postgresql.tables.LARGE_BYTES", 100_000)
    monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 100)
    database.run(
        VERSIONS.format(changes="jsonb"),
        VERSIONS_INDEX,
        "INSERT INTO versions (item_type, item_id, event, created_at)"
        f" SELECT 'Order', n, 'update', {NOW} - (60000 - n) * interval '1 second'"
        " FROM generate_series(1, 60000) AS n",
        "VACUUM ANALYZE versions",
    )
    collected = fetch(database.url, last_minutes(2))
    assert 90 <= len(versions(collected.events)) <= 121, "one a second, until it was filled"
    looked = look_up(database.url, "order:17")
    assert [told["pk"] for _, told in versions(looked.events)] == [17], "by its own index"


def test_audits_can_be_left_alone(database: Database) -> None:
    paper_trail(database)
    collected = fetch(database.url, tables=["orders"], audits=False)
    assert not versions(collected.events)


def test_a_likeness_is_no_audit_table_and_no_complaint(database: Database) -> None:
    database.run(ORDERS, "CREATE TABLE notes (whodunnit text)")
    collected = fetch(database.url, tables=["orders"])
    assert not [entry for entry in collected.coverage if entry.sight is Sight.PARTIAL]


def test_an_audit_table_we_may_not_read_is_said(database: Database) -> None:
    paper_trail(database)
    url, _ = database.role("GRANT SELECT ON orders TO {role}")
    collected = fetch(url, tables=["orders"])
    assert not versions(collected.events)
    (gap,) = [entry for entry in collected.coverage if "versions" in entry.reason]
    assert "GRANT SELECT ON versions" in gap.remedy


def test_a_locked_audit_table_costs_only_itself(database: Database) -> None:
    paper_trail(database)
    with database.connected() as migration:
        migration.execute("BEGIN")
        migration.execute("LOCK TABLE versions IN ACCESS EXCLUSIVE MODE")
        collected = fetch(database.url, tables=["orders"])
        looked = look_up(database.url, "order:4711", tables=["orders"])
        migration.execute("ROLLBACK")
    for answer in (collected, looked):
        assert [e.actor for e in answer.events if e.kind is Kind.ROW_INSERTED] == ["orders"]
    assert any("versions" in e.reason and "lock" in e.reason for e in collected.coverage)


def test_the_budget_of_rows_is_kept_and_the_cut_said(database: Database) -> None:
    paper_trail(database)
    database.run(
        "INSERT INTO versions (item_type, item_id, event, created_at)"
        f" SELECT 'Order', n, 'update', {NOW} - n * interval '1 second'"
        " FROM generate_series(1, 50) AS n"
    )
    collected = fetched(connector(database.url), last_minutes(), Budget(rows=12))
    assert len(collected.events) <= 12
    assert any("versions" in r.sentence for r in collected.remarks if r.topic == "cut")
