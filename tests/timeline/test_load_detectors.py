"""The load detectors together: one night that has all of it, and nights that have none of it."""

from __future__ import annotations

import json

import pytest

from timeline.analysis import analyse
from timeline.detectors.backlog import BacklogDetector
from timeline.detectors.full import FullDetector
from timeline.detectors.memory_leak import MemoryLeakDetector
from timeline.detectors.rejected_by_limit import RejectedByLimitDetector
from timeline.detectors.resume_herd import ResumeHerdDetector
from timeline.detectors.retry_storm import RetryStormDetector
from timeline.detectors.third_party import ThirdPartyDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, to_json
from timeline.order import Verdict

from .worlds import World, at, healthy, shop

DETECTORS = (
    BacklogDetector(),
    FullDetector(),
    MemoryLeakDetector(),
    RejectedByLimitDetector(),
    ResumeHerdDetector(),
    RetryStormDetector(),
    ThirdPartyDetector(),
)
PAUSE, RESUME = 600.0, 1200.0
POOL = "psycopg_pool.PoolTimeout: couldn't get a connection after 10.00 sec"


def note(world: World, seconds: float, body: str) -> None:
    world.events.append(
        Event(at(seconds), "notes", Lane.NOTE, Kind.NOTE, body, f"notes@{len(world.events)}")
    )


def second_fall() -> World:
    """Workers are paused, the queue fills, all of it is let go at once, the database falls again
    and every job is tried again and again."""
    world = World()
    for number in range(420):
        sent, job = 1 + number * 5.0, f"c{number}"
        more = {"queue": "charges", "job_class": "Charge"}
        world.job(sent, Kind.JOB_ENQUEUED, job, f"order_id={number}", **more)
        if sent < PAUSE - 2:
            world.job(sent + 0.1, Kind.JOB_STARTED, job, worker=f"w{number % 4}", **more)
            world.job(sent + 2.1, Kind.JOB_FINISHED, job, worker=f"w{number % 4}", **more)
        elif sent < RESUME:
            begin = RESUME + 1 + (number - 120) * 0.4
            while begin < RESUME + 240:
                world.job(begin, Kind.JOB_STARTED, job, **more)
                world.job(begin + 4, Kind.JOB_RETRIED, job, error=POOL, **more)
                begin += 20
    for number in range(40):
        world.error(RESUME + 12 + number * 4, "worker", f"{POOL} request_id=s{number}")
    note(world, PAUSE, "paused charges, orders are being repaired")
    note(world, RESUME, "resumed charges")
    return world


def found(world: World) -> dict[str, Finding]:
    analysis = analyse(world.incident(), DETECTORS)
    repairs = [one.sentence() for one in analysis.not_evaluated if "repair" in one.needs]
    assert repairs == []
    return {one.term: one for one in analysis.findings}


def test_one_night_that_falls_twice_is_told_in_three_findings() -> None:
    findings = found(second_fall())
    assert {"backlog", "resume-herd", "retry-storm"} <= set(findings)
    assert findings["backlog"].began < findings["resume-herd"].began
    assert findings["resume-herd"].verdict is Verdict.LIKELY
    for finding in findings.values():
        assert finding.sentence().endswith(".")
        assert finding.next_action == "" or finding.next_action.endswith(".")
        assert json.dumps(to_json(finding.evidence()))
        times = [step.event.timestamp for step in finding.steps]
        assert times == sorted(times)


@pytest.mark.parametrize("world", [healthy(World()), shop()], ids=["healthy", "hiccup"])
def test_nights_of_another_kind_have_none_of_it(world: World) -> None:
    assert found(world) == {}


def test_a_night_without_any_record_breaks_nothing() -> None:
    assert found(World()) == {}
