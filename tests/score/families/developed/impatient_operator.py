"""An operator starts the month's statements, sees nothing for minutes and presses again, and again.

The first run still goes. Every press begins at the first record, so the same records are worked on
several times; each run is its own job with the same arguments.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.second_company.elsewhere import Night, job_keys, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    settle(world, ("oban", "river", "bullmq"), workers=(2, 6))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm = here.rng, here.firm
    name, who = rng.choice(("MonthlyStatements", "RebuildIndex", "PayoutRun")), f"admin-{firm.zone}"
    records = [here.new_id() for _ in range(rng.randint(50, 120))]
    presses, gap, at = rng.randint(2, 4), rng.uniform(25, 60), here.onset_s
    jobs, worked = list[Job](), dict[str, int]()
    for press in range(presses):
        last = press == presses - 1
        reach = len(records) if last else rng.randint(len(records) // 2, len(records))
        jobs.append(_press(here, name, at, who, records[:reach], worked))
        at += gap * rng.uniform(0.7, 1.3)
    hit: list[Entity] = [job_keys(job.id) for job in jobs]
    again = [record for record, times in worked.items() if times > 1]
    keys = [frozenset((f"{firm.thing}:{record}",)) for record in again]
    ended = jobs[0].attempts[0].ended
    overlap = ended is None or ended > jobs[1].attempts[0].started
    return fault(
        here,
        "re-press",
        here.end_s,
        [*hit, *keys],
        also=("run-overlap", "overlapping-runs", "extra-runs", "duplicate-enqueue"),
        effect=len(again) >= 5 and overlap,
    )


def _press(
    here: Night, name: str, at: float, who: str, records: list[str], worked: dict[str, int]
) -> Job:
    """One press of the button and the run that it starts, over `records` from the first on."""
    firm, rid = here.firm, here.request_id()
    told = {"method": "POST", "path": f"/admin/{name.lower()}", "rid": rid}
    host = here.say(at, firm.front, "begin", told)
    job = Job(here.new_job_id(), name, "month=2026-01", (), "admin", host, [here.at(at + 0.02)])
    here.jobs.append(job)
    here.line(at + 0.01, firm.front, f"{name} requested by {who} request_id={rid}", host=host)
    words = f"{name} queued job_id={job.id} request_id={rid} month=2026-01"
    here.line(at + 0.03, firm.front, words, host=host)
    here.say(at + 0.06, firm.front, "end", {**told, "status": 202, "ms": 60}, host=host)
    there, step = here.rng.choice(firm.worker.hosts), at + 0.4
    here.line(step, firm.worker, f"{name} run begins job_id={job.id} month=2026-01", host=there)
    for record in records:
        step += here.rng.uniform(1.2, 3.5)
        if step > here.end_s - 3:
            break
        words = f"{name} wrote {firm.thing}_id={record} job_id={job.id}"
        here.line(step, firm.worker, words, host=there)
        worked[record] = worked.get(record, 0) + 1
    ended = None if step > here.end_s - 3 else here.at(step + 0.2)
    outcome = "running" if ended is None else "finished"
    job.attempts.append(Attempt(here.at(at + 0.4), ended, outcome, here.worker_on(there), there))
    return job
