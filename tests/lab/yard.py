"""A small yard for one real fault: PostgreSQL, Redis with RQ workers, a few services with logs.

    services (threads, real client libraries) -> PostgreSQL (its own log beside theirs)
                                              -> Redis <- RQ workers (processes)
    halfawake -> log files, queue and database, by reader accounts only

The shop's stories are whole nights; here one thing breaks, within seconds, and everything around it
goes on. What the libraries say when it breaks is theirs: a scenario never writes an error's text.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import psycopg
from redis import Redis
from rq import Queue

from tests.lab.telling import Telling, ask
from tests.servers.postgresql import postgresql, url_for
from tests.servers.process import RunningServer
from tests.servers.redis import create_reader, redis

Held = TypeVar("Held")

REPOSITORY = Path(__file__).parents[2]
QUEUE = "letters"
WITHIN_S = 20.0
SERVER_LOG = {
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql.log",
    "log_file_mode": "0644",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "deadlock_timeout": "300ms",
    "max_connections": "30",
}
SCHEMA = """
CREATE TABLE members (id bigserial PRIMARY KEY, name text, points int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz);
CREATE TABLE letters (id bigserial PRIMARY KEY, member_id bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp());
"""
CONFIGURATION = """
default_env = "yard"

[keys.member]
table = "members"
fields = ["member_id"]

[env.yard.sources.logs]
connector = "file"
paths = ["{logs}/*.log"]
zone = "UTC"

[env.yard.sources.postgresql-log]
connector = "file"
paths = ["{server_log}"]
format = "postgresql"

[env.yard.sources.queue]
connector = "rq"
url = "{redis}"

[env.yard.sources.db]
connector = "postgresql"
dsn = "{database}"
tables = ["members", "letters"]
"""


class Yard:
    """Everything is up inside the block and gone after it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self._settings = {**SERVER_LOG, **settings}
        self._stack = ExitStack()
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._more = ""
        self._database: RunningServer | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.postgresql = stack.enter_context(postgresql(settings=self._settings))
            self.redis = stack.enter_context(redis())
            self.run(SCHEMA)
            stack.callback(self._stop_workers)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def database(self) -> RunningServer:
        """The server that is written to now."""
        return self._database or self.postgresql

    def run(self, *statements: str) -> None:
        """Run statements as the owner, each in a transaction of its own."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def connected(self, name: str) -> psycopg.Connection:
        """A connection of the service `name`."""
        return psycopg.connect(self.postgresql.url, application_name=name)

    def queue(self) -> Queue:
        return Queue(QUEUE, connection=Redis.from_url(self.redis.url))

    def service(self, name: str) -> logging.Logger:
        """A logger that writes `NAME.log` as Python's services do."""
        logger = logging.Logger(name, logging.INFO)
        handler = logging.FileHandler(self.logs / f"{name}.log")
        line = f"%(asctime)s.%(msecs)03dZ %(levelname)s {name}: %(message)s"
        shape = logging.Formatter(line, "%Y-%m-%dT%H:%M:%S")
        shape.converter = time.gmtime
        handler.setFormatter(shape)
        logger.addHandler(handler)
        self._stack.callback(handler.close)
        return logger

    def start_worker(self, host: str, **environment: str) -> subprocess.Popen[bytes]:
        """A real RQ worker on the queue `letters`, listening; its log is `HOST.log`."""
        process = self.launch_worker(host, **environment)
        log = self.logs / f"{host}.log"
        self.until(lambda: "Listening on" in log.read_text(), f"{host} listens")
        return process

    def launch_worker(self, host: str, **environment: str) -> subprocess.Popen[bytes]:
        """The same, not waited for."""
        return self._launch(host, "tests.lab.faults.jobs", **environment)

    def start_scheduler(self, host: str, every_s: int) -> subprocess.Popen[bytes]:
        """A real RQ scheduler that puts `tally` on the queue again and again."""
        return self._launch(host, "tests.lab.faults.jobs", str(every_s))

    def _launch(self, host: str, module: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        return self.start(host, sys.executable, "-m", module, self.redis.url, host, *words, **more)

    def start(self, host: str, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Any program as the process of `host`, which knows the yard's database and Redis; its
        output is `HOST.log`."""
        environment = {
            **os.environ,
            "YARD_DATABASE": self.postgresql.url,
            "REDIS_URL": self.redis.url,
            "TZ": "UTC",
            **more,
        }
        with (self.logs / f"{host}.log").open("ab") as output:
            process = subprocess.Popen(
                words,
                cwd=REPOSITORY,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._workers[host] = process
        return process

    def stop_worker(self, host: str) -> None:
        self._workers[host].send_signal(signal.SIGTERM)
        self._workers.pop(host).wait(WITHIN_S)

    def _stop_workers(self) -> None:
        for process in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(WITHIN_S)

    @contextlib.contextmanager
    def sign_ups(self, every_s: float = 0.15, job: str = "letter") -> Iterator[None]:
        """The healthy business: a member is committed, then a letter is put on the queue.

        `job` is the name by which the service asks for the letter.
        """
        log, done, numbers = self.service("web"), threading.Event(), itertools.count()

        def serve() -> None:
            queue = self.queue()
            with self.connected("web") as connection:
                while not done.wait(every_s):
                    self._sign_up(log, connection, queue, next(numbers), job)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(WITHIN_S)

    def _sign_up(
        self,
        log: logging.Logger,
        connection: psycopg.Connection,
        queue: Queue,
        number: int,
        name: str,
    ) -> None:
        request = secrets.token_hex(8)
        try:
            with connection.transaction():
                row = connection.execute(
                    "INSERT INTO members (name) VALUES (%s) RETURNING id", (f"m{number}",)
                ).fetchone()
            assert row is not None
            job = queue.enqueue(f"tests.lab.faults.jobs.{name}", row[0])
            log.info(
                "POST /members 201 request_id=%s member_id=%s job_id=%s", request, row[0], job.id
            )
        except Exception as error:
            connection.rollback()
            log.error("POST /members 500 request_id=%s: %s", request, error)

    def keep(self, held: AbstractContextManager[Held]) -> Held:
        """A further server, connection or path, gone with the yard."""
        return self._stack.enter_context(held)

    def also_database(self, source: str, server: RunningServer) -> None:
        """Let halfawake read another database, by its owner's account."""
        self._more += f"""
[env.yard.sources.{source}]
connector = "postgresql"
dsn = "{server.url}"
tables = ["members", "letters"]
"""

    def configure(self, told: str) -> None:
        """Let halfawake know more: tables of its configuration. `{redis}` is the reader's URL."""
        self._more += told

    def look_at_instead(self, server: RunningServer) -> None:
        """From now on `server` is the database that is looked at."""
        self._database = server

    def until(self, holds: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
        """Wait for something that must come. Raises AssertionError with `what`."""
        deadline = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
            time.sleep(0.02)

    def drain(self, within_s: float = WITHIN_S) -> None:
        """Wait until no job waits or runs."""
        queue = self.queue()
        self.until(
            lambda: not queue.count and not queue.started_job_registry.count, "jobs left", within_s
        )

    def ask(self, before: str) -> Telling:
        """What `halfawake findings` says of so long before the instant at which it is asked.

        The instant is given: a command that takes seconds to start would look at a later window.
        """
        asked_at = datetime.now(UTC).isoformat()
        path = self.folder / "halfawake.toml"
        path.write_text(self._configuration())
        path.chmod(0o600)
        return ask([asked_at, "--config", path, "--before", before])

    def _configuration(self) -> str:
        self.until(self._takes_connections, "the database takes a connection again")
        password = secrets.token_hex(8)
        self.run(
            "DROP OWNED BY halfawake" if self._reader_exists() else "SELECT 1",
            "DROP ROLE IF EXISTS halfawake",
            f"CREATE ROLE halfawake LOGIN PASSWORD '{password}'",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO halfawake",
            "GRANT pg_read_all_stats TO halfawake",
        )
        assert self.postgresql.folder is not None
        (server_log,) = self.postgresql.folder.rglob("postgresql.log")
        reader = create_reader(self.redis)
        told = CONFIGURATION.format(
            logs=self.logs,
            server_log=server_log,
            redis=reader,
            database=url_for(self.database, user="halfawake", password=password),
        )
        return told + self._more.replace("{redis}", reader)

    def _takes_connections(self) -> bool:
        """Not while it still closes those that a fault had used up."""
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _reader_exists(self) -> bool:
        with psycopg.connect(self.database.url) as connection:
            found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'halfawake'")
            return found.fetchone() is not None
