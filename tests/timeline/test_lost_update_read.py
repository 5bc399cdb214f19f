"""lost-update where runs tell the number that they found and the one that they left."""

from __future__ import annotations

import random

import pytest

from timeline.clock import ClockBound
from timeline.detectors.lost_update import LostUpdateDetector
from timeline.detectors.lost_update_read import LostUpdateRead
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World

WORDS = (
    ("reserve seat_id={key} free={n} request_id={run}", "saved seat_id={key} free={n}"),
    ('{{"msg":"loaded","wallet_id":"{key}","balance":{n},"trace_id":"{run}"}}', '{{"balance":{n}'),
    ("begin job_id={run} meter_id={key} total: {n}", "written meter_id={key} total: {n}"),
)


def found(world: World) -> list[LostUpdateRead]:
    result = LostUpdateDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, LostUpdateRead)]


def told(
    words: tuple[str, str], *, raced: bool, refused: bool = False, second_by: str = "stock"
) -> World:
    """Forty runs one after the other, and two at once on each of three things, the second of them
    by `second_by`."""
    world, rng = World(), random.Random(5)
    kind = next(kind for kind in ("seat", "wallet", "meter") if kind in words[0])
    run_kind = next(name for name in ("request_id", "trace_id", "job_id") if name in words[0])
    left = {f"k{n}": 100 + n for n in range(8)}

    def by(run: str) -> str:
        return second_by if run.endswith("two") else "stock"

    def read(second: float, key: str, run: str) -> None:
        world.log(second, by(run), words[0].format(key=key, n=left[key], run=run))

    def wrote(second: float, key: str, run: str, number: int, more: str = "") -> None:
        left[key] = number
        body = f"{kind}_id={key} {run_kind}={run} " + words[1].format(key=key, n=number) + more
        world.log(second, by(run), body)

    for number in range(40):
        key = f"k{number % 8}"
        read(30.0 * number + 20, key, f"r{number}aa")
        wrote(30.0 * number + 21, key, f"r{number}aa", left[key] - rng.randint(1, 3))
    for number in range(3):
        second, key, before = 1500.0 + 20 * number, f"k{number}", left[f"k{number}"]
        read(second, key, f"x{number}one")
        if raced:
            read(second + 0.1, key, f"x{number}two")
        wrote(second + 0.3, key, f"x{number}one", before - 1)
        if not raced:
            read(second + 0.4, key, f"x{number}two")
        after = before - 4 if raced else before - 5
        more = " conflict, not saved" if refused else ""
        wrote(second + 0.6, key, f"x{number}two", after, more)
    return world


@pytest.mark.parametrize("words", WORDS)
def test_two_that_found_the_same_number(words: tuple[str, str]) -> None:
    (finding,) = found(told(words, raced=True))
    assert (finding.verdict, len(finding.cases)) == (Verdict.LIKELY, 3)
    assert not found(told(words, raced=False))


@pytest.mark.parametrize("words", WORDS)
def test_two_services_that_found_the_same_number(words: tuple[str, str]) -> None:
    (finding,) = found(told(words, raced=True, second_by="returns"))
    assert (finding.actors, len(finding.cases)) == (("stock", "returns"), 3)
    assert "by stock and returns" in finding.sentence()
    assert not found(told(words, raced=False, second_by="returns"))


def test_a_second_write_that_was_refused_is_no_lost_one() -> None:
    assert not found(told(WORDS[0], raced=True, refused=True))


def test_clocks_that_leave_the_order_open_lower_it() -> None:
    world = told(WORDS[0], raced=True)
    world.bound = ClockBound(2 * 10**9, 2 * 10**9, "declared")
    for place, event in enumerate(world.events):
        host = "one" if "one" in event.body else "two"
        world.events[place] = type(event)(
            **{name: getattr(event, name) for name in event.__slots__ if name != "clock"},
            clock=host,
        )
    assert all(finding.verdict is Verdict.POSSIBLE for finding in found(world))


def test_figures_that_are_not_handed_on() -> None:
    """Pages that are shown to two people at once: how many results they found is no state."""
    world, rng = World(), random.Random(2)
    for number in range(120):
        key, run = f"k{number % 6}", f"r{number}aa"
        second = 15.0 * number + 10
        for place, hits in enumerate((7, rng.randint(10, 90))):
            body = f"search shelf_id={key} hits={hits} request_id={run}"
            world.log(second + 20 * place, "search", body)
    assert not found(world)
