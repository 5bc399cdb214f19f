"""A run every two minutes takes longer with every record that is left over, until one still works
when the next begins. Nothing keeps them apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from tests.score.families.acts import fault
from tests.score.fourth_company.brands import KEEPING, QUEUES
from tests.score.fourth_company.company import Shift, job_names, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.queues import Attempt, Job
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

WORKS = ("reconcile_ledger", "rebuild_index", "sync_directory")


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 4))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    work, every = rng.choice(WORKS), rng.choice((60, 90, 120))
    first = night.onset_s % every
    slots = [first + n * every for n in range(int((night.end_s - first - 2) // every) + 1)]
    swell = rng.uniform(1.15, 1.7)
    runs: list[tuple[float, float, Entity]] = []
    for slot in slots:
        late = (slot - night.onset_s) / every
        share = rng.uniform(0.2, 0.6) if late < -0.5 else min(4.0, swell + 0.3 * max(0.0, late))
        runs.append(_run(night, work, slot + rng.uniform(0, 1), share * every))
    hit = [
        one[2] | two[2]
        for one, two in pairwise(runs)
        if one[1] > two[0] and one[0] >= night.onset_s - 1
    ]
    by_class = night.brand.name in KEEPING
    schedule = Schedule(
        work.replace("_", " "),
        Work(job_class=work) if by_class else Work(log=f"{work} start"),
        every=every * SECOND_NS,
        tolerance=20 * SECOND_NS,
    )
    known = night.knowledge
    night.knowledge = replace(known, schedules=(*known.schedules, schedule))
    night.samples()
    return fault(
        night,
        "run-overlap",
        night.end_s,
        hit,
        also=("overlapping-runs",),
        effect=len(hit) >= 1,
    )


def _run(night: Shift, work: str, seconds: float, took: float) -> tuple[float, float, Entity]:
    """One run with its begin, its progress and its end, if that comes in time."""
    rng, firm = night.rng, night.house
    host = rng.choice(firm.worker.hosts)
    job = Job(night.new_job_id(), work, "", (), firm.queue, "cron-1", [night.at(seconds - 0.2)])
    end = seconds + took
    over = end < night.end_s - 1
    ended = night.at(end) if over else None
    outcome = "finished" if over else "running"
    attempt = Attempt(night.at(seconds), ended, outcome, night.worker_on(host), host)
    job.attempts.append(attempt)
    night.jobs.append(job)
    run = f"{work[:3]}{rng.getrandbits(24):06x}"
    words = f"run_id={run} job_id={job.id}"
    night.line(seconds, firm.worker, f"{work} start {words}", 9, host)
    at, records = seconds + 10, 0
    while at < min(end, night.end_s - 1):
        records += rng.randint(40, 90)
        night.line(at, firm.worker, f"{work} records={records} run_id={run}", 9, host)
        at += rng.uniform(8, 14)
    if over:
        night.line(end, firm.worker, f"{work} finish {words} records={records}", 9, host)
    return seconds, end, job_names(job.id) | {f"run:{run}"}
