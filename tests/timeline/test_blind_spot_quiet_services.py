"""blind-spot in services that speak seldom: silence against work that goes on as before."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from timeline.detectors.blind_spot import BlindSpot, BlindSpotDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

FROM, TO = 1300.0, 1650.0
"""Fifteen of the service's usual pauses, and not even five of its longest."""


def found(world: World) -> list[BlindSpot]:
    result = BlindSpotDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, BlindSpot)]


def seldom(world: World, actor: str, *, silent: bool = True, seed: int = 1) -> None:
    """`actor` speaks at random, every twenty seconds or so, with pauses of up to 80 s."""
    rng, seconds = random.Random(seed), 5.0
    while seconds < 2095:
        if not (silent and FROM < seconds < TO):
            world.log(seconds, actor, f"recomputed {rng.randrange(90)} prices")
        seconds += min(rng.expovariate(1 / 20), 80)


def said(world: World, by: str, line: str, *, until: float = 2095.0) -> None:
    """`by` writes `line` every ten seconds."""
    for number in range(int(until / 10)):
        world.log(number * 10 + 3, by, line.format(n=number))


def counts(world: World, measure: str, labels: dict[str, str], step: float) -> None:
    """A counter that is read every fifteen seconds and rises by `step`."""
    for number in range(139):
        told = {"metric": measure, "labels": labels, "value": number * step}
        event = Event(
            timestamp=at(number * 15.0),
            source="prometheus",
            lane=Lane.METRIC,
            kind=Kind.METRIC,
            body=f"{measure} ({json.dumps(labels)}) = {number * step}",
            ref=f"{measure}@{number}",
            attributes=json.dumps(told),
        )
        world.events.append(event)


def callers_hear_it(world: World) -> None:
    seldom(world, "uploads")
    said(world, "edge", "PUT http://uploads.svc.cluster.local/chunk/{n} 200 14ms")


def a_balancer_names_its_pods(world: World) -> None:
    seldom(world, "uploads")
    said(world, "ingress", "1.2.3.4 200 upstream=uploads-7d9f8b6c4-x2k9p rt=0.0{n}")


def a_name_is_spelt_otherwise(world: World) -> None:
    seldom(world, "price-lists")
    said(world, "kasse", "Antwort von price_lists: 200 (Vorgang {n})")


def its_own_counter_rises(world: World) -> None:
    seldom(world, "uploads")
    counts(world, "http_requests_total", {"service": "uploads", "code": "200"}, 31)


@pytest.mark.parametrize(
    "night",
    [
        callers_hear_it,
        a_balancer_names_its_pods,
        a_name_is_spelt_otherwise,
        its_own_counter_rises,
    ],
)
def test_work_that_goes_on_makes_a_long_pause_likely(night: Callable[[World], None]) -> None:
    world = World()
    night(world)
    (finding,) = found(world)
    assert (finding.variant, finding.verdict) == ("silent", Verdict.LIKELY)
    assert at(FROM - 80) <= finding.began < at(FROM) < at(TO) <= finding.ended <= at(TO + 80)
    assert "as before" in finding.proof


def nobody_calls_it(world: World) -> None:
    seldom(world, "uploads")


def it_is_called_less(world: World) -> None:
    seldom(world, "uploads")
    said(world, "edge", "PUT http://uploads.svc.cluster.local/chunk/{n} 200 14ms", until=FROM)
    for late in (1400, 1500):
        world.log(late, "edge", "PUT http://uploads.svc.cluster.local/chunk/9 200 14ms")


def it_was_not_silent(world: World) -> None:
    seldom(world, "uploads", silent=False)
    said(world, "edge", "PUT http://uploads.svc.cluster.local/chunk/{n} 200 14ms")


def its_counter_stands_still(world: World) -> None:
    seldom(world, "uploads")
    counts(world, "http_requests_total", {"service": "uploads", "code": "200"}, 0)


def it_works_in_batches(world: World) -> None:
    """Half a minute of lines every five minutes: a pause like all its others."""
    for run in range(7):
        for number in range(8):
            world.log(run * 300.0 + number * 5, "uploads", f"moved part {number}")
    said(world, "edge", "PUT http://uploads.svc.cluster.local/chunk/{n} 200 14ms")


@pytest.mark.parametrize(
    "night",
    [
        nobody_calls_it,
        it_is_called_less,
        it_was_not_silent,
        its_counter_stands_still,
        it_works_in_batches,
    ],
)
def test_a_pause_without_signs_of_work_is_silent(night: Callable[[World], None]) -> None:
    world = World()
    night(world)
    assert found(world) == []
