"""`console`: an operator puts failed jobs back on the queue, as `rq requeue` does, and leaves.

`python -m shop.replay FUNCTION [AT_MOST]`; oldest first; logs as `mailer` does.
"""

from __future__ import annotations

import logging
import sys
import time

from redis import Redis
from rq import Queue
from rq.job import Job

from .mailer import log_lines
from .measured import Measured
from .settings import Settings


def main() -> None:
    settings = Settings.from_environment()
    log = logging.getLogger("replay")
    log_lines(settings, log)
    function = sys.argv[1]
    at_most = int(sys.argv[2]) if len(sys.argv) > 2 else None
    connection = Redis.from_url(settings.redis_url)
    registry = Queue("mailers", connection=connection).failed_job_registry
    held = Job.fetch_many(registry.get_job_ids(), connection=connection)
    failed = [
        job for job in held if job is not None and (job.func_name or "").endswith(f".{function}")
    ]
    chosen = sorted(failed, key=lambda job: str(job.enqueued_at))[:at_most]
    log.info("%s: %d failed jobs, putting %d back on mailers", function, len(failed), len(chosen))
    measured = Measured(settings.measured)
    for job in chosen:
        measured.note("replayed", job=job.id, at=time.time_ns())
        registry.requeue(job)
    log.info("%s: done", function)


if __name__ == "__main__":
    main()
