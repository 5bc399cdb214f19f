"""missed-run: what ends, waits or comes unevenly and is none, and what cannot be judged."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.detectors.missed_run import MissedRunDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.knowledge import Knowledge, Overlap, Schedule, Work

from .test_missed_run import FIVE, baton, every_five, found, only, sync
from .worlds import SECOND, World, healthy


def not_yet_over(world: World) -> None:
    world.knowledge = Knowledge(
        schedules=(
            Schedule("late", Work(job_class="late"), cron="34 2 * * *", tolerance=5 * 60 * SECOND),
        )
    )


def traffic_that_ends(world: World) -> None:
    for user in range(30):
        start = 10 + user * 30
        world.run(f"m{user}", f"user_id={user}", start, start, start + 1, job_class="digest")


def uneven_runs(world: World) -> None:
    draw = random.Random(4)
    start = 0.0
    for number in range(20):
        start += draw.uniform(5, 90)
        world.run(f"x{number}", "kind=full", start, start, start + 1, job_class="reindex")


def a_living_baton(world: World) -> None:
    baton(world, 34)


def a_baton_that_waits_in_its_queue(world: World) -> None:
    baton(world, 20)
    last = [e for e in world.events if e.kind is Kind.JOB_ENQUEUED and "job:h20" in e.keys]
    (event,) = last
    told = (event.attributes or "").replace('"status": "finished"', '"status": "scheduled"')
    world.events[world.events.index(event)] = replace(event, attributes=told)


def polls_until_paid(world: World) -> None:
    """Jobs that put themselves back until a payment is there: they are meant to end."""
    for payment in range(4):
        args = f"payment_id={payment}"
        for number in range(5):
            start, name = 20 + payment * 7 + number * 60, f"p{payment}-{number}"
            more = {"job_class": "check_payment"}
            world.job(start, Kind.JOB_STARTED, name, args, **more)
            if number < 4:
                following = f"p{payment}-{number + 1}"
                world.job(start + 0.02, Kind.JOB_ENQUEUED, following, args, **more)
            world.job(start + 0.1, Kind.JOB_FINISHED, name, args, **more)


def one_poll_until_paid(world: World) -> None:
    more = {"job_class": "check_payment"}
    for number in range(8):
        start, name = 20 + number * 60, f"p{number}"
        world.job(start, Kind.JOB_STARTED, name, "payment_id=7", **more)
        if number < 7:
            world.job(start + 0.02, Kind.JOB_ENQUEUED, f"p{number + 1}", "payment_id=7", **more)
        world.job(start + 0.1, Kind.JOB_FINISHED, name, "payment_id=7", **more)


def lines_that_wait_for_an_order(world: World) -> None:
    for number in range(8):
        text = (
            f"order_id=7 not paid, requeued message_id=m{number} as next_message_id=m{number + 1}"
        )
        world.log(20 + number * 60, "shop-1", text)


def requeued_after_errors(world: World) -> None:
    for number in range(9):
        text = f"job_id=e{number} failed, requeued"
        world.log(20 + number * 60, "mailer", text, severity=13)


def requeued_now_and_then(world: World) -> None:
    for number, start in enumerate((10, 25, 400, 410, 900)):
        world.log(start, "mailer", f"requeued order_id={number} for later")


@pytest.mark.parametrize(
    "confuser",
    [
        not_yet_over,
        traffic_that_ends,
        uneven_runs,
        a_living_baton,
        a_baton_that_waits_in_its_queue,
        polls_until_paid,
        one_poll_until_paid,
        lines_that_wait_for_an_order,
        requeued_after_errors,
        requeued_now_and_then,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    result = MissedRunDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated) or list(result) == []


def test_a_run_skipped_because_the_last_one_still_ran_is_a_qualifier() -> None:
    world = every_five(but=(10, 15))
    sync(world, 10, took=400)
    finding = only(world)
    assert finding.qualifier
    assert finding.missed[0].state == "skipped"
    world = every_five(but=(10, 15), schedule=replace(FIVE, overlap=Overlap.ALLOW))
    sync(world, 10, took=400)
    assert only(world).missed[0].state == "never"


def test_a_healthy_schedule_is_silent() -> None:
    assert found(every_five()) == []


def test_without_a_schedule_it_says_what_it_needs() -> None:
    result = MissedRunDetector().detect(healthy(World()).incident())
    assert isinstance(result, NotEvaluated)
    assert "a configured schedule" in result.needs


def test_a_nightly_run_outside_the_window_is_not_judged() -> None:
    nightly = Schedule("backup", Work(job_class="backup"), cron="0 1 * * *")
    result = MissedRunDetector().detect(healthy(World(knowledge=Knowledge((nightly,)))).incident())
    assert isinstance(result, NotEvaluated)
    assert "the last was at 01:00:00" in result.needs


def test_a_schedule_that_cannot_be_read_is_not_evaluated() -> None:
    broken = replace(FIVE, cron="five past")
    result = MissedRunDetector().detect(healthy(World(knowledge=Knowledge((broken,)))).incident())
    assert isinstance(result, NotEvaluated)
    assert "cannot be read" in result.needs
