"""The entry of a repeating job is gone from the queue: it was due every minute or two, and is not
pushed any more. Other jobs go on as ever; nothing says a word.

A person sees it by: a class of job with ten or more runs, equally far apart, and then none for
several times that distance, while the queue was read in full; on some nights the schedule that the
team has written down; on most, a release just before the first one that is missing.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.families.rota import ticks
from tests.score.queues import REMEMBERING, Attempt, Job
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

BRANDS = REMEMBERING
_NAMES = (
    "ExpireHolds",
    "pull-exchange-rates",
    "tasks.sync_stock",
    "Ledger::SettleJob",
    "ReapCarts",
)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    name, every = rng.choice(_NAMES), rng.choice((45.0, 60.0, 75.0, 90.0))
    queue, host = rng.choice(("cron", "maintenance", firm.queue)), rng.choice(firm.worker.hosts)
    due = ticks(rng.uniform(3, every), world.end_s - 5, every)
    pushed = [at for at in due if at < world.onset_s]
    for at in pushed:
        sent = at + rng.uniform(0.01, 0.4)
        job = Job(world.new_job_id(), name, "", (), queue, host, [world.at(sent)])
        runner = rng.choice(firm.worker.hosts)
        begun = sent + rng.uniform(0.02, 0.8)
        ended = world.at(begun + rng.uniform(0.5, 9))
        worker = world.worker_on(runner)
        job.attempts.append(Attempt(world.at(begun), ended, "finished", worker, runner))
        world.jobs.append(job)
    released = rng.random() < 0.7
    if released:
        at = pushed[-1] + rng.uniform(2, every - 4)
        words = f"deployed {firm.worker.name} {rng.getrandbits(40):010x}"
        world.change(at, words, firm.worker.name, who="pipeline", status="success")
    if rng.random() < 0.5:
        work = Work(job_class=name)
        schedule = Schedule(
            name.lower(), work, every=int(every * SECOND_NS), tolerance=20 * SECOND_NS
        )
        world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    return fault(
        world,
        "missed-run",
        world.end_s,
        onset_s=pushed[-1] + every,
        also=("change-before",) if released else (),
        effect=len(pushed) >= 10 and len(due) - len(pushed) >= 4,
    )
