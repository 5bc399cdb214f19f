"""lost-update in an audit table that names the same person for both writes and no request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.lost_update import LostUpdate, LostUpdateDetector
from timeline.facts.overwrites import PUT_BACK
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .recorded import version
from .worlds import World, healthy

WHEN = 1500.0


def found(world: World) -> list[LostUpdate]:
    result = LostUpdateDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, LostUpdate)]


def saved(
    world: World,
    *,
    opened_again: float = WHEN - 7,
    names: tuple[str, str] = ("r1", "r2"),
    key: str = "request_id",
) -> World:
    """Order 77 is approved, and 19 s later saved as somebody had it on the screen."""
    healthy(world)
    first, second = names
    world.log(WHEN - 9, "desk", f"Formular geöffnet order_id=77 {key}={first}")
    world.log(opened_again, "desk", f"Formular geöffnet order_id=77 {key}={second}")
    world.log(WHEN + 0.2, "desk", f"abgeschickt order_id=77 {key}={first}")
    world.log(WHEN + 19.2, "desk", f"abgeschickt order_id=77 {key}={second}")
    version(world, WHEN, "orders", 77, {"state": ("new", "paid")}, actor="service")
    undone: dict[str, tuple[object, object]] = {"state": ("paid", "new"), "plan_id": (3, 4)}
    version(world, WHEN + 19, "orders", 77, undone, actor="service")  # type: ignore[arg-type]
    return world


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("request_id", ("r1", "r2")),
        ("correlation_id", ("c1a", "c2b")),
        ("trace_id", ("4bf92f3577b34da6a3ce929d0e0e0001", "4bf92f3577b34da6a3ce929d0e0e0002")),
    ],
)
def test_the_lines_of_that_instant_tell_the_two_writers_apart(
    key: str, names: tuple[str, str]
) -> None:
    (finding,) = found(saved(World(), key=key, names=names))
    assert finding.sign == PUT_BACK
    assert finding.verdict is Verdict.POSSIBLE
    assert {name.rpartition(":")[2] for name in finding.cases[0].writers} == set(names)


def one_request_wrote_both(world: World) -> None:
    saved(world, names=("r1", "r1"))


def opened_after_the_first_was_saved(world: World) -> None:
    """It had seen what it changed back."""
    saved(world, opened_again=WHEN + 8)


def nobody_spoke_of_it(world: World) -> None:
    saved(world)
    world.events = [event for event in world.events if "order_id=77" not in event.body]


@pytest.mark.parametrize(
    "confuser", [one_request_wrote_both, opened_after_the_first_was_saved, nobody_spoke_of_it]
)
def test_look_alikes_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_logs_that_say_the_version_are_stronger_than_values_that_were_put_back() -> None:
    world = saved(World())
    for second, name, state in ((WHEN + 0.3, "r1", "paid"), (WHEN + 19.3, "r2", "new")):
        body = f"saved order_id=77 state={state} from version=4 request_id={name}"
        world.log(second, "desk", body)
    result = LostUpdateDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    (finding,) = result
    assert finding.verdict is Verdict.LIKELY
    assert "order:77" in finding.keys
