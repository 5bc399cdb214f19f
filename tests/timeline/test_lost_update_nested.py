"""lost-update by what runs read and wrote: who read first may be who writes last."""

from __future__ import annotations

import pytest

from timeline.detectors.lost_update import LostUpdateDetector
from timeline.detectors.lost_update_read import LostUpdateRead
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

HIT = "k3"
CROSSED = 1500.0


def found(world: World) -> list[LostUpdateRead]:
    result = LostUpdateDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, LostUpdateRead)]


def handed_on() -> World:
    """Forty runs on five wallets, each of which finds what the one before left."""
    world = World()
    for number in range(40):
        step(world, 20.0 + 30 * number, f"k{number % 5}", f"r{number:04}aa", 100 + number // 5)
        step(world, 21.0 + 30 * number, f"k{number % 5}", f"r{number:04}aa", 101 + number // 5)
    return world


def step(world: World, seconds: float, key: str, run: str, balance: int) -> None:
    world.log(seconds, "wallets", f"wallet_id={key} request_id={run} balance={balance}")


@pytest.mark.parametrize(
    ("outer_reads", "inner_reads", "inner_writes", "outer_writes"),
    [(0.0, 0.1, 0.4, 0.6), (0.1, 0.0, 0.4, 0.6)],
    ids=["who read first writes last", "who read last writes last"],
)
def test_who_wrote_first_is_written_over(
    outer_reads: float, inner_reads: float, inner_writes: float, outer_writes: float
) -> None:
    world = handed_on()
    for seconds, run, balance in (
        (outer_reads, "outer", 108),
        (inner_reads, "inner", 108),
        (inner_writes, "inner", 138),
        (outer_writes, "outer", 88),
    ):
        step(world, CROSSED + seconds, HIT, f"{run}0bd5", balance)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    (case,) = finding.cases
    assert (case.first, case.second) == ("request:inner0bd5", "request:outer0bd5")
    assert case.left == ("138", "88")
    assert "the other 88" in finding.sentence()


@pytest.mark.parametrize(
    "steps",
    [
        ((0.0, "outer", 108), (0.1, "inner", 108), (0.4, "inner", 138), (0.6, "outer", 138)),
        ((0.0, "outer", 108), (0.3, "outer", 138), (0.4, "inner", 138), (0.6, "inner", 88)),
        ((0.0, "outer", 108), (0.1, "inner", 108), (0.4, "inner", 108), (0.6, "outer", 88)),
    ],
    ids=["it left what the other had left", "one after the other", "the other only looked"],
)
def test_runs_that_met_and_lost_nothing(steps: tuple[tuple[float, str, int], ...]) -> None:
    world = handed_on()
    for seconds, run, balance in steps:
        step(world, CROSSED + seconds, HIT, f"{run}0bd5", balance)
    assert not found(world)
