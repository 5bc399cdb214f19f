"""A letter is put on the queue inside a transaction that is then rolled back."""

from __future__ import annotations

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    log, queue = yard.service("shop"), yard.queue()
    with yard.connected("shop") as connection:
        row = connection.execute("INSERT INTO members (name) VALUES ('x') RETURNING id").fetchone()
        assert row is not None
        job = queue.enqueue("tests.lab.faults.jobs.letter", row[0])
        log.info("letter queued member_id=%s job_id=%s", row[0], job.id)
        yard.until(lambda: job.get_status(refresh=True) == "failed", "the job did not find it")
        connection.rollback()
        log.warning("sign-up of member_id=%s rolled back", row[0])
    return Wrong("job-before-commit", (job.id,))
