"""The servers by key: how each is started, and the variables that name a running one.

A server is one module `tests.servers.KEY` with two functions: one named as the key, which starts it
(and takes the server it stands in front of, when it has one), and `server_version(url)`. The module
and its client library are imported only when that server is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from tests.servers.process import RunningServer, ServerMissing

REQUIRE_VARIABLE = "HALFAWAKE_REQUIRE_SERVERS"
"""Set to 1 where every server has to be there: a missing one is then a failure, not a skip."""


@dataclass(frozen=True)
class ServerKind:
    """One server: its key, its name, and the variables that carry its URL."""

    key: str
    name: str
    product_variable: str | None
    """What halfawake itself discovers, and the form an engineer has in the shell already."""
    upstream: str = ""
    """Key of the server that it stands in front of."""

    @property
    def test_variable(self) -> str:
        """Names a running server to the fixtures, so that they start none: HALFAWAKE_TEST_…_URL."""
        return f"HALFAWAKE_TEST_{self.key.upper()}_URL"


KINDS = {
    kind.key: kind
    for kind in (
        ServerKind("postgresql", "PostgreSQL", "DATABASE_URL"),
        ServerKind("pgbouncer", "PgBouncer", None, upstream="postgresql"),
        ServerKind("redis", "Redis", "REDIS_URL"),
        ServerKind("elasticsearch", "Elasticsearch", "ELASTICSEARCH_URL"),
        ServerKind("opensearch", "OpenSearch", "OPENSEARCH_URL"),
        ServerKind("mariadb", "MariaDB", "MYSQL_URL"),
        ServerKind("rabbitmq", "RabbitMQ", "RABBITMQ_URL"),
        ServerKind("prometheus", "Prometheus", "PROMETHEUS_URL"),
        ServerKind("victoriametrics", "VictoriaMetrics", None),
        ServerKind("moto", "moto", "AWS_ENDPOINT_URL"),
    )
}
"""In the order they are started: one at a time, and each after what it stands in front of."""


def start_server(key: str, started: Mapping[str, RunningServer]) -> RunningServer:
    """Start one server; ``started`` must hold the one that it stands in front of.

    Raises ServerMissing (also for an absent client library) and ServerFailed.
    """
    upstream = _kind(key).upstream
    try:
        module = _module(key)
        if not upstream:
            server: RunningServer = getattr(module, key)()
        elif upstream in started:
            server = getattr(module, key)(started[upstream])
        else:
            name = KINDS[upstream].name
            raise ServerMissing(f"{name} for {KINDS[key].name}", f"apt-get install {upstream}")
    except ModuleNotFoundError as error:
        raise ServerMissing(f"client library {error.name}", f"pip install {error.name}") from error
    return server


def running_at(key: str, url: str) -> RunningServer:
    """A server that somebody else started; raises its client's error when it does not answer."""
    version: str = _module(key).server_version(url)
    return RunningServer(name=_kind(key).name, version=version, url=url)


def _kind(key: str) -> ServerKind:
    if key not in KINDS:
        raise KeyError(f"no server {key!r}; there are {', '.join(KINDS)}")
    return KINDS[key]


def _module(key: str) -> ModuleType:
    return import_module(f"tests.servers.{key}")
