"""The yard's jobs, and the process that runs them: `python -m tests.lab.faults.jobs REDIS HOST`.

With a number of seconds behind it is the scheduler that puts `tally` on the queue so often.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

import psycopg
from redis import Redis
from rq import Worker, get_current_job
from rq.cron import CronScheduler

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


if os.environ.get("YARD_RELEASE") == "1.8.2":
    send_letter = letter
    """What a letter was called until it was renamed."""


def slow_letter(member_id: int, takes_s: float = 0.4) -> None:
    """A letter with a long text: the connection is held while it is written."""
    job = get_current_job()
    assert job is not None
    with psycopg.connect(os.environ["YARD_DATABASE"], application_name="letters") as connection:
        time.sleep(takes_s)
        connection.execute("INSERT INTO letters (member_id) VALUES (%s)", (member_id,))
    log.info("letter sent member_id=%s job_id=%s", member_id, job.id)


def tally() -> None:
    """Count the letters; nobody is named."""
    with psycopg.connect(os.environ["YARD_DATABASE"], application_name="letters") as connection:
        row = connection.execute("SELECT count(*) FROM letters").fetchone()
    log.info("tally: %s letters so far", row[0] if row else 0)


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
    url, host, *every = sys.argv[1:]
    shape = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    formatter = logging.Formatter(shape, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    for name in ("letters", "rq.worker", "rq.cron"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False
    connection = Redis.from_url(url)
    if every:
        from tests.lab.faults.jobs import tally  # by the name that workers can import

        scheduler = CronScheduler(connection=connection, name=host)
        scheduler.register(tally, queue_name=QUEUE, interval=int(every[0]))
        scheduler.start()  # type: ignore[no-untyped-call]  # RQ leaves it bare
    else:
        Worker([QUEUE], connection=connection, name=host).work(with_scheduler=True)


if __name__ == "__main__":
    main()
