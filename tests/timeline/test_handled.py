"""Attempts as workers' logs tell them: whoever pushes the next job does not handle it."""

from __future__ import annotations

from collections import Counter

from timeline.detectors.delivered_again import DeliveredAgainDetector

from .worlds import World

HOP = 60.0


def chained(world: World, hops: int = 20) -> World:
    """Each job pushes its successor on its way out, on the very host that gets it next."""
    for number in range(hops):
        mine, following = f"job_id=k{number}", f"job_id=k{number + 1}"
        seconds = 100 + number * HOP
        world.log(seconds, "ferry", f"picked up {mine}", source="logs", clock="pier-1")
        told = f"left {following} behind for later, done with {mine}"
        world.log(seconds + 0.2, "ferry", told, source="logs", clock="pier-1")
    return world


def test_a_line_about_two_jobs_begins_neither() -> None:
    told = chained(World()).incident().handled
    assert set(Counter(told.get_column("job").to_list()).values()) == {1}
    assert "job:k20" not in told.get_column("job").to_list()


def test_jobs_that_push_one_another_are_not_delivered_again() -> None:
    assert DeliveredAgainDetector().detect(chained(World()).incident()) == []


def test_one_that_is_taken_twice_begins_twice() -> None:
    world = chained(World())
    for seconds, host in ((1500.0, "pier-2"), (1530.0, "pier-3")):
        world.log(seconds, "ferry", "picked up job_id=m1", source="logs", clock=host)
    told = world.incident().handled
    assert told.get_column("job").to_list().count("job:m1") == 2
