"""The month is closed with a button in the back office. The proxy gives up after a minute, so it is
pressed again, and again, while the runs before it are still at work on the same records."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import SEVERITY_ERROR
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, job_names, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.queues import Attempt, Job
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import ExpectedSet, Work

PROXY_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run over `items`, in order: `dies_after` so many it ends, one every `pace` seconds."""

    id: str
    items: list[str]
    dies_after: int
    line: str
    pace: float


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(1, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm = night.house
    count, pace = rng.randint(60, 220), rng.uniform(1.2, 3.5)
    items = [night.new_id() for _ in range(count)]
    gaps = [rng.uniform(62, 150) for _ in range(rng.randint(1, 3))]
    presses = [night.onset_s - gaps[0], night.onset_s]
    for gap in gaps[1:]:
        if presses[-1] + gap < night.end_s - 60:
            presses.append(presses[-1] + gap)
    times = dict.fromkeys(items, 0)
    line = f"closed {firm.thing} for 2026-01"
    runs: list[Entity] = []
    for number, press in enumerate(presses):
        dies_after = rng.randint(20, count) if rng.random() < 0.4 else count
        run = Run(f"close-{number + 1}", items, dies_after, line, pace)
        keys, reached = _press(night, press, run)
        runs.append(keys)
        for item in reached:
            times[item] += 1
        pace *= rng.uniform(0.75, 1.1)
    twice = [night.entity(item).keys for item, often in times.items() if often > 1]
    if rng.random() < 0.45:
        expected = ExpectedSet(
            f"{firm.table} that are closed each month",
            Work(log=line),
            tuple(f"{firm.thing}:{item}" for item in items),
            ordered=True,
            asked_at=night.at(night.now_s),
        )
        known = night.knowledge
        night.knowledge = replace(known, expected=(*known.expected, expected))
    night.samples()
    return fault(
        night,
        "re-press",
        night.end_s,
        [*runs, *twice],
        also=(
            "run-overlap",
            "overlapping-runs",
            "extra-runs",
            "duplicate-enqueue",
            "duplicate-create",
            "partial-batch",
        ),
        effect=len(twice) >= 10,
    )


def _press(night: Shift, seconds: float, run: Run) -> tuple[Entity, list[str]]:
    """One press of the button and the run it starts: its own keys, the records it came to."""
    rng, firm = night.rng, night.house
    rid, host = night.request_id(), rng.choice(firm.front.hosts)
    told = {"method": "POST", "path": f"/backoffice/{firm.table}/close-month", "rid": rid}
    night.say(seconds, firm.front, "begin", told, host=host)
    job = Job(
        night.new_job_id(),
        "close_month",
        "month=2026-01",
        (),
        firm.queue,
        host,
        [night.at(seconds)],
    )
    night.jobs.append(job)
    sent = f"close_month month=2026-01 job_id={job.id}"
    night.line(seconds + 0.03, firm.front, f"queued {sent} request_id={rid}", 9, host)
    gone = f"{told['method']} {told['path']} 504 upstream timed out request_id={rid}"
    night.aside(seconds + PROXY_S, "haproxy", gone, SEVERITY_ERROR)
    worker, at = rng.choice(firm.worker.hosts), seconds + rng.uniform(0.2, 1)
    attempt = Attempt(night.at(at), None, "running", night.worker_on(worker), worker)
    job.attempts.append(attempt)
    night.line(at, firm.worker, f"begin {sent} run_id={run.id}", 9, worker)
    keys = job_names(job.id) | request_names(rid) | {f"run:{run.id}"}
    reached: list[str] = []
    for item in run.items[: run.dies_after]:
        at += run.pace * rng.uniform(0.5, 1.5)
        if at > night.end_s - 1:
            return keys, reached
        words = f"{run.line} {firm.thing}_id={item} run_id={run.id}"
        night.line(at, firm.worker, words, 9, worker)
        night.row(at, firm.effects, night.new_id(), columns={f"{firm.thing}_id": item}, host=worker)
        reached.append(item)
    attempt.ended, attempt.outcome = night.at(at + 0.2), "finished"
    if len(reached) == len(run.items):
        night.line(at + 0.2, firm.worker, f"end {sent} run_id={run.id}", 9, worker)
        return keys, reached
    error = night.error(firm.worker, "sql", message=night.server_says("statement"))
    attempt.outcome, attempt.error = "failed", error
    words = f"aborted {sent} run_id={run.id}: {error}"
    night.line(at + 0.2, firm.worker, words, SEVERITY_ERROR, worker)
    return keys, reached
