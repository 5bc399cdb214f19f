"""swallowed-error by the service itself: an error, and then nothing but its own success."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.polite_errors import PoliteError
from timeline.detectors.swallowed_error import SwallowedErrorDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

FROM, EVERY = 1000.0, 40.0
WORKS = range(20)
FAILING = range(12, 18)
"""Of twenty pieces of work, in their order, six fail."""

Says = Callable[[World, float, int, bool], None]


def found(world: World) -> list[PoliteError]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [finding for finding in result if isinstance(finding, PoliteError)]


def nights_work(world: World, says: Says, *, effect: str = "rows") -> World:
    """A worker hands twenty invoices to the printer one by one; who did it leaves a row."""
    for number in WORKS:
        seconds, failing = FROM + number * EVERY, number in FAILING
        says(world, seconds, number, failing)
        if (effect == "rows" and not failing) or effect == "always":
            world.row(seconds + 0.4, "prints", 900 + number, columns={"invoice_id": 700 + number})
    return world


def rails(world: World, seconds: float, number: int, failing: bool) -> None:
    told = f"request_id=c{number}a"
    world.log(seconds, "printer", f'Started POST "/prints" {told}')
    if failing:
        world.error(
            seconds + 0.1, "printer", f"NoMethodError: nil invoice_id={700 + number} {told}"
        )
    world.log(seconds + 0.2, "printer", f"Completed 200 OK in 41ms {told}")
    world.log(seconds + 0.3, "batch", f"printer answered 200 invoice_id={700 + number} {told}")


def spring_under_a_trace(world: World, seconds: float, number: int, failing: bool) -> None:
    told = f"trace_id=4bf92f3577b34da6a3ce929d0e0e47{number:02}"
    world.log(seconds, "printer", f"--> POST /prints {told}")
    if failing:
        body = f"Druck fehlgeschlagen invoice_id={700 + number} {told}: Vorlage leer"
        world.error(seconds + 0.1, "printer", body)
    world.log(seconds + 0.2, "printer", f"<-- 200 POST /prints 41ms {told}")
    world.log(seconds + 0.3, "batch", f"invoice_id={700 + number} gedruckt status=200 {told}")


def two_names_for_one_id(world: World, seconds: float, number: int, failing: bool) -> None:
    world.log(seconds, "printer", f"POST /prints in correlation_id=q{number}77z")
    if failing:
        body = f"KeyError: 'template' invoice_id={700 + number} request_id=q{number}77z"
        world.error(seconds + 0.1, "printer", body)
    world.log(
        seconds + 0.2, "printer", f'"POST /prints HTTP/1.1" 201 88 correlation_id=q{number}77z'
    )
    told = f"invoice_id={700 + number} request_id=q{number}77z"
    world.log(seconds + 0.3, "batch", f"printer answered 201 {told}")


TONGUES = [rails, spring_under_a_trace, two_names_for_one_id]


@pytest.mark.parametrize("says", TONGUES)
def test_failed_and_answered_with_success_is_likely_where_its_rows_are_missing(says: Says) -> None:
    (finding,) = found(nights_work(healthy(World()), says))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.actor, finding.callers) == ("printer", ("batch",))
    assert {f"invoice:{700 + number}" for number in FAILING} <= set(finding.keys)
    assert "6 of 6 things in them have no row in prints" in finding.sentence()
    assert at(FROM + 12 * EVERY) <= finding.began <= finding.ended <= at(FROM + 18 * EVERY)


@pytest.mark.parametrize("says", TONGUES)
def test_without_rows_it_is_possible(says: Says) -> None:
    (finding,) = found(nights_work(healthy(World()), says, effect="none"))
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.contrast is None


@pytest.mark.parametrize("says", TONGUES)
def test_what_the_rows_show_to_be_done_is_silent(says: Says) -> None:
    assert found(nights_work(healthy(World()), says, effect="always")) == []


def another_way(world: World, seconds: float, number: int, failing: bool) -> None:
    rails(world, seconds, number, failing)
    if failing:
        world.log(seconds + 0.15, "printer", f"using the plain template request_id=c{number}a")


def an_honest_answer(world: World, seconds: float, number: int, failing: bool) -> None:
    told = f"request_id=c{number}a"
    world.log(seconds, "printer", f'Started POST "/prints" {told}')
    if failing:
        world.error(
            seconds + 0.1, "printer", f"NoMethodError: nil invoice_id={700 + number} {told}"
        )
    status = "500 Internal Server Error" if failing else "200 OK"
    world.log(seconds + 0.2, "printer", f"Completed {status} in 41ms {told}")


def the_caller_retries(world: World, seconds: float, number: int, failing: bool) -> None:
    rails(world, seconds, number, failing)
    if failing:
        world.log(seconds + 0.35, "batch", f"not printed, trying again request_id=c{number}a")


@pytest.mark.parametrize("says", [another_way, an_honest_answer, the_caller_retries])
def test_confusers_stay_silent(says: Says) -> None:
    assert found(nights_work(healthy(World()), says)) == []


def test_two_are_too_few() -> None:
    world = healthy(World())
    for number in (12, 13):
        rails(world, FROM + number * EVERY, number, True)
    assert found(world) == []


def test_order_of_arrival_and_strangers_change_nothing() -> None:
    plain, other = (nights_work(healthy(World()), rails) for _ in range(2))
    other.log(FROM, "search", "refresh 200 done")
    other.events.reverse()
    first, second = found(plain)[0], found(other)[0]
    assert (first.sentence(), first.keys) == (second.sentence(), second.keys)
