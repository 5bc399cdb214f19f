"""Session-scoped fixtures: one real server each, shared by all tests of a run.

A fixture takes the server that HALFAWAKE_TEST_…_URL names, else starts one. A server that is not
installed skips its tests, or fails them when HALFAWAKE_REQUIRE_SERVERS=1. Servers are shared: a
test makes its own database, key prefix or index and relies on nothing being empty.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tests.servers.catalog import KINDS, REQUIRE_VARIABLE, running_at, start_server
from tests.servers.process import RunningServer, ServerMissing


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[RunningServer]:
    """PostgreSQL on stock settings; the URL is the superuser's."""
    with provided("postgresql", {}) as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer_server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """PgBouncer in transaction mode in front of ``postgresql_server``."""
    upstream: dict[str, RunningServer] = {}
    if KINDS["pgbouncer"].test_variable not in os.environ:
        upstream["postgresql"] = request.getfixturevalue("postgresql_server")
    with provided("pgbouncer", upstream) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RunningServer]:
    """Redis on stock settings; the URL is the default user's, database 0."""
    with provided("redis", {}) as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[RunningServer]:
    """One Elasticsearch 8 node, plain HTTP, no log-in."""
    with provided("elasticsearch", {}) as server:
        yield server


@pytest.fixture(scope="session")
def opensearch_server() -> Iterator[RunningServer]:
    """One OpenSearch node, 3.x or else 2.x, plain HTTP, no log-in."""
    with provided("opensearch", {}) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[RunningServer]:
    """MariaDB on stock settings; the URL is the administrator's."""
    with provided("mariadb", {}) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RunningServer]:
    """RabbitMQ with its management API, whose URL this is; the account is the administrator's."""
    with provided("rabbitmq", {}) as server:
        yield server


@pytest.fixture(scope="session")
def prometheus_server() -> Iterator[RunningServer]:
    """Prometheus on stock settings."""
    with provided("prometheus", {}) as server:
        yield server


@pytest.fixture(scope="session")
def victoriametrics_server() -> Iterator[RunningServer]:
    """One VictoriaMetrics process."""
    with provided("victoriametrics", {}) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[RunningServer]:
    """moto's server: the APIs of AWS on loopback, without AWS."""
    with provided("moto", {}) as server:
        yield server


@contextmanager
def provided(key: str, started: Mapping[str, RunningServer]) -> Iterator[RunningServer]:
    """The running server of that key, else a new one for as long as the block lasts."""
    if url := os.environ.get(KINDS[key].test_variable):
        yield running_at(key, url)
        return
    try:
        server = start_server(key, started)
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        yield server


def skip_or_fail(missing: ServerMissing) -> NoReturn:
    """Skip the test that needs the server, or fail it where every server has to be there."""
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(f"{missing} ({REQUIRE_VARIABLE}=1)", pytrace=False)
    pytest.skip(str(missing))
