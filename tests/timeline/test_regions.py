"""Regions that must speak: missing ones are told, and never from lines that do not say."""

from __future__ import annotations

import pytest

from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.finding import NotEvaluated
from timeline.knowledge import Knowledge
from timeline.order import Verdict

from .worlds import World

REGIONS = Knowledge(regions=("eu-west-1", "us-east-1"))


def missing(world: World) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, BlindSpot) and one.variant == "region"]


def speaking(**attributes: str) -> World:
    """One service that says every two seconds where it is."""
    world = World(knowledge=REGIONS)
    for number in range(1050):
        world.log(number * 2.0, "web", f"tick {number}", attributes=attributes or None)
    return world


@pytest.mark.parametrize(
    "attributes",
    [
        {"region": "eu-west-1"},
        {"cloud.region": "EU-WEST-1"},
        {"zone": "eu-west-1a"},
        {"_index": "logs-eu-west-1-2026.03.14"},
        {"log_group": "/ecs/eu-west-1/web"},
        {"host.name": "web-3.eu-west-1.internal"},
    ],
)
def test_a_region_without_a_line_is_said(attributes: dict[str, str]) -> None:
    (finding,) = missing(speaking(**attributes))
    assert finding.actor == "us-east-1"
    assert (finding.verdict, finding.qualifier) == (Verdict.CERTAIN, False)
    assert finding.sentence().startswith("No line that was read comes from the region us-east-1;")


def test_both_regions_that_speak_are_no_finding() -> None:
    world = speaking(region="eu-west-1")
    world.log(900, "batch", "begun", attributes={"region": "us-east-1"})
    assert missing(world) == []


def test_a_region_may_stand_in_the_name_of_a_source_an_actor_or_a_log() -> None:
    world = speaking(region="eu-west-1")
    world.log(900, "batch", "begun", source="us-east-1.log")
    assert missing(world) == []
    world = speaking(region="eu-west-1")
    world.log(900, "batch-us-east-1", "begun")
    assert missing(world) == []


def test_a_longer_name_is_another_region() -> None:
    world = speaking(region="eu-west-1")
    world.log(900, "batch", "begun", attributes={"region": "us-east-12"})
    assert [one.actor for one in missing(world)] == ["us-east-1"]


@pytest.mark.parametrize("body", ["call to us-east-1 took 3 ms", "retry region=us-east-1 later"])
def test_a_region_that_is_spoken_of_is_not_heard(body: str) -> None:
    world = speaking(region="eu-west-1")
    for number in range(10):
        world.log(100 + number, "web", body, attributes={"region": "eu-west-1"})
    assert [one.actor for one in missing(world)] == ["us-east-1"]


def test_a_call_in_an_attribute_is_not_the_writers_place() -> None:
    world = speaking(region="eu-west-1")
    told = {"region": "eu-west-1", "url": "https://us-east-1.example/jobs"}
    world.log(900, "web", "posted", attributes=told)
    assert [one.actor for one in missing(world)] == ["us-east-1"]


def test_text_that_nearly_every_line_states_is_the_writers_place() -> None:
    world = speaking(region="eu-west-1")
    for number in range(20):
        world.log(100 + number, "batch", f"level=info region=us-east-1 msg=tick{number}")
    assert missing(world) == []


def test_lines_that_do_not_say_leave_it_possible() -> None:
    world = speaking(region="eu-west-1")
    world.log(900, "batch", "begun")
    (finding,) = missing(world)
    assert (finding.verdict, finding.qualifier) == (Verdict.POSSIBLE, True)
    assert "batch.log does not say" in finding.proof


def test_where_no_line_says_every_region_is_only_possible() -> None:
    told = missing(speaking())
    assert [one.actor for one in told] == ["eu-west-1", "us-east-1"]
    assert {one.verdict for one in told} == {Verdict.POSSIBLE}


def test_a_source_that_was_cut_leaves_it_possible() -> None:
    world = speaking(region="eu-west-1")
    world.blind("web.log", 100, 200)
    (finding,) = missing(world)
    assert finding.verdict is Verdict.POSSIBLE


def test_nothing_is_said_where_no_region_is_configured() -> None:
    world = speaking(region="eu-west-1")
    world.knowledge = Knowledge()
    assert missing(world) == []
