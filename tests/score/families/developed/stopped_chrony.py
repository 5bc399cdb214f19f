"""Nobody noticed that one machine no longer asks for the time. Its clock jumps when it is moved to
another hypervisor, or creeps away; what it writes stands before its cause or after its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm = night.house
    who = rng.choice(("worker", "front", "back"))
    speaker = {"worker": firm.worker, "front": firm.front, "back": firm.backs[0]}[who]
    host = rng.choice(speaker.hosts)
    jump = rng.choice((rng.uniform(1.5, 6.0), rng.uniform(8.0, 45.0)))
    ahead = who == "front" or (who == "back" and rng.random() < 0.5)
    creeps = rng.random() < 0.3
    rate = rng.uniform(0.006, 0.02)
    night.aside(night.onset_s - 40, "chronyd", "Can't synchronise: no selectable sources", 13, host)
    moved = rng.random() < 0.45 and not creeps
    if moved:
        night.change(
            night.onset_s - 1, f"live migration of {host} to hv-07 finished", who="vcenter"
        )
    elif not creeps:
        words = "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable"
        night.aside(night.onset_s - 0.5, "kernel", words, 13, host)

    def off(stamp: int) -> int:
        since = (stamp - night.at(night.onset_s)) / SECOND_NS
        by = 0.0 if since < 0 else rate * since if creeps else jump
        return int((by if ahead else -by) * 1000) * 1_000_000

    changed = _misdate(night, host, off)
    night.samples()
    return fault(
        night,
        "clock-skew",
        night.end_s,
        also=("change-before",) if moved else (),
        effect=changed >= 15 and abs(off(night.at(night.end_s))) > SECOND_NS,
    )


def _misdate(night: Shift, host: str, off: Callable[[int], int]) -> int:
    """Move every stamp that `host` itself gave; how many lines those were."""
    changed, told = 0, []
    for event, by in night.told:
        moved = event
        if (
            by == host
            and event.lane in (Lane.LOG, Lane.DATABASE)
            and (shifted := off(event.timestamp))
        ):
            moved = replace(event, timestamp=event.timestamp + shifted)
            changed += 1
        told.append((moved, by))
    night.told = told
    if night.brand.name == "rq":
        for attempt in (a for job in night.jobs for a in job.attempts if a.host == host):
            attempt.started += off(attempt.started)
            attempt.ended = None if attempt.ended is None else attempt.ended + off(attempt.ended)
        for job in (job for job in night.jobs if job.host == host):
            job.pushed = [stamp + off(stamp) for stamp in job.pushed]
    return changed
