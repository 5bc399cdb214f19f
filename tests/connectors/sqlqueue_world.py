"""What the tests of queues in PostgreSQL share: real workers, and one-call reads as a reader."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.sqlqueue import SqlQueueConnector, SqlQueueOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.pg import Database
from tests.connectors.workers.running import FOLDER, SOON_S, worker
from tests.connectors.workers.starting import ROOT
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from tests.servers.search_node import cached_programs
from timeline.event import Event, Kind
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Budget, Window

READS = (
    "GRANT USAGE ON SCHEMA {schema} TO {{role}}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {{role}}",
)

DELAYED_JOB_INSTALL = "apt-get install ruby-delayed-job-active-record ruby-pg"


@dataclass(frozen=True)
class Program:
    """A worker and producer of one system, started as `WORDS COMMAND [JSON]`."""

    words: tuple[str, ...]
    variables: dict[str, str]
    produces: str
    """The command that enqueues jobs."""

    def told(self, url: str, command: str, given: object = None) -> list[str]:
        """Run one command to its end; the lines it printed."""
        done = subprocess.run(
            [*self.words, command, *([] if given is None else [json.dumps(given)])],
            env={**os.environ, **self.variables, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=SOON_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def enqueue(self, url: str, *jobs: Sequence[object]) -> list[str]:
        """Ids of jobs (class, arguments, settings) enqueued with the system's own client."""
        return self.told(url, self.produces, jobs)

    @contextmanager
    def working(
        self, url: str, log: Path, command: str = "work"
    ) -> Iterator[subprocess.Popen[bytes]]:
        variables = {**self.variables, "DATABASE_URL": url}
        with worker([*self.words, command], variables, log) as process:
            yield process


def procrastinate() -> Program:
    words = (sys.executable, "-m", "tests.connectors.workers.procrastinate_app")
    return Program(words, {"PYTHONPATH": str(ROOT)}, "defer")


def pg_boss(series: str = "") -> Program:
    """pg-boss; `series` chooses an older one by the end of its folder's name: `-10`."""
    return _node(f"npm-pg-boss{series}", "pg-boss", "pgboss_worker.mjs", "PGBOSS_MODULES", "send")


def graphile() -> Program:
    folder, package = "npm-graphile-worker", "graphile-worker"
    return _node(folder, package, "graphile_worker.mjs", "GRAPHILE_MODULES", "add")


def delayed_job() -> Program:
    ruby, needed = shutil.which("ruby"), "require 'pg'; require 'delayed_job_active_record'"
    words = [ruby or "", "-e", f"require 'active_record'; {needed}"]
    if ruby is None or subprocess.run(words, capture_output=True, check=False).returncode:
        skip_or_fail(ServerMissing("delayed_job", DELAYED_JOB_INSTALL))
    return Program((ruby, str(FOLDER / "delayed_job_worker.rb")), {}, "enqueue")


def _node(folder: str, package: str, file: str, variable: str, produces: str) -> Program:
    node = shutil.which("node")
    packages = cached_programs(f"{folder}/node_modules/{package}")
    if node is None or not packages:
        skip_or_fail(ServerMissing(package, f".ci/install-servers (npm package {package})"))
    modules = next(iter(packages.values())).parent
    return Program((node, str(FOLDER / file)), {variable: str(modules)}, produces)


def connector_of(kind: type[SqlQueueConnector], url: str, **options: object) -> SqlQueueConnector:
    validated = SqlQueueOptions.model_validate({"dsn": url, **options})
    return kind("jobs", validated, KeyRules())


def around_now(minutes: int = 10) -> Window:
    """A window pinned a second ago that reaches a little into the future."""
    now = time.time_ns()
    return Window(now - SECOND_NS, now - minutes * 60 * SECOND_NS, now + 5 * SECOND_NS)


def fetch(
    kind: type[SqlQueueConnector], url: str, window: Window | None = None, **options: object
) -> Collected:
    return fetched(connector_of(kind, url, **options), window or around_now(), Budget())


def look_up(kind: type[SqlQueueConnector], url: str, *keys: str, **options: object) -> Collected:
    return looked_up(connector_of(kind, url, **options), keys, around_now())


def reader(database: Database, schema: str = "public") -> str:
    """URL of a role that may only read the queue's tables."""
    url, _ = database.role(*(grant.format(schema=schema) for grant in READS))
    return url


def true(database: Database, question: str) -> bool:
    """Whether the one value that a statement answers is true."""
    with database.connected() as connection:
        row = connection.execute(question.encode()).fetchone()
    return row is not None and bool(row[0])


def life(collected: Collected, job: str) -> list[tuple[Kind, str]]:
    """What is told of one job, in order: kind and words."""
    told = sorted(
        (event for event in collected.events if f"job:{job}" in event.keys),
        key=lambda event: (event.timestamp, event.seq),
    )
    return [(event.kind, event.body) for event in told]


def attributes(event: Event) -> dict[str, object]:
    found: dict[str, object] = json.loads(event.attributes or "{}")
    return found


def depth(collected: Collected, queue: str) -> dict[str, object]:
    (event,) = [e for e in collected.events if e.kind is Kind.METRIC and e.actor == queue]
    return attributes(event)
