"""What the subjects of all queues on Redis have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from redis import Redis

from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from tests.servers.redis import create_reader


def reader_url(server: RunningServer, database: int) -> str:
    """URL of the least-privilege user."""
    return numbered(create_reader(server), database)


def connections_of(server: RunningServer) -> Callable[[], int]:
    """Counts the connections that halfawake holds."""

    def count() -> int:
        with Redis.from_url(server.url) as admin:
            return sum(client["name"] == "halfawake" for client in admin.client_list())

    return count


def at_port(url: str, **options: object) -> Callable[[int], Mapping[str, object]]:
    """Options for the same queue on another port."""
    parts = urlsplit(url)

    def moved(port: int) -> Mapping[str, object]:
        login = f"u:{parts.password}@127.0.0.1:{port}"
        return {**options, "url": parts._replace(netloc=login).geturl()}

    return moved
