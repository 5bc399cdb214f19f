"""Celery workers of the yard: `celery_jobs.py`, run by the real `celery worker`."""

from __future__ import annotations

import subprocess
import sys

from tests.lab.yard import Yard


def start_worker(yard: Yard, host: str, **environment: str) -> subprocess.Popen[bytes]:
    """A worker that does one task at a time in its own process, ready; its log is `HOST.log`."""
    words = "-m celery -A tests.lab.faults.celery_jobs worker -P solo -l INFO -n"
    process = yard.start(host, sys.executable, *words.split(), f"charges@{host}", **environment)
    log = yard.logs / f"{host}.log"
    yard.until(lambda: "ready." in log.read_text(), f"{host} is ready", 30)
    return process
