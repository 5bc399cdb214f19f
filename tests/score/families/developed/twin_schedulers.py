"""Two schedulers take themselves for the leader: a lease ran out during a pause, or the old machine
was never switched off. Whatever is due is started twice from then on."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import SEVERITY_WARN
from tests.score.fourth_company.brands import KEEPING, QUEUES
from tests.score.fourth_company.company import Shift, job_names, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.queues import Attempt, Job
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

WORKS = ("close_accounts", "send_reminders", "fetch_rates", "expire_carts")


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    work, every = rng.choice(WORKS), rng.choice((60, 120, 180))
    first = rng.uniform(5, every)
    slots = [first + n * every for n in range(int((night.end_s - first - 8) // every) + 1)]
    doubled = [slot for slot in slots if slot >= night.onset_s]
    moved = rng.random() < 0.4
    told = night.onset_s - rng.uniform(2, 20)
    if moved:
        night.change(told, "timers enabled on sched-b (migration from sched-a)", who="platform")
    else:
        words = "lease expired 11.4 s ago, acquired leadership (fencing token 88)"
        night.aside(told, "scheduler", words, SEVERITY_WARN, "sched-b")
    hit: list[Entity] = []
    for slot in slots:
        runs = [_run(night, work, slot + rng.uniform(0, 0.4), slot, every, "sched-a")]
        if slot in doubled:
            again = slot + rng.uniform(0.05, 5.0)
            runs.append(_run(night, work, again, slot, every, "sched-b"))
            hit.append(runs[0] | runs[1])
    known = night.knowledge
    by_class = night.brand.name in KEEPING
    schedule = Schedule(
        work.replace("_", " "),
        Work(job_class=work) if by_class else Work(log=f"{work} begins"),
        every=every * SECOND_NS,
        tolerance=30 * SECOND_NS,
    )
    night.knowledge = replace(known, schedules=(*known.schedules, schedule))
    night.samples()
    return fault(
        night,
        "extra-runs",
        night.end_s,
        hit,
        onset_s=doubled[0],
        also=(
            "duplicate-enqueue",
            "overlapping-runs",
            "run-overlap",
            "failover",
            *(("change-before",) if moved else ()),
        ),
        effect=len(hit) >= 2,
    )


def _run(
    night: Shift, work: str, seconds: float, slot: float, every: int, scheduler: str
) -> Entity:
    """One run of the scheduled work, with the scheduler's line and the worker's own."""
    rng, firm = night.rng, night.house
    due = int(slot // every)
    job = Job(
        night.new_job_id(), work, f"slot={due}", (), firm.queue, scheduler, [night.at(seconds)]
    )
    night.jobs.append(job)
    run, start = f"{due}-{scheduler[-1]}{rng.randrange(1000):03}", seconds + 0.3
    took = rng.uniform(0.8, 6.0)
    night.aside(seconds, "scheduler", f"dispatched {work} slot={due} job_id={job.id}", 9, scheduler)
    host = rng.choice(firm.worker.hosts)
    ended = night.at(start + took)
    job.attempts.append(Attempt(night.at(start), ended, "finished", night.worker_on(host), host))
    words = f"{work} begins slot={due} run_id={run} job_id={job.id}"
    night.line(start + 0.01, firm.worker, words, 9, host)
    night.line(start + took, firm.worker, f"{work} ends slot={due} run_id={run}", 9, host)
    return job_names(job.id) | {f"run:{run}"}
