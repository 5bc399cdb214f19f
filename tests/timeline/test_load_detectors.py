"""The load detectors together: one night that has all of it, and nights that have none of it."""

from __future__ import annotations

import json
import random
from itertools import accumulate

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

from .test_backlog_samples import rabbit
from .test_memory_leak import MB, point
from .test_rejected_by_limit import access
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


def busy(seed: int) -> World:
    """A healthy night with everything that comes and goes: bursts, a batch, wandering depths and
    memory, refusals of visitors, throttling now and then, a deploy."""
    chance, world = random.Random(seed), World()
    for queue, shape in (("even", 1.0), ("bursty", 0.3)):
        arrivals = accumulate(chance.gammavariate(shape, 1 / shape) for _ in range(2000))
        served(world, chance, queue, [seconds for seconds in arrivals if seconds < 2090])
    batch = accumulate((chance.uniform(0.1, 0.4) for _ in range(250)), initial=900.0)
    served(world, chance, "nightly", list(batch))
    depth, memory = 5.0, 300.0 * MB
    for seconds in range(0, 2100, 5):
        depth = max(0.0, depth + chance.gauss(0, 4) - 0.05 * (depth - 8))
        rabbit(world, seconds, int(depth), 10, 10, queue="sampled")
        if seconds % 15 == 0:
            memory = max(150 * MB, memory + chance.gauss(0, 5 * MB))
            point(world, seconds, memory)
    for number in range(800):
        status = chance.choices([200, 302, 403, 404, 400, 422, 502], [90, 5, 2, 4, 2, 2, 1])[0]
        target = chance.choice(["/a", f"/users/{number}", "/s?q=" + "x" * chance.randint(1, 60)])
        access(world, chance.uniform(1, 2095), target, status, client=f"93.184.1.{number % 250}")
    for _ in range(60):
        line = "429 Client Error: Too Many Requests for url: https://api.mailgate.io/v3"
        world.error(chance.uniform(1, 2095), "mailer", line)
        world.log(chance.uniform(1, 2095), "web", "attempt 2 of 3 for stock", severity=13)
    world.change(chance.uniform(300, 1700), "deployed shop 12ab")
    return world


def served(world: World, chance: random.Random, queue: str, arrivals: list[float]) -> None:
    """Four workers serve them in turn; one in twenty fails once."""
    free = [0.0] * 4
    for number, sent in enumerate(arrivals):
        worker = min(range(4), key=free.__getitem__)
        begin = max(sent, free[worker]) + 0.01
        end = begin + chance.lognormvariate(0.2, 0.5)
        free[worker] = end
        job, more = f"{queue}{number}", {"queue": queue, "worker": f"w{worker}"}
        world.job(sent, Kind.JOB_ENQUEUED, job, **more)
        world.job(begin, Kind.JOB_STARTED, job, **more)
        if chance.random() < 0.05:
            world.job(end, Kind.JOB_RETRIED, job, error="Timeout", **more)
            world.job(end + 15, Kind.JOB_STARTED, job, **more)
            end += 16
        world.job(end, Kind.JOB_FINISHED, job, **more)


@pytest.mark.parametrize("seed", range(3))
def test_a_busy_healthy_night_has_qualifiers_at_most(seed: int) -> None:
    findings = found(busy(seed)).values()
    assert [one.sentence() for one in findings if not one.qualifier] == []


def test_a_night_without_any_record_breaks_nothing() -> None:
    assert found(World()) == {}
