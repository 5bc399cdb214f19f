"""clock-skew by what rows and tokens show, where no id measures two clocks."""

from __future__ import annotations

import json
import random

import pytest

from tests.timeline.worlds import World, at
from timeline.clock import MILLISECOND_NS, ClockBound
from timeline.detectors.clock_skew import ClockSkewDetector
from timeline.detectors.clock_skew_told import DatedTooLate, MeasuredOff, RefusedAsEarly
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

SYNCED = ClockBound(5 * MILLISECOND_NS, 5 * MILLISECOND_NS, "declared")
"""How well these sites say that their clocks agree."""


def told(world: World, bound: ClockBound = SYNCED) -> list[Finding]:
    world.bound = bound
    found = ClockSkewDetector().detect(world.incident())
    return [] if isinstance(found, NotEvaluated) else list(found)


def booked(
    ahead: float,
    *,
    share: float = 0.3,
    named: bool = True,
    spread: float = 0.0,
    since: float = 900.0,
    seed: int = 3,
) -> World:
    """Rows of three writers, of whom one dates them `ahead` seconds late from `since` on."""
    rng, world = random.Random(seed), World()
    for number in range(200):
        at = 20 + number * 9.0
        wrong = rng.random() < share
        writer = "w-2" if wrong else rng.choice(("w-1", "w-3"))
        off = ahead + rng.uniform(0, spread) if wrong and at > since else 0.0
        columns: dict[str, object] = {"written_by": writer} if named else {"state": "booked"}
        world.row(at + off, "bookings", number, commit=at + 0.02, columns=columns)
    return world


@pytest.mark.parametrize("ahead", [2.0, 20.0, 300.0])
def test_rows_dated_after_their_own_commit_show_a_clock_that_is_ahead(ahead: float) -> None:
    (finding,) = told(booked(ahead))
    assert isinstance(finding, DatedTooLate)
    assert finding.verdict is Verdict.LIKELY and not finding.qualifier
    assert finding.writer == "w-2" and finding.column == "written_by"
    assert abs(finding.least / 1e9 - ahead) < 0.1


def test_they_do_so_without_a_name_of_their_writer() -> None:
    (finding,) = told(booked(7.0, named=False))
    assert isinstance(finding, DatedTooLate) and finding.writer == ""


def test_and_when_it_is_a_rare_writer() -> None:
    (finding,) = told(booked(7.0, share=0.08, seed=5))
    assert isinstance(finding, DatedTooLate) and finding.rows < 15


@pytest.mark.parametrize(
    "world",
    [
        booked(0.03),  # within what two clocks on NTP may differ by
        booked(4.0, share=1.0, since=0.0),  # so all night: it is how they are dated
        booked(1.0, spread=3_000.0),  # dates that somebody chose
        booked(7_200.0),  # another zone
    ],
)
def test_dates_that_no_wrong_clock_made_are_silent(world: World) -> None:
    assert world.events
    assert not [one for one in told(world) if isinstance(one, DatedTooLate)]


def test_clocks_that_are_declared_to_be_that_far_apart_are_silent() -> None:
    wide = ClockBound(9_000 * MILLISECOND_NS, 9_000 * MILLISECOND_NS, "declared")
    assert told(booked(7.0), wide) == []


WORDINGS = (
    "NotBeforeError: jwt not active {jti}",
    "Failed to authenticate since the JWT was invalid: Jwt used before its nbf claim {jti}",
    "JWT::ImmatureSignature: Signature nbf has not been reached ({jti})",
    "SecurityTokenNotYetValidException: IDX10222: Lifetime validation failed. {jti}",
    "SAML assertion {jti} is not yet valid (NotBefore 03:14:09)",
)


def refusing(words: str, count: int, hosts: tuple[str, ...] = ("web-1", "web-2")) -> World:
    world = World()
    for second in range(0, 1800, 10):
        world.log(second, "web", "served", clock=("web-1", "web-2")[second // 10 % 2])
    for number in range(count):
        body = words.format(jti=f"jti=a{number:04x}", id=f"a{number:04x}")
        host = hosts[number % len(hosts)]
        world.log(1000 + number * 12, "web", body, severity=13, clock=host)
    return world


@pytest.mark.parametrize("words", WORDINGS)
def test_tokens_that_are_refused_as_early_are_a_clock_that_is_off(words: str) -> None:
    (finding,) = told(refusing(words, 8))
    assert isinstance(finding, RefusedAsEarly)
    assert finding.refused == 8 and not finding.alone
    assert "ahead" in finding.sentence()


def test_refused_on_one_host_alone_it_is_that_host() -> None:
    (finding,) = told(refusing(WORDINGS[0], 6, ("web-2",)))
    assert isinstance(finding, RefusedAsEarly) and finding.alone
    assert "web-2" in finding.sentence()


@pytest.mark.parametrize(
    "words",
    [
        "certificate {id} is not yet valid",
        "account {id} is not active",
        "coupon {id} was used before",
        "booking {id} lies in the future",
    ],
)
def test_what_else_is_early_is_silent(words: str) -> None:
    assert not [one for one in told(refusing(words, 8)) if isinstance(one, RefusedAsEarly)]


def test_a_few_tokens_may_be_meant_for_later() -> None:
    found = told(refusing(WORDINGS[0], 4))
    assert all(one.qualifier for one in found)


# -- figures ---------------------------------------------------------------------------------------


def curve(world: World, name: str, host: str, value: float, since: float = 900.0) -> None:
    """A figure of every fifteen seconds that goes from next to nothing to `value`."""
    for number in range(130):
        shown = value if number * 15 > since else 0.0004
        told = {"metric": name, "labels": {"instance": f"{host}:9100"}, "value": shown}
        world.events.append(
            Event(
                timestamp=at(number * 15.0),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"{name} ({host}) = {shown}",
                ref=f"{name}/{host}@{number}",
                attributes=json.dumps(told),
            )
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("node_timex_offset_seconds", -3.2),
        ("chrony_tracking_last_offset_seconds", 41.0),
        ("ntp_offset_ms", 2_700.0),
    ],
)
def test_an_offset_that_somebody_measures(name: str, value: float) -> None:
    world = World()
    curve(world, name, "db-2", value)
    curve(world, name, "db-1", 0.003)
    (finding,) = told(world)
    assert isinstance(finding, MeasuredOff) and finding.clock == "db-2"
    assert finding.began >= at(900)


def test_the_word_of_a_time_service() -> None:
    world = World()
    words = "System clock wrong by 7.310402 seconds"
    world.log(950, "chronyd", words, severity=13, clock="app-4")
    (finding,) = [one for one in told(world) if isinstance(one, MeasuredOff)]
    assert finding.clock == "app-4" and finding.offset == pytest.approx(7.310402e9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("node_timex_offset_seconds", 0.02),  # every clock's
        ("node_timex_frequency_offset_ppm", 12.0),  # how fast, not how far
        ("kafka_consumer_offset", 8_000.0),  # another word of the same sound
        ("timezone_utc_offset_seconds", 7_200.0),
    ],
)
def test_figures_of_something_else_are_silent(name: str, value: float) -> None:
    world = World()
    curve(world, name, "db-2", value)
    assert told(world) == []
