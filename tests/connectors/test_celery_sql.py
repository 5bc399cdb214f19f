"""Celery's tables as anybody may have left them: missing, older, renamed, damaged, armed, long."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.celery_sql import CelerySqlConnector, CelerySqlOptions
from connectors.discovery import Place
from tests.connectors import bombs
from tests.connectors.celery_sql_world import checked, fetch, look_up, said
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_world import depth, life, reader
from tests.servers.process import RunningServer
from timeline.event import Kind, Meaning
from timeline.problems import AccessRefused, BadAnswer, NothingHere

servers = pytest.mark.servers

BROKER = (
    "CREATE TABLE kombu_queue (id serial PRIMARY KEY, name varchar(200) UNIQUE)",
    "CREATE TABLE kombu_message (id serial PRIMARY KEY, visible boolean, timestamp timestamp,"
    ' payload text NOT NULL, version smallint NOT NULL DEFAULT 1, queue_id integer CONSTRAINT "FK"'
    " REFERENCES kombu_queue (id))",
    "CREATE INDEX ON kombu_message (visible)",
    "CREATE INDEX ON kombu_message (timestamp)",
    "INSERT INTO kombu_queue (name) VALUES ('celery'), ('mails')",
)
"""As kombu 5.7 makes them."""
OLD_RESULTS = (
    "CREATE TABLE celery_taskmeta (id serial PRIMARY KEY, task_id varchar(155) UNIQUE, status"
    " varchar(50), result bytea, date_done timestamp, traceback text)",
)
"""Celery 4 and 5 before result_extended: no names, no index on date_done."""
RESULTS = (
    *OLD_RESULTS,
    "ALTER TABLE celery_taskmeta ADD name varchar(155), ADD args bytea, ADD kwargs bytea,"
    " ADD worker varchar(155), ADD retries integer, ADD queue varchar(155)",
    "CREATE INDEX ON celery_taskmeta (date_done)",
)
AGO = "timezone('UTC', now() - interval '1 minute')"


def envelope(
    body: bytes = b'[[4711], {"kind": "welcome"}, {}]',
    content_type: str = "application/json",
    task_id: str = "",
    **headers: object,
) -> str:
    """A message as kombu 5.7 stores it, around a body of any kind."""
    task_id = task_id or str(uuid.uuid4())
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": {"task": "mailers.welcome_mail", "id": task_id, **headers},
            "properties": {
                "correlation_id": task_id,
                "delivery_info": {"exchange": "", "routing_key": "celery"},
                "body_encoding": "base64",
            },
        }
    )


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as made:
        yield made


def put(database: Database, payload: str, visible: bool | None = False, at: str = AGO) -> None:
    """One message in the first queue."""
    with database.connected() as connection:
        connection.execute(
            "INSERT INTO kombu_message (visible, timestamp, payload, queue_id)"
            f" VALUES (%s, {at}, %s, 1)",
            (visible, payload),
        )


@servers
def test_nothing_there(database: Database) -> None:
    with pytest.raises(NothingHere) as caught:
        checked(database.url)
    assert "kombu_message, celery_taskmeta, django_celery_results" in caught.value.what
    assert "message_table" in caught.value.remedy


@servers
def test_rights(database: Database) -> None:
    database.run(*BROKER, *RESULTS)
    stranger, _ = database.role()
    with pytest.raises(AccessRefused) as caught:
        checked(stranger)
    assert "GRANT" in caught.value.remedy
    with pytest.raises(AccessRefused, match="password"):
        checked(reader(database).replace("@", "x@"))
    partly, _ = database.role("GRANT SELECT ON kombu_message, kombu_queue TO {role}")
    report = checked(partly)
    assert "celery_taskmeta: no right to SELECT" in " ".join(report.facts)
    assert "how a task ended" in " ".join(report.cannot_see)


@servers
def test_a_table_of_somebody_else(database: Database) -> None:
    database.run("CREATE TABLE kombu_message (id bigint, words text)")
    with pytest.raises(BadAnswer, match="lacks a column"):
        checked(database.url)
    database.run(*RESULTS)  # the results are read all the same
    assert "lacks a column" in said(fetch(database.url), "rights")


@servers
def test_results_older_than_their_names(database: Database) -> None:
    database.run(
        *OLD_RESULTS,
        "INSERT INTO celery_taskmeta (task_id, status, result, date_done, traceback) VALUES"
        f" ('t1', 'SUCCESS', '\\x80', {AGO}, NULL),"
        f" ('t2', 'FAILURE', NULL, {AGO}, 'LookupError: 7')",
    )
    collected = fetch(reader(database))
    assert life(collected, "t1") == [(Kind.JOB_FINISHED, "task t1 succeeded")]
    assert life(collected, "t2") == [(Kind.JOB_FAILED, "task t2 failed: LookupError: 7")]
    assert "older than result_extended" in " ".join(checked(reader(database)).facts)
    assert (
        "messages: the broker's tables are not in this database"
        in checked(reader(database)).cannot_see
    )
    found = look_up(reader(database), ["job:t2", "job:1"])
    assert {e.keys for e in found.events} == {("job:t2",)}
    assert "job:1: " in said(found, "not-found")  # an id is the task's, never the row's


@servers
def test_rows_half_written(database: Database) -> None:
    database.run(*BROKER, *RESULTS)
    for payload in ("", "not JSON", '{"body": ', "[]", '{"body": 1, "headers": 2}'):
        put(database, payload)
    put(database, json.dumps({"body": 7, "headers": None, "properties": []}))
    put(database, envelope(task_id="kept"))
    put(database, envelope(task_id="infinite"), at="timestamp 'infinity'")
    put(database, envelope(task_id="null"), visible=None, at="NULL")
    database.run(
        "UPDATE kombu_message SET queue_id = NULL WHERE payload LIKE '%\"kept\"%'",
        "INSERT INTO celery_taskmeta (task_id, status, date_done, args, kwargs, name) VALUES"
        f" ('r1', NULL, {AGO}, NULL, NULL, NULL), (NULL, 'SUCCESS', {AGO}, NULL, NULL, 'a.b'),"
        f" ('r2', 'PROGRESS', {AGO}, '\\xff', '\\x7b7d', 'a.b'), ('kept', 'RETRY', NULL, '\\x5b5d',"
        " '\\x', 'a.b')",
    )
    collected = fetch(reader(database))
    assert said(collected, "damaged").startswith("5 rows of the broker")
    assert "not opened (not JSON" in said(collected, "opaque")
    told = life(collected, "kept")
    assert [kind for kind, _ in told] == [Kind.LOG, Kind.JOB_RETRIED]
    assert "was taken from celery by a worker" in told[0][1]  # as its sender addressed it
    retried = next(e for e in collected.events if e.kind is Kind.JOB_RETRIED)
    assert retried.meaning is Meaning.POLLED
    assert life(collected, "r1") == [(Kind.LOG, "task r1 is of no state")]
    assert [words for _, words in life(collected, "r2")] == [
        "b(not JSON, 4 bytes, not opened) is PROGRESS"
    ]
    assert not life(collected, "infinite")
    assert not life(collected, "null")
    assert any(e.kind is Kind.JOB_FINISHED for e in collected.events)  # the one without an id


@servers
def test_nothing_is_unpickled(database: Database, tmp_path: Path) -> None:
    bombs.assert_armed(tmp_path)
    database.run(*BROKER, *RESULTS)
    trap = tmp_path / "sprung"
    armed, yaml_text = bombs.pickled(trap), bombs.yaml_text(trap)
    python = "application/x-python-serialize"
    put(database, envelope(armed, python, "p", argsrepr="(4711,)", kwargsrepr="{}"))
    put(database, envelope(yaml_text, "application/x-yaml", "y"), visible=True)
    with database.connected() as connection:
        connection.execute(
            "INSERT INTO celery_taskmeta (task_id, status, date_done, name, result, args, kwargs)"
            f" VALUES ('p', 'SUCCESS', {AGO}, 'mailers.welcome_mail', %s, %s, %s)",
            (armed, armed, armed),
        )
    collected = fetch(reader(database))
    assert [kind for kind, _ in life(collected, "p")] == [Kind.LOG, Kind.JOB_FINISHED]
    assert life(collected, "p")[0][1].startswith("welcome_mail(4711) was taken")
    size = 2 * len(armed) + 1
    assert life(collected, "p")[1][1] == (
        f"welcome_mail(pickled, {size} bytes, not opened) succeeded"
    )
    assert life(collected, "y")
    look_up(reader(database), ["job:p", "user:4711"])
    assert not trap.exists()
    assert "not opened" in said(collected, "opaque")


@servers
def test_what_is_too_large_stays_where_it_is(database: Database) -> None:
    database.run(*BROKER, *RESULTS)
    put(database, envelope(b'[["' + b"x" * 400_000 + b'"], {}, {}]', task_id="large"))
    database.run(
        "INSERT INTO celery_taskmeta (task_id, status, date_done, name, args) SELECT 'large',"
        f" 'SUCCESS', {AGO}, 'a.b', convert_to('[' || string_agg(n::text, ',') || ']', 'UTF8')"
        " FROM generate_series(1, 100000) AS n",
    )
    collected = fetch(reader(database))
    ((kind, words),) = life(collected, "large")
    assert kind is Kind.JOB_FINISHED
    assert "bytes, too large to fetch" in words
    assert said(collected, "damaged").startswith("1 rows of the broker")
    assert sum(len(e.body) + len(e.attributes or "") for e in collected.events) < 10_000


@servers
def test_renamed_tables(database: Database) -> None:
    renamed = [text.replace("kombu_", "broker_").replace("taskmeta", "done") for text in BROKER]
    database.run(*renamed, *(text.replace("celery_taskmeta", "results") for text in RESULTS))
    with pytest.raises(NothingHere):
        checked(database.url)
    named = {"message_table": "broker_message", "queue_table": "broker_queue"}
    facts = " ".join(checked(database.url, **named, result_table="results").facts)
    assert "public.broker_message" in facts
    assert "public.results" in facts


@servers
def test_a_long_table_that_was_never_purged(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken messages stay for ever: the few that wait are found by an index all the same."""
    monkeypatch.setattr("connectors.sqlqueue.places.LARGE_BYTES", 0)
    monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 400)
    database.run(*BROKER, *RESULTS)
    with database.connected() as connection:
        for count, visible, stamp in (
            (20_000, "false", "now() - n * interval '1 second'"),
            (300, "true", "NULL"),
        ):
            connection.execute(
                "INSERT INTO kombu_message (visible, timestamp, payload, queue_id) SELECT"
                f" {visible}, timezone('UTC', ({stamp})::timestamptz), replace(%s, 'ID',"
                f" '{visible}-' || n), 2 FROM generate_series(1, {count}) AS n",
                (envelope(task_id="ID"),),
            )
    database.run("ANALYZE kombu_message")
    collected = fetch(reader(database))
    assert depth(collected, "mails")["depth"] == 300
    assert life(collected, "true-1")
    assert life(collected, "true-300")
    assert not life(collected, "true-150")
    assert "300 messages wait; 200 from both ends" in said(collected, "cut")
    assert "not read" not in said(collected, "cut")
    assert len([e for e in collected.events if "was taken" in e.body]) > 500


def test_options() -> None:
    options = CelerySqlOptions.model_validate({"dsn": "sqla+postgresql+psycopg2://a:b@h/d"})
    dsn = options.session_options().dsn
    assert dsn is not None
    assert dsn.get_secret_value() == "postgresql+psycopg2://a:b@h/d"
    assert "b@h" not in repr(options)
    for wrong in ({"taken_zone": "Mars/Base"}, {"message_table": "a; b"}, {"zone": "Nowhere"}):
        with pytest.raises(ValidationError):
            CelerySqlOptions.model_validate({"dsn": "postgresql://h/d", **wrong})


def test_candidates(tmp_path: Path) -> None:
    def found(**variables: str) -> list[object]:
        place = Place(variables=variables, folder=tmp_path, home=tmp_path)
        return [candidate.options for candidate in CelerySqlConnector.candidates(place)]

    url = "postgresql+psycopg://u:p@h/d"
    assert found(CELERY_BROKER_URL=f"sqla+{url}", CELERY_RESULT_BACKEND=f"db+{url}") == [
        {"dsn": "${CELERY_BROKER_URL}"}
    ]
    assert found(CELERY_BROKER_URL="redis://h/0", CELERY_RESULT_BACKEND=f"db+{url}") == [
        {"dsn": "${CELERY_RESULT_BACKEND}"}
    ]
    assert found(CELERY_BROKER_URL="amqp://h", DATABASE_URL="postgres://h/d") == [
        {"dsn": "${DATABASE_URL}"}
    ]
    assert found(CELERY_RESULT_BACKEND="db+sqlite:///results.db") == []
