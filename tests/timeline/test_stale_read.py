"""stale-read: committed rows that a replica did not show yet, and all that is no stale read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.job_before_commit import JobBeforeCommitDetector
from timeline.detectors.stale_read import BEHIND, NAMED, StaleRead, StaleReadDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict, at_least

from .worlds import SECOND, World, at, early_job, healthy

WHEN = 1500.0
COMMIT = WHEN + 0.02
"""The job of `early_job` starts at +0.05 and fails at +0.06."""


def found(world: World) -> list[Finding]:
    result = StaleReadDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def only(world: World) -> StaleRead:
    (finding,) = found(world)
    assert isinstance(finding, StaleRead)
    return finding


def missed(
    world: World, user: int | str = 4712, commit: float | None = COMMIT, **more: object
) -> World:
    early_job(world, user, WHEN, commit=commit, **more)  # type: ignore[arg-type]
    return world


def lag(
    world: World, seconds: float, value: float, *, metric: str = "replication_lag_seconds"
) -> None:
    """One sample of a lag curve, as the Prometheus connector tells it."""
    told = {"metric": metric, "labels": {"instance": "db-2"}, "value": value}
    event = Event(
        timestamp=at(seconds),
        source="prometheus",
        lane=Lane.METRIC,
        kind=Kind.METRIC,
        body=f"{metric}{{instance=db-2}} = {value:g}",
        ref=f"{metric}@{seconds}",
        seq=int(seconds * 1000),
        actor="db-2",
        attributes=json.dumps(told),
    )
    world.events.append(event)


def on_a_replica(world: World, user: int | str = 4712) -> World:
    world.log(WHEN + 0.055, "mailer", f"reading from replica-2 job_id=j{user}")
    return missed(world, user)


def test_a_commit_before_a_lookup_on_a_named_replica_is_certain() -> None:
    finding = only(on_a_replica(healthy(World())))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.sign == NAMED
    assert finding.sentence() == (
        "1 welcome_mail job did not find a row of users that was there: 4712 (first at "
        "02:25:00.060, 40 ms after it was committed); it read from a replica."
    )
    assert finding.clause() == "1 job read an old copy on a replica"
    assert finding.next_action == "Replay welcome_mail for 4712: the row is on the primary."
    assert [step.role for step in finding.steps] == ["row", "start", "endpoint", "lookup"]
    assert JobBeforeCommitDetector().detect(on_a_replica(World()).incident()) == []


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("replication_lag_seconds", 4.0),
        ("pg_replication_lag", 4.0),
        ("AuroraReplicaLag", 4000.0),
        ("mysql_slave_status_seconds_behind_master", 4.0),
    ],
)
def test_a_lag_as_long_as_the_row_was_there_is_likely(metric: str, value: float) -> None:
    world = missed(World())
    lag(world, WHEN - 10, 0.0, metric=metric)
    lag(world, WHEN + 5, value, metric=metric)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.sign == BEHIND
    assert finding.cases[0].lag == 4 * SECOND
    assert "a replica was 4.0 s behind" in finding.sentence()
    assert finding.clause() == "1 job read a replica that was behind"


def test_a_replica_that_is_only_known_to_be_there_leaves_it_possible() -> None:
    world = missed(World())
    world.systems["postgres"] = "postgresql 15.18 (replica)"
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "postgres is a replica" in finding.sentence()


def test_a_retry_that_found_the_row_points_to_an_old_copy() -> None:
    finding = only(missed(World(), heal=True))
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.healed == 1
    assert finding.alternatives
    assert finding.next_action == ""


def test_a_message_that_names_nothing_is_at_most_likely() -> None:
    world = World()
    world.log(WHEN + 0.055, "mailer", "asking the read replica job_id=j4712")
    missed(world, message="sql: no rows in result set (user_id={user})")
    assert only(world).verdict is Verdict.LIKELY


def unstamped(world: World, lagging: float | None, *, web: str = "web") -> World:
    """A row without a commit time whose request was answered before a job missed it."""
    world.log(WHEN - 1.3, web, "POST /signups started trace_id=abc8 user_id=8")
    world.row(WHEN - 1.2, "users", 8)
    world.log(WHEN - 1.15, web, "publish to signups confirmed trace_id=abc8 job_id=j8 user_id=8")
    world.log(WHEN - 1.1, web, "request finished status=201 trace_id=abc8")
    world.job(WHEN - 1.15, Kind.JOB_ENQUEUED, "j8", "user_id=8", status="failed")
    world.job(WHEN, Kind.JOB_STARTED, "j8", "user_id=8", status="failed")
    text = "LookupError: User 8 not found"
    world.error(WHEN + 0.01, "mailer", f"welcome_mail job_id=j8: {text}")
    world.job(WHEN + 0.02, Kind.JOB_FAILED, "j8", "user_id=8", status="failed", error=text)
    if lagging is not None:
        lag(world, WHEN - 5, lagging)
        lag(world, WHEN + 5, lagging)
    return world


def races(world: World) -> list[Verdict]:
    result = JobBeforeCommitDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding.verdict for finding in result]


def test_a_replica_measured_behind_takes_the_race_its_certainty() -> None:
    world = unstamped(World(), 9.0)
    finding = only(world)
    assert (finding.verdict, finding.sign) == (Verdict.LIKELY, BEHIND)
    assert "after the request that wrote it was answered" in finding.sentence()
    assert races(world) == [Verdict.POSSIBLE]


@pytest.mark.parametrize("lagging", [0.02, 0.4])
def test_a_replica_that_keeps_up_leaves_the_race_as_it_is(lagging: float) -> None:
    assert races(unstamped(World(), lagging)) == races(unstamped(World(), None))
    assert not at_least(Verdict.POSSIBLE, races(unstamped(World(), lagging))[0])


def test_a_message_of_a_queue_is_no_request() -> None:
    finding = only(unstamped(World(), 9.0))
    told = replace(finding, cases=(replace(finding.cases[0], job="message:m-77"),))
    assert "1 welcome_mail job did" in replace(told, job_class="welcome_mail").sentence()
    asked = replace(finding, cases=(replace(finding.cases[0], job="trace:t-77"),))
    assert "request" in asked.clause()


def test_without_a_commit_time_the_answer_of_the_request_says_it_was_there() -> None:
    world = World()
    world.log(WHEN - 0.3, "web", "POST /signups started request_id=r8 user_id=8")
    world.row(WHEN - 0.2, "users", 8)
    world.log(WHEN - 0.1, "web", "POST /signups 201 request_id=r8")
    world.job(WHEN - 0.15, Kind.JOB_ENQUEUED, "j8", "user_id=8", status="failed")
    world.job(WHEN, Kind.JOB_STARTED, "j8", "user_id=8", status="failed")
    text = "LookupError: User 8 not found on db-replica-2"
    world.error(WHEN + 0.01, "mailer", f"welcome_mail job_id=j8: {text}")
    world.job(WHEN + 0.02, Kind.JOB_FAILED, "j8", "user_id=8", status="failed", error=text)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "110 ms after the request that wrote it was answered" in finding.sentence()


def test_where_the_order_is_open_both_explanations_are_named() -> None:
    world = World()
    missed(world, commit=None, message="LookupError: User {user} not found on db-replica-2")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "job-before-commit" in finding.alternatives[0]
    (race,) = JobBeforeCommitDetector().detect(world.incident())  # type: ignore[misc]
    assert race.verdict is Verdict.POSSIBLE


def test_a_cache_is_named_and_leaves_it_possible() -> None:
    world = on_a_replica(World())
    world.log(WHEN + 0.057, "mailer", "cache hit users/4712 job_id=j4712")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.alternatives[0] == "a stale cache answered"


def test_a_job_that_began_before_the_commit_may_read_as_of_then() -> None:
    world = World()
    world.log(WHEN + 0.055, "mailer", "reading from replica-2 job_id=j1")
    missed(world, 1, commit=WHEN + 0.053)
    assert only(world).verdict is Verdict.LIKELY


def committed_afterwards(world: World) -> None:
    missed(world, commit=WHEN + 0.5)


def a_plain_race(world: World) -> None:
    missed(world, commit=None, heal=True)


def no_replica_anywhere(world: World) -> None:
    missed(world)


def a_replica_that_kept_up(world: World) -> None:
    missed(world, heal=True)
    lag(world, WHEN - 5, 0.004)
    lag(world, WHEN + 5, 0.01)


def a_lag_at_another_time(world: World) -> None:
    missed(world)
    lag(world, WHEN - 600, 30.0)
    lag(world, WHEN - 15, 0.001)
    lag(world, WHEN + 15, 0.001)


def another_lag(world: World) -> None:
    missed(world)
    for metric in ("kafka_consumer_lag", "replication_lag_bytes"):
        lag(world, WHEN, 9000.0, metric=metric)


def deleted(world: World) -> None:
    on_a_replica(world)
    world.row(WHEN + 0.03, "users", 4712, kind=Kind.ROW_DELETED)


def soft_deleted(world: World) -> None:
    world.log(WHEN + 0.055, "mailer", "reading from replica-2 job_id=j4712")
    missed(world, columns={"deleted_at": "2026-03-14T01:00:00Z"})


def another_shard(world: World) -> None:
    missed(world, heal=True, message="LookupError: User {user} not found in shard eu-2")


def never_there(world: World) -> None:
    world.log(WHEN + 0.055, "mailer", "reading from replica-2 job_id=j4712")
    missed(world, row=False)
    world.row(WHEN, "users", 5)


def out_of_scope_for_an_hour(world: World) -> None:
    world.systems["postgres"] = "postgresql 15.18 (replica)"
    missed(world, row=False)
    world.row(WHEN - 1400, "users", 4712, commit=WHEN - 1399)


CONFUSERS = [
    committed_afterwards,
    a_plain_race,
    no_replica_anywhere,
    a_replica_that_kept_up,
    a_lag_at_another_time,
    another_lag,
    deleted,
    soft_deleted,
    another_shard,
    never_there,
    out_of_scope_for_an_hour,
]


@pytest.mark.parametrize("confuser", CONFUSERS)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_a_measured_lag_that_is_shorter_speaks_against_a_named_replica() -> None:
    world = on_a_replica(World())
    lag(world, WHEN, 0.001)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "less than the row had been there" in finding.weakest_link


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_without_a_database_it_is_not_evaluated() -> None:
    world = World()
    world.run("j1", "user_id=1", 3, 4, 5)
    assert isinstance(StaleReadDetector().detect(world.incident()), NotEvaluated)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_does_not_matter(seed: int) -> None:
    world = on_a_replica(healthy(World()))
    told = [finding.evidence() for finding in found(world)]
    random.Random(seed).shuffle(world.events)
    assert [finding.evidence() for finding in found(world)] == told


@pytest.mark.parametrize("milliseconds", [10, 50, 400, 5_000])
def test_a_wider_clock_never_makes_it_surer(milliseconds: int) -> None:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    tight = only(on_a_replica(World()))
    assert at_least(tight.verdict, only(on_a_replica(World(bound=bound))).verdict)


def test_moving_everything_moves_only_the_times() -> None:
    world = on_a_replica(World())
    here = only(world)
    assert here.began == at(COMMIT)
    lines = World(pin=1801.0)
    lines.events = world.events
    assert only(lines).evidence() == here.evidence()
