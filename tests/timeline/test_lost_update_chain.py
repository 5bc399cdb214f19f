"""lost-update where each change is told with the value before and after it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from timeline.detectors.lost_update import LostUpdateDetector
from timeline.detectors.lost_update_chain import LostUpdateChain
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

Wording = Callable[[str, int, int, str], str]
WORDINGS: tuple[Wording, ...] = (
    lambda shelf, old, new, run: f"took shelf={shelf} pieces {old} -> {new} request_id={run}",
    lambda shelf, old, new, run: (
        f'{{"wallet_id":"{shelf}","msg":"balance {old} => {new}","trace_id":"{run}"}}'
    ),
    lambda shelf, old, new, run: f"seats changed from {old} to {new} hall: {shelf} job_id={run}",
)


def found(world: World) -> list[LostUpdateChain]:
    result = LostUpdateDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, LostUpdateChain)]


def night(
    wording: Wording = WORDINGS[0],
    *,
    second: Callable[[int], int] = lambda base: base - 4,
    back: bool = False,
    refused: bool = False,
    one_run: bool = False,
    unheard: bool = False,
    goes_on: bool = True,
) -> World:
    """Forty changes one after the other on eight shelves; then, on each of three, two from one
    number. With `back` a line tells between them that the first was taken back, with `unheard` the
    values are changed by somebody else after every line."""
    world, rng = World(), random.Random(3)
    held = {f"k{number}": 200 + number for number in range(8)}

    def changed(seconds: float, shelf: str, new: int, run: str, *, base: int | None = None) -> None:
        old = held[shelf] if base is None else base
        world.log(seconds, "stock", wording(shelf, old, new, run), clock=f"stock-{run[-1]}")
        held[shelf] = new + (rng.randint(10, 90) if unheard else 0)

    for number in range(40):
        shelf = f"k{number % 8}"
        changed(20.0 + 30 * number, shelf, held[shelf] - rng.randint(1, 3), f"r{number}aa")
    for number in range(3):
        seconds, shelf, run = 1400.0 + 40 * number, f"k{number}", f"x{number}two"
        base = held[shelf]
        changed(seconds, shelf, base - 1, f"x{number}one")
        if back:
            changed(seconds + 0.02, shelf, base, f"x{number}nil")
        by = f"x{number}one" if one_run else run
        changed(seconds + 0.05, shelf, second(base), by, base=base)
        if refused:
            world.log(seconds + 0.06, "stock", f"409 conflict request_id={run}", severity=13)
        if goes_on:
            changed(seconds + 15, shelf, held[shelf] - 1, f"y{number}aa")
    return world


@pytest.mark.parametrize("wording", WORDINGS)
def test_two_that_went_on_from_one_value(wording: Wording) -> None:
    (finding,) = found(night(wording))
    assert (finding.verdict, len(finding.cases)) == (Verdict.LIKELY, 3)
    assert all(case.left[0] != case.left[1] for case in finding.cases)


def test_the_sentence_tells_both_and_what_they_began_with() -> None:
    (finding,) = found(night())
    case = finding.cases[0]
    assert f"pieces {case.base} to {case.left[0]}" in finding.sentence()
    assert f"from {case.base} again to {case.left[1]} 50 ms later" in finding.sentence()
    assert {"request:x0one", "request:x0two"} <= set(finding.keys)


def test_what_nobody_went_on_from_may_not_have_stayed() -> None:
    (finding,) = found(night(goes_on=False))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_gap_in_the_log_may_hide_that_it_was_brought_back() -> None:
    world = night()
    world.blind("stock.log", 1399, 1500)
    assert all(one.verdict is Verdict.POSSIBLE for one in found(world))


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(night(back=True), id="brought-back-in-between"),
        pytest.param(night(refused=True), id="refused"),
        pytest.param(night(one_run=True), id="one-run"),
        pytest.param(night(second=lambda base: base - 1), id="both-left-the-same"),
        pytest.param(night(unheard=True), id="changed-by-others"),
    ],
)
def test_no_update_is_lost(world: World) -> None:
    assert not found(world)
