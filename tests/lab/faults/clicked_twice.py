"""An impatient visitor's browser sends the form twice; each request puts a letter on the queue."""

from __future__ import annotations

import secrets
import threading
import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

MEMBERS, TWICE = 30, (11, 23)
BETWEEN_CLICKS_S = 0.12


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    log, queue = yard.service("web"), yard.queue()

    def handle(member: int) -> None:
        request = secrets.token_hex(8)
        log.info("POST /members/%s/letters request_id=%s", member, request)
        job = queue.enqueue("tests.lab.faults.jobs.letter", member)
        log.info("POST /members/%s/letters 202 request_id=%s job_id=%s", member, request, job.id)

    for number in range(1, MEMBERS + 1):
        yard.run(f"INSERT INTO members (name) VALUES ('m{number}')")
        handle(number)
        if number in TWICE:
            again = threading.Timer(BETWEEN_CLICKS_S, handle, (number,))
            again.start()
            again.join()
        time.sleep(0.2)
    yard.drain()
    named = tuple(f"member:{number}" for number in TWICE)
    return Wrong("duplicate-enqueue", named, frozenset(("duplicate-create",)))
