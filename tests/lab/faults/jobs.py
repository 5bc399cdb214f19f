"""The yard's jobs, and the worker process that runs them: `python -m tests.lab.faults.jobs`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

import psycopg
from redis import Redis
from rq import Worker, get_current_job

from tests.lab.yard import QUEUE

log = logging.getLogger("letters")


class DoesNotExist(LookupError):
    """There is no such row."""


def letter(member_id: int) -> None:
    """Look the member up, then record the letter."""
    job = get_current_job()
    assert job is not None
    with psycopg.connect(os.environ["YARD_DATABASE"], application_name="letters") as connection:
        row = connection.execute("SELECT name FROM members WHERE id = %s", (member_id,)).fetchone()
        if row is None:
            raise DoesNotExist(f"Member {member_id} does not exist")
        connection.execute("INSERT INTO letters (member_id) VALUES (%s)", (member_id,))
    log.info("letter sent member_id=%s job_id=%s", member_id, job.id)


def eats_its_worker(member_id: int) -> None:
    """A library crashes in native code: the process is gone without a word."""
    job = get_current_job()
    assert job is not None
    log.info("rendering member_id=%s job_id=%s", member_id, job.id)
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


def always_refused(member_id: int) -> None:
    """An ordinary mistake, told by an exception each time."""
    raise ValueError(f"Member {member_id} has no address")


def main() -> None:
    url, host = sys.argv[1:]
    shape = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    formatter = logging.Formatter(shape, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    for name in ("letters", "rq.worker"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False
    Worker([QUEUE], connection=Redis.from_url(url), name=host).work(with_scheduler=True)


if __name__ == "__main__":
    main()
