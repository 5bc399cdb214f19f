"""`backup`: an RQ worker for the queue `backups`, or with `timetable` what moves its waiting jobs.

`python -m shop.backup [timetable | first NIGHT DUE | drop]`. `first` puts the first message on the
queue; `drop` is an operator who saw two of them and removes the younger. Logs as `mailer` does.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from datetime import timedelta

from redis import Redis
from rq import Queue, Retry, Worker
from rq.job import Job
from rq.scheduler import RQScheduler

from .mailer import log_lines
from .measured import Measured
from .settings import Settings

log = logging.getLogger("backups")
LOGGERS = (log, logging.getLogger("rq.worker"), logging.getLogger("rq.scheduler"))
KEPT_S = 86_400


def work(settings: Settings, queue: Queue) -> None:
    """Work until SIGTERM."""
    name = f"{settings.host}.{os.getpid()}"
    worker = Worker([queue], name=name, connection=queue.connection)
    worker.hostname = settings.host
    worker.work()


def first(settings: Settings, queue: Queue, night: str, due: float) -> None:
    """Kick the can for the first time."""
    job = queue.enqueue_in(
        timedelta(seconds=1),
        "shop.backups.run_all_backups",
        night=night,
        due=due,
        retry=Retry(max=1),
        result_ttl=KEPT_S,
    )
    Measured(settings.measured).note("first", job=job.id, night=night, at=time.time_ns())
    log.info("first message for %s is job_id=%s", night, job.id)


def drop(settings: Settings, queue: Queue) -> None:
    """Remove all but the oldest of the messages that wait."""
    waiting = [*queue.scheduled_job_registry.get_job_ids(), *queue.job_ids]
    jobs = [job for job in Job.fetch_many(waiting, connection=queue.connection) if job is not None]
    jobs.sort(key=lambda job: str(job.created_at))
    for job in jobs[1:]:
        Measured(settings.measured).note("dropped", job=job.id, at=time.time_ns())
        job.delete()
        log.info("removed one of %d messages: job_id=%s", len(jobs), job.id)


def main() -> None:
    settings = Settings.from_environment()
    log_lines(settings, *LOGGERS)
    queue = Queue("backups", connection=Redis.from_url(settings.redis_url))
    words = sys.argv[1:]
    if words[:1] == ["timetable"]:
        timetable = RQScheduler([queue], connection=queue.connection, interval=1)
        timetable.hostname = settings.host
        log.info("moving due messages to backups")
        timetable.work()  # type: ignore[no-untyped-call]  # RQ types no arguments here
    elif words[:1] == ["first"]:
        first(settings, queue, words[1], float(words[2]))
    elif words[:1] == ["drop"]:
        drop(settings, queue)
    else:
        work(settings, queue)


if __name__ == "__main__":
    main()
