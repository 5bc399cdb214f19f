"""Runs real workers of other languages for the tests, each ended by its own pid.

A worker whose program or package is missing skips its tests, or fails them where every server has
to be there (HALFAWAKE_REQUIRE_SERVERS=1).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from tests.servers.search_node import cached_programs

FOLDER = Path(__file__).parent
SIDEKIQ_FILE = FOLDER / "sidekiq_worker.rb"
RESQUE_FILE = FOLDER / "resque_worker.mjs"
SIDEKIQ_INSTALL = "apt-get install ruby-sidekiq"
RESQUE_INSTALL = ".ci/install-servers (npm package node-resque)"
RESQUE_ZONE = "Asia/Kolkata"
"""Of the workers' clocks: it has no summer time and no whole hour, so a wrong guess shows."""
STOP_S = 20.0
SOON_S = 30.0
"""Until a worker has done a handful of jobs; Ruby starts in about a second."""


@contextmanager
def sidekiq(url: str, queues: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real Sidekiq process serving `queues`, ended cleanly (SIGTERM) unless it is gone."""
    program = shutil.which("sidekiq")
    if program is None:
        skip_or_fail(ServerMissing("Sidekiq", SIDEKIQ_INSTALL))
    words = [program, "-r", str(SIDEKIQ_FILE), "-c", "3"]
    for queue in queues:
        words += ["-q", queue]
    with worker(words, {"REDIS_URL": url}, log) as process:
        yield process


def push(url: str, *jobs: tuple[object, ...]) -> list[str]:
    """Push jobs (class, arguments, seconds to wait, queue) with Sidekiq's own client; their ids."""
    ruby = shutil.which("ruby")
    if ruby is None or shutil.which("sidekiq") is None:
        skip_or_fail(ServerMissing("Sidekiq", SIDEKIQ_INSTALL))
    done = subprocess.run(
        [ruby, str(SIDEKIQ_FILE), "push"],
        input="".join(f"{json.dumps(job)}\n" for job in jobs),
        env={**os.environ, "REDIS_URL": url},
        capture_output=True,
        text=True,
        timeout=SOON_S,
        check=True,
    )
    return done.stdout.split()


@contextmanager
def resque(
    url: str, queues: Sequence[str], log: Path, stuck_ms: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """A real node-resque worker, ended cleanly (SIGTERM) unless it is gone.

    With `stuck_ms` a scheduler beside it files the jobs of workers silent for longer as failed.
    """
    words, variables = _node_resque(url)
    variables["STUCK_MS"] = str(stuck_ms)
    with worker([*words, "work", *queues], variables, log) as process:
        yield process


def push_to_resque(url: str, *jobs: tuple[object, ...]) -> None:
    """Push jobs (queue, class, arguments, milliseconds to wait) with node-resque's own client."""
    words, variables = _node_resque(url)
    subprocess.run(
        [*words, "push"],
        input="".join(f"{json.dumps(job)}\n" for job in jobs),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=SOON_S,
        check=True,
    )


def _node_resque(url: str) -> tuple[list[str], dict[str, str]]:
    node = shutil.which("node")
    packages = cached_programs("npm-node-resque/node_modules/node-resque")
    if node is None or not packages:
        skip_or_fail(ServerMissing("node-resque", RESQUE_INSTALL))
    parts = urlsplit(url)
    variables = {
        "RESQUE_MODULES": str(next(iter(packages.values())).parents[1]),
        "REDIS_PORT": str(parts.port),
        "REDIS_PASSWORD": parts.password or "",
        "REDIS_DATABASE": parts.path.strip("/") or "0",
        "TZ": RESQUE_ZONE,
    }
    return [node, str(RESQUE_FILE)], variables


@contextmanager
def worker(
    words: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """One process with its output in `log`; SIGTERM at the end, SIGKILL when that is not enough."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            words,
            cwd=log.parent,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)


def until(condition: Callable[[], object], what: str, log: Path, within_s: float = SOON_S) -> None:
    """Wait for `condition`, or fail with the worker's last lines."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s:.0f} s; {_tail(log)}")
        time.sleep(0.05)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
