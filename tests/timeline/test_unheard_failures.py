"""swallowed-error seen from outside: a server, a proxy or a search engine failed at a job."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.swallowed_error import SwallowedErrorDetector
from timeline.detectors.unheard_failures import UnheardFailure
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import SECOND, World, healthy

FIRST = 1200.0
REFUSED = {
    "http.response.status_code": "503",
    "http.request.method": "POST",
    "url.original": "/v3/send",
}
Teller = Callable[[World, float, int], object]


def found(world: World) -> list[UnheardFailure]:
    result = SwallowedErrorDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.needs
    return [one for one in result if isinstance(one, UnheardFailure)]


def mail(
    world: World,
    number: int,
    tell: Teller,
    *,
    effect: bool = False,
    worker: str = "",
    apart: int = 9,
) -> float:
    """A sign-up whose job ends well; `tell` says what else is told in the middle of its run."""
    seconds = FIRST + apart * number
    job, told = f"m{number}", f"request_id=q{number}"
    world.log(seconds, "web", f"POST /signups started {told}")
    world.row(seconds + 0.01, "users", 7000 + number)
    world.log(seconds + 0.02, "web", f"enqueued welcome_mail job_id={job} {told}")
    world.run(job, f"user_id={7000 + number}", seconds + 0.02, seconds + 0.1, seconds + 0.9)
    world.log(seconds + 0.11, "mailer", f"start welcome_mail job_id={job}")
    tell(world, seconds + 0.5, number)
    if worker:
        world.log(seconds + 0.6, "mailer", f"{worker} job_id={job}", severity=13)
    if effect:
        world.row(seconds + 0.8, "mails", 70_000 + number, columns={"user_id": 7000 + number})
    world.log(seconds + 0.89, "mailer", f"sent welcome_mail job_id={job}")
    world.log(seconds + 0.05, "web", f"POST /signups 201 {told}")
    return seconds


def server(world: World, seconds: float, number: int) -> None:
    words = "[311] value too long for type character varying(40)␊STATEMENT:  INSERT INTO mails "
    world.error(seconds, "postgresql", f"{words}/*job_id='m{number}'*/", source="db.log")


def proxy(world: World, seconds: float, number: int) -> None:
    words = f'{{"method":"POST","path":"/v3/send","response_code":503,"request_id":"q{number}"}}'
    world.log(seconds, "envoy", words, attributes=REFUSED)


def proxy_by_trace(world: World, seconds: float, number: int) -> None:
    words = f'{{"path":"/v3/send","status":503,"trace_id":"q{number}"}}'
    world.log(seconds, "linkerd", words, attributes=REFUSED)


def engine(world: World, seconds: float, number: int) -> None:
    words = f'[users][2] failed to execute bulk item: {{"user_id":"{7000 + number}"}}'
    world.log(seconds, "opensearch", words, severity=13)


@pytest.mark.parametrize("tell", [server, proxy, proxy_by_trace, engine])
def test_rows_that_all_others_have_make_it_likely(tell: Teller) -> None:
    world = healthy(World())
    for number in range(4):
        mail(world, number, tell)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.cases) == 4
    assert finding.contrast is not None
    assert (finding.contrast.table, finding.contrast.have) == ("mails", 0)
    assert {"user:7000", "job:m3"} <= set(finding.keys)


def test_three_victims_among_many_that_went_well() -> None:
    world = healthy(World())
    for number in range(60):
        if number in (7, 31, 32):
            mail(world, number, server, apart=10)
        else:
            mail(world, number, lambda *_: None, effect=True, apart=10)
    (finding,) = found(world)
    assert len(finding.cases) == 3
    assert finding.verdict is Verdict.LIKELY


def test_without_rows_it_is_possible() -> None:
    world = healthy(World())
    for number in range(3):
        mail(world, number, server)
    world.events = [event for event in world.events if event.source != "postgres"]
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE


@pytest.mark.parametrize("cut", [True, False])
def test_a_worker_that_is_not_heard_may_have_said_a_word(cut: bool) -> None:
    world = healthy(World())
    for number in range(4):
        mail(world, number, server)
    if cut:
        world.blind("mailer.log", FIRST - 60, FIRST + 60)
    else:
        world.events = [event for event in world.events if event.source != "mailer.log"]
    assert {one.verdict for one in found(world)} <= {Verdict.POSSIBLE}


def test_looser_clocks_never_make_it_surer() -> None:
    world = healthy(World())
    for number in range(4):
        mail(world, number, server)
    sharp = found(world)[0].verdict
    world.bound = ClockBound(2 * SECOND, 2 * SECOND, "declared")
    assert list(Verdict).index(found(world)[0].verdict) >= list(Verdict).index(sharp)


@pytest.mark.parametrize("tell", [server, proxy, engine])
def test_work_that_rows_show_as_done_is_silent(tell: Teller) -> None:
    world = healthy(World())
    for number in range(5):
        mail(world, number, tell, effect=True)
    assert not found(world)


@pytest.mark.parametrize("tell", [server, proxy, engine])
def test_a_worker_that_says_a_word_has_not_hidden_it(tell: Teller) -> None:
    world = healthy(World())
    for number in range(4):
        mail(world, number, tell, worker="mail not stored, left for the sweeper")
    assert not found(world)


def test_a_call_that_was_repeated_with_success_is_silent() -> None:
    def twice(world: World, seconds: float, number: int) -> None:
        proxy(world, seconds, number)
        words = f'{{"path":"/v3/send","response_code":200,"request_id":"q{number}"}}'
        world.log(seconds + 0.2, "envoy", words)

    world = healthy(World())
    for number in range(4):
        mail(world, number, twice)
    assert not found(world)


def test_the_edge_that_gave_up_on_the_request_itself_is_no_callee() -> None:
    def edge(world: World, seconds: float, number: int) -> None:
        told = {**REFUSED, "http.response.status_code": "504", "url.original": "/signups"}
        words = f'{{"path":"/signups","status":504,"request_id":"q{number}"}}'
        world.log(seconds, "nginx", words, attributes=told)

    world = healthy(World())
    for number in range(4):
        mail(world, number, edge)
    assert not found(world)


def test_a_job_that_failed_hides_nothing() -> None:
    world = healthy(World())
    for number in range(4):
        seconds = FIRST + 9 * number
        job, about = f"m{number}", f"user_id={7000 + number}"
        world.job(seconds, Kind.JOB_ENQUEUED, job, about)
        world.job(seconds + 0.1, Kind.JOB_STARTED, job, about)
        server(world, seconds + 0.5, number)
        world.job(seconds + 0.9, Kind.JOB_FAILED, job, about, status="failed")
    assert not found(world)


def test_one_case_alone_is_a_coincidence() -> None:
    world = healthy(World())
    mail(world, 1, server)
    assert not found(world)
