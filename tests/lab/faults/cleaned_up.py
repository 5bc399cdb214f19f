"""A look-alike of a race: the member was deleted, long committed, before its letter's turn came."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("job-before-commit", "stale-read")


def break_it(yard: Yard) -> Wrong:
    queue = yard.queue()
    for number in range(1, 9):
        yard.run(f"INSERT INTO members (name) VALUES ('m{number}')")
        queue.enqueue("tests.lab.faults.jobs.letter", number)
    time.sleep(1)
    yard.run("DELETE FROM members WHERE id = 5")
    yard.start_worker("letters-1")
    yard.drain()
    assert queue.failed_job_registry.count == 1
    return Wrong("", (), frozenset(("orphaned-record",)))
