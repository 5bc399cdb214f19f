"""retry-storm told by one request that arrives ever more often, from the outermost service in."""

from __future__ import annotations

import pytest

from timeline.detectors.retried_layers import LayeredRetries
from timeline.detectors.retry_finding import RetryStorm
from timeline.detectors.retry_storm import RetryStormDetector
from timeline.facts.layered_calls import layered_calls
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

STORM, LASTS, TRIES = 1200.0, 500.0, 3


def found(world: World) -> list[RetryStorm]:
    result = RetryStormDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, RetryStorm)]


def only(world: World) -> LayeredRetries:
    (finding,) = found(world)
    assert isinstance(finding, LayeredRetries)
    return finding


def path(
    *,
    outer: int = TRIES,
    inner: int = TRIES,
    every: float = 4.0,
    hurried: float = 1.0,
    fails: bool = True,
    spoken: bool = False,
    one_in: int = 1,
    begun: float = STORM,
    refused: str = "GET /left 503 no connection",
) -> World:
    """The front asks orders, which asks stock, under one request id. In the storm the front calls
    `outer` times and orders `inner` times in each of those; `hurried` times as many people ask.

    One of `one_in` requests is hurt.
    """
    world, number, second = World(), 0, 1.0
    while second < 2090:
        number, told = number + 1, f"request_id=w{number}"
        bad = begun <= second < STORM + LASTS
        hurt = bad and number % one_in == 0
        now = second
        world.log(now, "front", f"GET /cart started {told}")
        for nth in range(1, 1 + (outer if hurt else 1)):
            world.log(now + 0.01, "orders", f"GET /orders/{number} received {told}")
            now += 0.02
            for again in range(1, 1 + (inner if hurt else 1)):
                bad_end = hurt and fails
                words = refused if bad_end else "GET /left 200"
                world.log(now, "stock", f"GET /left received {told}")
                world.log(now + 0.01, "stock", f"{words} {told}")
                now += 0.05
                if spoken and hurt:
                    words = f"stock call failed, attempt {again} of {inner} {told}"
                    world.log(now - 0.01, "orders", words, severity=13)
            world.log(
                now, "orders", f"GET /orders/{number} {502 if hurt and fails else 200} {told}"
            )
            if spoken and hurt:
                words = f"orders call failed, attempt {nth} of {outer} {told}"
                world.log(now + 0.01, "front", words, severity=13)
            now += 0.1
        world.log(now, "front", f"GET /cart {502 if hurt and fails else 200} {told}")
        second += every / (hurried if bad else 1)
    return world


@pytest.mark.parametrize("spoken", [False, True])
def test_retries_of_retries_are_one_storm_at_the_innermost(spoken: bool) -> None:
    """Whether or not callers tell of their attempts; what they tell of one layer is part of it."""
    finding = only(path(spoken=spoken))
    assert finding.verdict is Verdict.LIKELY and not finding.qualifier
    assert finding.layers == ("front", "orders", "stock")
    front, orders, stock = finding.arrivals
    assert front == 1 and 2.8 < orders <= 3 and 8.5 < stock <= 9
    assert abs(finding.began - at(STORM)) < 10e9
    assert finding.usual == 15 and finding.busiest > 120
    assert "request:w320" in finding.keys
    assert "reached orders 3 times and stock " in finding.sentence()


def test_a_restart_that_is_long_over_shows_that_it_keeps_itself_going() -> None:
    world = path()
    world.log(STORM + 4, "stock", "shutting down")
    world.log(STORM + 9, "stock", "stock listening on :8080")
    finding = only(world)
    assert finding.trigger == "the restart of stock" and finding.trigger_over == at(STORM + 9)
    assert finding.metastable
    assert "the retries keep it going" in finding.sentence()


@pytest.mark.parametrize(
    "world",
    [
        path(outer=1, inner=1, hurried=6),  # more people ask, and are refused once each
        path(one_in=12),  # one stubborn client
        path(fails=False),  # a page that asks for more, and gets it
        path(outer=1, inner=4),  # one layer alone: no product
        path(begun=0.0),  # nothing quiet to compare with
    ],
)
def test_what_does_not_multiply_is_silent(world: World) -> None:
    assert layered_calls(world.incident()) is None
    assert found(world) == []


def test_two_callees_of_one_caller_do_not_multiply() -> None:
    """Three tries of one callee and then nine of another: nothing is repeated within the first."""
    world = World()
    for number in range(500):
        second, told = 1 + number * 4.0, f"request_id=w{number}"
        hurt = STORM <= second < STORM + LASTS
        world.log(second, "front", f"GET /cart started {told}")
        for name, count, since in (("tax", 3, 0.1), ("stock", 9, 1.0)):
            for nth in range(count if hurt else 1):
                world.log(second + since + nth * 0.05, name, f"GET /{name} received {told}")
                words = f"GET /{name} {503 if hurt else 200} {told}"
                world.log(second + since + nth * 0.05 + 0.01, name, words)
        world.log(second + 2, "front", f"GET /cart {502 if hurt else 200} {told}")
    assert layered_calls(world.incident()) is None
    assert found(world) == []


def test_a_number_that_looks_like_a_refusal_is_none() -> None:
    """An order's number is no status, and a level of no concern alone is no failure."""
    assert found(path(refused="GET /left 200 order 503")) != []  # orders and front still refuse
    world = path(fails=False, refused="x")
    assert found(world) == []
