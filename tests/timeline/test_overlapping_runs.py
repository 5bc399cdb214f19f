"""overlapping-runs: two jobs on one thing at once, and company that does no harm."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.overlapping_runs import (
    BOTH_WROTE,
    COLLIDED,
    OverlappingRuns,
    OverlappingRunsDetector,
)
from timeline.event import Kind
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import Knowledge, Overlap, Schedule, Work
from timeline.order import Verdict, at_least

from .recorded import version
from .worlds import SECOND, World, at, healthy

WHEN = 1500.0
STALE = "ActiveRecord::StaleObjectError: Attempted to update a stale object: Order."
ILLEGAL = "AASM::InvalidTransition: Event 'ship' cannot transition from 'cancelled'"


def found(world: World) -> list[Finding]:
    result = OverlappingRunsDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def only(world: World) -> OverlappingRuns:
    (finding,) = found(world)
    assert isinstance(finding, OverlappingRuns)
    return finding


def pair(
    world: World,
    when: float = WHEN,
    thing: str = "order_id=77",
    classes: tuple[str, str] = ("Recalculate", "BookCredit"),
    *,
    apart: float = 1.0,
    name: str = "",
) -> World:
    """Two jobs of four seconds on one thing, the second `apart` seconds after the first."""
    for place, job_class in enumerate(classes):
        start = when + place * apart
        job = f"{'ab'[place]}{name or thing[-2:]}"
        world.run(job, thing, start - 0.2, start, start + 4, job_class=job_class)
    return world


def both_write(world: World) -> World:
    pair(world)
    for seconds in (3.0, 4.5):
        world.row(WHEN + seconds, "orders", 77, kind=Kind.ROW_UPDATED)
    return world


def collide(world: World, error: str = STALE) -> World:
    pair(world)
    last = [event for event in world.events if "job:b77" in event.keys][-1]
    world.events.remove(last)
    world.job(
        WHEN + 3.5, Kind.JOB_FAILED, "b77", "order_id=77", job_class="BookCredit", error=error
    )
    return world


def test_a_guard_that_noticed_the_other_is_certain() -> None:
    finding = only(collide(healthy(World())))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.sign == COLLIDED
    assert finding.sentence() == (
        "Recalculate and BookCredit worked on order 77 at once from 02:25:01.000 for 2.5 s "
        f"(a77 and b77), and b77 failed: {STALE}"
    )
    assert finding.clause() == "Recalculate and BookCredit worked on order 77 at once"
    assert finding.keys == ("job:a77", "job:b77", "order:77")


def test_an_illegal_transition_may_have_another_reason() -> None:
    assert only(collide(World(), ILLEGAL)).verdict is Verdict.LIKELY


def test_a_line_about_the_thing_counts_like_the_jobs_own() -> None:
    world = pair(World())
    world.error(WHEN + 2, "worker-3", f"order_id=77: {STALE}")
    finding = only(world)
    assert finding.sign == COLLIDED
    assert finding.verdict is Verdict.LIKELY
    assert finding.cases[0].error_of == ""


def test_a_row_written_by_both_is_likely() -> None:
    finding = only(both_write(healthy(World())))
    assert finding.verdict is Verdict.LIKELY
    assert finding.sign == BOTH_WROTE
    assert finding.sentence() == (
        "Recalculate and BookCredit worked on order 77 at once from 02:25:01.000 for 3.0 s "
        "(a77 and b77), and its row was written at 02:25:03.000 and 02:25:04.500."
    )
    assert [step.role for step in finding.steps] == [
        "first run",
        "second run",
        "write",
        "first run ends",
        "write",
    ]


def test_writes_that_one_of_them_may_have_made_alone_are_possible() -> None:
    world = pair(World())
    for seconds in (2.0, 3.0):
        world.row(WHEN + seconds, "orders", 77, kind=Kind.ROW_UPDATED)
    assert only(world).verdict is Verdict.POSSIBLE


def test_one_write_is_only_a_qualifier() -> None:
    world = pair(World())
    world.row(WHEN + 3, "orders", 77, kind=Kind.ROW_UPDATED)
    finding = only(world)
    assert finding.qualifier
    assert finding.verdict is Verdict.POSSIBLE


def test_a_save_and_its_audit_record_are_one_write() -> None:
    world = pair(World())
    world.row(WHEN + 3, "orders", 77, kind=Kind.ROW_UPDATED)
    version(world, WHEN + 3.001, "orders", 77, {"state": ("new", "paid")})
    assert only(world).qualifier


def test_several_things_of_one_kind_are_one_story() -> None:
    world = World()
    for place in range(3):
        when = WHEN + 20 * place
        pair(world, when, f"claim_id={400 + place}")
        for seconds in (3.0, 4.5):
            world.row(when + seconds, "claims", 400 + place, kind=Kind.ROW_UPDATED)
    finding = only(world)
    assert len(finding.cases) == 3
    assert "likewise on claim 401 and claim 402" in finding.sentence()


def test_a_run_without_an_end_counts_to_its_last_sign() -> None:
    world = collide(World())
    first_end = next(e for e in world.events if "job:a77" in e.keys and "finished" in e.ref)
    world.events.remove(first_end)
    assert found(world) == []
    world.log(WHEN + 0.1, "worker-1", "took job_id=a77")
    assert found(world) == []  # the second one had not begun
    world.log(WHEN + 2.2, "worker-1", "still adding up job_id=a77")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.cases[0].until == at(WHEN + 2.2)


def nobody_writes(world: World) -> None:
    pair(world)
    world.row(WHEN - 60, "orders", 77)


def one_after_the_other(world: World) -> None:
    pair(world, apart=4.5)
    for seconds in (3.0, 6.0):
        world.row(WHEN + seconds, "orders", 77, kind=Kind.ROW_UPDATED)


def different_things(world: World) -> None:
    pair(world)
    world.events = [e for e in world.events if "job:b77" not in e.keys]
    world.run("c78", "order_id=78", WHEN, WHEN + 1, WHEN + 5, job_class="BookCredit")
    for seconds in (3.0, 4.5):
        world.row(WHEN + seconds, "orders", 77, kind=Kind.ROW_UPDATED)


def parts_that_write_rows_of_their_own(world: World) -> None:
    for part in range(4):
        start = WHEN + part / 10
        world.run(
            f"p{part}", f"video_id=9 part={part}", start, start + 0.1, start + 5, job_class="Part"
        )
        world.row(WHEN + 3 + part / 5, "chunks", 90 + part, columns={"video_id": 9})


def a_habit(world: World) -> None:
    for place in range(5):
        pair(world, 60.0 + 90 * place, f"order_id={50 + place}")
    both_write(world)


def allowed_by_its_schedule(world: World) -> None:
    work = Work(job_class="Crawl")
    schedule = Schedule("crawl", work, every=60 * SECOND, overlap=Overlap.ALLOW)
    world.knowledge = Knowledge(schedules=(schedule,))
    pair(world, classes=("Crawl", "Crawl"))
    for seconds in (3.0, 4.5):
        world.row(WHEN + seconds, "orders", 77, kind=Kind.ROW_UPDATED)


def an_update_written_over(world: World) -> None:
    pair(world)
    for seconds, left in ((3.0, "a"), (4.5, "b")):
        version(world, WHEN + seconds, "orders", 77, {"grade": ("none", left)})


def an_error_of_a_third_job(world: World) -> None:
    nobody_writes(world)
    world.error(WHEN + 2, "worker-9", f"job_id=zz order_id=77 {STALE}")


def an_error_before_they_met(world: World) -> None:
    nobody_writes(world)
    world.error(WHEN + 0.5, "worker-9", f"job_id=a77 {STALE}")


def versions_that_tell_nothing(world: World) -> None:
    pair(world)
    for seconds in (3.0, 4.5):
        version(world, WHEN + seconds, "orders", 77, {})


CONFUSERS = [
    nobody_writes,
    one_after_the_other,
    different_things,
    parts_that_write_rows_of_their_own,
    a_habit,
    allowed_by_its_schedule,
    an_update_written_over,
    an_error_of_a_third_job,
    an_error_before_they_met,
    versions_that_tell_nothing,
]


@pytest.mark.parametrize("confuser", CONFUSERS)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_an_error_speaks_even_where_they_meet_all_the_time() -> None:
    world = collide(World())
    for place in range(5):
        pair(world, 60.0 + 90 * place, f"order_id={50 + place}")
    finding = only(world)
    assert [case.key for case in finding.cases] == ["order:77"]
    assert finding.before == 5


def test_errors_that_are_a_habit_are_a_qualifier() -> None:
    world = World()
    for place in range(5):
        pair(world, 60.0 + 90 * place, f"order_id={50 + place}")
        world.error(62.0 + 90 * place, "worker-1", f"job_id=b{50 + place}: {STALE}")
    assert all(finding.qualifier for finding in found(collide(world)))


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("org.hibernate.StaleObjectStateException: Row was updated by another transaction", True),
        ("sqlalchemy.orm.exc.StaleDataError: UPDATE expected to update 1 row(s); 0 matched", True),
        ("ERROR: could not serialize access due to concurrent update", True),
        ("django_fsm.TransitionNotAllowed: Can't switch from state 'done' using method", True),
        ("IllegalStateException: stream is closed", False),
        ("cannot import name 'parse' from 'url'", False),
        ("Attempted to read a stale cache entry", False),
    ],
)
def test_the_words_of_guards(text: str, sign: bool) -> None:
    world = pair(World())
    world.row(WHEN - 60, "orders", 77)
    world.error(WHEN + 2, "worker-2", f"job_id=b77 {text}")
    assert bool(found(world)) is sign


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_without_jobs_it_is_not_evaluated() -> None:
    world = World()
    world.log(3, "web", "GET / 200")
    assert isinstance(OverlappingRunsDetector().detect(world.incident()), NotEvaluated)


def test_without_the_rows_it_does_not_look_like_a_clean_bill() -> None:
    result = OverlappingRunsDetector().detect(pair(World()).incident())
    assert isinstance(result, NotEvaluated)
    assert "database" in result.needs


def test_runs_that_the_queue_forgot_are_read_from_the_workers_lines() -> None:
    world = World()
    for job, start in (("a77", WHEN), ("b77", WHEN + 1)):
        world.log(start, "worker-1", f"start job_id={job} order_id=77", clock="h1")
        world.log(start + 4, "worker-1", f"done job_id={job} order_id=77", clock="h1")
    for seconds in (3.0, 4.5):
        world.row(WHEN + seconds, "orders", 77, kind=Kind.ROW_UPDATED)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.sentence().startswith("Two jobs worked on order 77 at once")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_does_not_matter(seed: int) -> None:
    world = both_write(collide(healthy(World())))
    told = [finding.evidence() for finding in found(world)]
    random.Random(seed).shuffle(world.events)
    assert [finding.evidence() for finding in found(world)] == told


@pytest.mark.parametrize("story", [collide, both_write])
@pytest.mark.parametrize("milliseconds", [50, 2_000, 30_000, 90_000])
def test_a_wider_clock_never_makes_it_surer(
    story: Callable[[World], World], milliseconds: int
) -> None:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    tight, world = only(story(World())), story(World(bound=bound))
    for number, event in enumerate(world.events):
        if event.source == "rq":
            world.events[number] = replace(event, clock=f"w{number}")
    assert at_least(tight.verdict, only(world).verdict)


def test_moving_everything_moves_only_the_times() -> None:
    world = both_write(World())
    here = only(world)
    world.shift = 86_400 * SECOND
    assert only(world).began - here.began == 86_400 * SECOND
    assert here.began == at(WHEN + 1)


def test_jobs_of_one_call_are_not_at_one_thing() -> None:
    world = pair(World(), thing="correlation_id=c7700000001")
    world.error(WHEN + 2, "worker-3", f"correlation_id=c7700000001: {STALE}")
    assert found(world) == []


DUPLICATE = 'PG::UniqueViolation: duplicate key value violates unique constraint "credits_once"'


def test_the_second_of_two_equal_jobs_meets_a_duplicate_without_an_overlap_too() -> None:
    world = collide(World(), DUPLICATE)
    assert only(world).verdict is Verdict.LIKELY  # two kinds of jobs: each makes its own row
    alike = World()
    for name in ("a", "b"):
        start = WHEN + (name == "b")
        alike.run(name, "order_id=77", start - 0.2, start, start + 4, job_class="BookCredit")
    last = [event for event in alike.events if "job:b" in event.keys][-1]
    alike.events.remove(last)
    told = {"job_class": "BookCredit", "error": DUPLICATE}
    alike.job(WHEN + 3.5, Kind.JOB_FAILED, "b", "order_id=77", **told)
    finding = only(alike)
    assert finding.verdict is Verdict.POSSIBLE
    assert "without an overlap, too" in finding.weakest_link
