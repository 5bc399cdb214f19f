"""The five servers by key: how each is started, and the variables that name a running one.

Each server's module and its client library are imported only when that server is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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

    @property
    def test_variable(self) -> str:
        """Names a running server to the fixtures, so that they start none: HALFAWAKE_TEST_…_URL."""
        return f"HALFAWAKE_TEST_{self.key.upper()}_URL"


KINDS = {
    kind.key: kind
    for kind in (
        ServerKind("postgresql", "PostgreSQL", "DATABASE_URL"),
        ServerKind("pgbouncer", "PgBouncer", None),
        ServerKind("redis", "Redis", "REDIS_URL"),
        ServerKind("elasticsearch", "Elasticsearch", "ELASTICSEARCH_URL"),
        ServerKind("opensearch", "OpenSearch", "OPENSEARCH_URL"),
    )
}
"""In the order they are started: one at a time, and PgBouncer after its PostgreSQL."""


def start_server(key: str, started: Mapping[str, RunningServer]) -> RunningServer:
    """Start one server; ``started`` must hold the PostgreSQL that PgBouncer goes in front of.

    Raises ServerMissing (also for an absent client library) and ServerFailed.
    """
    try:
        return _start(key, started)
    except ModuleNotFoundError as error:
        raise ServerMissing(f"client library {error.name}", f"pip install {error.name}") from error


def running_at(key: str, url: str) -> RunningServer:
    """A server that somebody else started; raises its client's error when it does not answer."""
    return RunningServer(name=KINDS[key].name, version=_version(key, url), url=url)


def _start(key: str, started: Mapping[str, RunningServer]) -> RunningServer:
    match key:
        case "postgresql":
            from tests.servers.postgresql import postgresql

            return postgresql()
        case "pgbouncer":
            from tests.servers.pgbouncer import pgbouncer

            if "postgresql" not in started:
                raise ServerMissing("PostgreSQL for PgBouncer", "apt-get install postgresql")
            return pgbouncer(started["postgresql"])
        case "redis":
            from tests.servers.redis import redis

            return redis()
        case "elasticsearch":
            from tests.servers.elasticsearch import elasticsearch

            return elasticsearch()
        case "opensearch":
            from tests.servers.opensearch import opensearch

            return opensearch()
    raise KeyError(f"no server {key!r}; there are {', '.join(KINDS)}")


def _version(key: str, url: str) -> str:
    match key:
        case "postgresql":
            from tests.servers import postgresql

            return postgresql.server_version(url)
        case "pgbouncer":
            from tests.servers import pgbouncer

            return pgbouncer.server_version(url)
        case "redis":
            from tests.servers import redis

            return redis.server_version(url)
    from tests.servers import search_node

    return search_node.server_version(url)
