"""A job that its queue numbers and its logs call by another id is one job, lost once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.detectors.lost_worker import LostWorker, LostWorkerDetector
from timeline.event import Kind
from timeline.order import Verdict

from .worlds import World, at, healthy

DEATH = 1440.0
PRUNED = "SolidQueue::Processes::ProcessPrunedError: Process was found dead and pruned"
ABANDONED = "Worker went away without acknowledging"
KILL = "Out of memory: Killed process 4411 (ruby)"


def found(world: World) -> list[LostWorker]:
    result = LostWorkerDetector().detect(world.incident())
    return [one for one in result if isinstance(one, LostWorker)]  # type: ignore[union-attr]


def filed(world: World, row: str, name: str, error: str, seconds: float) -> None:
    """What the queue keeps of a job that failed: no start, its own number and the other name."""
    sent = world.job(DEATH - 30, Kind.JOB_ENQUEUED, row, "parcel_id=7", status="failed")
    lost = world.job(seconds, Kind.JOB_FAILED, row, "parcel_id=7", status="failed", error=error)
    for place, event in ((-2, sent), (-1, lost)):
        body = f"{event.body} {error}" if event is lost else event.body
        keys = (f"job:{row}", f"job:{name}", "parcel:7") if name else event.keys
        world.events[place] = replace(event, keys=keys, body=body)


def logged(world: World, name: str, host: str, seconds: float, *, ended: bool = False) -> None:
    words = f"job_id={name} parcel_id=7"
    world.log(seconds, "labeller", f"Performing PrintLabel {words}", clock=host)
    if ended:
        world.log(seconds + 1, "labeller", f"Performed PrintLabel {words}", clock=host)


def usual(world: World) -> World:
    for number in range(20):
        logged(world, f"aa{number}", "labeller-2", 30 + number * 60, ended=True)
    return world


@pytest.mark.parametrize("error", [PRUNED, ABANDONED])
@pytest.mark.parametrize("name", ["7c1f0d52-aaaa-4bbb-8ccc-0123456789ab", "nb0042x"])
def test_what_the_queue_filed_and_what_the_log_left_open_is_one_loss(name: str, error: str) -> None:
    world = usual(healthy(World()))
    logged(world, name, "labeller-1", DEATH - 8)
    world.error(DEATH, "kernel", KILL, clock="labeller-1")
    filed(world, "99104", name, error, DEATH + 300)
    (finding,) = found(world)
    assert len(finding.jobs) == 1
    assert finding.verdict is Verdict.CERTAIN
    assert finding.alive == at(DEATH - 8)
    assert {f"job:{name}", "job:99104"} <= set(finding.keys)


def test_without_the_kill_the_two_names_are_one_loss_as_well() -> None:
    world = usual(healthy(World()))
    logged(world, "nb0042x", "labeller-1", DEATH - 8)
    filed(world, "99104", "nb0042x", PRUNED, DEATH + 300)
    (finding,) = found(world)
    assert (len(finding.jobs), finding.verdict) == (1, Verdict.LIKELY)


def test_a_job_of_another_number_is_a_loss_of_its_own() -> None:
    world = usual(healthy(World()))
    logged(world, "nb0042x", "labeller-1", DEATH - 8)
    world.error(DEATH, "kernel", KILL, clock="labeller-1")
    filed(world, "99104", "", PRUNED, DEATH + 300)
    assert sorted(len(one.jobs) for one in found(world)) == [1, 1]
