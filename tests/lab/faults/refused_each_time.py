"""A look-alike of a poisoned job: it fails with the same exception each time, harming nobody."""

from __future__ import annotations

from rq import Retry

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("poison-job", "lost-worker", "delivered-again")


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    job = yard.queue().enqueue("tests.lab.faults.jobs.always_refused", 3, retry=Retry(max=3))
    yard.until(lambda: job.get_status(refresh=True) == "failed", "the job is given up")
    return Wrong("")
