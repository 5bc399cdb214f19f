"""`mailer`: RQ workers for the queue `mailers`. Plain text log, as Python's logging writes it.

`python -m shop.mailer`; SIGTERM is RQ's warm shutdown.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from redis import Redis
from rq import Queue, Worker

from .measured import Measured
from .settings import Settings

if TYPE_CHECKING:
    from rq.executions import Execution
    from rq.job import Job


class MeasuredWorker(Worker):
    """RQ's own forking worker, which also notes when a job run began and ended.

    As `rq worker` does, it loads a job's module after the fork, for every job anew.
    """

    def __init__(self, settings: Settings, connection: Redis) -> None:
        super().__init__(
            [Queue("mailers", connection=connection)], name=settings.host, connection=connection
        )
        self.hostname = settings.host
        self._measured = Measured(settings.measured)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        began = time.time_ns()
        succeeded = super().perform_job(job, queue, execution)
        self._measured.note(
            "run",
            job=job.id,
            worker=self.name,
            start=began,
            end=time.time_ns(),
            outcome="finished" if succeeded else "failed",
        )
        return bool(succeeded)


def log_lines(settings: Settings, *loggers: logging.Logger) -> None:
    """Send what `loggers` say to the service's file, one line each, in UTC without a zone."""
    handler = logging.FileHandler(settings.log)
    handler.setFormatter(
        logging.Formatter(
            "%(asctime)s.%(msecs)03d %(levelname)s "
            f"{settings.service}[{settings.host}] %(message)s",
            datefmt="%Y-%m-%d %H:%M:%S",
        )
    )
    logging.Formatter.converter = time.gmtime
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False


def main() -> None:
    settings = Settings.from_environment()
    log_lines(settings, logging.getLogger("mailer"), logging.getLogger("rq.worker"))
    worker = MeasuredWorker(settings, Redis.from_url(settings.redis_url))
    worker.work()


if __name__ == "__main__":
    main()
