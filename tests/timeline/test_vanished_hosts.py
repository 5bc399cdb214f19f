"""lost-worker by a host that is gone: open jobs, no sign any more, siblings at their pace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.lost_worker import LostWorker, LostWorkerDetector
from timeline.event import Kind
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, at

GONE = 1000.0
HOSTS = ("mailer-a1.fra", "mailer-b2.fra", "mailer-c3.fra")


def found(world: World) -> list[LostWorker]:
    return findings_of(LostWorkerDetector(), world.incident(), LostWorker)


def ran(world: World, number: int, seconds: float, host: str, *, ended: bool = True) -> None:
    """One job on `host`, by the queue and by the worker's own lines."""
    job, told = f"m{number}", f"user_id={number}"
    worker = f"{host}:4711"
    world.job(seconds - 0.2, Kind.JOB_ENQUEUED, job, told, status="queued")
    world.job(seconds, Kind.JOB_STARTED, job, told, worker=worker, status="started")
    world.log(seconds + 0.01, "mailer", f"started job_id={job} {told}", clock=host)
    if ended:
        world.job(seconds + 0.5, Kind.JOB_FINISHED, job, told, worker=worker)
        world.log(seconds + 0.5, "mailer", f"done job_id={job} {told}", clock=host)


def night(world: World, gone: str = HOSTS[0], *, until: float = 2080.0) -> World:
    """Each host takes its turn; what `gone` would have had goes to the others from then on."""
    for number in range(int(until // 8)):
        seconds = 5 + number * 8.0
        host = HOSTS[number % 3]
        if host == gone and seconds > GONE - 10:
            host = HOSTS[1 + number % 2]
        ran(world, number, seconds, host)
    return world


def left_open(world: World, count: int, host: str = HOSTS[0]) -> World:
    for number in range(count):
        ran(world, 9000 + number, GONE - 3 + number * 0.7, host, ended=False)
    return world


def test_several_jobs_left_open_on_a_host_without_a_sign() -> None:
    (finding,) = found(left_open(night(World()), 3))
    assert finding.verdict is Verdict.LIKELY
    assert finding.worker == f"{HOSTS[0]}:4711"
    assert [held.job for held in finding.jobs] == ["job:m9000", "job:m9001", "job:m9002"]
    assert finding.alive is not None
    assert abs(finding.alive - at(GONE - 3 + 1.41)) < 10**8
    assert finding.began == finding.alive < finding.noticed


def test_one_job_is_only_possible() -> None:
    (finding,) = found(left_open(night(World()), 1))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_job_that_only_the_log_leaves_open_is_only_possible() -> None:
    world = night(World())
    for number in range(3):
        words = f"started job_id=x{number} user_id={700 + number}"
        world.log(GONE - 2 + number * 0.3, "mailer", words, clock=HOSTS[0])
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "may have been lost" in finding.weakest_link


def test_jobs_that_a_broker_gave_out_again_were_not_done() -> None:
    """No queue shows them; that others ran them later says as much."""
    world = night(World())
    for number in range(3):
        told = f"job_id=x{number} user_id={700 + number}"
        world.log(GONE - 2 + number * 0.3, "mailer", f"started {told}", clock=HOSTS[0])
        world.log(GONE + 40 + number, "mailer", f"started {told}", clock=HOSTS[1])
        world.log(GONE + 41 + number, "mailer", f"done {told}", clock=HOSTS[1])
    (finding,) = [one for one in found(world) if one.sign == "vanished"]
    assert finding.verdict is Verdict.LIKELY
    assert finding.worker == HOSTS[0]


def what_others_say_of_it(world: World) -> None:
    """A cluster's word about the pod is no sign of its life."""
    left_open(night(world), 3)
    words = f"NodeNotReady: node of {HOSTS[0]} stopped posting status"
    world.log(GONE + 200, "node-controller", words, clock="control-1", severity=13)


def test_the_word_of_others_is_no_sign_of_life() -> None:
    world = World()
    what_others_say_of_it(world)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY


def it_went_on_speaking(world: World) -> None:
    """Long jobs on a host that lives: others of its jobs end all the while."""
    left_open(night(world, gone=""), 3)


def it_said_that_it_would_stop(world: World) -> None:
    left_open(night(world), 2)
    world.log(GONE - 1.2, "mailer", "SIGTERM received, shutting down gracefully", clock=HOSTS[0])


def nothing_was_collected_any_more(world: World) -> None:
    """All hosts end at once: a gap of the collection, or the end of the work."""
    left_open(night(world, until=GONE), 3)


def it_gave_back_what_it_held(world: World) -> None:
    """Scaled down in time: it holds nothing when it falls silent."""
    night(world)


def nobody_tells_an_end(world: World) -> None:
    """Work is left open everywhere: ends are just not told."""
    left_open(night(world), 3)
    for number in range(6):
        ran(world, 8000 + number, 400 + number * 60.0, HOSTS[1], ended=False)


def it_seldom_spoke(world: World) -> None:
    """A few lines in half an hour: such a silence is its way."""
    for number in range(250):
        ran(world, number, 5 + number * 8.0, HOSTS[1 + number % 2])
    for number in range(4):
        ran(world, 600 + number, 50 + number * 300.0, HOSTS[0], ended=number < 2)


@pytest.mark.parametrize(
    "look_alike",
    [
        it_went_on_speaking,
        it_said_that_it_would_stop,
        nothing_was_collected_any_more,
        it_gave_back_what_it_held,
        nobody_tells_an_end,
        it_seldom_spoke,
    ],
)
def test_what_is_ordinary_stays_silent(look_alike: Callable[[World], None]) -> None:
    world = World()
    look_alike(world)
    assert [one for one in found(world) if one.sign == "vanished"] == []
