"""A job that takes twenty minutes and is still running; its worker speaks all the time."""

from __future__ import annotations

from tests.score.queues import SHOWING
from tests.score.world import World

BRANDS = SHOWING
TERMS = ("lost-worker", "poison-job", "run-overlap", "blind-spot")


def disturb(world: World) -> None:
    firm = world.company
    thing = world.new_id()
    job = world.push(300, thing, firm.front.hosts[0], "YearlyExport")
    attempt = world.run(job, 301, 0, "running")
    at = 310.0
    while at < world.end_s:
        words = f"YearlyExport at row {int(at) * 40} job_id={job.id}"
        world.log(at, firm.worker.name, attempt.host, words)
        at += 10
