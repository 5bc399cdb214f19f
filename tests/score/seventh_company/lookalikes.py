"""What looks like a fault of this company's nights and is none: each names what must stay silent.

A planned return of the workers at a measured pace, two rows that are written together because a
meter has two registers, a host that logs in whole seconds, runs that overlap because each has an
area of its own, one caller that tries again and waits longer every time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tests.score.healthy import healthy, write
from tests.score.queues import Attempt, Job
from tests.score.seventh_company.acts import opened, spread, with_columns
from tests.score.seventh_company.utility import Shift, move_in, without_pause
from tests.score.world import World
from timeline.event import PRECISION_NS, SEVERITY_WARN, Event, Precision
from timeline.knowledge import Overlap, Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

PERIOD_S = 120


@dataclass(frozen=True, slots=True)
class Lookalike:
    """`terms` must stay silent on a night that `prepare` and `disturb` have made."""

    terms: tuple[str, ...]
    prepare: Callable[[World], None]
    disturb: Callable[[World], None]

    def night(self, seed: str) -> World:
        """A healthy night with the look-alike in it."""
        world = healthy(seed, (), self.prepare)
        self.disturb(world)
        return world


def _steady(world: World) -> None:
    move_in(world)
    without_pause(world)


def _announced_pause(world: World) -> None:
    move_in(world)
    world.paused = (world.onset_s - world.rng.uniform(150, 260), world.onset_s)


def _paced_return(world: World) -> None:
    """What was left is worked off evenly: not two and a half times what comes in anyway."""
    here = opened(world)
    queue, (begin, end) = here.utility.queue, here.paused
    here.change(begin, f"planned: fetching from {queue} stopped for an index build", who="ops")
    here.change(end, f"fetching from {queue} on again, ten jobs a minute per worker", who="ops")


def _two_registers(world: World) -> None:
    """Day and night tariff: two rows for one meter, which differ in their register."""
    here = opened(world)
    with_columns(here, here.utility.table, lambda: {"meter_no": _meter(here), "register": "1.8.0"})
    for at in spread(here, here.onset_s - 600, here.onset_s + 250, 14):
        number = _meter(here)
        for place, register in enumerate(("1.8.1", "1.8.2")):
            columns = {"meter_no": number, "register": register}
            write(here, at + place * 0.03, columns=columns)


def _meter(here: Shift) -> str:
    return f"1ESY{here.rng.randint(11, 25)}{here.rng.randint(10_000_000, 99_999_999)}"


def _whole_seconds(world: World) -> None:
    """One of the workers' hosts logs whole seconds: its lines stand up to a second too early."""
    here = opened(world)
    host, unit = here.rng.choice(here.utility.worker.hosts), PRECISION_NS[Precision.SECOND]
    told: list[tuple[Event, str]] = []
    for event, by in here.told:
        if by == host and event.clock == host:
            stamp = event.timestamp // unit * unit
            told.append((replace(event, timestamp=stamp, precision=Precision.SECOND), by))
        else:
            told.append((event, by))
    here.told = told


def _area_by_area(world: World) -> None:
    """Every two minutes a run begins that lasts three, each for another part of the grid."""
    here = opened(world)
    job_class, area = "losses.estimate", here.rng.randint(100, 400)
    at = here.rng.uniform(3, 60)
    while at < here.end_s - 5:
        _estimate(here, at, area, job_class)
        area, at = area + 1, at + PERIOD_S
    plan = Schedule(
        "estimate of losses",
        Work(job_class=job_class),
        every=PERIOD_S * SECOND_NS,
        tolerance=MINUTE_NS,
        overlap=Overlap.ALLOW,
    )
    here.knowledge = replace(here.knowledge, schedules=(*here.knowledge.schedules, plan))


def _estimate(here: Shift, seconds: float, area: int, job_class: str) -> None:
    worker = here.utility.worker
    host, took = here.rng.choice(worker.hosts), PERIOD_S * here.rng.uniform(1.3, 1.6)
    args, keys = f"area_id={area}", (f"area:{area}",)
    job = Job(
        here.job_id_at(seconds), job_class, args, keys, job_class, host, [here.at(seconds - 0.1)]
    )
    over = seconds + took < here.end_s
    ended, outcome = (here.at(seconds + took), "finished") if over else (None, "running")
    begun = here.at(seconds)
    job.attempts.append(Attempt(begun, ended, outcome, here.worker_on(host), host))
    here.jobs.append(job)
    here.line(seconds, worker, f"estimating losses area_id={area}", host=host)
    if over:
        here.line(seconds + took, worker, f"losses estimated area_id={area}", host=host)


def _one_waits_longer(world: World) -> None:
    """A single caller of a service under maintenance: 1, 2, 4, 8 … seconds, all night long."""
    here = opened(world)
    by = here.utility.backs[0]
    host, at = here.rng.choice(by.hosts), here.rng.uniform(5, 40)
    while at < here.end_s - 40:
        for attempt in range(1, 5):
            words = here.error(by, "refused", host="archive.svc", port=8080)
            here.line(at, by, f"attempt {attempt} of 5: {words}", SEVERITY_WARN, host)
            at += 2 ** (attempt - 1)
        here.line(at, by, "attempt 5 of 5 answered", host=host)
        at += here.rng.uniform(80, 160)


LOOKALIKES: Mapping[str, Lookalike] = {
    "paced-return": Lookalike(("resume-herd", "retry-storm"), _announced_pause, _paced_return),
    "two-registers": Lookalike(("duplicate-create", "duplicate-enqueue"), _steady, _two_registers),
    "whole-seconds": Lookalike(("clock-skew",), _steady, _whole_seconds),
    "area-by-area": Lookalike(("run-overlap", "overlapping-runs"), _steady, _area_by_area),
    "one-waits-longer": Lookalike(("retry-storm", "third-party"), _steady, _one_waits_longer),
}
