"""The workers stood still while business went on; then eight begin at once, and the database has
fewer connections than that."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SETTINGS = {"max_connections": "6"}
WORKERS = 8
HELD_S, HELD = 8.0, 60


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    with yard.sign_ups(every_s=0.1):
        time.sleep(4)
        yard.stop_worker("letters-1")
        time.sleep(HELD_S)
    queue = yard.queue()
    for member in range(1, HELD + 1):
        queue.enqueue("tests.lab.faults.jobs.slow_letter", member, 1.0)
    for number in range(1, WORKERS + 1):
        yard.launch_worker(f"letters-{number}")
    yard.drain(within_s=60)
    failed = queue.failed_job_registry.count
    assert failed > 5, failed
    return Wrong("connections-exhausted", (), frozenset(("resume-herd", "backlog", "full")))
