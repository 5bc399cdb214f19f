"""The printed query, run as it is printed, gives the printed number: on real systems."""

from __future__ import annotations

import json
import secrets
import shlex
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from redis import Redis
from rq import Queue

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from connectors.file import FileConnector, FileOptions
from connectors.rq import RQConnector, RQOptions
from connectors.sqlite import SQLiteConnector, SQLiteOptions
from tests.conformance.collecting import Collected, fetched
from tests.connectors import my, pg, rq_jobs, search_data
from tests.servers.process import RunningServer
from timeline.event import Lane
from timeline.export.document import Recount
from timeline.export.recount import counted_of
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules, KeyType
from timeline.store import Store
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

T = int(datetime(2026, 11, 20, 3, 14, tzinfo=UTC).timestamp()) * SECOND_NS
WINDOW = Window(T, T - 30 * MINUTE_NS, T + 5 * MINUTE_NS)
RULES = KeyRules((KeyType("user", ("user_id",), table="users"),))
servers = pytest.mark.servers


def recounts(
    collected: Collected, window: Window, lane: Lane, system: str, keys: Sequence[str]
) -> tuple[Recount, ...]:
    store = Store()
    for batch in collected.batches:
        store.add(batch)
    source = collected.batches[0].source
    incident = Incident(
        window, store.snapshot(), key_rules=RULES, sources=(SourceInfo(source, lane, system),)
    )
    counted = counted_of(incident, keys, "state.victims")
    assert counted is not None
    return counted.queries


def only(queries: Sequence[Recount]) -> Recount:
    assert len(queries) == 1
    return queries[0]


USERS = ("4711", "4712", "4713", "4714")
ASKED = ("user:4711", "user:4713", "row:users/4714")
"""Three of the four rows."""


def _inserts(stamp: str) -> list[str]:
    table = f"INSERT INTO users (id, plan_id, created_at) VALUES ({{}}, 7, {stamp})"
    return [table.format(user) for user in USERS]


@servers
@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_rows_of_postgresql(postgresql_server: RunningServer, kind: str) -> None:
    with pg.database_on(postgresql_server) as database:
        database.run(
            f"CREATE TABLE users (id bigint PRIMARY KEY, plan_id int, created_at {kind})",
            *_inserts("now() AT TIME ZONE 'UTC'" if kind == "timestamp" else "now()"),
        )
        window = pg.last_minutes()
        collected = fetched(pg.connector(database.url), window)
        asked = only(recounts(collected, window, Lane.DATABASE, "postgresql", ASKED))
        with database.connected() as connection:
            connection.execute("SET TIME ZONE 'Asia/Tokyo'")
            counted = connection.execute(asked.query.encode()).fetchone()
            database.run("UPDATE users SET created_at = created_at - interval '1 day'")
            of_another_day = connection.execute(asked.query.encode()).fetchone()
    assert counted == (asked.count,) == (3,)
    assert of_another_day == (0,)


@servers
def test_rows_with_a_uuid_in_a_table_that_must_be_quoted(postgresql_server: RunningServer) -> None:
    ids = [f"953765f4-25b8-47be-ba62-60fce5d6b5{n:02d}" for n in range(5)]
    with pg.database_on(postgresql_server) as database:
        database.run(
            'CREATE TABLE "order" (uid uuid PRIMARY KEY, created_at timestamptz DEFAULT now())',
            *(f"INSERT INTO \"order\" (uid) VALUES ('{one}')" for one in ids),
        )
        window = pg.last_minutes()
        collected = fetched(pg.connector(database.url), window)
        keys = [f"row:order/{one}" for one in ids[1:]]
        asked = only(recounts(collected, window, Lane.DATABASE, "postgresql", keys))
        with database.connected() as connection:
            counted = connection.execute(asked.query.encode()).fetchone()
    assert counted == (asked.count,) == (4,)


@servers
def test_rows_of_mariadb(mariadb_server: RunningServer) -> None:
    with my.database_on(mariadb_server) as database:
        database.run(
            "CREATE TABLE users (id bigint PRIMARY KEY, plan_id int, created_at datetime(3))",
            *_inserts("utc_timestamp(3)"),
        )
        window = pg.last_minutes()
        collected = fetched(my.connector(database.url), window)
        asked = only(recounts(collected, window, Lane.DATABASE, "mysql", ASKED))
        with database.connected() as connection, connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute(asked.query)
            counted = cursor.fetchone()
    assert asked.note
    assert counted == (asked.count,) == (3,)


@pytest.mark.parametrize(
    "stamp",
    [f"'{datetime.fromtimestamp(T // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S}.25'",
     f"'{datetime.fromtimestamp(T // SECOND_NS, UTC):%Y-%m-%dT%H:%M:%S}Z'",
     str(T // SECOND_NS)],
)  # fmt: skip
def test_rows_of_sqlite_whatever_form_their_stamps_have(tmp_path: Path, stamp: str) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        kind = "integer" if stamp.isdigit() else "text"
        connection.execute(
            f"CREATE TABLE users (id integer PRIMARY KEY, plan_id int, created_at {kind})"
        )
        for statement in _inserts(stamp):
            connection.execute(statement)
        connection.commit()
        reader = SQLiteConnector("db", SQLiteOptions(path=str(path)), RULES)
        collected = fetched(reader, WINDOW)
        asked = only(recounts(collected, WINDOW, Lane.DATABASE, "sqlite", ASKED))
        counted = connection.execute(asked.query).fetchone()
    assert counted == (asked.count,) == (3,)


@servers
@pytest.mark.parametrize("product", ["elasticsearch_server", "opensearch_server"])
def test_records_of_a_search_cluster(request: pytest.FixtureRequest, product: str) -> None:
    server: RunningServer = request.getfixturevalue(product)
    index = f"shop-{secrets.token_hex(4)}"
    requests = [f"02323d06a40c{n:04x}" for n in range(40)]
    now = time.time_ns() // SECOND_NS * SECOND_NS - 60 * SECOND_NS
    documents = [
        search_data.ecs(now + n * 1_000_000, "could not enqueue", "error", request_id=one)
        for n, one in enumerate(requests * 3)
    ]
    yesterday = now - 24 * 3_600 * SECOND_NS
    documents.append(search_data.ecs(yesterday, "an old one", request_id=requests[0]))
    documents += [search_data.ecs(now, f"sign-up of user_id={n} failed") for n in (88214, 88215)]
    search_data.create_index(server.url, index, documents)
    window = Window(now, now - 5 * MINUTE_NS, now + MINUTE_NS)
    try:
        options = ElasticsearchOptions.model_validate({"url": server.url, "index": index})
        reader = ElasticsearchConnector("logs", options, RULES)
        collected = fetched(reader, window, Budget(seconds=60))
        keys = [*(f"request:{one}" for one in requests[:5]), "user:88214"]
        asked = recounts(collected, window, Lane.LOG, "elasticsearch", keys)
        answers = [_counted(server.url, one.query) for one in asked]
    finally:
        search_data.delete_index(server.url, index)
    assert answers == [one.count for one in asked] == [15, 1]


def _counted(url: str, query: str) -> int:
    """What the console of Kibana does with `GET path body`."""
    method, path, body = query.split(" ", 2)
    answer = httpx.request(
        method, f"{url}/{path}", content=body, headers={"content-type": "application/json"}
    )
    return int(answer.raise_for_status().json()["count"])


@servers
def test_jobs_of_rq(redis_server: RunningServer) -> None:
    prefix = redis_server.url.rstrip("/")
    with Redis.from_url(f"{prefix}/9") as client:
        client.flushdb()
        queue = Queue("mailers", connection=client)
        jobs = [queue.enqueue(rq_jobs.welcome_mail, user_id=n) for n in range(6)]
        window = pg.last_minutes()
        options = RQOptions.model_validate({"url": f"{prefix}/9"})
        collected = fetched(RQConnector("queue", options, KeyRules()), window)
        keys = [f"job:{job.id}" for job in jobs[:4]]
        asked = only(recounts(collected, window, Lane.QUEUE, "rq", keys))
        program, *command = shlex.split(asked.query)
        counted = client.execute_command(*command)
        client.flushdb()
    assert program == "redis-cli"
    assert counted == asked.count == 4


@pytest.fixture(params=["web.jsonl", "web of a customer's.log"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / str(request.param)
    lines = []
    for n in range(300):
        stamp = datetime.fromtimestamp((T - 200 * SECOND_NS) // SECOND_NS + n, UTC)
        if path.suffix == ".jsonl":
            told = {"timestamp": f"{stamp:%Y-%m-%dT%H:%M:%S}.000Z", "level": "error"}
            lines.append(json.dumps({**told, "message": "sign-up failed", "user_id": 4000 + n}))
        else:
            lines.append(f"{stamp:%Y-%m-%dT%H:%M:%S}.000Z ERROR sign-up failed user_id={4000 + n}")
    path.write_text("".join(f"{line}\n" for line in lines))
    yield path


def test_ids_in_a_file(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(log.parent)
    reader = FileConnector("web", FileOptions(paths=[log.name]), RULES)
    collected = fetched(reader, WINDOW)
    keys = [f"user:{4000 + n}" for n in range(100, 120, 5)]
    asked = only(recounts(collected, WINDOW, Lane.LOG, "file", keys))
    assert _shell(asked.query, log.parent) == asked.count == 4
    last_line = log.read_bytes().index(b"4115")
    log.write_bytes(log.read_bytes()[: last_line - 1])
    assert _shell(asked.query, log.parent) == 3


def _shell(query: str, folder: Path) -> int:
    done = subprocess.run(["sh", "-c", query], cwd=folder, capture_output=True, check=True)
    return int(done.stdout)
