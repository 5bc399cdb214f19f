"""A release brings a parser that keeps every page it ever read, so all workers swell alike.

Memory is scraped once a minute, nobody drew a limit, and a life lasts some ten minutes: a dozen
points. Each worker is one unit of systemd on a machine of its own; the unit is ended at its
`MemoryMax` and started again, one machine after the other.

A person sees it by: resident memory of each worker, level until the release, then a saw whose
teeth have one slope on all machines; at each fall the journal of that machine, which tells of the
kill and of the start, and the worker's own first line. None stays level: all have the release.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.rota import unit_says
from tests.score.fourth_company.acts import deployed, forget_curves
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World

STEP_S = 60.0
MEBIBYTE = 2.0**20


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 4))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    worker = night.house.worker
    begin = rng.uniform(120, 420)
    deployed(night, begin - 30, worker)
    top, share = rng.choice((600, 900, 1400)) * MEBIBYTE, rng.uniform(0.25, 0.45)
    slope = top * (1 - share) / rng.uniform(420, 720)
    ended = 0
    for host in worker.hosts:
        forget_curves(night, "memory_bytes", about=f"{host}:")
        ended += _life(night, host, begin + rng.uniform(0, 60), top, share, slope)
    night.samples()
    return fault(
        night,
        "memory-leak",
        night.end_s,
        onset_s=begin,
        also=("lost-worker", "change-before", "orphaned-record", "deploy-skew"),
        effect=ended >= 2,
    )


def _life(night: Shift, host: str, begin: float, top: float, share: float, slope: float) -> int:
    """The curve of one worker with what its machine says at each end; how often it was ended."""
    rng, floor = night.rng, top * share
    pace = slope * rng.uniform(0.92, 1.08)
    deaths, at = list[float](), begin + (top - floor) / pace
    while at < night.end_s - 30:
        deaths.append(at)
        at += (top - floor) / pace + rng.uniform(3, 9)
    points = []
    for tick in range(int(night.end_s // STEP_S)):
        seconds = tick * STEP_S + 7
        since = max([death for death in deaths if death <= seconds], default=begin)
        held = floor + pace * max(0.0, seconds - since)
        points.append((seconds, held * rng.uniform(0.985, 1.015)))
    labels = {"job": night.house.worker.name, "instance": f"{host}:9273"}
    night.curve("process_resident_memory_bytes", labels, points)
    for death in deaths:
        _ended(night, host, death)
    return len(deaths)


def _ended(night: Shift, host: str, at: float) -> None:
    """systemd's words about one end and the start behind it, and the worker's own first line."""
    worker = night.house.worker
    unit = f"{worker.name}.service"
    unit_says(night, at, host, "systemd", f"{unit}: Failed with result 'oom-kill'.", 13)
    counter = night.rng.randint(1, 40)
    words = f"{unit}: Scheduled restart job, restart counter is at {counter}."
    unit_says(night, at + 1.1, host, "systemd", words)
    night.say(at + 3, worker, "boot", {"service": worker.name, "version": "9"}, host=host)
