"""One attempt of a job that ended with its worker, and the words by which such a loss is told.

What the signs are and how they are found is the business of `timeline.facts.lost_work`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

DEATH_WORDS = (
    r"Work-horse (?:process was )?terminated unexpectedly|AbandonedJobError|WorkerLostError"
    r"|[Ww]orker exited prematurely|Work.horse killed for job"
    r"|DirtyExit|Job terminated unexpectedly|Worker went away|Stuck job rescued by Rescuer"
    r"|task lease expired|job failed by timeout in active state"
    r"|shut down while active|Detected zombie job"
    r"|Worker Timeout \(killed manually\)|SolidQueue::Processes::Process\w*Error"
    r"|GoodJob::InterruptError|was found interrupted|was found without its process"
    r"|was lost with its worker"
)
"""Errors that queues file for a job whose worker is gone: RQ 3.0 (worker_classes.py, registry.py),
Celery (billiard), Resque and node-resque (worker, forceCleanWorker), Solid Queue, GoodJob; Minion,
River, asynq, pg-boss and Airflow from general knowledge."""
GAVE_UP = "job stalled more than"
"""BullMQ's reason for a job whose stalls were too many. It repeats the last stall, and is a sign of
its own only where that stall is not on record."""
DEATH = f"{DEATH_WORDS}|{GAVE_UP}"
NAMED_DEATH = re.compile(
    r"terminated unexpectedly|exited prematurely|Work.horse killed|\bsignal:? [1-9]\d*\b|SIGKILL"
)
"""A declaration that says that the process died, not only that it fell silent."""
CHILD_DEATH = re.compile(r"Work.horse|exited prematurely|Job terminated unexpectedly")
"""What died was the process of one job; the worker that had started it lives on."""
HEARTBEAT = "its last heartbeat"
LAST_LINE = "the last line of its host"
VANISHED = "vanished"
SIGNS = ("declared", "silent", "overdue", "killed", VANISHED)
"""Strongest first; of one attempt only the strongest is kept."""


@dataclass(frozen=True, slots=True)
class LostAttempt:
    """One attempt that nobody finished. `job` is its key; instants in ns UTC.

    `alive` is the last sign of life before `noticed` (None when there is none), `noticed` when the
    loss was declared or seen. `worker` is empty when nobody names it. `said` are the words of the
    sign; `start` is None when the beginning is not on record.
    """

    job: str
    job_class: str
    args: str
    source: str
    worker: str
    start: int | None
    start_row: int | None
    alive: int | None
    alive_how: str
    noticed: int
    row: int
    sign: str
    said: str
    lease: int | None = None
    """Length of the lease that expired, ns, where the queue tells."""
    host: str = ""
    """The worker's host, where its own log tells it."""
    outlived: bool = False
    """Whether that log goes on with the attempt after the loss was noticed: the worker was slow or
    cut off, and lost the job, but it lived."""
    doubt: str = ""
    """Why a host that seems to be gone may be there; empty where nothing speaks for that."""

    @property
    def lost_from(self) -> int:
        """From when on the loss can be dated, ns: a start hours before says nothing of it."""
        if self.alive is not None and self.alive_how in (HEARTBEAT, LAST_LINE):
            return self.alive
        return max(self.alive or 0, self.noticed - (self.lease or 0))

    @property
    def named(self) -> bool:
        """Whether the queue itself says that the process died."""
        return self.sign == "declared" and NAMED_DEATH.search(self.said) is not None

    @property
    def child(self) -> bool:
        """Whether only the child process of one job died."""
        return self.named and CHILD_DEATH.search(self.said) is not None


def once_each(lost: Sequence[LostAttempt]) -> list[LostAttempt]:
    """`lost` with only the last death of a job that took down process after process of its own.

    No worker went then; that one job was lost again and again is for `poison-job` to tell.
    """
    last = {one.job: one for one in sorted(lost, key=lambda one: one.noticed)}
    return [one for one in lost if not (one.child and last[one.job].child) or last[one.job] is one]
