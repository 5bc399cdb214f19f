"""orphaned-record: rows past their promise, rows stuck in a state, and rows that merely wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.coverage import Sight
from timeline.detectors.orphaned_record import OrphanedRecord, OrphanedRecordDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.knowledge import Contract, Knowledge, Work
from timeline.order import Verdict

from .findings import findings_of
from .worlds import HICCUP, SECOND, World, at, failed_push, healthy, iso, sign_up

MAIL_JOB = Contract("every user gets a mail", "users", Work(job_class="welcome_mail"))
MAIL_ROW = Contract("every user has a mail row", "public.users", Work(table="mails"))
MAIL_LINE = Contract("every user is told", "users", Work(log="sent welcome_mail"))
PENDING = Contract(
    "a pending parcel is announced",
    "parcels",
    Work(job_class="announce"),
    within=30 * SECOND,
    column="state",
    value="pending",
)


def world_with(*contracts: Contract) -> World:
    return healthy(World(knowledge=Knowledge(contracts=contracts)))


def found(world: World) -> list[OrphanedRecord]:
    return findings_of(OrphanedRecordDetector(), world.incident(), OrphanedRecord)


def only(world: World) -> OrphanedRecord:
    (finding,) = found(world)
    return finding


@pytest.mark.parametrize("contract", [MAIL_JOB, MAIL_LINE])
def test_a_promise_broken_for_one_user_names_it_for_certain(contract: Contract) -> None:
    world = world_with(contract)
    sign_up(world, 77, 1500.5, mail=False)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert [orphan.key for orphan in finding.orphans] == ["user:77"]
    assert finding.orphans[0].created == at(1500.502)
    assert finding.kept == 136  # the last four of the night are not due yet
    assert {"user:77", "row:users/77"} <= set(finding.keys)
    assert contract.name in finding.sentence()


def test_the_sentence_reads_aloud() -> None:
    world = world_with(MAIL_JOB)
    for user, seconds in ((77, 1500.5), (78, 1501.5), (79, 1504.5)):
        sign_up(world, user, seconds, mail=False)
    finding = only(world)
    assert finding.sentence() == (
        "3 rows of users have no welcome_mail job within 1 min as “every user gets a mail” "
        "promises: 77, 78 and 79; the oldest is 10 min 4 s old; 3 were created from "
        "02:25:00.502 to 02:25:04.502."
    )
    assert finding.clause() == "3 rows of users have no welcome_mail job"
    assert finding.next_action == "Repair 77, 78 and 79 of users: the welcome_mail job is missing."


def test_a_row_that_is_not_there_is_certain_only_where_every_row_was_seen() -> None:
    world = world_with(MAIL_ROW)
    sign_up(world, 77, 1500.5, mail=False)
    assert only(world).verdict is Verdict.CERTAIN
    world.blind("postgres", 0, 2100, Sight.NOW_ONLY)
    assert only(world).verdict is Verdict.LIKELY
    world.blind("postgres", 1500, 1600, Sight.PARTIAL)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "postgres" in finding.weakest_link


def test_a_queue_that_forgets_makes_it_possible_and_is_named() -> None:
    world = world_with(MAIL_JOB)
    sign_up(world, 77, 1500.5, mail=False)
    world.blind("rq", 0, 1900, Sight.NOW_ONLY)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.weakest_link.startswith("rq:")
    assert finding.next_action == "Look up 77 of users before repairing anything."


def test_a_job_that_failed_for_good_is_no_mail() -> None:
    world = world_with(MAIL_JOB)
    sign_up(world, 77, 1500.5, mail=False)
    world.job(1501, Kind.JOB_ENQUEUED, "x1", "user_id=77", status="dead")
    world.job(1502, Kind.JOB_DEAD, "x1", "user_id=77", status="dead", error="KeyError: 'name'")
    world.blind("rq", 0, 1900, Sight.NOW_ONLY)
    finding = only(world)
    assert finding.orphans[0].jobs == ("job:x1",)
    assert finding.verdict is Verdict.CERTAIN  # the job is there: nothing absent is claimed
    assert "the job of 77 failed" in finding.sentence()


def test_a_state_counts_only_while_the_row_holds_it() -> None:
    world = world_with(PENDING)
    for number, state in enumerate(("pending", "sent", "pending"), 1):
        world.row(900 + number, "parcels", number, columns={"state": state})
    world.run("a1", "parcel_id=1", 905, 906, 907, job_class="shop.tasks.announce")
    finding = only(world)
    assert [orphan.key for orphan in finding.orphans] == ["parcel:3"]
    assert finding.state == "state=pending"


def test_what_a_push_error_explains_is_said_and_not_learnt_again() -> None:
    world = world_with(MAIL_JOB)
    failed_push(world, 77, HICCUP)
    finding = only(world)
    assert finding.push_failed == ("user:77",)
    world.knowledge = Knowledge()
    for user in (78, 79, 80, 81):
        failed_push(world, user, HICCUP + user / 100)
    assert found(world) == []


def parcels(world: World, *, stuck: int = 2, moved: int = 60, dwell: float = 4.0) -> None:
    """Parcels that leave `packed` within seconds, and some that never do."""
    for number in range(moved):
        seconds = 100 + number * 20
        world.row(seconds, "parcels", number, columns={"status": "sent"})
        later = seconds + dwell * (0.8 + 0.4 * (number % 7) / 6)
        world.row(later, "parcels", number, kind=Kind.ROW_UPDATED, columns={"status": "sent"})
    for number in range(900, 900 + stuck):
        world.row(1000 + number / 10, "parcels", number, columns={"status": "packed"})


def test_a_state_that_all_others_left_within_seconds_is_learnt() -> None:
    world = healthy(World())
    parcels(world)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.source_of_rule == "usual state"
    assert [orphan.key for orphan in finding.orphans] == ["parcel:900", "parcel:901"]
    assert "status=packed never left that state, which 60 others left within" in finding.sentence()


def test_a_follow_up_that_a_whole_minute_lacks_is_learnt() -> None:
    world = healthy(World())
    for user in range(5):
        sign_up(world, user, 1500 + user, mail=False)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.source_of_rule == "usual follow-up"
    assert finding.lacks == "row in mails"
    assert finding.spike is not None
    assert finding.spike.orphans == 5
    assert len(finding.orphans) == 5


def a_branch_for_a_few(world: World, spread: float) -> None:
    """Six of many never get their mail: every fourth of one stretch, or here and there."""
    for user in range(18):
        sign_up(world, 300 + user, 1500 + user * 4 + 0.5)
    for user in range(6):
        sign_up(world, user, 1500 + user * spread, mail=False)


def test_a_few_of_many_that_lie_closer_than_by_chance_are_learnt() -> None:
    world = healthy(World())
    a_branch_for_a_few(world, 12.0)
    finding = only(world)
    assert finding.source_of_rule == "usual follow-up"
    assert finding.spike is not None
    assert finding.spike.orphans == 6
    assert finding.spike.created > 2 * finding.spike.orphans


def test_as_many_as_chance_puts_together_are_silent() -> None:
    world = healthy(World())
    a_branch_for_a_few(world, 12.0)
    for user in range(40, 48):
        sign_up(world, user, 30 + (user - 40) * 170, mail=False)
    assert found(world) == []


def too_young(world: World) -> None:
    world.knowledge = Knowledge(contracts=(MAIL_JOB,))
    sign_up(world, 77, 2070, mail=False)


def deleted_since(world: World) -> None:
    world.knowledge = Knowledge(contracts=(MAIL_JOB,))
    sign_up(world, 77, 1500, mail=False)
    world.row(1600, "users", 77, kind=Kind.ROW_DELETED)


def waiting_for_its_retry(world: World) -> None:
    world.knowledge = Knowledge(contracts=(MAIL_JOB,))
    sign_up(world, 77, 1500, mail=False)
    world.job(1501, Kind.JOB_RETRIED, "x1", "user_id=77", status="scheduled", error="boom")


def some_never_get_one(world: World) -> None:
    for user in range(9):
        sign_up(world, user, 100 + user * 200, mail=False)


def two_habits(world: World) -> None:
    parcels(world, moved=30, dwell=4)
    for number in range(100, 140):
        world.row(100 + number, "parcels", number, columns={"status": "sent"})
        world.row(
            500 + number * 3, "parcels", number, kind=Kind.ROW_UPDATED, columns={"status": "sent"}
        )


def rows_also_end_there(world: World) -> None:
    parcels(world)
    world.row(300, "parcels", 800, columns={"status": "packed"})
    world.row(303, "parcels", 800, kind=Kind.ROW_UPDATED, columns={"status": "packed"})


def few_rows(world: World) -> None:
    parcels(world, moved=20)


@pytest.mark.parametrize(
    "confuser",
    [
        too_young,
        deleted_since,
        waiting_for_its_retry,
        some_never_get_one,
        two_habits,
        rows_also_end_there,
        few_rows,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []
    assert found(world_with(MAIL_JOB, MAIL_ROW, MAIL_LINE)) == []


def test_the_order_of_arrival_and_a_shift_change_nothing_but_times() -> None:
    world = world_with(MAIL_JOB)
    sign_up(world, 77, 1500.5, mail=False)
    sign_up(world, 76, 1500.7, mail=False)
    first = only(world)
    world.events.reverse()
    assert only(world) == first
    world.shift = 3_600 * SECOND
    moved = only(world)
    assert moved.began == first.began + 3_600 * SECOND
    assert moved.verdict is first.verdict
    assert [orphan.key for orphan in moved.orphans] == [orphan.key for orphan in first.orphans]


def test_a_wider_clock_never_makes_it_surer() -> None:
    world = world_with(MAIL_JOB)
    sign_up(world, 77, 1500.5, mail=False)
    world.blind("rq", 0, 1900, Sight.PARTIAL)
    world.bound = ClockBound(5 * SECOND, 5 * SECOND, "assumed")
    assert only(world).verdict is Verdict.POSSIBLE


def test_needs_rows_and_a_place_where_the_work_would_show() -> None:
    world = World(knowledge=Knowledge(contracts=(MAIL_JOB,)))
    world.log(3, "web", "hello")
    assert isinstance(OrphanedRecordDetector().detect(world.incident()), NotEvaluated)
    world.row(3, "users", 1)
    result = OrphanedRecordDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "queue source that would show a welcome_mail job" in result.needs


def forgotten(*, logged: bool) -> World:
    """A night on a queue that forgets every job that succeeded."""
    world = world_with(MAIL_JOB)
    held = [event for event in world.events if event.source != "rq"]
    world.events = [event for event in held if logged or event.source != "mailer.log"]
    world.job(1990, Kind.JOB_ENQUEUED, "w1", "user_id=1", job_class="other", status="queued")
    world.blind("rq", 0, 2100, Sight.NOW_ONLY)
    return world


def test_a_queue_that_forgets_all_successes_is_no_night_full_of_orphans() -> None:
    result = OrphanedRecordDetector().detect(forgotten(logged=False).incident())
    assert isinstance(result, NotEvaluated)
    assert "a source that remembers each welcome_mail job (rq:" in result.needs


def test_what_the_queue_forgot_the_workers_log_still_tells() -> None:
    world = forgotten(logged=True)
    assert found(world) == []
    sign_up(world, 77, 1500.5, mail=False)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert [orphan.key for orphan in finding.orphans] == ["user:77"]


def test_a_promise_that_nobody_could_judge_is_named_beside_the_others() -> None:
    world = world_with(MAIL_JOB, PENDING)
    world.row(900, "parcels", 1, columns={"user_id": 3})
    sign_up(world, 77, 1500.5, mail=False)
    assert "“a pending parcel is announced” was not judged" in only(world).would_decide[-1]


def test_a_state_that_was_not_read_is_asked_for() -> None:
    world = world_with(PENDING)
    world.row(900, "parcels", 1, columns={"user_id": 3}, seen=2000)
    result = OrphanedRecordDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert result.needs == "the column state of parcels (name it in columns)"
    assert iso(900).startswith("2026-03-14T02:15")


def test_unrelated_lines_change_nothing() -> None:
    world = world_with(MAIL_JOB)
    sign_up(world, 77, 1500.5, mail=False)
    first = only(world)
    for number in range(50):
        world.log(100 + number * 30, "weather", f"station_id={number} reports 4 degrees")
    assert only(world).sentence() == first.sentence()


def test_rows_whose_job_still_waits_are_late_and_only_possibly_alone() -> None:
    world = world_with(MAIL_ROW)
    sign_up(world, 77, 1500.5, mail=False)
    assert only(world).verdict is Verdict.CERTAIN
    world.job(1501, Kind.JOB_ENQUEUED, "x1", "user_id=77", status="queued")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "1 job for them still open" in finding.weakest_link
    world.job(1502, Kind.JOB_STARTED, "x1", "user_id=77", status="finished")
    world.job(1503, Kind.JOB_FINISHED, "x1", "user_id=77", status="finished")
    assert only(world).verdict is Verdict.CERTAIN  # it is over, and there is no row
