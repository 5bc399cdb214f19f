"""The nightly run that is due in this half hour does not happen; the others do.

The crontab was replaced without it, or the scheduler's host is away: nothing says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.score.families.acts import fault, lines
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    due = -(-here.at(here.onset_s) // MINUTE_NS) * MINUTE_NS
    due_s = (due - here.start) / SECOND_NS
    name = here.rng.choice(("settlement file", "cold backup", "expiry sweep", "tariff import"))
    by_class = here.brand.keeps is None and here.rng.random() < 0.5
    line = f"{name} begun"
    work = Work(job_class="".join(name.title().split())) if by_class else Work(log=line)
    zone = here.firm.zone
    at = datetime.fromtimestamp(due // SECOND_NS, UTC).astimezone(ZoneInfo(zone))
    cron = f"{at.minute} {at.hour} * * *"
    schedule = Schedule(name, work, cron=cron, zone=zone, tolerance=2 * MINUTE_NS)
    schedules = (*here.knowledge.schedules, schedule, _another(here))
    here.knowledge = replace(here.knowledge, schedules=schedules)
    here.close_the_books()
    never = lines(here, line) == 0 and not any(j.job_class == work.job_class for j in here.jobs)
    others = lines(here, "heartbeat written") > 3
    return fault(here, "missed-run", here.end_s, onset_s=due_s, effect=never and others)


def _another(here: Night) -> Schedule:
    """A run every three minutes that is always on time."""
    line, at = "heartbeat written", here.rng.uniform(1, 170)
    while at < here.end_s - 2:
        here.line(at + here.rng.uniform(0, 1), here.firm.worker, line)
        at += 180
    return Schedule("heartbeat", Work(log=line), every=180 * SECOND_NS, tolerance=MINUTE_NS)
