"""A settlement that is due every few minutes takes longer than that, once enough meters report.

Every run works through the same areas. The one that first lasts too long is still at it when the
next one is due and starts beside it, and so does each that follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.seventh_company.acts import in_tongue, opened
from tests.score.seventh_company.utility import Shift, move_in, without_pause
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

AREAS = 8
BEGINS = {
    "nest": "[BalanceService] balance run begins runId={run} areas={areas}",
    "slog": '{{"level":"INFO","msg":"balance run begins","run_id":"{run}","areas":{areas}}}',
}
SETTLED = {
    "nest": "[BalanceService] area {area} settled runId={run}",
    "slog": '{{"level":"INFO","msg":"area settled","area":{area},"run_id":"{run}"}}',
}
OVER = {
    "nest": "[BalanceService] balance run over runId={run} +{ms}ms",
    "slog": '{{"level":"INFO","msg":"balance run over","run_id":"{run}","duration_ms":{ms}}}',
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run; seconds of the window."""

    began: float
    took: float
    keys: Entity


def prepare(world: World) -> None:
    move_in(world)
    without_pause(world)


def inject(world: World) -> Truth:
    here = opened(world)
    period = here.rng.choice((100.0, 120.0, 150.0))
    first = here.onset_s % period
    job_class = "balance.run" if here.brand.name == "pg-boss" else "balance_run"
    runs: list[Run] = []
    at, grown = first, here.rng.uniform(1.15, 1.5)
    while at < here.end_s - 3:
        if at < here.onset_s - period * 1.5:
            took = period * here.rng.uniform(0.3, 0.6)
        else:
            took = period * grown * here.rng.uniform(0.98, 1.05)
            grown *= 1.03
        runs.append(_run(here, at + here.rng.uniform(0.1, 1.2), took, job_class))
        at += period
    if here.rng.random() < 0.6:
        work = Work(job_class=job_class)
        plan = Schedule("balance run", work, every=int(period) * SECOND_NS, tolerance=MINUTE_NS)
        here.knowledge = replace(here.knowledge, schedules=(*here.knowledge.schedules, plan))
    pairs = [(one, two) for one, two in pairwise(runs) if _together(one, two)]
    hit = dict.fromkeys(run.keys for pair in pairs for run in pair)
    return fault(
        here,
        "run-overlap",
        here.end_s,
        hit,
        alternates=("overlapping-runs",),
        effect=len(pairs) >= 2 and all(two.began > here.onset_s - 5 for _, two in pairs),
    )


def _run(here: Shift, seconds: float, took: float, job_class: str) -> Run:
    """One run from its push to its end, or as far as the collection goes."""
    firm, worker = here.utility, here.utility.worker
    host, run = here.rng.choice(worker.hosts), f"b{here.rng.getrandbits(40):010x}"
    job = Job(
        here.job_id_at(seconds), job_class, "", (), job_class, host, [here.at(seconds - 0.09)]
    )
    if here.brand.name != "pg-boss":
        job.queue = firm.queue
    here.jobs.append(job)
    over = seconds + took < here.end_s
    ended = here.at(seconds + took) if over else None
    outcome = "finished" if over else "running"
    job.attempts.append(Attempt(here.at(seconds), ended, outcome, here.worker_on(host), host))
    told = {"run": run, "areas": AREAS, "ms": int(took * 1000)}
    here.line(seconds + 0.01, worker, in_tongue(worker, BEGINS, **told), host=host)
    for area in range(1, AREAS + 1):
        at = seconds + took * (area - here.rng.uniform(0.05, 0.3)) / AREAS
        if at < here.end_s:
            here.line(at, worker, in_tongue(worker, SETTLED, run=run, area=area), host=host)
    if over:
        here.line(seconds + took, worker, in_tongue(worker, OVER, **told), host=host)
    return Run(seconds, took, frozenset((f"job:{job.id}", f"run:{run}")))


def _together(one: Run, two: Run) -> bool:
    return one.began + one.took > two.began + 1
