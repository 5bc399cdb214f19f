"""deploy-skew of instances that serve requests: the older ones fail on what the newer ones made."""

from __future__ import annotations

import json

import pytest

from timeline.detectors.deploy_skew import DeploySkewDetector
from timeline.detectors.skewed_instances import SkewedInstances
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

SINCE = 1200.0
COLUMN = "pq: column orders.fax does not exist"


def found(world: World) -> list[SkewedInstances]:
    result = DeploySkewDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, SkewedInstances)]


def host(number: int) -> str:
    return f"shop-{'abcdef'[number]}.lan"


def fleet(world: World, count: int = 4) -> World:
    for number in range(count):
        for place in range(140):
            body = f"GET /orders/{place} 200"
            world.log(5 + 15 * place + number, "shop", body, source="shop", clock=host(number))
    return world


def fail(
    world: World, numbers: tuple[int, ...], error: str, begin: float = SINCE, count: int = 24
) -> World:
    for place in range(count):
        number = numbers[place % len(numbers)]
        body = f"request failed order={place} {error}"
        seconds = begin + 20 * place
        world.log(seconds, "shop", body, severity=17, source="shop", clock=host(number))
    return world


def builds(world: World, new: tuple[int, ...], count: int = 4, label: str = "version") -> World:
    for number in range(count):
        for step in range(70):
            seconds = 30.0 * step
            build = "2.0" if number in new and seconds >= SINCE - 20 else "1.9"
            labels = {"job": "shop", "instance": f"{host(number)}:9090", label: build}
            name = f"build_info ({label}={build}, instance={host(number)})"
            told = {"labels": labels, "metric": "build_info", "value": 1.0}
            world.events.append(
                Event(
                    timestamp=at(seconds),
                    source="prometheus",
                    lane=Lane.METRIC,
                    kind=Kind.METRIC,
                    body=f"{name} = 1",
                    ref=f"build/{number}/{step}",
                    actor="shop",
                    attributes=json.dumps(told),
                )
            )
    return world


@pytest.mark.parametrize("label", ["version", "revision", "git_sha"])
def test_a_curve_names_the_older_build_for_all_that_fail(label: str) -> None:
    error = "unserialize(): Error at offset 41"
    world = fail(builds(fleet(healthy(World())), (0, 1), label=label), (2, 3), error)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.old_build, finding.new_build) == ("1.9", "2.0")
    assert finding.failing == (host(2), host(3))


@pytest.mark.parametrize(
    "words",
    [
        "TASK [restart shop] changed: [{}]",
        "rolled out release 2.0 to {}",
        "recreated container shop on {}",
    ],
)
def test_a_pipeline_names_the_hosts_that_it_renewed(words: str) -> None:
    world = fleet(healthy(World()))
    for number in (0, 1):
        world.log(SINCE + 10, "pipeline", words.format(host(number)))
    (finding,) = found(fail(world, (2, 3), COLUMN))
    assert finding.verdict is Verdict.LIKELY
    assert finding.renewed == 2


def test_words_about_the_schema_alone_are_possible() -> None:
    (finding,) = found(fail(fleet(healthy(World())), (2, 3), COLUMN))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_host_that_is_ill_is_no_matter_of_builds() -> None:
    world = fail(fleet(healthy(World())), (3,), "read-only file system")
    assert not found(world)


def test_the_newer_instances_that_fail_are_the_changes_own_fault() -> None:
    world = builds(fleet(healthy(World())), (2, 3))
    for number in (2, 3):
        world.log(SINCE - 10, "pipeline", f"rolled out release 2.0 to {host(number)}")
    assert not found(fail(world, (2, 3), "TypeError: x is undefined"))


def test_an_error_of_all_instances_is_silent() -> None:
    world = builds(fleet(healthy(World())), (0, 1))
    assert not found(fail(world, (0, 1, 2, 3), COLUMN))
