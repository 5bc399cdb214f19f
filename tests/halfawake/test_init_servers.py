"""From nothing to the first screen, with real servers: init, check, findings, at."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from rq import Queue, SimpleWorker

from connectors.discovery import KeyHint, Sampled
from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from connectors.postgresql import sampling as postgresql_sampling
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.session import Session
from connectors.rq import RQConnector, RQOptions
from tests.connectors import rq_jobs
from tests.connectors.pg import Database, database_on
from tests.connectors.search_data import create_index, delete_index, ecs
from tests.connectors.stub_search import SearchStub
from tests.halfawake.test_init import environment, halfawake
from tests.servers.process import RunningServer
from tests.servers.redis import create_reader
from timeline.keys import KeyRules
from timeline.problems import NothingHere
from timeline.window import SECOND_NS

pytestmark = pytest.mark.servers

NUMBER = 14
"""A Redis database of these tests' own."""
TABLES = (
    "CREATE TABLE users (id bigserial PRIMARY KEY, email text,"
    " created_at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE mails (id bigserial PRIMARY KEY, user_id bigint REFERENCES users(id),"
    " author bigint REFERENCES users(id), mail_id bigint REFERENCES mails(id),"
    " created_at timestamptz NOT NULL DEFAULT now())",
    "INSERT INTO users (email) VALUES ('ada@example.org')",
    "INSERT INTO mails (user_id) VALUES (1)",
)
FIRST_SCREEN_S = 120.0
"""Bound for init, check, findings and at together, five starts of Python on a busy machine."""


@dataclass(frozen=True)
class Shop:
    """What an engineer's shell exports, and the secrets in it."""

    variables: dict[str, str]
    secrets: tuple[str, ...]
    index: str


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as made:
        made.run(*TABLES)
        yield made


@pytest.fixture
def queue_url(redis_server: RunningServer) -> Iterator[str]:
    """The URL of a reader, of a Redis database that holds one job that is done."""
    with Redis.from_url(_numbered(redis_server.url)) as client:
        client.flushdb()
        queue = Queue("mailers", connection=client)
        queue.enqueue(rq_jobs.welcome_mail, user_id=1)
        SimpleWorker([queue], connection=client).work(burst=True, logging_level="ERROR")
        yield _numbered(create_reader(redis_server))
        client.flushdb()


@pytest.fixture
def shop(database: Database, queue_url: str, elasticsearch_server: RunningServer) -> Iterator[Shop]:
    url, password = database.role("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    stem = f"shop{secrets.token_hex(3)}"
    now = time.time_ns()
    documents = [
        ecs(now - number * SECOND_NS, f"sign-up {number}", user_id=1) for number in range(5)
    ]
    create_index(elasticsearch_server.url, f"{stem}-2026.03.14", documents)
    variables = {
        "DATABASE_URL": url,
        "REDIS_URL": queue_url,
        "ELASTICSEARCH_URL": elasticsearch_server.url,
    }
    yield Shop(variables, (password, str(urlsplit(queue_url).password)), stem)
    delete_index(elasticsearch_server.url, f"{stem}-2026.03.14")


def _numbered(url: str) -> str:
    return urlsplit(url)._replace(path=f"/{NUMBER}").geturl()


def test_from_an_empty_folder_to_the_first_screen(shop: Shop, tmp_path: Path) -> None:
    began = time.monotonic()
    said = []

    def typed(*words: str) -> str:
        done = halfawake(tmp_path, *words, **shop.variables)
        assert done.returncode in (0, 3), done.stderr
        said.append(done.stdout + done.stderr)
        return done.stdout

    typed("init", "--yes")
    assert said[0].endswith("Next: halfawake check\n")
    checked = typed("check")
    told = json.loads(typed("check", "--json"))
    instant = f"{time.time() - 1:.0f}"
    found = json.loads(typed("findings", instant, "--json"))
    screen = typed("at", instant)
    seconds = time.monotonic() - began

    text = (tmp_path / "halfawake.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)
    sources = written["env"]["default"]["sources"]
    by_connector = {one["connector"]: one for one in sources.values()}
    assert {"elasticsearch", "postgresql", "rq"} <= set(by_connector)
    assert by_connector["postgresql"]["dsn"] == "${DATABASE_URL}"
    index = by_connector["elasticsearch"]["index"]
    assert index == "*" or f"{shop.index}-*" in index.split(",")
    assert re.search(r'^# expected_services = \[.*"web"', text, re.MULTILINE)
    user = written["keys"]["user"]
    assert (user["table"], user["pk"]) == ("users", "id")
    assert {"author", "user_id"} <= set(user["fields"])

    assert f"{len(sources)} of {len(sources)} sources answered" in checked
    rights = {one["connector"]: one["writes"] for one in told["sources"]}
    assert rights["postgresql"] == "refused"
    assert all(one["clock"]["error_ms"] < 1_000 for one in told["sources"] if one["clock"])
    assert found["blind"]
    assert "sign-up 0" in screen
    assert "users/1 inserted" in screen
    assert "welcome_mail" in screen
    for secret in shop.secrets:
        assert secret not in text + "".join(said)
    assert seconds < FIRST_SCREEN_S


def test_an_env_file_is_local_and_the_next_command_is_the_one_to_type(
    database: Database, tmp_path: Path
) -> None:
    password = urlsplit(database.url).password
    (tmp_path / ".env").write_text(f"DATABASE_URL='{database.url}'\n", encoding="utf-8")
    done = halfawake(tmp_path, "init", "--yes", "--env", "prod")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "halfawake.toml").read_text(encoding="utf-8")
    assert list(tomllib.loads(text)["env"]) == ["local"]
    assert "its value stands in .env" in text
    assert str(password) not in text + done.stderr
    command = done.stderr.rpartition("Next: ")[2]
    assert command.startswith("set -a; . ./.env; set +a; ")
    checked = subprocess.run(
        ["sh", "-c", f'halfawake() {{ "{sys.executable}" -m halfawake "$@"; }}\n{command}'],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "local: 1 of 1 sources answered" in checked.stdout
    unsourced = halfawake(tmp_path, "check")
    assert unsourced.returncode == 2
    assert "DATABASE_URL, which is not set" in unsourced.stderr


def test_a_compose_service_is_reached_by_its_published_port(
    database: Database, tmp_path: Path
) -> None:
    parts = urlsplit(database.url)
    (tmp_path / "compose.yaml").write_text(
        "services:\n"
        "  db:\n"
        "    image: postgres:15\n"
        f"    ports: ['{parts.port}:5432']\n"
        "    environment:\n"
        f"      POSTGRES_USER: {parts.username}\n"
        f"      POSTGRES_PASSWORD: {parts.password}\n"
        f"      POSTGRES_DB: {parts.path[1:]}\n"
        "  cache: {image: redis, ports: ['9:6379']}\n",
        encoding="utf-8",
    )
    done = halfawake(tmp_path, "init", "--yes")
    assert done.returncode == 3, "the cache is not up"
    text = (tmp_path / "halfawake.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["env"]["local"]["sources"] == {
        "db": {
            "connector": "postgresql",
            "dsn": f"postgresql://{parts.username}:${{DB_POSTGRES_PASSWORD}}"
            f"@127.0.0.1:{parts.port}{parts.path}",
        }
    }
    assert str(parts.password) not in text + done.stderr
    assert '# url = "redis://127.0.0.1:9"' in text
    assert "Next: export DB_POSTGRES_PASSWORD=…; halfawake check" in done.stderr
    checked = halfawake(tmp_path, "check", DB_POSTGRES_PASSWORD=str(parts.password))
    assert checked.returncode == 0


def test_strict_fails_for_an_account_that_could_write(database: Database, tmp_path: Path) -> None:
    variables = {"DATABASE_URL": database.url}
    assert halfawake(tmp_path, "init", "--yes", **variables).returncode == 0
    text = (tmp_path / "halfawake.toml").read_text(encoding="utf-8")
    assert "# Writes are POSSIBLE" in text
    assert halfawake(tmp_path, "check", **variables).returncode == 0
    strict = halfawake(tmp_path, "check", "--strict", **variables)
    assert strict.returncode == 5
    assert "POSSIBLE" in strict.stdout


def test_a_redis_without_jobs_is_not_a_queue(redis_server: RunningServer, tmp_path: Path) -> None:
    url = urlsplit(create_reader(redis_server))._replace(path=f"/{NUMBER + 1}").geturl()
    made = RQConnector("queue", RQOptions.model_validate({"url": url}), KeyRules())

    async def checked() -> None:
        try:
            await made.check()
        finally:
            await made.close()

    with pytest.raises(NothingHere, match="rq:queues"):
        asyncio.run(checked())
    done = halfawake(tmp_path, "init", "--yes", REDIS_URL=url)
    assert done.returncode == 4
    assert "Looked for and not there:" in done.stderr
    assert "rq" in done.stderr


@pytest.mark.parametrize("product", ["elasticsearch_server", "opensearch_server"])
def test_a_cluster_tells_its_indices_services_and_ids(
    product: str, request: pytest.FixtureRequest
) -> None:
    server: RunningServer = request.getfixturevalue(product)
    stem, now = f"sampled{secrets.token_hex(3)}", time.time_ns()
    old = now - 30 * 86_400 * SECOND_NS
    written = {
        f"{stem}-000001": [ecs(now, "new", user_id=1), ecs(now, "mail", service={"name": "mail"})],
        f"{stem}old-2026.01.01": [ecs(old, "old", user_id=1)],
    }
    for name, documents in written.items():
        create_index(server.url, name, documents)
    options = ElasticsearchOptions.model_validate({"url": server.url, "index": f"{stem}*"})
    every = options.model_copy(update={"index": "*"})

    async def sampled(chosen: ElasticsearchOptions) -> Sampled:
        made = ElasticsearchConnector("logs", chosen, KeyRules())
        try:
            return await made.sample()
        finally:
            await made.close()

    try:
        named, found = asyncio.run(sampled(options)), asyncio.run(sampled(every))
    finally:
        for name in written:
            delete_index(server.url, name)
    assert named.options == {}, "a pattern that somebody chose is kept"
    patterns = str(found.options.get("index", f"{stem}-*")).split(",")
    assert f"{stem}-*" in patterns
    assert f"{stem}old-*" not in patterns
    assert {"mail", "web"} <= set(named.services)
    assert KeyHint("user", ("user_id",)) in named.keys
    assert "time from @timestamp" in named.notes[0]


def test_a_schema_without_foreign_keys_is_read_by_its_spelling(
    postgresql_server: RunningServer,
) -> None:
    with database_on(postgresql_server) as database:
        database.run(
            "CREATE SCHEMA crm",
            "CREATE TABLE crm.companies (company_no int PRIMARY KEY)",
            "CREATE TABLE people (id int PRIMARY KEY, company_id int)",
            "CREATE TABLE twice (one int, two int, PRIMARY KEY (one, two))",
            "CREATE TABLE hidden (id int PRIMARY KEY)",
            "CREATE TABLE names_hidden (hidden_id int)",
        )
        url, _ = database.role("GRANT SELECT ON people, twice TO {role}")
        reader = Session(PostgreSQLOptions.model_validate({"dsn": url}))
        owner = Session(PostgreSQLOptions.model_validate({"dsn": database.url}))

        async def looked(session: Session) -> list[str]:
            try:
                sampled = await postgresql_sampling.sampled(session)
                return [f"{one.name} {one.table}.{one.pk}" for one in sampled.keys]
            finally:
                await session.close()

        everything = ["company crm.companies.company_no", "hidden hidden.id"]
        assert asyncio.run(looked(owner)) == everything
        assert asyncio.run(looked(reader)) == []


def test_a_cluster_without_times_is_no_log_store() -> None:
    """On a stub, because a shared cluster always holds somebody's logs."""
    stub = SearchStub(types={"@timestamp": "keyword"})
    with stub.serving():
        options = ElasticsearchOptions.model_validate({"url": stub.url, "index": "*"})
        made = ElasticsearchConnector("logs", options, KeyRules())

        async def checked() -> None:
            try:
                await made.check()
            finally:
                await made.close()

        with pytest.raises(NothingHere, match="no index"):
            asyncio.run(checked())
