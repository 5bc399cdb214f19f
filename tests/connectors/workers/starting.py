"""Starts the tests' Celery, dramatiq and BullMQ workers, and kills them as a crash would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.connectors.workers.running import FOLDER, SOON_S, worker
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from tests.servers.search_node import cached_programs

ROOT = FOLDER.parents[2]
BULLMQ_FILE = FOLDER / "bullmq_worker.mjs"
BULLMQ_INSTALL = ".ci/install-servers (npm packages bullmq and ioredis)"


def numbered(url: str, database: int) -> str:
    """The same Redis, another database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@contextmanager
def celery(
    url: str, log: Path, pool: str = "solo", **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker, one task at a time.

    The solo pool sends an early acknowledgement only after the task; the prefork pool before it.
    """
    words = [sys.executable, "-m", "celery", "--app", "tests.connectors.workers.celery_app"]
    words += ["worker", "--pool", pool, "--concurrency", "1", "--loglevel", "info"]
    with worker(words, {**_python(), "CELERY_BROKER_URL": url, **variables}, log) as process:
        yield process


@contextmanager
def dramatiq(url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real dramatiq worker with one thread."""
    words = [sys.executable, "-m", "dramatiq", "tests.connectors.workers.dramatiq_app"]
    words += ["--processes", "1", "--threads", "1"]
    with worker(words, {**_python(), "DRAMATIQ_BROKER_URL": url}, log) as process:
        yield process


@contextmanager
def bullmq(
    url: str, queue: str, log: Path, series: str = "", **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A real BullMQ worker; `options` are BullMQ's own, and `settled` ends it after so many.

    `series` chooses an older one by the end of its folder's name: `-4`.
    """
    words, variables = _bullmq(url, series)
    with worker([*words, "work", queue, json.dumps(options)], variables, log) as process:
        yield process


def add_to_bullmq(
    url: str, queue: str, jobs: Sequence[Mapping[str, object]], series: str = ""
) -> list[str]:
    """Add `{name, data, opts}` jobs with BullMQ's own client; their ids."""
    done = _told_bullmq(url, series, "add", queue, json.dumps(list(jobs)))
    return [str(job) for job in json.loads(done)]


def pause_bullmq(url: str, queue: str, series: str = "") -> None:
    """Stop a queue as an operator would."""
    _told_bullmq(url, series, "pause", queue)


def called(url: str, app: str, program: str, **variables: str) -> str:
    """Run a few lines against one of the Python applications, as its producer would."""
    variable = "CELERY_BROKER_URL" if app == "celery_app" else "DRAMATIQ_BROKER_URL"
    done = subprocess.run(
        [sys.executable, "-c", f"from tests.connectors.workers.{app} import *\n{program}"],
        env={**os.environ, **_python(), variable: url, **variables},
        capture_output=True,
        text=True,
        timeout=SOON_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def crash(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the worker and whatever it started, as the out-of-memory killer would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(SOON_S)


def _told_bullmq(url: str, series: str, *arguments: str) -> str:
    words, variables = _bullmq(url, series)
    done = subprocess.run(
        [*words, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=SOON_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _bullmq(url: str, series: str) -> tuple[list[str], dict[str, str]]:
    node = shutil.which("node")
    packages = cached_programs(f"npm-bullmq{series}/node_modules/bullmq")
    if node is None or not packages:
        skip_or_fail(ServerMissing("BullMQ", BULLMQ_INSTALL))
    folder = next(iter(packages.values())).parents[1]
    return [node, str(BULLMQ_FILE)], {"REDIS_URL": url, "BULLMQ_MODULES": str(folder)}


def _python() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "C_FORCE_ROOT": "1"}
