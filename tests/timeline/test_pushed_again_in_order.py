"""duplicate-enqueue of whole stretches: a relay or a loader that was started anew."""

from __future__ import annotations

import pytest

from timeline.detectors.duplicate_enqueue import DuplicateEnqueue, DuplicateEnqueueDetector
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, healthy

BEGUN = 900.0


def found(world: World) -> list[DuplicateEnqueue]:
    return findings_of(DuplicateEnqueueDetector(), world.incident(), DuplicateEnqueue)


def pushed(world: World, number: int, at: float, name: str, job_class: str = "index_page") -> None:
    args = f"page_id={number}"
    world.run(name, args, at, at + 0.2, at + 0.4, job_class=job_class, queue="bulk")


def others(world: World, count: int = 40) -> World:
    for number in range(count):
        pushed(world, number, 20 + 15 * number, f"o{number}")
    return world


def test_a_page_that_a_relay_sent_again_half_a_minute_later() -> None:
    world = others(healthy(World()))
    for place in range(8):
        pushed(world, 500 + place, BEGUN + 0.01 * place, f"a{place}")
        pushed(world, 500 + place, BEGUN + 30 + 0.01 * place, f"b{place}")
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.cases) == 8


@pytest.mark.parametrize("reached", [12, 40, 70])
def test_a_loader_that_began_at_the_first_line_again(reached: int) -> None:
    """Most of what the class has is pushed twice; only that it went further tells."""
    world = healthy(World())
    for place in range(reached):
        pushed(world, 500 + 3 * place, BEGUN + place, f"a{place}")
    for place in range(100):
        pushed(world, 500 + 3 * place, BEGUN + reached + 15 + place, f"b{place}")
    (finding,) = found(world)
    assert len(finding.cases) == min(reached, 50)
    assert finding.began == min(case.pushed[0] for case in finding.cases)


def test_calls_of_other_producers_may_lie_between() -> None:
    world = others(healthy(World()))
    for place in range(12):
        pushed(world, 500 + place, BEGUN + 3 * place, f"a{place}")
        pushed(world, 800 + place, BEGUN + 3 * place + 1, f"x{place}")
        pushed(world, 500 + place, BEGUN + 90 + 3 * place, f"b{place}")
    (finding,) = found(world)
    assert len(finding.cases) == 12
    assert "page:800" not in finding.keys


def test_a_round_over_everything_is_made_again_by_schedule() -> None:
    world = healthy(World())
    for place in range(60):
        pushed(world, 500 + place, BEGUN + place, f"a{place}")
        pushed(world, 500 + place, BEGUN + 240 + place, f"b{place}")
    assert not found(world)


def test_single_things_that_are_pushed_again_in_any_order_are_work_of_their_own() -> None:
    world = others(healthy(World()))
    for place in range(12):
        pushed(world, 500 + place, BEGUN + 2 * place, f"a{place}")
        pushed(world, 500 + place, BEGUN + 120 + 2 * (place * 7 % 12), f"b{place}")
    assert not found(world)


def test_a_stretch_that_comes_again_much_later_is_another_piece_of_work() -> None:
    world = others(healthy(World()))
    for place in range(12):
        pushed(world, 500 + place, BEGUN + place, f"a{place}")
        pushed(world, 500 + place, BEGUN + 600 + place, f"b{place}")
    assert not found(world)
