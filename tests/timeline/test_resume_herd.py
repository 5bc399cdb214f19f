"""resume-herd: held work let go at once with errors after it; a catch-up that holds is silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.resume_herd import ResumeHerd, ResumeHerdDetector
from timeline.event import Event, Kind, Lane, Precision
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

PAUSE, RESUME = 900.0, 1500.0
POOL = "psycopg_pool.PoolTimeout: couldn't get a connection after 10.00 sec"


def found(world: World) -> list[ResumeHerd]:
    return findings_of(ResumeHerdDetector(), world.incident(), ResumeHerd)


def only(world: World) -> ResumeHerd:
    (finding,) = found(world)
    return finding


def note(world: World, seconds: float, body: str) -> Event:
    event = Event(at(seconds), "notes", Lane.NOTE, Kind.NOTE, body, f"notes@{len(world.events)}")
    world.events.append(event)
    return event


def usual(world: World) -> World:
    """One job every ten seconds until the pause, and again after the resume."""
    for number in range(210):
        sent = 1 + number * 10.0
        if not PAUSE <= sent < RESUME:
            world.run(f"u{number}", "", sent, sent + 0.1, sent + 1, source="resque")
    return world


def herd(world: World, *, jobs: int = 60, over: float = 40.0) -> World:
    for number in range(jobs):
        start = RESUME + 0.5 + number * over / jobs
        job = f"h{number}"
        world.job(PAUSE + 1 + number * 9, Kind.JOB_ENQUEUED, job, source="resque")
        world.job(start, Kind.JOB_STARTED, job, source="resque")
    return world


def errors(world: World, begin: float, count: int = 12, body: str = POOL) -> World:
    for number in range(count):
        world.error(begin + number * 2, "worker", f"{body} request_id=q{begin:.0f}{number}")
    return world


def second_fall(world: World) -> World:
    note(world, PAUSE, "paused all workers")
    note(world, RESUME, "resumed workers")
    return errors(herd(usual(world)), RESUME + 5)


def test_a_resume_that_overran_the_database_is_told_with_both_rates() -> None:
    finding = only(second_fall(World()))
    assert finding.verdict is Verdict.LIKELY
    assert finding.released == at(RESUME)
    assert finding.held_back == at(PAUSE)
    assert finding.starts == 66
    assert finding.busiest == 6
    assert (finding.errors, finding.errors_before) == (12, 0)
    assert finding.sentence().startswith(
        "Work was resumed at 02:25:00.000 after the pause at 02:15:00.000: 66 runs began within a "
        "minute, 11 times the busiest minute before (6), and 12 errors"
    )
    assert "at most 6 starts a minute" in finding.next_action
    assert [step.role for step in finding.steps][:2] == ["let go", "first start"]


@pytest.mark.parametrize(
    "words",
    ["unpaused mailers", "scaled workers from 0 to 20", "started the consumers again"],
)
def test_people_word_a_resume_in_many_ways(words: str) -> None:
    world = errors(herd(usual(World())), RESUME + 5)
    note(world, PAUSE, "scaled workers to 0")
    note(world, RESUME, words)
    assert only(world).released == at(RESUME)


def test_a_deploy_that_sets_the_work_free_names_the_deploy_as_an_alternative() -> None:
    world = errors(herd(usual(World())), RESUME + 5)
    world.change(RESUME, "deployed shop 4f2a1b")
    finding = only(world)
    assert finding.how == "deployed"
    assert any("deployed is itself at fault" in one for one in finding.alternatives)


def test_a_note_to_the_minute_leaves_the_order_open() -> None:
    world = errors(herd(usual(World())), RESUME + 5)
    note(world, PAUSE, "paused all workers")
    event = note(world, RESUME, "resumed workers")
    world.events[-1] = replace(event, precision=Precision.MINUTE)
    assert only(world).verdict is Verdict.POSSIBLE


def handed_out(world: World, seconds: float, count: int) -> None:
    """A broker that counts what it handed out and shows no message."""
    told = {"queue": "labels", "depth": 0, "running": 1, "delivered": count, "interval_s": 5}
    body = f"labels: {count} delivered in 5 s"
    name = f"queues/labels@{seconds}"
    sample = Event(at(seconds), "broker", Lane.QUEUE, Kind.METRIC, body, name)
    world.events.append(replace(sample, attributes=json.dumps(told)))


def in_logs_alone(world: World, *, chatter: bool = True) -> World:
    """Each run a line when it begins and one when it ends, by message; no queue tells of it."""
    starts = [1 + n * 10.0 for n in range(210) if not PAUSE <= 1 + n * 10.0 < RESUME]
    starts += [RESUME + 0.5 + n * 0.6 for n in range(60)]
    for number, start in enumerate(sorted(starts)):
        name = f"job_id=c{number:05d}"
        world.log(start, "printer", f"taking {name} off labels")
        world.log(start + 0.3, "printer", f"label printed {name}")
    return world


def let_go(world: World) -> World:
    note(world, PAUSE, "paused all workers")
    note(world, RESUME, "resumed workers")
    return errors(world, RESUME + 5)


def test_a_herd_is_seen_in_the_workers_logs_where_the_queue_shows_no_job() -> None:
    finding = only(let_go(in_logs_alone(World())))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.starts, finding.busiest) == (66, 6)


def test_a_herd_is_seen_in_what_a_broker_counted() -> None:
    world = let_go(World())
    for number in range(420):
        seconds = 1 + number * 5.0
        if seconds < PAUSE or seconds > RESUME + 60:
            handed_out(world, seconds, 1)
        elif seconds >= RESUME:
            handed_out(world, seconds, 12)
    finding = only(world)
    assert (finding.busiest, finding.queues) == (12, ("labels",))
    assert finding.starts >= 120


def test_where_starts_of_before_are_forgotten_it_is_only_possible() -> None:
    world = second_fall(World())
    world.blind("resque", 0, PAUSE)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "more may have begun" in finding.weakest_link


def an_even_pace_in_logs_alone(world: World) -> None:
    for number in range(400):
        world.log(1 + number * 5.0, "printer", f"taking job_id=e{number:05d} off labels")
        world.log(1.3 + number * 5.0, "printer", f"label printed job_id=e{number:05d}")
    let_go(world)


def catch_up_that_holds(world: World) -> None:
    note(world, PAUSE, "paused all workers")
    note(world, RESUME, "resumed workers")
    herd(usual(world))


def errors_as_before(world: World) -> None:
    second_fall(world)
    errors(world, RESUME - 100)


def errors_of_the_first_fall_as_many(world: World) -> None:
    second_fall(world)
    errors(world, PAUSE - 60)


def resume_of_an_empty_queue(world: World) -> None:
    note(world, PAUSE, "paused all workers")
    note(world, RESUME, "resumed workers")
    errors(usual(world), RESUME + 5)


def a_plan(world: World) -> None:
    note(world, RESUME, "should we resume the workers?")
    errors(herd(usual(world)), RESUME + 5)


def a_daily_peak_without_any_act(world: World) -> None:
    errors(herd(usual(world)), RESUME + 5)


@pytest.mark.parametrize(
    "confuser",
    [
        an_even_pace_in_logs_alone,
        catch_up_that_holds,
        errors_as_before,
        errors_of_the_first_fall_as_many,
        resume_of_an_empty_queue,
        a_plan,
        a_daily_peak_without_any_act,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain, mixed = only(second_fall(World())), second_fall(World())
    mixed.events.reverse()
    mixed.log(RESUME, "search", "refresh done")
    assert only(mixed).sentence() == plain.sentence()


def test_shifting_all_stamps_moves_times_only() -> None:
    here, there = only(second_fall(World())), only(second_fall(World(shift=3600 * SECOND)))
    assert there.released - here.released == 3600 * SECOND
    assert (there.starts, there.errors) == (here.starts, here.errors)


def test_wider_clock_bounds_never_upgrade() -> None:
    wide = only(second_fall(World(bound=ClockBound(60 * SECOND, 60 * SECOND))))
    assert wide.verdict is Verdict.POSSIBLE


def test_needs_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(ResumeHerdDetector().detect(world.incident()), NotEvaluated)
