"""The backups running: servers, two workers, what moves waiting messages, and the shipper.

first message -> Redis (RQ queue "backups") <-> backup-1, backup-2 -> PostgreSQL (apps, backups)
queue-1 moves messages that are due          logs -> shipper -> Elasticsearch
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

import psutil
import psycopg
from redis import Redis

from tests.lab.services import Services
from tests.lab.shipper import Shipper
from tests.lab.truth import Note, Notes
from tests.servers.postgresql import postgresql, url_for
from tests.servers.pytest_fixtures import provided
from tests.servers.redis import create_reader, redis

HERE = Path(__file__).parent
READER = "halfawake"
WORKERS = ("backup-1", "backup-2")
LOOK_S = 0.01
"""A work-horse is struck within a hundredth of a second of what it has just measured."""


class BackupScene:
    """Everything is up inside the block and gone after it; `folder` with the logs stays."""

    def __init__(self, folder: Path, apps: int, period_s: float) -> None:
        self.folder = folder
        self.apps = apps
        self.period_s = period_s
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        self.elasticsearch = stack.enter_context(provided("elasticsearch", {}))
        self.postgresql = stack.enter_context(postgresql())
        self.redis = stack.enter_context(redis())
        with psycopg.connect(self.postgresql.url, autocommit=True) as connection:
            schema = Template((HERE / "backups.sql").read_text())
            connection.execute(schema.substitute(apps=self.apps).encode())
        self.services = Services(
            self.folder,
            {
                "SHOP_DATABASE_URL": self.postgresql.url,
                "SHOP_REDIS_URL": self.redis.url,
                "SHOP_SMTP_PORT": "0",
                "SHOP_HTTP_PORT": "0",
                "SHOP_PERIOD_S": str(self.period_s),
            },
        )
        stack.callback(self.services.stop_all)
        for host in WORKERS:
            self.start_worker(host)
        self.services.start("timetable", "queue-1", "timetable", module="backup")
        self.services.start("platform", "platform-1")
        for host in WORKERS:
            self.services.wait_for_line("backup", host, "istening on")
        self.index = f"backups-{secrets.token_hex(4)}"
        self.shipper = stack.enter_context(
            Shipper(self.folder / "logs", self.elasticsearch.url, self.index)
        )
        self.began_ns = time.time_ns()

    def start_worker(self, host: str) -> None:
        self.services.start("backup", host)

    def once(self, *words: str) -> None:
        """Have an operator run one command of `shop.backup`, to its end."""
        self.services.start("console", "console-1", *words, module="backup").wait(30)
        self.services.running.pop("console-1")

    def write_configuration(self) -> Path:
        """Write `halfawake.toml` into the folder."""
        password = secrets.token_hex(8)
        with psycopg.connect(self.postgresql.url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{password}'")
            connection.execute(f"GRANT SELECT ON apps, backups TO {READER}")
            connection.execute(f"GRANT pg_read_all_stats TO {READER}")
        path = self.folder / "halfawake.toml"
        path.write_text(
            Template((HERE / "backups.toml").read_text()).substitute(
                elasticsearch_url=self.elasticsearch.url,
                index=self.index,
                database_url=url_for(self.postgresql, user=READER, password=password),
                redis_url=create_reader(self.redis),
                period_s=f"{self.period_s:g}",
            )
        )
        path.chmod(0o600)
        return path

    def pause(self, seconds: float) -> None:
        """Let the nights pass, noticing when a process died."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.services.check()
            time.sleep(min(left, 1.0))

    def wait_for(self, what: str, within_s: float, times: int = 1, **facts: str) -> Note:
        """The measurement `what` with these facts, once it has been taken that often."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            notes = Notes.read(self.services.measured).of(what)
            found = [note for note in notes if facts.items() <= note.items()]
            if len(found) >= times:
                return found[times - 1]
            time.sleep(LOOK_S)
        raise TimeoutError(f"{what} {json.dumps(facts)} did not happen within {within_s:g} s")

    def worker_of(self, job: str) -> str:
        """The host that runs a job now."""
        with Redis.from_url(self.redis.url) as client:
            name = client.hget(f"rq:job:{job}", "worker_name")
        assert isinstance(name, bytes)
        return name.decode().partition(".")[0]

    def kill(self, host: str, *, whole: bool) -> int:
        """SIGKILL to the work-horse of a worker, with `whole` to the worker itself too; ns UTC."""
        process = self.services.running[host]
        horses = psutil.Process(process.pid).children()
        if whole:
            self.services.running.pop(host)
            os.kill(process.pid, signal.SIGKILL)
        at = time.time_ns()
        for horse in horses:
            os.kill(horse.pid, signal.SIGKILL)
        if whole:
            process.wait()
        return at
