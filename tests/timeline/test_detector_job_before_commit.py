"""job-before-commit: the proof with and without clocks, its variants, and what looks like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.job_before_commit import JobBeforeCommit, JobBeforeCommitDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, early_job, shop

WHEN = 900.0
LOOSE = ClockBound(250_000_000, 250_000_000)


def found(world: World) -> list[JobBeforeCommit]:
    result = JobBeforeCommitDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, JobBeforeCommit)]


def only(world: World) -> JobBeforeCommit:
    (finding,) = found(world)
    return finding


def raced(**more: object) -> World:
    world = World()
    early_job(world, 4712, WHEN, **more)  # type: ignore[arg-type]
    return world


def test_certain_without_any_clock() -> None:
    """Stock PostgreSQL keeps no commit time; 250 ms of clock error change nothing."""
    world = raced()
    world.bound = LOOSE
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.variant == "pre-commit"
    (case,) = finding.cases
    assert (case.job, case.key, case.record) == ("job:j4712", "user:4712", "row:users/4712")
    assert case.visible is None
    assert [step.role for step in finding.steps] == ["write", "push", "start", "lookup", "visible"]
    assert all(step.order and step.order.verdict is Verdict.CERTAIN for step in finding.steps[1:])
    assert set(finding.keys) == {"job:j4712", "user:4712", "row:users/4712"}


def test_certain_by_commit_time_shows_how_early_it_was() -> None:
    finding = only(raced(commit=WHEN + 0.3))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.steps[-1].event.kind is Kind.TXN_COMMIT
    assert "240 ms before it was committed" in finding.sentence()


def test_shop_has_exactly_one_such_job() -> None:
    finding = only(shop())
    assert [case.key for case in finding.cases] == ["user:4712"]
    assert finding.clause() == "1 job ran before its row was visible"


@pytest.mark.parametrize(
    "message",
    [
        "ActiveRecord::RecordNotFound: Couldn't find User with 'id'={user}",
        "LookupError: User {user} not found",
        "javax.persistence.EntityNotFoundException: Unable to find com.shop.User with id {user}",
        "NotFoundError: No User found for id {user} user_id={user}",
        "clojure.lang.ExceptionInfo: user not found {{:user-id {user}}} DoesNotExist user {user}",
        "cannot find user {user}",
    ],
)
def test_any_languages_wording(message: str) -> None:
    finding = only(raced(message=message))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.cases[0].key == "user:4712"


@pytest.mark.parametrize(
    "message",
    [
        "user {user}: sql: no rows in result set",
        "** (Ecto.NoResultsError) expected at least one result but got none for user_id={user}",
        "sqlalchemy.exc.NoResultFound: No row was found when one was required user_id={user}",
    ],
)
def test_a_message_that_does_not_say_what_was_missing_is_an_inferred_join(message: str) -> None:
    """The job may have looked for another row of the same user."""
    assert only(raced(message=message)).verdict is Verdict.LIKELY


def test_a_message_without_the_id_is_an_inferred_join() -> None:
    finding = only(
        raced(message="shop.models.User.DoesNotExist: User matching query does not exist.")
    )
    assert finding.verdict is Verdict.LIKELY
    assert "arguments" in finding.weakest_link


def test_uuid_keys_and_global_ids() -> None:
    world = World()
    user = "7d0c4a52-9f5e-4f0e-8a55-0f1c2d3e4f5a"
    world.row(WHEN, "users", user)
    args = f"gid://shop/User/{user}"
    told = {"job_class": "WelcomeMailJob", "queue": "critical", "status": "failed"}
    world.job(WHEN + 0.01, Kind.JOB_ENQUEUED, "abc", args, **told)
    world.job(WHEN + 0.02, Kind.JOB_STARTED, "abc", args, **told)
    error = f"ActiveRecord::RecordNotFound: Couldn't find User with 'id'={user}"
    world.job(WHEN + 0.03, Kind.JOB_FAILED, "abc", args, error=error, **told)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.job_class == "WelcomeMailJob"
    assert finding.cases[0].key == f"user:{user}"


def test_a_worker_log_without_job_ids_is_joined_by_entity_and_time() -> None:
    world = raced()
    world.events = [
        replace(event, body=event.body.replace("job_id=j4712", ""), keys=())
        if event.actor == "mailer"
        else event
        for event in world.events
        if event.kind is not Kind.JOB_FAILED
    ]
    world.job(WHEN + 0.07, Kind.JOB_RETRIED, "j4712", "user_id=4712")
    finding = only(world)
    assert finding.cases[0].job == "job:j4712"
    assert finding.steps[-2].event.actor == "mailer"


def test_a_retry_that_finished_heals_and_is_said() -> None:
    finding = only(raced(heal=True))
    assert finding.healed == 1
    assert finding.steps[-1].role == "healing retry"
    assert finding.next_action == ""


def test_without_a_retry_the_next_action_is_to_replay() -> None:
    assert "4712" in only(raced()).next_action


def test_a_commit_logged_before_the_push_is_the_other_transactions() -> None:
    world = raced()
    world.log(WHEN + 0.005, "web", "COMMIT inner savepoint request_id=r4712")
    finding = only(world)
    assert finding.variant == "other-transaction"
    assert "commit" in [step.role for step in finding.steps]


def test_many_jobs_of_one_class_are_one_finding() -> None:
    world = World()
    for number in range(12):
        early_job(world, 5000 + number, WHEN + number)
    finding = only(world)
    assert len(finding.cases) == 12
    assert finding.sentence().startswith("12 welcome_mail jobs")


def deleted_row(world: World) -> None:
    early_job(world, 1, WHEN)
    world.row(WHEN - 5, "users", 1, kind=Kind.ROW_DELETED)


def soft_deleted_row(world: World) -> None:
    early_job(world, 1, WHEN, columns={"deleted_at": "2026-03-14T01:00:00Z"})


def deletion_nobody_recorded(world: World) -> None:
    early_job(world, 1, WHEN, row=False)
    world.row(WHEN + 20, "users", 2)


def a_context_field_is_not_what_was_looked_for(world: World) -> None:
    world.row(WHEN, "users", 1)
    world.job(WHEN + 0.01, Kind.JOB_ENQUEUED, "j", "user_id=1")
    world.job(WHEN + 0.02, Kind.JOB_STARTED, "j", "user_id=1")
    world.error(WHEN + 0.03, "mailer", "job_id=j user_id=1: LookupError: Template 77 not found")


def commit_before_the_lookup(world: World) -> None:
    """A replica, a cache or another shard: the row was visible on the primary by then."""
    early_job(world, 1, WHEN, commit=WHEN + 0.02)


def another_error(world: World) -> None:
    early_job(world, 1, WHEN, message="ValueError: User {user} has no e-mail")


def another_entity(world: World) -> None:
    early_job(world, 1, WHEN, message="LookupError: Template 77 not found")


def slow_job(world: World) -> None:
    world.row(WHEN, "users", 1)
    world.run("slow", "user_id=1", WHEN + 0.01, WHEN + 0.02, WHEN + 400)


def a_request_for_a_missing_page(world: World) -> None:
    world.row(WHEN, "users", 1)
    world.run("j", "user_id=1", WHEN + 0.01, WHEN + 0.5, WHEN + 0.6)
    line = "ActiveRecord::RecordNotFound: Couldn't find User with 'id'=1 request_id=r9"
    world.error(WHEN + 300, "web", line)


@pytest.mark.parametrize(
    "confuser",
    [
        deleted_row,
        soft_deleted_row,
        deletion_nobody_recorded,
        commit_before_the_lookup,
        another_error,
        another_entity,
        a_context_field_is_not_what_was_looked_for,
        slow_job,
        a_request_for_a_missing_page,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def replica_in_the_message(world: World) -> None:
    early_job(world, 1, WHEN, message="LookupError: User {user} not found on db-replica-2")


def replica_among_the_sources(world: World) -> None:
    early_job(world, 1, WHEN)
    world.systems["postgres"] = "postgresql 15.18 (replica)"


def row_read_on_a_replica(world: World) -> None:
    early_job(world, 1, WHEN, endpoint="replica")


def another_shard(world: World) -> None:
    early_job(world, 1, WHEN, message="LookupError: User {user} not found in shard eu-2")


def a_row_from_last_hour(world: World) -> None:
    early_job(world, 1, WHEN, row=False)
    world.row(WHEN - 3000, "users", 1)


def an_id_used_again(world: World) -> None:
    early_job(world, 1, WHEN, row=False)
    world.row(WHEN + 60, "users", 1)


def a_row_read_before_the_job_ran(world: World) -> None:
    early_job(world, 1, WHEN, seen=WHEN - 1)


@pytest.mark.parametrize(
    "doubt",
    [
        replica_in_the_message,
        replica_among_the_sources,
        row_read_on_a_replica,
        another_shard,
        a_row_from_last_hour,
        an_id_used_again,
        a_row_read_before_the_job_ran,
    ],
)
def test_doubts_leave_it_possible_and_are_named(doubt: Callable[[World], None]) -> None:
    world = World()
    doubt(world)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.alternatives
    assert finding.weakest_link


def test_an_unknown_endpoint_leaves_it_likely() -> None:
    assert only(raced(endpoint=None)).verdict is Verdict.LIKELY


def test_a_replica_does_not_matter_once_the_commit_time_decides() -> None:
    untouched = {"created_at": "2026-03-14T02:15:00Z", "updated_at": "2026-03-14T02:15:00Z"}
    world = raced(commit=WHEN + 0.5, columns=untouched)
    world.systems["postgres"] = "postgresql 15.18 (replica)"
    assert only(world).verdict is Verdict.CERTAIN


def test_a_commit_that_may_be_a_later_ones_decides_less() -> None:
    """`xmin` is the last writer; without `updated_at` nobody knows whether that was the first."""
    world = raced(commit=WHEN + 0.5)
    world.systems["postgres"] = "postgresql 15.18 (replica)"
    assert only(world).verdict is Verdict.LIKELY


def test_a_commit_an_hour_later_is_not_the_creations() -> None:
    world = raced(commit=WHEN + 1000)
    world.systems["postgres"] = "postgresql 15.18 (replica)"
    assert only(world).verdict is Verdict.POSSIBLE


def test_a_rollback_of_another_request_makes_no_phantom() -> None:
    world = World()
    early_job(world, 1, WHEN, row=False)
    world.log(WHEN + 500, "web", "profile user_id=1 request_id=r9")
    world.log(WHEN + 501, "web", "ROLLBACK request_id=r9", severity=13)
    world.row(WHEN + 20, "users", 2)
    assert found(world) == []


def test_a_commit_inside_the_clock_bounds_is_never_certain() -> None:
    world = raced(commit=WHEN + 0.02)
    world.bound = LOOSE
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert any("replica" in words for words in finding.alternatives)


def test_the_commit_of_a_later_update_is_not_the_creations() -> None:
    world = raced(commit=WHEN + 60)
    world.row(WHEN + 59, "users", 4712, kind=Kind.ROW_UPDATED, commit=WHEN + 60)
    finding = only(world)
    assert finding.cases[0].visible is None
    assert finding.steps[-1].event.kind is Kind.ROW_VERSION


def test_a_rollback_leaves_a_phantom_job() -> None:
    world = World()
    early_job(world, 1, WHEN, row=False)
    world.log(WHEN + 0.2, "web", "ROLLBACK request_id=r1", severity=13)
    world.row(WHEN + 20, "users", 2)  # the table is read, and user 1 is not in it
    finding = only(world)
    assert (finding.variant, finding.verdict) == ("rollback", Verdict.LIKELY)
    assert finding.next_action.startswith("Discard")


def test_a_phantom_in_a_database_that_was_cut_is_only_possible() -> None:
    world = World()
    early_job(world, 1, WHEN, row=False)
    world.log(WHEN + 0.2, "web", "ROLLBACK request_id=r1", severity=13)
    world.row(WHEN + 20, "users", 2)
    world.blind("postgres", WHEN - 100, WHEN + 100)
    assert only(world).verdict is Verdict.POSSIBLE


def test_a_job_that_finished_on_the_old_version() -> None:
    world = World()
    world.row(WHEN - 500, "orders", 7)
    world.row(WHEN, "orders", 7, kind=Kind.ROW_UPDATED, commit=WHEN + 2)
    world.run("ship", "order_id=7", WHEN + 0.1, WHEN + 0.2, WHEN + 0.4, job_class="ShipOrder")
    finding = only(world)
    assert (finding.variant, finding.verdict) == ("update", Verdict.LIKELY)


def test_a_job_of_an_unrelated_moment_is_no_update_race() -> None:
    world = World()
    world.row(WHEN - 500, "orders", 7)
    world.row(WHEN, "orders", 7, kind=Kind.ROW_UPDATED, commit=WHEN + 2)
    world.run("early", "order_id=7", WHEN - 1, WHEN - 0.9, WHEN + 1)
    world.run("late", "order_id=7", WHEN + 1, WHEN + 3, WHEN + 4)
    assert found(world) == []


def test_needs_jobs_and_rows() -> None:
    world = World()
    world.error(WHEN, "mailer", "LookupError: User 1 not found")
    result = JobBeforeCommitDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "queue" in result.needs
    assert "database" in result.needs
