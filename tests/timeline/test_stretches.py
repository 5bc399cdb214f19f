"""Counts that stand out for minutes, before T and to the end; healthy streams are silent."""

from __future__ import annotations

import random

import pytest

from timeline.detectors.rate_change import AlmostCeased, RateChange, RateChangeDetector
from timeline.facts.stretches import stretches
from timeline.finding import NotEvaluated, Stage
from timeline.order import Verdict

from .test_rate_change import (
    ALLOWED,
    CONTROL_BLOCKS,
    PIN,
    WINDOWS,
    Process,
    burst,
    correlated,
    counts,
    even,
    over_dispersed,
    steady,
)
from .worlds import SECOND, World, at, healthy

LEAD = range(-15, 1)


def found(world: World) -> list[RateChange]:
    result = RateChangeDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, RateChange)]


def served(since: float, until: float, keep: float) -> World:
    """A gateway with traffic all night, of which but a share is left in `[since, until)`."""
    world, rng = healthy(World(pin=PIN)), random.Random(5)
    for number in range(4200):
        seconds = number / 2
        if not since <= seconds < until or rng.random() < keep:
            world.log(seconds, "edge", f"GET /tickets/{number} 200")
    return world


def of(findings: list[RateChange], actor: str) -> list[RateChange]:
    return [one for one in findings if one.rows[0].actor == actor]


def test_many_lines_that_were_over_before_t_are_seen_though_nobody_erred() -> None:
    world, rng = steady("ledger", "tariff {} is outdated, keeping it", 0.1), random.Random(2)
    for number in range(260):
        words = f"tariff {number} is outdated, keeping it"
        world.log(1150 + rng.uniform(0, 200), "ledger", words, severity=13)
    (finding,) = of(found(world), "ledger")
    assert abs(finding.rows[0].at - at(1250)) < 150 * SECOND
    assert finding.began <= finding.rows[0].at
    assert not isinstance(finding, AlmostCeased) and finding.stage is Stage.CONTEXT


def test_traffic_that_stays_away_is_an_effect_of_its_own() -> None:
    (finding,) = of(found(served(1300, 2100, 0.03)), "edge")
    assert isinstance(finding, AlmostCeased)
    assert finding.verdict is Verdict.LIKELY and finding.stage is Stage.EFFECT
    assert 0 < finding.lines < 60
    assert "almost ceased to write lines" in finding.sentence()


@pytest.mark.parametrize(
    ("since", "until", "keep"),
    [(0, 0, 1.0), (1300, 2100, 0.6), (0, 250, 0.03), (600, 720, 0.03)],
    ids=["steady", "calmer", "before the window's traffic", "long before T"],
)
def test_less_traffic_is_no_drop(since: float, until: float, keep: float) -> None:
    assert not of(found(served(since, until, keep)), "edge")


def test_who_fell_silent_altogether_is_told_as_a_silence() -> None:
    assert not [one for one in found(served(1300, 2100, 0.0)) if isinstance(one, AlmostCeased)]


def test_an_hourly_job_that_filled_the_first_half_is_no_change_of_the_second() -> None:
    world, rng = healthy(World(pin=PIN)), random.Random(4)
    for number in range(900):
        world.log(rng.uniform(0, 1000), "export", f"page {number} written")
    for number in range(12):
        world.log(1000 + number * 90, "export", f"page {number} is current")
    assert not [one for one in of(found(world), "export") if not one.rows[0].drop]


def test_two_bursts_far_apart_are_a_habit() -> None:
    world = steady("checkout", "cache miss for key={}", 0.5)
    for instant in (400.0, 1300.0):
        burst(world, "checkout", "cache miss for key={}", 150, at=instant)
    assert not of(found(world), "checkout")


@pytest.mark.parametrize("process", [even, over_dispersed, correlated])
@pytest.mark.parametrize(("mean", "series"), [(5.0, 1), (50.0, 8)])
def test_healthy_streams_seldom_have_such_a_stretch(
    process: Process, mean: float, series: int
) -> None:
    rng = random.Random(f"stretch/{process.__name__}/{mean}/{series}")
    alarms = sum(
        bool(stretches(counts(process, rng, mean, series), 0, LEAD, CONTROL_BLOCKS))
        for _ in range(WINDOWS)
    )
    assert alarms <= ALLOWED
