"""duplicate-enqueue: work queued twice, and work that is meant to repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.duplicate_enqueue import DuplicateEnqueue, DuplicateEnqueueDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import HICCUP, SECOND, World, at, failed_push, healthy

CLICKED = 1200.0


def found(world: World) -> list[DuplicateEnqueue]:
    return findings_of(DuplicateEnqueueDetector(), world.incident(), DuplicateEnqueue)


def only(world: World) -> DuplicateEnqueue:
    (finding,) = found(world)
    return finding


def twice(
    world: World,
    user: int = 77,
    *,
    apart: float = 0.4,
    requests: tuple[str, str] | None = ("r1", "r2"),
    actors: tuple[str, str] = ("web", "web"),
    job_class: str = "welcome_mail",
    args: str = "",
) -> None:
    """One piece of work pushed as a<user> and b<user>, each named by its producer's line."""
    for number, name in enumerate("ab"):
        seconds = CLICKED + number * apart
        job, told = f"{name}{user}", args or f"user_id={user}"
        world.run(job, told, seconds, seconds + 0.05, seconds + 0.1, job_class=job_class)
        request = f" request_id={requests[number]}" if requests else ""
        world.log(seconds + 0.001, actors[number], f"pushed job_id={job} {told}{request}")
        world.log(seconds + 0.08, "mailer", f"sent welcome_mail job_id={job} {told}")


def test_a_double_click_is_likely_and_names_both_jobs() -> None:
    world = healthy(World())
    twice(world)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.cause == "two requests"
    assert finding.keys == ("job:a77", "job:b77", "user:77")
    assert finding.sentence() == (
        "1 welcome_mail job was enqueued twice by different requests, from 02:20:00.000 on: "
        "user_id=77 as a77 and b77, 400 ms apart (request r1 and r2); done twice: "
        "sent welcome_mail."
    )
    assert finding.next_action == "Check 77 for double effects."


def test_one_request_that_pushes_twice_is_certain() -> None:
    world = healthy(World())
    twice(world, requests=("r1", "r1"), apart=0.02)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.cause == "one request"


def test_two_producers_are_told_apart_by_who_speaks() -> None:
    world = healthy(World())
    twice(world, requests=None, actors=("cron", "importer"))
    assert only(world).cause == "two producers"


def test_without_producers_the_cause_is_not_guessed() -> None:
    world = healthy(World())
    for job in ("a", "b"):
        world.run(job, "user_id=77", CLICKED, CLICKED + 1, CLICKED + 2)
    finding = only(world)
    assert finding.cause == "unknown"
    assert "by whom is not visible" in finding.sentence()


def test_a_second_job_that_still_waits_can_be_removed() -> None:
    world = healthy(World())
    world.run("a", "user_id=77", CLICKED, CLICKED + 1, CLICKED + 2)
    world.job(CLICKED + 0.5, Kind.JOB_ENQUEUED, "b", "user_id=77", status="queued")
    finding = only(world)
    assert finding.cases[0].waiting == ("job:b",)
    assert finding.next_action == "Remove b before a worker takes it."


def test_too_few_other_jobs_of_the_class_make_it_possible() -> None:
    world = healthy(World())
    twice(world, job_class="export", args="report_id=5")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "cannot tell whether it is meant to repeat" in finding.weakest_link


def test_work_of_one_class_and_cause_is_one_story() -> None:
    world = healthy(World())
    for user in (77, 78, 79):
        twice(world, user)
    finding = only(world)
    assert len(finding.cases) == 3
    assert finding.clause() == "3 welcome_mail jobs were enqueued twice by different requests"


def without_arguments(world: World) -> None:
    for number in range(4):
        at_ = CLICKED + number
        world.run(f"p{number}", "()", at_, at_ + 0.1, at_ + 0.2)


def bodies_nobody_opened(world: World) -> None:
    twice(world, args="pickled, 312 bytes, not opened")


def heartbeats(world: World) -> None:
    for number in range(200):
        at_ = 100 + number * 5
        world.run(f"h{number}", "service_id=7", at_, at_ + 0.1, at_ + 0.2, job_class="beat")


def pairs_all_night(world: World) -> None:
    for number in range(60):
        for half in (0, 1):
            at_ = 100 + number * 30 + half
            world.run(f"p{number}{half}", f"shop_id={number % 5}", at_, at_ + 0.1, at_ + 0.2)


def a_retry_under_its_own_id(world: World) -> None:
    for later in (0, 3):
        world.job(CLICKED + later, Kind.JOB_ENQUEUED, "a", "user_id=77")
        world.job(CLICKED + later + 1, Kind.JOB_STARTED, "a", "user_id=77")
        world.job(CLICKED + later + 2, Kind.JOB_RETRIED, "a", "user_id=77")


def a_minute_apart(world: World) -> None:
    twice(world, apart=60)


def a_fan_out(world: World) -> None:
    for number in range(40):
        at_ = CLICKED + number / 100
        world.run(f"f{number}", f"item_id={number}", at_, at_ + 1, at_ + 2, job_class="resize")


def a_push_that_was_repeated_after_an_error(world: World) -> None:
    failed_push(world, 77, HICCUP)
    for job, later in (("a", 0.1), ("b", 1.2)):
        world.run(job, "user_id=77", HICCUP + later, HICCUP + later + 1, HICCUP + later + 2)


@pytest.mark.parametrize(
    "confuser",
    [
        without_arguments,
        bodies_nobody_opened,
        heartbeats,
        pairs_all_night,
        a_retry_under_its_own_id,
        a_minute_apart,
        a_fan_out,
        a_push_that_was_repeated_after_an_error,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_order_of_arrival_shift_and_clocks() -> None:
    world = healthy(World())
    twice(world)
    first = only(world)
    world.events.reverse()
    assert only(world) == first
    world.bound = ClockBound(SECOND, SECOND, "assumed")
    assert only(world).verdict is first.verdict
    world.shift = 90 * SECOND
    assert only(world).began == at(CLICKED) + 90 * SECOND


def test_needs_a_queue() -> None:
    world = World()
    world.log(3, "web", "hello")
    assert isinstance(DuplicateEnqueueDetector().detect(world.incident()), NotEvaluated)


def test_unrelated_lines_change_nothing() -> None:
    world = healthy(World())
    twice(world)
    first = only(world)
    for number in range(50):
        world.log(100 + number * 30, "weather", f"station_id={number} reports 4 degrees")
    assert only(world).sentence() == first.sentence()
    assert only(world).keys == first.keys


@pytest.mark.parametrize("own", [("6c2b", "6c2b"), ("6c2b", "77aa")], ids=["retry", "two jobs"])
def test_rows_under_one_id_of_the_framework_are_one_job_tried_again(own: tuple[str, str]) -> None:
    world = healthy(World())
    for number, framework_id in enumerate(own):
        first = len(world.events)
        world.run(str(1764 + number), "user_id=77", *(CLICKED + number * 2 + n for n in range(3)))
        world.events[first:] = [
            replace(event, keys=(*event.keys, f"job:{framework_id}"))
            for event in world.events[first:]
        ]
    assert bool(found(world)) is (own[0] != own[1])
