"""State: failing, recovered, quiet or unknown, since when, and whom it hurts."""

from __future__ import annotations

import pytest

from timeline.analysis import Condition, State
from timeline.coverage import Sight
from timeline.state import state_of

from .worlds import HICCUP, World, at, healthy, shop


def of(world: World) -> State:
    return state_of(world.incident())


def test_the_shop_has_recovered_since_its_last_error() -> None:
    state = of(shop())
    assert state.condition is Condition.RECOVERED
    assert state.since == at(HICCUP + 2.561)
    assert state.new_per_minute == 0
    assert state.victims == ("user:4711", "user:4712", "user:4715", "user:4716")
    assert state.distinct_keys == 4


def test_errors_to_the_end_are_still_failing_since_they_began() -> None:
    world = healthy(World())
    for number in range(50):
        world.error(1600 + number * 10, "web", f"boom user_id={number}")
    state = of(world)
    assert state.condition is Condition.FAILING
    assert state.since == at(1600)
    assert state.new_per_minute == 5.8  # 29 users in the last five minutes
    assert state.distinct_keys == 50


def test_the_usual_noise_is_not_still_failing() -> None:
    world = healthy(World())
    for number in range(70):
        world.error(number * 30, "web", "boom")
    for number in range(100):
        world.error(1000 + number, "web", "bang")
    state = of(world)
    assert state.condition is Condition.RECOVERED
    assert state.since is not None
    assert at(1080) <= state.since <= at(1230)


def test_more_than_the_usual_noise_is_still_failing() -> None:
    world = healthy(World())
    for number in range(70):
        world.error(number * 30, "web", "boom")
    for number in range(100):
        world.error(2000 + number, "web", "bang")
    assert of(world).condition is Condition.FAILING


def busy(world: World, start: int, end: int, *, failing_every: int) -> None:
    """A request every second; every `failing_every`th fails."""
    for number in range(start, end):
        world.log(number, "web", f"GET / started request_id=q{number}")
        if number % failing_every == 0:
            world.error(number + 0.1, "web", f"boom request_id=q{number}")


def test_a_hard_outage_has_ended_once_enough_requests_went_well() -> None:
    world = healthy(World(end=1020, pin=900), until=1020)
    busy(world, 800, 1000, failing_every=1)
    busy(world, 1000, 1008, failing_every=10_000)
    assert of(world).condition is Condition.FAILING
    busy(world, 1008, 1018, failing_every=10_000)
    state = of(world)
    assert (state.condition, state.since) == (Condition.RECOVERED, at(999.1))
    assert state.victims
    assert state.new_per_minute == 0


def test_a_short_streak_is_no_recovery_from_an_occasional_failure() -> None:
    world = healthy(World(end=1020, pin=900), until=1020)
    busy(world, 800, 1001, failing_every=20)
    busy(world, 1001, 1018, failing_every=10_000)
    assert of(world).condition is Condition.FAILING


def test_a_dropped_idle_connection_is_no_failing_state() -> None:
    world = healthy(World())
    world.error(2050, "mailer", "worker: Connection reset by peer, retrying")
    world.error(2070, "billing", "Connection reset by peer, retrying")
    assert of(world).condition is Condition.RECOVERED
    world.error(2071, "web", "boom user_id=1")
    assert of(world).condition is Condition.FAILING


def test_no_error_is_quiet() -> None:
    state = of(healthy(World()))
    assert (state.condition, state.since, state.victims) == (Condition.QUIET, None, ())


def test_a_stream_that_ended_has_not_recovered() -> None:
    world = healthy(World(), until=HICCUP)
    world.error(HICCUP, "web", "boom")
    world.blind("web.log", HICCUP, 2105)
    assert of(world).condition is Condition.UNKNOWN


def test_a_covered_stream_with_nothing_to_say_has_recovered() -> None:
    world = healthy(World(), until=HICCUP)
    world.error(HICCUP, "web", "boom")
    assert of(world).condition is Condition.RECOVERED


def test_nothing_seen_is_unknown_not_quiet() -> None:
    world = healthy(World(), until=600)
    for source in ("web.log", "mailer.log", "billing.log", "search.log"):
        world.blind(source, 600, 2105, Sight.BLIND)
    assert of(world).condition is Condition.UNKNOWN


def test_errors_found_outside_the_window_are_not_the_present() -> None:
    world = healthy(World())
    world.error(-500, "web", "boom user_id=1")
    assert of(world).condition is Condition.QUIET


@pytest.mark.parametrize("clock_shift", [0, 3_600 * 10**9])
def test_state_is_relative_to_the_window(clock_shift: int) -> None:
    world = shop()
    world.shift = clock_shift
    state = of(world)
    assert state.since == at(HICCUP + 2.561) + clock_shift
