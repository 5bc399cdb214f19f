"""delivered-again by a broker's count: a leap of redeliveries, and what is no leap."""

from __future__ import annotations

import json

import pytest

from timeline.detectors.counted_again import GivenOutAgain
from timeline.detectors.delivered_again import DeliveredAgainDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, at


def counts(world: World, again: dict[float, int], *, queue: str = "scans") -> World:
    """Samples of one queue, five seconds apart, as the RabbitMQ connector tells them."""
    for place in range(400):
        seconds = 5.0 * place
        told = {"queue": queue, "depth": 0, "redelivered": again.get(seconds, 0), "interval_s": 5}
        world._add(
            Event(
                timestamp=at(seconds),
                source="rabbitmq",
                lane=Lane.QUEUE,
                kind=Kind.METRIC,
                body=f"{queue}: 0 ready, 0 unacked",
                ref=f"{queue}@{seconds}",
                seq=world._next(),
                actor=queue,
                attributes=json.dumps(told),
            )
        )
    return world


def found(world: World) -> list[Finding]:
    result = DeliveredAgainDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, GivenOutAgain)]


@pytest.mark.parametrize(
    "again",
    [
        {1500.0: 14},
        {1500.0: 6, 1505.0: 2, 1520.0: 9, 400.0: 1},
        {1500.0: 40, 300.0: 4, 900.0: 2},
    ],
)
def test_messages_that_came_back_together(again: dict[float, int]) -> None:
    (finding,) = found(counts(World(), again))
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.began == at(1500.0)


@pytest.mark.parametrize(
    "again",
    [
        {1500.0: 1},
        {1500.0: 4},
        {60.0 * place: 3 for place in range(1, 30)},
        {1500.0: 9, 300.0: 6},
    ],
)
def test_what_comes_back_now_and_then_is_silent(again: dict[float, int]) -> None:
    assert not found(counts(World(), again))
