"""change-before: a curve that left its level right after a change."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from timeline.detectors.change_before import ChangeBeforeDetector
from timeline.detectors.step_since_change import StepSinceChange
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

CHANGE = 1300.0


def found(world: World) -> list[StepSinceChange]:
    result = ChangeBeforeDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, StepSinceChange)]


def curve(
    world: World,
    level: Callable[[float], float],
    *,
    name: str = "request_p95_seconds",
    job: str = "shop",
    every: float = 15.0,
) -> World:
    for step in range(int(2090 / every)):
        seconds = every * step
        told = {"labels": {"job": job}, "metric": name, "value": level(seconds)}
        world.events.append(
            Event(
                timestamp=at(seconds),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"{name} (job={job}) = {level(seconds):g}",
                ref=f"{name}/{job}/{step}",
                actor=job,
                attributes=json.dumps(told),
            )
        )
    return world


def wavy(seconds: float) -> float:
    return 0.2 + 0.04 * math.sin(seconds / 70)


@pytest.mark.parametrize("fold", [5.0, 20.0, 0.1])
@pytest.mark.parametrize("words", ["cache tier resized", "query hints file replaced", "rule 7 off"])
def test_a_curve_that_leaves_its_level_and_stays_away(words: str, fold: float) -> None:
    world = healthy(World())
    world.change(CHANGE, words)
    curve(world, lambda s: wavy(s) * (fold if s > CHANGE + 20 else 1))
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.now == pytest.approx(0.2 * fold, rel=0.3)
    assert finding.began == at(CHANGE)


def test_a_change_of_the_measured_service_counts_as_well() -> None:
    world = healthy(World())
    world.change(CHANGE, "shop 4.2 rolled out")
    curve(world, lambda s: wavy(s) * (6 if s > CHANGE + 20 else 1))
    assert len(found(world)) == 1


def test_a_change_of_another_service_does_not() -> None:
    world = healthy(World())
    world.log(10, "search", "ready")
    world.change(CHANGE, "search 4.2 rolled out")
    assert not found(curve(world, lambda s: wavy(s) * (6 if s > CHANGE + 20 else 1)))


@pytest.mark.parametrize(
    "level",
    [
        wavy,
        lambda s: wavy(s) * (6 if CHANGE < s < CHANGE + 200 else 1),
        lambda s: wavy(s) * (6 if s > CHANGE + 20 or 400 < s < 500 else 1),
        lambda s: wavy(s) * (6 if s > CHANGE + 300 else 1),
        lambda s: 0.2 + s / 400,
    ],
    ids=["as ever", "came back", "was there before", "minutes later", "climbs all night"],
)
def test_other_curves_are_silent(level: Callable[[float], float]) -> None:
    world = healthy(World())
    world.change(CHANGE, "rule 7 off")
    assert not found(curve(world, level))


def test_counters_have_no_level() -> None:
    world = healthy(World())
    world.change(CHANGE, "rule 7 off")
    total = curve(world, lambda s: 1 + (s > CHANGE) * s, name="http_requests_total")
    assert not found(total)
