"""Healthy nights of planned work, drawn at random: none of its five detectors may speak up."""

from __future__ import annotations

import random

import pytest

from timeline.detectors.extra_runs import ExtraRunsDetector
from timeline.detectors.missed_run import MissedRunDetector
from timeline.detectors.partial_batch import PartialBatchDetector
from timeline.detectors.re_press import RePressDetector
from timeline.detectors.run_overlap import RunOverlapDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.knowledge import ExpectedSet, Knowledge, Schedule, Work

from .worlds import World

END = 2095.0
APPS = tuple(f"app:{number}" for number in range(30))
KNOWN = Knowledge(
    schedules=(Schedule("sync", Work(job_class="sync"), cron="*/3 * * * *"),),
    expected=(ExpectedSet("exports", Work(log="exported"), APPS),),
)


def scheduled(world: World, draw: random.Random) -> None:
    """A cron job that begins a little late and takes up to most of its period."""
    for minute in range(0, 35, 3):
        start = minute * 60 + draw.uniform(0, 8)
        begun, ended = start + draw.uniform(0.01, 2), start + draw.uniform(3, 150)
        world.run(f"s{minute}", "", start, begun, ended, job_class="sync")


def even(world: World, draw: random.Random) -> None:
    """A job that nobody configured and that comes at an even pace."""
    period = draw.choice((30, 60, 90, 120))
    start, number = draw.uniform(0, period), 0
    while start < END:
        late = start + draw.uniform(0, period * 0.02)
        ended = min(late + draw.uniform(1, period * 0.7), END + 4)
        world.run(f"u{number}", "kind=full", late, late + 0.1, ended, job_class="prune")
        start, number = start + period, number + 1


def uneven(world: World, draw: random.Random) -> None:
    """Jobs without arguments that arrive as traffic does."""
    start, number, rate = 0.0, 0, draw.choice((10, 40))
    while (start := start + draw.expovariate(1 / rate)) < END:
        ended = start + draw.uniform(0.2, 5)
        world.run(f"q{number}", "", start, start + 0.1, ended, job_class="refresh")
        number += 1


def living_baton(world: World, draw: random.Random) -> None:
    """A job that puts itself back on the queue, and did so to the end."""
    start, number, args = 5.0, 0, "date=2026-03-14"
    more = {"job_class": "watch", "status": "scheduled"}
    while start < END + 4:
        world.job(start, Kind.JOB_STARTED, f"w{number}", args, **more)
        following = f"w{number + 1}"
        world.job(start + 0.05, Kind.JOB_ENQUEUED, following, args, **more)
        world.job(start + 0.1, Kind.JOB_FINISHED, f"w{number}", args, **more)
        start, number = start + 60 + draw.uniform(0, 3), number + 1


def whole_batches(world: World, draw: random.Random) -> None:
    """A batch with failures that a second try healed, and one that says how far it is."""
    start = draw.uniform(100, 1500)
    for number in range(len(APPS)):
        if draw.random() < 0.1:
            world.error(start + number, "exporter", f"exported app_id={number} failed")
    for number in range(len(APPS)):
        later = start + 40 + number * draw.uniform(0.5, 2)
        world.log(later, "exporter", f"exported app_id={number} ok")
    world.log(500, "importer", "processing 400 rows")
    for count in range(50, 401, 50):
        world.log(500 + count, "importer", f"{count} of 400 rows written")
    world.log(950, "importer", "import finished")


def traffic(world: World, draw: random.Random) -> None:
    """Requests that are repeated for one order, each with some lines about its items."""
    for number in range(60):
        start, order = draw.uniform(0, 2000), draw.randrange(20)
        request = f"request_id=h{number}"
        world.log(start, "web", f"POST /orders/{order}/confirm 200 {request}")
        for item in range(draw.randrange(8)):
            text = f"line item_id={order * 10 + item} confirmed {request}"
            world.log(start + 0.01 * item, "web", text)


DETECTORS = (
    MissedRunDetector(),
    ExtraRunsDetector(),
    RunOverlapDetector(),
    PartialBatchDetector(),
    RePressDetector(),
)


@pytest.mark.parametrize("seed", range(8))
def test_a_healthy_night_is_silent(seed: int) -> None:
    draw = random.Random(seed)
    world = World(knowledge=KNOWN)
    for part in (scheduled, even, uneven, living_baton, whole_batches, traffic):
        part(world, draw)
    incident = world.incident()
    for detector in DETECTORS:
        result = detector.detect(incident)
        assert not isinstance(result, NotEvaluated), result.sentence()
        assert [finding.sentence() for finding in result] == []
