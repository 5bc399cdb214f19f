"""memory-leak by short teeth: whose end a record tells, and what of.

A start of work, a neighbour's kill, a crash for another reason: none of them is a process that ran
full, though its memory fell at that very moment.
"""

from __future__ import annotations

import json

import pytest

from timeline.event import Event, Kind, Lane, Meaning
from timeline.order import Verdict

from .test_memory_teeth import LIFE, MB, POD, STEP, curve, found, killed, started, tooth
from .worlds import World, at


@pytest.mark.parametrize(
    "begun",
    [
        "import started",
        "nightly import of 12000 pictures started",
        "batch 7 is ready",
        "Starting the next batch (ready)",
        "Abgleich gestartet",
    ],
)
def test_work_that_begins_at_every_fall_is_no_new_process(begun: str) -> None:
    """Batches take memory and give it back; that the next one has started is no restart."""
    world = curve(World(), tooth)
    for number in (1, 2, 3):
        world.log(number * LIFE + 1, "thumbs", begun, clock=POD)
    assert found(world) == []


@pytest.mark.parametrize(
    "begun",
    [
        "import service started",
        "Started batch-worker in 3.2 seconds",
        "Started import worker 3",
        "thumbs gestartet",
        "Job server ready",
    ],
)
def test_a_process_named_after_its_work_still_begins_anew(begun: str) -> None:
    world = curve(World(), tooth)
    for number in (1, 2, 3):
        world.log(number * LIFE + 1, "thumbs", begun, clock=POD)
    (finding,) = found(world)
    assert finding.cycles == 3


@pytest.mark.parametrize("other", ["thumbs-10", "thumbs-1b"])
def test_the_kill_of_a_neighbour_whose_name_goes_on_is_none_of_this_one(other: str) -> None:
    world = curve(World(), tooth, pod="thumbs-1")
    for number in (1, 2, 3):
        killed(world, number * LIFE, other)
    assert found(world) == []


def test_the_kill_of_the_instance_itself_is_believed_by_its_name() -> None:
    world = curve(World(), tooth, pod="thumbs-1")
    for number in (1, 2, 3):
        killed(world, number * LIFE, "thumbs-1")
    (finding,) = found(world)
    assert finding.cycles == 3 and finding.killed


def limited(world: World, megabytes: float) -> World:
    """The limit of the container, told at every point."""
    labels = {"pod": POD, "container": "thumbs"}
    name = "kube_pod_container_resource_limits_memory"
    told = {"labels": {"__name__": name, **labels}, "metric": name, "value": megabytes * MB}
    for number in range(35):
        world.events.append(
            Event(
                at(number * STEP + 5),
                "prom",
                Lane.METRIC,
                Kind.METRIC,
                f"{name} (container=thumbs, pod={POD}) = {megabytes * MB:.0f}",
                f"limit@{number}",
                seq=len(world.events),
                actor="thumbs",
                meaning=Meaning.DERIVED,
                attributes=json.dumps(told),
            )
        )
    return world


def restarted(world: World, last_words: str, severity: int) -> World:
    """Three times: what the process wrote last, and its successor."""
    for number in (1, 2, 3):
        world.log(number * LIFE - 2, "thumbs", last_words, severity=severity)
        started(world, number * LIFE + 1)
    return world


def test_starts_of_a_process_that_held_a_fifth_of_its_limit_are_no_leak() -> None:
    world = curve(World(), tooth)
    assert found(restarted(limited(world, 4_500), "stopping", 9)) == []


def test_starts_of_a_process_near_its_limit_are_one() -> None:
    (finding,) = found(restarted(limited(curve(World(), tooth), 1_000), "stopping", 9))
    assert finding.cycles == 3 and finding.verdict is Verdict.LIKELY


def test_a_process_that_dies_of_something_else_each_time_is_no_leak() -> None:
    """A crash loop: the memory of each short life is still coming up."""
    world = curve(World(), tooth)
    assert found(restarted(world, "no connection to db-1:5432, giving up", 21)) == []


@pytest.mark.parametrize("limit", [1_000, 4_500])
def test_a_process_that_dies_of_its_memory_by_its_own_words_is_one(limit: float) -> None:
    """Its runtime may allow it less than its container does."""
    world = limited(curve(World(), tooth), limit)
    (finding,) = found(restarted(world, "fatal: heap exhausted, giving up", 21))
    assert finding.cycles == 3


def test_errors_of_a_process_that_struggles_are_not_its_reason() -> None:
    (finding,) = found(restarted(curve(World(), tooth), "request timed out after 30 s", 17))
    assert finding.cycles == 3


def test_each_fall_of_a_dense_saw_is_told_from_the_record_beside_it() -> None:
    """A point every fifteen seconds and a kill every two minutes: their stretches touch."""
    world, life = World(), 120.0
    for number in range(64):
        seconds = number * 15.0 + 5
        value = (500 + seconds % life / life * 400) * MB
        name, labels = "container_memory_working_set_bytes", {"pod": POD}
        told = {"labels": {"__name__": name, **labels}, "metric": name, "value": value}
        world.events.append(
            Event(
                at(seconds),
                "prom",
                Lane.METRIC,
                Kind.METRIC,
                f"{name} (pod={POD}) = {value:.0f}",
                f"{POD}@{number}",
                seq=len(world.events),
                actor="thumbs",
                meaning=Meaning.DERIVED,
                attributes=json.dumps(told),
            )
        )
    for number in range(1, 8):
        killed(world, number * life)
    (finding,) = found(world)
    assert finding.restarts == tuple(at(number * life) for number in range(1, 8))
