"""deploy-skew of hosts that serve the files of two builds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.deploy_skew import DeploySkewDetector
from timeline.detectors.skewed_paths import SkewedPaths
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, healthy

SINCE = 1200.0
FILES = ("main", "vendor", "7")
Wording = Callable[[str, int], str]
WORDINGS: tuple[Wording, ...] = (
    lambda path, status: f"GET {path} -> {status} in 200 ms",
    lambda path, status: f'"GET {path} HTTP/1.1" {status} 404ms',
    lambda path, status: f"Completed {status} in 3ms (GET {path})",
)


def host(number: int) -> str:
    return f"shop-{'abcd'[number]}.lan"


def found(world: World) -> list[SkewedPaths]:
    result = DeploySkewDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, SkewedPaths)]


def night(
    there: Callable[[str, int], bool],
    wording: Wording = WORDINGS[0],
    *,
    noted: bool = True,
    started: tuple[int, ...] = (),
) -> World:
    """Files of two builds, asked for on four hosts in turn; `there` says which host has which
    build's. With `noted` the rollout is on record; `started` are hosts that told of a start."""
    world = healthy(World())
    if noted:
        world.change(SINCE - 20, "shop 2.0 deployed")
    for number in started:
        world.log(SINCE - 5, "shop", "shop booted", source="shop", clock=host(number))
    for place in range(160):
        seconds = 10.0 + 13 * place
        build = "b2" if seconds >= SINCE and place % 2 else "b1"
        number = (place // 2) % 4
        has = seconds < SINCE or there(build, number)
        path = f"/assets/{FILES[place % 3]}.{build}.js"
        world.log(
            seconds, "shop", wording(path, 200 if has else 404), source="shop", clock=host(number)
        )
        world.log(seconds + 1, "shop", wording("/", 200), source="shop", clock=host(number))
    return world


def each_its_own(build: str, number: int) -> bool:
    return (build == "b2") is (number < 2)


def new_ones_keep_the_old(build: str, number: int) -> bool:
    return build == "b1" or number < 2


@pytest.mark.parametrize("wording", WORDINGS)
def test_each_side_lacks_what_the_other_has(wording: Wording) -> None:
    (finding,) = found(night(each_its_own, wording))
    assert finding.verdict is Verdict.LIKELY
    assert {frozenset(side) for side in finding.sides} == {
        frozenset((host(0), host(1))),
        frozenset((host(2), host(3))),
    }
    assert "answered 404 for /assets/" in finding.sentence()


def test_one_side_lacks_the_new_files() -> None:
    (finding,) = found(night(new_ones_keep_the_old))
    assert finding.verdict is Verdict.POSSIBLE
    (finding,) = found(night(new_ones_keep_the_old, started=(0, 1)))
    assert finding.verdict is Verdict.LIKELY


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(night(lambda _, number: number != 3, noted=False), id="no-change"),
        pytest.param(night(lambda build, _: build == "b2"), id="missing-everywhere"),
        pytest.param(night(lambda _build, _number: True), id="there-everywhere"),
    ],
)
def test_one_build_serves(world: World) -> None:
    assert not found(world)


def test_a_file_that_comes_and_goes_on_a_host_parts_nobody() -> None:
    turn = iter(range(1_000))
    assert not found(night(lambda _build, _number: next(turn) % 5 > 1))


def test_a_host_that_lacks_everything_may_be_ill() -> None:
    (finding,) = found(night(lambda _build, number: number != 3))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_host_that_serves_nothing_is_no_second_build() -> None:
    world = night(lambda _build, number: number != 3)
    world.events = [
        event for event in world.events if event.clock != host(3) or "-> 200" not in event.body
    ]
    assert not found(world)
