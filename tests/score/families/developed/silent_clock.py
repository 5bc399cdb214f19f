"""What ran every few minutes does not run any more, and no line says so.

The scheduler lost its lock in a restart and waits for a holder that is gone, or the message that
puts itself back on the queue was lost. The next runs are due and nobody starts them.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.third_company.acts import close, version
from tests.score.third_company.house import KEEPING, Watch, move_in, watch
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

RUNS = (
    "exchange rates synchronised",
    "reminder sweep finished",
    "ledger snapshot uploaded",
    "expired holds released",
)


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    rng, worker = here.rng, here.house.worker
    every = rng.choice((60, 90, 120, 180))
    line = rng.choice(RUNS)
    host = rng.choice(worker.hosts)
    phase = (here.start // SECOND_NS) % every
    due = [float(n * every - phase) for n in range(1, int(here.end_s // every) + 2)]
    due = [at for at in due if 1 < at < here.end_s - 1]
    missed = next(at for at in due if at >= here.onset_s)
    here.onset_s = missed
    as_job = here.brand.name in KEEPING and rng.random() < 0.5
    job_class = f"{line.split()[0].title()}ClockJob"
    for at in (d for d in due if d < missed):
        took = rng.uniform(0.4, 3.0)
        begins = at + rng.uniform(0.1, 1.0)
        words = f"{line} rows={rng.randint(5, 4000)} took_ms={int(took * 1000)}"
        here.line(begins + took, worker, words, host=host)
        if as_job:
            _as_job(here, at, begins, took, job_class)
    restarted = rng.random() < 0.5
    if restarted:
        _restart(here, missed - rng.uniform(8, every * 0.6), host)
    if rng.random() < 0.7:
        schedule = Schedule(
            line.split()[0],
            Work(job_class=job_class) if as_job else Work(log=line),
            every=every * SECOND_NS,
            tolerance=min(every // 2, 45) * SECOND_NS,
        )
        known = here.knowledge
        here.knowledge = replace(known, schedules=(*known.schedules, schedule))
    close(here)
    return fault(
        here,
        "missed-run",
        here.end_s,
        also=("change-before",) if restarted else (),
        effect=here.counted(line, 0, missed) >= 4 and not here.counted(line, missed + 0.001),
    )


def _as_job(here: Watch, at: float, begins: float, took: float, job_class: str) -> None:
    """The same run as a job of the queue that the company has anyway."""
    worker = here.house.worker
    host = here.rng.choice(worker.hosts)
    pushed = [here.at(at + 0.01)]
    job = Job(here.new_job_id(), job_class, "", (), "clock", worker.hosts[0], pushed)
    ended = here.at(begins + took)
    job.attempts.append(Attempt(here.at(begins), ended, "finished", here.worker_on(host), host))
    here.jobs.append(job)


def _restart(here: Watch, at: float, host: str) -> None:
    """The worker that held the scheduler's lock is replaced by one that does not get it."""
    worker, commit = here.house.worker, version(here)
    words = f"rollout {commit[:12]} of {worker.name}"
    here.change(at - 20, words, worker.name, version=commit, who="argo", status="success")
    here.say(at - 4, worker, "stop", host=host)
    told = {"service": worker.name, "version": commit[:8], "n": 7}
    here.say(at, worker, "boot", told, host=host)
    if here.rng.random() < 0.6:
        words = f"scheduler: lock held by {host}/1, standing by"
        here.line(at + 0.4, worker, words, SEVERITY_WARN, host=host)
