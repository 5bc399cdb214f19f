"""The whole shop running: servers, the proxies between them, processes, customers and shipper.

    web, inventory -> [path] -> Redis <- [worker_path] <- worker-1, worker-2
    web, inventory, workers -> PostgreSQL        logs -> shipper -> Elasticsearch

PostgreSQL and Redis are always started anew. Elasticsearch may be one that runs already (named by
HALFAWAKE_TEST_ELASTICSEARCH_URL); each scene has an index of its own.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from tests.lab.mail_sink import MailSink
from tests.lab.proxy import LOOPBACK, Proxy
from tests.lab.services import Services
from tests.lab.shipper import Shipper
from tests.lab.traffic import CYCLE_S, Traffic
from tests.servers.postgresql import postgresql, url_for
from tests.servers.process import RunningServer, free_port
from tests.servers.pytest_fixtures import provided
from tests.servers.redis import create_reader, redis

HERE = Path(__file__).parent
READER = "halfawake"
WORKERS = ("worker-1", "worker-2")
DRAINED_WITHIN_S = 60.0


@dataclass(frozen=True)
class Access:
    """The accounts with which halfawake may look, and may do nothing else."""

    database_url: str
    redis_url: str
    elasticsearch_url: str
    index: str

    def configuration(self) -> str:
        """The text of a `halfawake.toml` for them."""
        template = Template((HERE / "halfawake.toml").read_text())
        return template.substitute(
            database_url=self.database_url,
            redis_url=self.redis_url,
            elasticsearch_url=self.elasticsearch_url,
            index=self.index,
        )


class Scene:
    """Everything is up inside the block and gone after it; `folder` with the logs stays."""

    def __init__(self, folder: Path, cycle_s: float = CYCLE_S) -> None:
        self.folder = folder
        self._cycle_s = cycle_s
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start_servers(stack)
            self._start_shop(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start_servers(self, stack: ExitStack) -> None:
        self.elasticsearch: RunningServer = stack.enter_context(provided("elasticsearch", {}))
        self.postgresql = stack.enter_context(postgresql())
        self.redis = stack.enter_context(redis())
        with psycopg.connect(self.postgresql.url, autocommit=True) as connection:
            connection.execute((HERE / "shop" / "schema.sql").read_text())
        self.access = Access(
            database_url=_create_reader(self.postgresql),
            redis_url=create_reader(self.redis),
            elasticsearch_url=self.elasticsearch.url,
            index=f"shop-{secrets.token_hex(4)}",
        )

    def _start_shop(self, stack: ExitStack) -> None:
        server = urlsplit(self.redis.url)
        assert server.port is not None
        self.path = stack.enter_context(Proxy(LOOPBACK, server.port))
        self.worker_path = stack.enter_context(Proxy(LOOPBACK, server.port))
        self.gateway = stack.enter_context(MailSink())
        port = free_port()
        self.services = Services(
            self.folder,
            {
                "SHOP_DATABASE_URL": self.postgresql.url,
                "SHOP_REDIS_URL": self._redis_through(self.path),
                "SHOP_SMTP_PORT": str(self.gateway.port),
                "SHOP_HTTP_PORT": str(port),
            },
        )
        stack.callback(self.services.stop_all)
        for host in WORKERS:
            self.start_worker(host)
        self.services.start("inventory", "inventory-1")
        self.services.start("web", "web-1")
        self.services.wait_for_line("web", "web-1", "listening on")
        for host in WORKERS:
            self.services.wait_for_line("mailer", host, "Listening on")
        self.services.wait_for_line("inventory", "inventory-1", "started")
        self.shipper = stack.enter_context(
            Shipper(self.folder / "logs", self.elasticsearch.url, self.access.index)
        )
        self.began_ns = time.time_ns()
        self.traffic = stack.enter_context(Traffic(port, self._cycle_s))

    def start_worker(self, host: str) -> None:
        """Start one worker of the mailer."""
        self.services.start("mailer", host, SHOP_REDIS_URL=self._redis_through(self.worker_path))

    def write_configuration(self, elasticsearch_url: str = "") -> Path:
        """Write `halfawake.toml` into the folder; another address of Elasticsearch may be given."""
        access = self.access
        if elasticsearch_url:
            access = Access(access.database_url, access.redis_url, elasticsearch_url, access.index)
        path = self.folder / "halfawake.toml"
        path.write_text(access.configuration())
        path.chmod(0o600)
        return path

    def pause(self, seconds: float) -> None:
        """Let the shop go about its business, noticing when one of its processes died."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.services.check()
            time.sleep(min(left, 1.0))

    def drain(self) -> None:
        """Wait until no job is waiting or running. Raises RuntimeError."""
        deadline = time.monotonic() + DRAINED_WITHIN_S
        with Redis.from_url(self.redis.url) as client:
            while client.llen("rq:queue:mailers") or client.zcard("rq:wip:mailers"):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"jobs are left after {DRAINED_WITHIN_S:g} s")
                time.sleep(0.1)

    def _redis_through(self, path: Proxy) -> str:
        parts = urlsplit(self.redis.url)
        return f"redis://:{parts.password}@{LOOPBACK}:{path.port}{parts.path}"


def _create_reader(server: RunningServer) -> str:
    password = secrets.token_hex(8)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{password}'")
        connection.execute(f"GRANT SELECT ON users, orders, mails, sales, campaigns TO {READER}")
        connection.execute(f"GRANT pg_read_all_stats TO {READER}")
    return url_for(server, user=READER, password=password)
