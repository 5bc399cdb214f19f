"""One job crashes the process that runs it, whoever takes it; it is retried three times."""

from __future__ import annotations

from rq import Retry

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard


def break_it(yard: Yard) -> Wrong:
    for host in ("letters-1", "letters-2"):
        yard.start_worker(host)
    queue = yard.queue()
    for number in range(1, 13):
        yard.run(f"INSERT INTO members (name) VALUES ('m{number}')")
        queue.enqueue("tests.lab.faults.jobs.letter", number)
    job = queue.enqueue("tests.lab.faults.jobs.eats_its_worker", 7, retry=Retry(max=3))
    yard.until(lambda: job.get_status(refresh=True) == "failed", "the job is given up")
    return Wrong("poison-job", (job.id,), frozenset(("lost-worker", "delivered-again")))
