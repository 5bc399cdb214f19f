"""What the tests of Celery in PostgreSQL share: the application, its worker, one-call reads."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.celery_sql import CelerySqlConnector, CelerySqlOptions
from connectors.contract import CheckReport
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_world import Program, around_now, reader
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import ROOT, crash
from tests.servers.process import RunningServer
from timeline.keys import KeyRules
from timeline.window import Budget, Window

WORKER_ZONE = "Asia/Kolkata"
"""Of the worker's host: no summer time and no whole hour, so that a wrong guess shows."""
DATABASE_ZONE = "America/St_Johns"
"""Of the database: half an hour off as well, and on the other side of UTC."""


def celery_on_postgresql(**variables: str) -> Program:
    """The application of `workers/celery_sql_app.py`."""
    words = (sys.executable, "-m", "tests.connectors.workers.celery_sql_app")
    fixed = {"PYTHONPATH": str(ROOT), "C_FORCE_ROOT": "1", "TZ": WORKER_ZONE}
    return Program(words, {**fixed, **variables}, "send")


@dataclass(frozen=True)
class Night:
    """A database after a worker was killed in it, and the ids of its tasks."""

    database: Database
    reader: str
    before: int
    succeeded: str
    retried: str
    failed: str
    held: str
    killed: str
    waiting: str

    def fetched(self, **options: object) -> Collected:
        return fetch(self.reader, None, taken_zone=WORKER_ZONE, **options)


@contextmanager
def night(server: RunningServer, folder: Path, **variables: str) -> Iterator[Night]:
    """Tasks of every fate: the worker gets SIGKILL while it runs one."""
    program, log, flag = celery_on_postgresql(**variables), folder / "worker.log", folder / "flag"
    with database_on(server) as database:
        name = database.url.rpartition("/")[2]
        database.run(f"ALTER DATABASE {name} SET timezone = '{DATABASE_ZONE}'")
        if variables.get("RESULTS") == "django":
            program.told(database.url, "schema")
        before = around_now().pin
        ids = program.enqueue(
            database.url,
            ["welcome_mail", {"user_id": 4711}, {}],
            ["look_up", {"user_id": 7}, {}],
            ["gives_up", {"user_id": 77, "note": "\x1b[31m\u202e"}, {}],
            ["welcome_mail", {"user_id": 8}, {"countdown": 900}],
            ["hang", {"flag": str(flag)}, {}],
            ["welcome_mail", {"user_id": 5}, {}],
        )
        with program.working(database.url, log) as process:
            until(flag.exists, "the task that hangs", log)
            crash(process)
        yield Night(database, reader(database), before, *ids)


def fetch(url: str, window: Window | None = None, **options: object) -> Collected:
    return fetched(connector(url, **options), window or around_now(), Budget())


def look_up(url: str, keys: Sequence[str], **options: object) -> Collected:
    return looked_up(connector(url, **options), tuple(keys), around_now())


def connector(url: str, **options: object) -> CelerySqlConnector:
    validated = CelerySqlOptions.model_validate({"dsn": url, **options})
    return CelerySqlConnector("tasks", validated, KeyRules())


def checked(url: str, **options: object) -> CheckReport:
    async def check() -> CheckReport:
        made = connector(url, **options)
        try:
            return await made.check()
        finally:
            await made.close()

    return asyncio.run(check())


def said(collected: Collected, topic: str) -> str:
    """All sentences of one topic."""
    return " ".join(r.sentence for r in collected.remarks if r.topic == topic)
