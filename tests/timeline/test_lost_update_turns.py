"""lost-update: writers that took turns at a column that goes back and forth have lost nothing."""

from __future__ import annotations

from dataclasses import replace

from timeline.clock import ClockBound
from timeline.detectors.lost_update import LostUpdate, LostUpdateDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .recorded import version
from .worlds import SECOND, World, healthy

WHEN = 1500.0
LOOSE = ClockBound(SECOND, SECOND, "declared")
APART = {"a1": "app-1", "b2": "app-2", "c3": "app-3"}
"""Who wrote, and on which host it was stamped."""


def found(world: World) -> list[LostUpdate]:
    result = LostUpdateDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return [one for one in result if isinstance(one, LostUpdate)]


def written(
    *steps: tuple[float, str, str, str],
    bound: ClockBound = LOOSE,
    clocks: dict[str, str] = APART,
    numbers: tuple[int, ...] = (),
) -> World:
    """Versions of one order's state: when, by whom, from what, to what."""
    world = healthy(World(bound=bound))
    for place, (later, who, old, new) in enumerate(steps):
        number = numbers[place] if numbers else None
        changed: dict[str, object] = {"state": (old, new)}
        version(
            world,
            WHEN + later,
            "orders",
            77,
            changed,  # type: ignore[arg-type]
            actor=who,
            request=who,
            number=number,
        )
        world.events[-1] = replace(world.events[-1], clock=clocks[who])
    return world


TURNS = (
    (0.0, "a1", "open", "packed"),
    (0.3, "b2", "open", "held"),
    (0.5, "c3", "packed", "open"),
)
"""In truth the state was set back between the two; whoever did so has a clock that is late."""


def test_a_value_that_was_set_back_within_the_clocks_error_was_read_again() -> None:
    assert found(written(*TURNS)) == []


def test_the_same_by_clocks_that_exclude_it_is_lost() -> None:
    (finding,) = found(written(*TURNS, bound=ClockBound(SECOND // 100, SECOND // 100, "declared")))
    assert finding.verdict is Verdict.LIKELY


def test_the_same_by_one_clock_is_lost() -> None:
    one = dict.fromkeys(APART, "app-1")
    (finding,) = found(written(*TURNS, clocks=one))
    assert finding.verdict is Verdict.LIKELY


def test_nobody_set_it_back_so_one_is_lost_however_loose_the_clocks() -> None:
    (finding,) = found(written(*TURNS[:2]))
    assert finding.verdict is Verdict.LIKELY


def test_a_value_that_was_back_far_off_leaves_the_claim_possible() -> None:
    back = (30.0, "c3", "held", "open")
    (finding,) = found(written(*TURNS[:2], back))
    assert finding.verdict is Verdict.POSSIBLE
    assert "more than once" in finding.weakest_link


def test_the_databases_own_numbers_decide() -> None:
    assert found(written(*TURNS, numbers=(1, 3, 2))) == []
    (finding,) = found(written(*TURNS, numbers=(1, 2, 3)))
    assert finding.verdict is Verdict.LIKELY
