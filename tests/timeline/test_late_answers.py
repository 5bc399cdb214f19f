"""duplicate-enqueue after a late answer: a caller who loses patience, and people who ask twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.duplicate_enqueue import DuplicateEnqueue, DuplicateEnqueueDetector
from timeline.order import Verdict
from timeline.window import SECOND_NS

from .findings import findings_of
from .worlds import World

PATIENCE = 10.0
FEW = 4
"""Too few in a row for a stretch that a relay pushed again (`timeline.facts.repeated_runs`)."""


def found(world: World) -> list[DuplicateEnqueue]:
    return findings_of(DuplicateEnqueueDetector(), world.incident(), DuplicateEnqueue)


def called(world: World, order: int, seconds: float, took: float, number: int = 1) -> None:
    """One call of the hook: its request, and the job that it pushes before it answers."""
    request, job = f"r{order}x{number}", f"j{order}x{number}"
    told = f"order_id={order}"
    world.log(seconds, "web", f"POST /hooks/bank began request_id={request}")
    sent = seconds + took - 0.1
    world.run(job, told, sent, sent + 0.3, sent + 0.9, job_class="apply_event", source="rq")
    world.log(sent, "web", f"queued job_id={job} {told} request_id={request}")
    world.log(seconds + took, "web", f"POST /hooks/bank answered 200 request_id={request}")


def before(world: World, took: float = 1.0) -> World:
    """Calls that are answered in time and made once."""
    for number in range(25):
        called(world, 100 + number, 20 + number * 40, took + number % 4 * 0.2)
    return world


def impatient(world: World, orders: int, took: float = 14.0) -> World:
    """Each of so many is called again forty seconds later, and answered in time then."""
    for order in range(orders):
        begin = 1100 + order * 70
        called(world, 500 + order, begin, took + order * 0.5)
        called(world, 500 + order, begin + PATIENCE + 30, 1.0, number=2)
    return world


def test_calls_that_were_answered_late_came_again_and_left_two_jobs_each() -> None:
    (finding,) = found(impatient(before(World()), FEW))
    assert finding.verdict is Verdict.LIKELY
    assert finding.cause == "two requests"
    assert len(finding.cases) == FEW
    assert finding.cases[0].jobs == ("job:j500x1", "job:j500x2")
    assert min(case.late for case in finding.cases) >= 10 * SECOND_NS


def test_few_earlier_calls_and_few_repetitions_are_only_possible() -> None:
    world = World()
    for number in range(12):
        called(world, 100 + number, 20 + number * 40, 1.0)
    (finding,) = found(impatient(world, 2))
    assert finding.verdict is Verdict.POSSIBLE


def test_several_repetitions_with_few_earlier_calls_speak_for_themselves() -> None:
    world = World()
    for number in range(12):
        called(world, 100 + number, 20 + number * 40, 1.0)
    (finding,) = found(impatient(world, 4))
    assert finding.verdict is Verdict.LIKELY
    assert "or more came again" in finding.weakest_link


def people_who_ask_twice(world: World) -> None:
    """The second request has its own reason: the first was answered as quickly as all others."""
    impatient(before(world), FEW, took=1.0)


def a_slow_export_that_is_wanted_twice(world: World) -> None:
    """Every request of this kind takes as long, repeated or not."""
    impatient(before(world, took=14.0), FEW)


def its_way_from_the_beginning(world: World) -> None:
    """Nothing was called only once before."""
    impatient(world, FEW)


def without_requests(world: World) -> None:
    """Nobody's lines tell how long the requests took."""
    impatient(before(world), FEW)
    world.dropped.add("web.log")


@pytest.mark.parametrize(
    "look_alike",
    [
        people_who_ask_twice,
        a_slow_export_that_is_wanted_twice,
        its_way_from_the_beginning,
        without_requests,
    ],
)
def test_work_that_comes_again_for_another_reason_stays_silent(
    look_alike: Callable[[World], None],
) -> None:
    world = World()
    look_alike(world)
    assert found(world) == []
