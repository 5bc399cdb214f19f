"""swallowed-error: a success over somebody else's error, and errors that were handled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.coverage import Sight
from timeline.detectors.swallowed_error import SwallowedError, SwallowedErrorDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

CALLED = 1200.0


def found(world: World) -> list[SwallowedError]:
    return findings_of(SwallowedErrorDetector(), world.incident(), SwallowedError)


def only(world: World) -> SwallowedError:
    (finding,) = found(world)
    return finding


def call(
    world: World,
    number: int,
    *,
    seconds: float = CALLED,
    error: str = "KeyError: 'template' for",
    field: str = "request_id",
    ends: str = "POST /invite 200",
    answered: float = 0.5,
) -> None:
    """`portal` calls `notifier`, which fails; `portal` answers."""
    told = f"{field}=c{number}"
    world.log(seconds, "portal", f"POST /invite started {told}")
    world.log(seconds + 0.1, "notifier", f"handling invite user_id={number} {told}")
    world.error(seconds + 0.2, "notifier", f"{error} user_id={number} {told}")
    world.log(seconds + answered, "portal", f"{ends} {told}")


@pytest.mark.parametrize("field", ["request_id", "trace_id", "traceId"])
def test_one_id_in_two_logs_makes_it_certain(field: str) -> None:
    world = healthy(World())
    for number in (1, 2, 3):
        call(world, number, seconds=CALLED + number, field=field)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.caller, finding.callee) == ("portal", "notifier")
    assert {"user:1", "user:2", "user:3"} <= set(finding.keys)
    assert finding.sentence() == (
        "Success was reported by portal for 3 requests that notifier had failed at, from "
        "02:20:01.200 to 02:20:03.500: 1, 2 and 3; nothing that portal said tells of it."
    )
    assert finding.next_action == (
        "Do not trust the success of portal: check 1, 2 and 3 in notifier."
    )
    assert [step.role for step in finding.steps[:3]] == ["called", "failed", "called it a success"]


def test_the_nearest_caller_is_the_one_that_swallowed_it() -> None:
    world = healthy(World())
    told = "request_id=c1"
    world.log(CALLED - 1, "gateway", f"GET /invite in {told}")
    call(world, 1)
    world.log(CALLED + 1, "gateway", f"GET /invite 200 {told}")
    assert only(world).caller == "portal"


def batch_job(world: World, *, failed_at: float = CALLED + 5, worker_says: str = "") -> None:
    """A job that hands an invoice to `printer` by its number and finishes."""
    world.run("b1", "invoice_id=77", CALLED, CALLED + 1, CALLED + 10, job_class="print_batch")
    world.log(CALLED + 1.1, "batch", "start print_batch job_id=b1 invoice_id=77")
    if worker_says:
        world.log(CALLED + 6, "batch", f"{worker_says} job_id=b1", severity=13)
    world.log(CALLED + 9.9, "batch", "done job_id=b1")
    world.error(failed_at, "printer", "TypeError: total is None invoice_id=77")


def test_a_finished_job_over_an_error_about_its_entity_is_likely() -> None:
    world = healthy(World())
    batch_job(world)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.caller, finding.callee) == ("print_batch", "printer")
    assert finding.keys == ("invoice:77", "job:b1")
    assert "invoice:77 and the time" in finding.weakest_link


def test_a_callers_log_with_a_hole_makes_it_possible() -> None:
    world = healthy(World())
    call(world, 1)
    world.blind("portal.log", CALLED, CALLED + 0.4, Sight.PARTIAL)
    assert only(world).verdict is Verdict.POSSIBLE


def test_clocks_that_cannot_order_the_two_only_weaken() -> None:
    world = healthy(World())
    call(world, 1)
    assert only(world).verdict is Verdict.CERTAIN
    world.bound = ClockBound(SECOND, SECOND, "assumed")
    assert only(world).verdict in (Verdict.LIKELY, Verdict.POSSIBLE)


def test_the_longer_of_two_that_share_an_id_called_the_other() -> None:
    world = healthy(World())
    call(world, 1)
    world.bound = ClockBound(120_000_000, 120_000_000, "declared")  # 100 ms between the beginnings
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "took longer" in finding.weakest_link


@pytest.mark.parametrize(
    "ends",
    [
        "Completed 200 OK in 40ms",
        "Sent 200 in 40ms",
        "Request finished HTTP/1.1 POST /invite - 200 40ms",
        '"POST /invite HTTP/1.1" 201 88',
        'access {"path": "/invite", "status": 200}',
        'access {"path": "/invite", "httpStatusCode":200}',
        "request completed {url: '/invite', statusCode: 200, responseTime: 40}",
    ],
)
def test_success_is_read_from_the_lines_of_many_frameworks(ends: str) -> None:
    world = healthy(World())
    call(world, 1, ends=ends)
    assert only(world).verdict is Verdict.CERTAIN


def test_a_failing_status_after_the_error_is_still_its_last_word() -> None:
    world = healthy(World())
    call(world, 1)
    world.log(CALLED + 0.25, "notifier", "Sent 500 in 27ms request_id=c1")
    assert only(world).verdict is Verdict.CERTAIN


def test_a_failing_status_in_camel_case_is_no_recovery() -> None:
    world = healthy(World())
    call(world, 1)
    world.log(CALLED + 0.25, "notifier", "request completed {statusCode: 500} request_id=c1")
    assert only(world).verdict is Verdict.CERTAIN


def handed_on_as_trace(world: World, ends: str) -> None:
    """What one service logs as `request_id` the next one logs as `trace_id`."""
    world.log(CALLED, "portal", "POST /labels started request_id=9f3e77aa")
    world.error(CALLED + 0.2, "printer", "label refused: width is null trace_id=9f3e77aa")
    world.log(CALLED + 0.4, "portal", "labels ordered parcel_id=31 request_id=9f3e77aa")
    world.log(CALLED + 0.5, "portal", f"{ends} request_id=9f3e77aa")


def test_one_id_under_two_names_joins_the_two_logs() -> None:
    world = healthy(World())
    handed_on_as_trace(world, "POST /labels 200")
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.caller, finding.callee) == ("portal", "printer")
    assert {"request:9f3e77aa", "parcel:31"} <= set(finding.keys)


def the_caller_handed_it_back(world: World) -> None:
    handed_on_as_trace(world, "POST /labels 502")


def the_callee_went_on(world: World) -> None:
    call(world, 1)
    world.log(CALLED + 0.3, "notifier", "used the default template request_id=c1")


def the_caller_warned(world: World) -> None:
    call(world, 1)
    world.log(CALLED + 0.4, "portal", "invite not delivered request_id=c1", severity=13)


def the_caller_reported_it(world: World) -> None:
    call(world, 1, ends="POST /invite 502")


def fire_and_forget(world: World) -> None:
    call(world, 1, answered=0.05)


def the_error_was_the_callers_own(world: World) -> None:
    world.log(CALLED, "portal", "GET /x started request_id=c1")
    world.log(CALLED + 0.1, "stock", "GET /stock 200 request_id=c1")
    world.error(CALLED + 0.2, "portal", "cannot render request_id=c1")


def called_from_below(world: World) -> None:
    """The failing one called the other: it is the caller, and it says so."""
    world.log(CALLED, "notifier", "begin request_id=c1")
    world.log(CALLED + 0.1, "portal", "POST /a started request_id=c1")
    world.log(CALLED + 0.2, "portal", "POST /a 200 request_id=c1")
    world.error(CALLED + 0.3, "notifier", "failed request_id=c1")


def a_job_that_warned(world: World) -> None:
    batch_job(world, worker_says="printer refused 77")


def an_error_after_the_job(world: World) -> None:
    batch_job(world, failed_at=CALLED + 60)


def a_retry_that_worked(world: World) -> None:
    batch_job(world)
    world.log(CALLED + 7, "printer", "printed invoice_id=77")


def another_entity(world: World) -> None:
    batch_job(world, failed_at=CALLED + 60)
    world.error(CALLED + 5, "printer", "TypeError: total is None invoice_id=78")


@pytest.mark.parametrize(
    "confuser",
    [
        the_caller_handed_it_back,
        the_callee_went_on,
        the_caller_warned,
        the_caller_reported_it,
        fire_and_forget,
        the_error_was_the_callers_own,
        called_from_below,
        a_job_that_warned,
        an_error_after_the_job,
        a_retry_that_worked,
        another_entity,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_order_of_arrival_and_shift() -> None:
    world = healthy(World())
    call(world, 1)
    batch_job(world)
    first = found(world)
    world.events.reverse()
    assert found(world) == first
    world.shift = 90 * SECOND
    assert found(world)[0].began == at(CALLED + 0.2) + 90 * SECOND


def test_needs_logs() -> None:
    world = World()
    world.run("a", "user_id=1", 1, 2, 3)
    assert isinstance(SwallowedErrorDetector().detect(world.incident()), NotEvaluated)


def test_unrelated_lines_change_nothing() -> None:
    world = healthy(World())
    call(world, 1)
    first = only(world)
    for number in range(50):
        world.log(100 + number * 30, "weather", f"station_id={number} reports 4 degrees")
    assert only(world).sentence() == first.sentence()
    assert only(world).keys == first.keys


def closing(world: World, *, said: str = "POST /basket 200", answered: float = 0.4) -> World:
    """`basket` logs each request once, at its end; `prices` failed at three of them before."""
    for number in range(3):
        told, begun = f"request_id=b{number}", CALLED + number
        world.error(begun + 0.2, "prices", f"GET /prices/{number} 500 {told}")
        world.log(begun + answered, "basket", f"{said} {told}")
    return world


def test_a_caller_that_logs_only_the_end_is_possible() -> None:
    finding = only(closing(healthy(World())))
    assert finding.verdict is Verdict.POSSIBLE
    assert (finding.caller, finding.callee, len(finding.cases)) == ("basket", "prices", 3)
    assert finding.weakest_link == (
        "that basket called prices is read from the order of their lines"
    )


def test_a_closing_line_of_the_same_instant_came_after_the_error() -> None:
    """A log in milliseconds gives both one stamp when the answer takes less than one."""
    finding = only(closing(healthy(World()), answered=0.2))
    assert (finding.verdict, len(finding.cases)) == (Verdict.POSSIBLE, 3)


@pytest.mark.parametrize(
    ("said", "answered"),
    [("POST /basket 502", 0.4), ("basket opened", 0.4), ("POST /basket 200", 0.1)],
    ids=["it tells the failure", "no word of success", "before the error"],
)
def test_a_closing_line_that_hides_nothing_is_silent(said: str, answered: float) -> None:
    assert not found(closing(healthy(World()), said=said, answered=answered))


def test_a_closing_line_among_three_services_names_no_caller() -> None:
    world = closing(healthy(World()))
    for number in range(3):
        world.log(CALLED + number + 0.3, "stock", f"GET /stock 200 request_id=b{number}")
    assert not found(world)
