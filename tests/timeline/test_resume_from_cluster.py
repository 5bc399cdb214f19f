"""resume-herd told by a cluster's scale and by a depth that falls; rollouts are no pause."""

from __future__ import annotations

import json

import pytest

from timeline.detectors.resume_herd import ResumeHerd, ResumeHerdDetector
from timeline.event import Event, Kind, Lane
from timeline.facts.pauses import Act, marks_in

from .findings import findings_of
from .worlds import World, at, healthy

DOWN, UP = 900.0, 1300.0


def scaled(world: World, seconds: float, words: str, deployment: str = "worker") -> World:
    world.events.append(
        Event(
            timestamp=at(seconds),
            source="kubernetes",
            lane=Lane.LOG,
            kind=Kind.CHANGE,
            body=f"ScalingReplicaSet: {words} (Deployment {deployment})",
            ref=f"events/shop/{deployment}.{len(world.events)}",
            actor=deployment,
        )
    )
    return world


def depth(world: World) -> World:
    """A queue that fills while nobody takes from it, and is empty half a minute after."""
    for step in range(139):
        seconds = 15.0 * step
        value = 2.0 + step % 2
        if DOWN <= seconds < UP:
            value = (seconds - DOWN) / 2
        elif UP <= seconds < UP + 30:
            value = 100.0
        told = {"labels": {"queue": "pages"}, "metric": "queue_depth", "value": value}
        world.events.append(
            Event(
                timestamp=at(seconds),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"queue_depth (queue=pages) = {value:g}",
                ref=f"depth/{step}",
                attributes=json.dumps(told),
            )
        )
    return world


def refused(world: World) -> World:
    for place in range(30):
        words = "FATAL:  sorry, too many clients already"
        world.error(UP + 5 + place, "shop", f"{words} order_id={place}")
    return world


def found(world: World) -> list[ResumeHerd]:
    return findings_of(ResumeHerdDetector(), world.incident(), ResumeHerd)


@pytest.mark.parametrize(
    ("down", "up"),
    [
        (
            "Scaled down replica set worker-6f to 0 from 3",
            "Scaled up replica set worker-6f to 20 from 0",
        ),
        ("Scaled down replica set worker-6f to 0", "Scaled up replica set worker-6f to 20"),
        (
            "Scaled down replica set worker-6f from 3 to 0",
            "Scaled up replica set worker-6f from 0 to 9",
        ),
    ],
)
def test_a_deployment_that_was_taken_down_and_brought_back(down: str, up: str) -> None:
    world = refused(depth(scaled(scaled(healthy(World()), DOWN, down), UP, up)))
    marks = marks_in(world.incident())
    assert [mark.act for mark in marks] == [Act.PAUSE, Act.RESUME]
    (finding,) = found(world)
    assert (finding.held_back, finding.released) == (at(DOWN), at(UP))
    assert finding.starts >= 90


def test_a_rollout_takes_its_old_replicas_away_and_is_no_pause() -> None:
    world = scaled(healthy(World()), DOWN, "Scaled up replica set worker-7a to 3 from 0")
    world = scaled(world, DOWN + 40, "Scaled down replica set worker-6f to 0 from 1")
    assert Act.PAUSE not in [mark.act for mark in marks_in(world.incident())]


def test_a_depth_that_falls_without_harm_is_a_catch_up() -> None:
    world = scaled(healthy(World()), DOWN, "Scaled down replica set worker-6f to 0 from 3")
    assert not found(depth(scaled(world, UP, "Scaled up replica set worker-6f to 9 from 0")))
