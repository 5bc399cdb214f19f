"""retry-storm: retries that are the load; retries that heal or hardly matter stay silent."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from timeline.clock import ClockBound
from timeline.detectors.retry_finding import RetryStorm
from timeline.detectors.retry_storm import RetryStormDetector
from timeline.event import Event, Kind, Lane
from timeline.facts.attempts import attempts_in
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

STORM = 1200.0
ERROR = "psycopg.OperationalError: canceling statement due to statement timeout"


def found(world: World) -> list[RetryStorm]:
    return findings_of(RetryStormDetector(), world.incident(), RetryStorm)


def only(world: World) -> RetryStorm:
    (finding,) = found(world)
    return finding


def storm(
    world: World,
    *,
    jobs: int = 40,
    lasts: float = 120.0,
    pause: float = 12.0,
    heals: bool = False,
    source: str = "sidekiq",
    prefix: str = "x",
) -> World:
    """Jobs that are begun within a few seconds and tried again every `pause` seconds."""
    for number in range(jobs):
        job, sent = f"{prefix}{number}", STORM + number * 0.1
        more = {"source": source, "queue": "default", "job_class": "Charge"}
        world.job(sent, Kind.JOB_ENQUEUED, job, "", **more)
        begin, tries = sent + 0.05, 0
        while begin < STORM + lasts:
            tries += 1
            done = heals and tries == 2
            end = Kind.JOB_FINISHED if done else Kind.JOB_RETRIED
            error = "" if done else ERROR
            world.job(begin, Kind.JOB_STARTED, job, "", **more)
            world.job(begin + 0.5, end, job, "", error=error, **more)
            if done:
                break
            begin += pause
    return world


def steady(world: World, *, every: float = 10.0) -> World:
    """The queue's usual work before, during and after: one job every ten seconds."""
    for number in range(int(2100 / every)):
        sent = 1 + number * every
        more = {"source": "sidekiq", "queue": "default", "job_class": "Mail"}
        world.run(f"u{number}", "", sent, sent + 0.1, sent + 0.6, **more)
    return world


def test_a_storm_is_counted_by_job_ids() -> None:
    finding = only(storm(steady(World())))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.queue == "default"
    assert finding.attempts > 300
    assert finding.firsts <= 50
    assert finding.busiest >= 200
    assert "OperationalError" in finding.error
    assert "job:x7" in finding.keys
    assert not any(key.startswith("job:u") for key in finding.keys)
    assert not finding.metastable
    assert finding.sentence().startswith("The queue default tried ")
    assert "where 6 are usual" in finding.sentence()
    assert "cap it at 6 starts a minute" in finding.next_action
    assert [step.role for step in finding.steps][:2] == ["attempt", "tried again"]


def test_a_pause_in_the_storm_is_counted_with_it() -> None:
    """The figures are of the whole stretch that the sentence names, calm seconds as well."""
    world = steady(World())
    storm(world, lasts=40, pause=5)
    storm_again = STORM + 65
    for number in range(40):
        more = {"source": "sidekiq", "queue": "default", "job_class": "Charge"}
        for again in range(9):
            begin = storm_again + number * 0.1 + again * 5
            world.job(begin, Kind.JOB_STARTED, f"x{number}", "", **more)
            world.job(begin + 0.5, Kind.JOB_RETRIED, f"x{number}", "", error=ERROR, **more)
    for number in range(12):  # what is new in the calm between goes well
        at_s = STORM + 50 + number
        more = {"source": "sidekiq", "queue": "default", "job_class": "Mail"}
        world.run(f"calm{number}", "", at_s, at_s + 0.1, at_s + 0.6, **more)
    finding = only(world)
    starts = world.incident().jobs.transitions.filter(pl.col("kind") == Kind.JOB_STARTED.value)
    inside = starts.filter(pl.col("timestamp").is_between(finding.began, finding.ended))
    assert finding.attempts == inside.height
    assert finding.jobs == inside.get_column("job").n_unique() >= 52
    assert f"tried {finding.jobs} jobs {finding.attempts} times" in finding.sentence()


def test_the_last_failure_of_a_job_given_up_is_one_attempt() -> None:
    """River tells it twice at one instant: among the job's errors and as its end."""
    world, more = World(), {"source": "river", "queue": "default", "job_class": "Charge"}
    for failed in (10, 20, 30):
        world.job(failed, Kind.JOB_RETRIED, "x1", "", error=ERROR, **more)
    world.job(30, Kind.JOB_DEAD, "x1", "", error=ERROR, **more)
    world.job(30, Kind.JOB_RETRIED, "x2", "", error=ERROR, **more)
    world.job(40, Kind.JOB_DEAD, "x2", "", error=ERROR, **more)
    told = attempts_in(world.incident())
    assert told.get_column("job").value_counts().sort("job").rows() == [
        ("job:x1", 3),
        ("job:x2", 2),
    ]
    assert told.get_column("failed").all()


def test_a_storm_that_outlives_what_began_it_keeps_itself_going() -> None:
    world = storm(steady(World()), lasts=700)
    body = "db-1 of job postgres answers again (between two scrapes)"
    world.events.append(Event(at(STORM + 60), "prometheus", Lane.METRIC, Kind.CHANGE, body, "up@1"))
    finding = only(world)
    assert finding.metastable
    assert finding.trigger_over == at(STORM + 60)
    assert "the retries keep it going" in finding.sentence()


def test_a_burst_of_network_errors_that_ended_is_what_began_it() -> None:
    world = storm(steady(World()), lasts=700)
    for number in range(6):
        body = "Error 111 connecting to redis:6379. Connection refused."
        world.error(STORM - 5 + number, "web", body)
    finding = only(world)
    assert finding.trigger == "the trouble with redis:6379"
    assert finding.metastable


def test_an_unseen_stretch_of_the_queue_leaves_it_likely() -> None:
    world = storm(steady(World()))
    world.blind("sidekiq", 300, 900)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "first attempts may be missing" in finding.weakest_link


def test_one_that_reaches_the_end_is_still_on() -> None:
    assert only(storm(steady(World()), lasts=890)).ongoing


def requests(world: World, words: str, *, again: int = 3) -> World:
    """Requests every two seconds; from the storm on each tries its call `again` times more."""
    for number in range(1000):
        sent = 1 + number * 2.0
        told = f"request_id=w{number}"
        world.log(sent, "web", f"GET /cart started {told}")
        if STORM <= sent < STORM + 90:
            for nth in range(2, 2 + again):
                world.log(sent + nth * 0.1, "web", f"{words.format(nth=nth)} {told}", severity=13)
        world.log(sent + 0.8, "web", f"GET /cart 200 {told}")
    return world


@pytest.mark.parametrize(
    "words",
    [
        "stock call failed, attempt {nth} of 4",
        "Retry #{nth} of http://stock:8080 after read timeout",
        "upstream error attempt={nth} peer=stock:8080",
    ],
)
def test_lines_that_number_the_retries_of_a_service_will_do(words: str) -> None:
    finding = only(requests(World(), words))
    assert finding.verdict is Verdict.LIKELY
    assert finding.service == "web"
    assert finding.ended_attempts == 135
    assert finding.firsts in (44, 45)
    assert finding.sentence().startswith("Web tried again 135 times from 02:20:01")
    assert "request:w610" in finding.keys


def test_retries_that_fill_what_was_read_only_colour_other_findings() -> None:
    world = World()
    for number in range(1000):
        world.log(1 + number * 2, "web", f"GET /cart started request_id=w{number}")
        world.log(1.3 + number * 2, "web", f"attempt 2 of 4 request_id=w{number}", severity=13)
        world.log(1.4 + number * 2, "web", f"attempt 3 of 4 request_id=w{number}", severity=13)
    finding = only(world)
    assert finding.qualifier
    assert finding.verdict is Verdict.POSSIBLE


def fewer_retries_than_requests(world: World) -> None:
    for number in range(2000):
        world.log(1 + number, "web", f"GET /cart started request_id=w{number}")
        if number % 4 == 0 and STORM < number < STORM + 120:
            world.log(1.2 + number, "web", f"attempt 2 of 4 request_id=w{number}", severity=13)


def settings_and_limits(world: World) -> None:
    for number in range(200):
        world.log(STORM + number / 2, "web", f"started request_id=w{number // 9}")
        world.log(STORM + number / 2, "web", "max attempts: 5, retry in 30 s")


def ordinary(world: World) -> None:
    steady(world)


def retries_that_heal(world: World) -> None:
    storm(steady(world), heals=True)


def one_job_again_and_again(world: World) -> None:
    storm(steady(world), jobs=1, pause=1.0)


def few_retries_of_a_busy_queue(world: World) -> None:
    steady(world, every=0.5)
    storm(world, jobs=6, pause=30)


def one_wave(world: World) -> None:
    storm(steady(world), lasts=6)


def first_attempts_that_all_fail(world: World) -> None:
    """A broken release: everything fails once and is not tried again."""
    steady(world)
    for number in range(300):
        sent = STORM + number
        world.job(sent, Kind.JOB_STARTED, f"f{number}", source="sidekiq", queue="default")
        end = Kind.JOB_FAILED
        world.job(sent + 0.2, end, f"f{number}", source="sidekiq", queue="default", error=ERROR)


@pytest.mark.parametrize(
    "confuser",
    [
        ordinary,
        retries_that_heal,
        one_job_again_and_again,
        few_retries_of_a_busy_queue,
        one_wave,
        first_attempts_that_all_fail,
        fewer_retries_than_requests,
        settings_and_limits,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain, mixed = only(storm(steady(World()))), storm(steady(World()))
    mixed.events.reverse()
    mixed.log(STORM, "search", "refresh done")
    assert only(mixed).sentence() == plain.sentence()
    assert only(mixed).keys == plain.keys


def test_shifting_all_stamps_moves_times_only() -> None:
    here, there = only(storm(World())), only(storm(World(shift=7 * 60 * SECOND)))
    assert there.began - here.began == 7 * 60 * SECOND
    assert (there.attempts, there.firsts, there.busiest) == (
        here.attempts,
        here.firsts,
        here.busiest,
    )


def test_wider_clock_bounds_never_upgrade() -> None:
    wide = only(storm(World(bound=ClockBound(5 * SECOND, 5 * SECOND))))
    assert wide.verdict is Verdict.CERTAIN  # counts by id need no clock


def test_needs_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(RetryStormDetector().detect(world.incident()), NotEvaluated)
