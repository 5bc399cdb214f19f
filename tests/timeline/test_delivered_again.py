"""delivered-again: second starts, their cause, their overlap by the clocks, and what is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.delivered_again import DeliveredAgain, DeliveredAgainDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, at, healthy, iso

BEGUN = 1440.0
LEASE = 30


def found(world: World) -> list[DeliveredAgain]:
    return findings_of(DeliveredAgainDetector(), world.incident(), DeliveredAgain)


def only(world: World) -> DeliveredAgain:
    (finding,) = found(world)
    return finding


def move(world: World, seconds: float, kind: Kind, worker: str = "", job: str = "b7") -> Event:
    args = "user_id=9"
    return world.job(seconds, kind, job, args, job_class="shop.backup", worker=worker, clock=worker)


def twice(world: World, gap: float = LEASE, workers: tuple[str, str] = ("w1", "w2")) -> None:
    move(world, BEGUN - 1, Kind.JOB_ENQUEUED)
    move(world, BEGUN, Kind.JOB_STARTED, workers[0])
    move(world, BEGUN + gap, Kind.JOB_STARTED, workers[1])


def timeout(world: World, seconds: int = LEASE) -> None:
    """The queue states its visibility timeout, as SQS does."""
    world._add(
        Event(
            timestamp=at(2105),
            source="rq",
            lane=Lane.QUEUE,
            kind=Kind.METRIC,
            body=f"mailers now: a message taken is given out again after {seconds} s",
            ref=world._ref("depth"),
            seq=world._number,
            actor="mailers",
            attributes=json.dumps({"queue": "mailers", "visibility_timeout_s": seconds}),
        )
    )


def stalled(world: World, seconds: float) -> None:
    event = move(world, seconds, Kind.JOB_RETRIED)
    told = json.loads(event.attributes or "{}")
    told |= {"declared_lost_at": iso(seconds), "lock_last_renewed_before": iso(seconds - LEASE)}
    body = "backup stalled: its lock had expired and it waits again"
    world.events[-1] = replace(event, body=body, attributes=json.dumps(told))


def test_a_gap_that_fits_the_timeout_is_its_likely_cause() -> None:
    world = healthy(World())
    timeout(world)
    twice(world, 30.8)
    move(world, BEGUN + 60, Kind.JOB_FINISHED, "w1")
    finding = only(world)
    (case,) = finding.cases
    assert (finding.cause, finding.verdict) == ("timeout", Verdict.LIKELY)
    assert (case.first_worker, case.second_worker) == ("w1", "w2")
    assert (case.timeout, case.gap) == (LEASE * 10**9, 30_800_000_000)
    assert case.overlap is Verdict.CERTAIN
    assert finding.sentence() == (
        "1 backup job was started twice: b7 (first at 02:24:00.000 on w1, again 30.8 s later on "
        "w2; the queue gives a job out again after 30.0 s); that the first run was still going "
        "is certain."
    )
    assert finding.keys == ("job:b7",)


def test_a_gap_that_does_not_fit_has_no_visible_cause() -> None:
    world = healthy(World())
    timeout(world)
    twice(world, 45)
    finding = only(world)
    assert (finding.cause, finding.verdict) == ("unknown", Verdict.LIKELY)
    assert finding.cases[0].timeout is None
    assert "not visible" in finding.sentence()
    assert any("by hand" in words for words in finding.alternatives)


def test_where_a_failure_may_have_been_missed_it_is_only_possible() -> None:
    world = healthy(World())
    twice(world)
    world.blind("rq", BEGUN + 5, BEGUN + 10)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "may not have been seen" in finding.weakest_link


def test_the_queues_own_word_for_the_lost_lease_is_certain() -> None:
    world = healthy(World())
    twice(world, 60)
    stalled(world, BEGUN + 58)
    finding = only(world)
    assert (finding.cause, finding.verdict) == ("lease", Verdict.CERTAIN)
    assert "its lease of 30.0 s had run out" in finding.sentence()
    assert [step.role for step in finding.steps] == ["first start", "lease lost", "second start"]


def test_a_dead_process_did_not_run_on() -> None:
    world = healthy(World())
    twice(world, 60)
    event = move(world, BEGUN + 20, Kind.JOB_RETRIED, "w1")
    body = "failed: WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)"
    world.events[-1] = replace(event, body=body)
    finding = only(world)
    assert finding.cases[0].overlap is None
    assert "was over by then" in finding.sentence()


@pytest.mark.parametrize(
    ("bound_ms", "overlap"),
    [(50, Verdict.CERTAIN), (600, Verdict.LIKELY), (5_000, Verdict.POSSIBLE)],
)
def test_an_overlap_is_as_sure_as_the_clocks(bound_ms: int, overlap: Verdict) -> None:
    bound = ClockBound(bound_ms * 1_000_000, bound_ms * 1_000_000)
    world = healthy(World(bound=bound))
    twice(world)
    move(world, BEGUN + LEASE + 1, Kind.JOB_FINISHED, "w1")
    assert only(world).cases[0].overlap is overlap


def test_without_an_end_of_the_first_run_an_overlap_is_possible() -> None:
    world = healthy(World())
    twice(world)
    move(world, BEGUN + 50, Kind.JOB_FINISHED, "w2")
    finding = only(world)
    assert finding.cases[0].overlap is Verdict.POSSIBLE
    assert any("first worker's own log" in words for words in finding.would_decide)


def test_two_ends_after_the_second_start_are_two_runs_at_once() -> None:
    world = healthy(World())
    twice(world, workers=("", ""))
    move(world, BEGUN + 50, Kind.JOB_FINISHED)
    move(world, BEGUN + 55, Kind.JOB_FINISHED)
    assert only(world).cases[0].overlap is Verdict.CERTAIN


def test_rows_that_both_runs_wrote_are_told() -> None:
    world = healthy(World())
    twice(world)
    world.row(BEGUN + 10, "backups", 70, columns={"user_id": 9})
    world.row(BEGUN + 40, "backups", 71, columns={"user_id": 9})
    world.row(BEGUN + 12, "receipts", 5, columns={"user_id": 9})
    finding = only(world)
    assert finding.cases[0].doubled == ("row:backups/70", "row:backups/71")
    assert "; both wrote backups/70 and backups/71." in finding.sentence()
    assert "row:backups/71" in finding.keys


def test_the_brokers_own_line_is_evidence() -> None:
    world = healthy(World())
    twice(world, 900)
    world.events = [e for e in world.events if e.timestamp <= at(BEGUN)]
    move(world, BEGUN + 400, Kind.JOB_STARTED, "w2")
    world.log(BEGUN + 399.5, "celery", "Restoring 1 unacknowledged message(s)")
    finding = only(world)
    assert finding.cause == "timeout"
    assert "given out again" in [step.role for step in finding.steps]


def test_logs_alone_tell_it_when_the_queue_keeps_no_starts() -> None:
    world = healthy(World())
    timeout(world)
    for seconds, worker in ((BEGUN, "backup-1"), (BEGUN + LEASE, "backup-2")):
        world.log(seconds, worker, "start backup job_id=q5")
    world.log(BEGUN + 70, "backup-1", "finished backup job_id=q5")
    finding = only(world)
    assert finding.keys == ("job:q5",)
    assert finding.cases[0].overlap is Verdict.CERTAIN


def test_a_run_every_timeout_is_one_finding() -> None:
    world = healthy(World())
    timeout(world)
    twice(world)
    move(world, BEGUN + 2 * LEASE, Kind.JOB_STARTED, "w3")
    finding = only(world)
    assert [case.second_worker for case in finding.cases] == ["w2", "w3"]


def ordinary_retry(world: World) -> None:
    move(world, BEGUN, Kind.JOB_STARTED, "w1")
    move(world, BEGUN + 1, Kind.JOB_RETRIED, "w1")
    move(world, BEGUN + LEASE, Kind.JOB_STARTED, "w2")


def put_back_by_hand(world: World) -> None:
    move(world, BEGUN, Kind.JOB_STARTED, "w1")
    move(world, BEGUN + 20, Kind.JOB_ENQUEUED)
    move(world, BEGUN + LEASE, Kind.JOB_STARTED, "w2")


def finished_and_run_again_later(world: World) -> None:
    move(world, BEGUN, Kind.JOB_STARTED, "w1")
    move(world, BEGUN + 1, Kind.JOB_FINISHED, "w1")
    move(world, BEGUN + 300, Kind.JOB_STARTED, "w2")


def retry_told_by_logs(world: World) -> None:
    world.log(BEGUN, "backup-1", "start backup job_id=q5")
    world.log(BEGUN + 3, "backup-1", "backup job_id=q5 failed, will retry")
    world.log(BEGUN + LEASE, "backup-2", "start backup job_id=q5")


def one_line_shipped_twice(world: World) -> None:
    for shipper in ("one", "two"):
        world.log(BEGUN, "backup-1", "start backup job_id=q5", source=shipper)


def several_steps_of_one_run(world: World) -> None:
    for step in range(4):
        world.log(BEGUN + step * 10, "backup-1", f"start step {step} job_id=q5")


def given_up_after_a_stall(world: World, wait: float = 0.1) -> None:
    move(world, BEGUN, Kind.JOB_STARTED)
    if not wait:
        move(world, BEGUN + 35, Kind.JOB_STARTED)
    stalled(world, BEGUN + 35)
    if wait:
        move(world, BEGUN + 35 + wait, Kind.JOB_STARTED)
    event = move(world, BEGUN + 35.2, Kind.JOB_FAILED)
    body = "backup failed: job stalled more than allowable limit"
    world.events[-1] = replace(event, body=body)


def given_up_in_the_same_millisecond(world: World) -> None:
    given_up_after_a_stall(world, wait=0.0)


@pytest.mark.parametrize(
    "confuser",
    [
        ordinary_retry,
        put_back_by_hand,
        finished_and_run_again_later,
        retry_told_by_logs,
        one_line_shipped_twice,
        several_steps_of_one_run,
        given_up_after_a_stall,
        given_up_in_the_same_millisecond,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    timeout(world)
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_needs_a_queue_or_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(DeliveredAgainDetector().detect(world.incident()), NotEvaluated)
