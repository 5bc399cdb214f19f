"""poison-job: the job that takes every worker with it, and jobs that merely fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.detectors.poison_job import PoisonJob, PoisonJobDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, at, healthy, iso

BEGUN = 1200.0
APART = 60.0
WORK_HORSE = "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9);"


def found(world: World) -> list[PoisonJob]:
    return findings_of(PoisonJobDetector(), world.incident(), PoisonJob)


def only(world: World) -> PoisonJob:
    (finding,) = found(world)
    return finding


def death(
    world: World,
    nth: int,
    worker: str = "",
    job: str = "p1",
    *,
    said: str = "",
    args: str = "order_id=66",
    kind: Kind = Kind.JOB_RETRIED,
) -> None:
    """One attempt that a stall ends (as BullMQ tells it), or the words of `said`."""
    begun = BEGUN + nth * APART
    world.job(begun, Kind.JOB_STARTED, job, args, worker=worker, job_class="shop.resize")
    ended = begun + 40
    event = world.job(ended, kind, job, args, worker=worker, job_class="shop.resize")
    attributes = json.loads(event.attributes or "{}")
    if not said:
        attributes |= {"declared_lost_at": iso(ended), "lock_last_renewed_before": iso(ended - 30)}
    body = said or "resize stalled: its lock had expired and it waits again"
    world.events[-1] = replace(event, body=body, attributes=json.dumps(attributes))


def test_a_job_that_kills_two_workers_is_named_and_set_aside() -> None:
    world = healthy(World())
    for nth, worker in enumerate(("w1", "w2", "w3")):
        death(world, nth, worker)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.keys == ("job:p1",)
    assert finding.workers == ("w1", "w2", "w3")
    assert (finding.began, finding.ended) == (at(BEGUN + 10), at(BEGUN + 2 * APART + 40))
    assert finding.sentence() == (
        "Resize job p1 lost its worker 3 times and never finished: on w1, w2 and w3, first "
        "noticed at 02:20:40.000, last at 02:22:40.000."
    )
    assert finding.next_action == "Set p1 aside in rq before starting more workers."
    assert [step.role for step in finding.steps][:2] == ["started", "worker lost"]


def test_unnamed_workers_make_it_likely() -> None:
    world = healthy(World())
    death(world, 0)
    death(world, 1)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "the workers are not named" in finding.sentence()


def test_one_worker_whose_child_dies_twice_is_certain_by_the_queues_word() -> None:
    world = healthy(World())
    death(world, 0, "w1", said=f"failed on mailers: {WORK_HORSE}")
    death(world, 1, "w1", said=f"failed on mailers: {WORK_HORSE}", kind=Kind.JOB_FAILED)
    assert only(world).verdict is Verdict.CERTAIN


def test_the_same_call_under_two_ids_is_an_inference() -> None:
    world = healthy(World())
    death(world, 0, "w1", "p1")
    death(world, 1, "w2", "p2")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.jobs == ("job:p1", "job:p2")
    assert "resize(order_id=66) under 2 ids" in finding.sentence().lower()


def test_where_others_die_as_often_the_workers_may_be_at_fault() -> None:
    world = healthy(World())
    for job, args in (("p1", "order_id=66"), ("p2", "order_id=67")):
        death(world, 0, "w1", job, args=args)
        death(world, 1, "w2", job, args=args)
    findings = found(world)
    assert [one.verdict for one in findings] == [Verdict.POSSIBLE, Verdict.POSSIBLE]
    assert "1 other job lost workers as often" in findings[0].weakest_link


def one_death(world: World) -> None:
    death(world, 0, "w1")


def deaths_of_different_jobs(world: World) -> None:
    death(world, 0, "w1", "p1", args="order_id=1")
    death(world, 1, "w2", "p2", args="order_id=2")


def errors_on_every_attempt(world: World) -> None:
    for nth in range(4):
        death(world, nth, f"w{nth}", said="failed on mailers: LookupError: Order 66 not found")


def it_finished_in_the_end(world: World) -> None:
    death(world, 0, "w1")
    death(world, 1, "w2")
    world.job(BEGUN + 200, Kind.JOB_STARTED, "p1", "order_id=66", worker="w3")
    world.job(BEGUN + 205, Kind.JOB_FINISHED, "p1", "order_id=66", worker="w3")


def a_rolling_restart(world: World) -> None:
    for nth, worker in enumerate(("w1", "w2")):
        stopped = BEGUN + nth * APART + 5
        world.log(stopped, worker, "received SIGTERM, shutting down gracefully")
        death(world, nth, worker)


def one_death_told_twice(world: World) -> None:
    """BullMQ starts a job that stalled too often once more, only to fail it."""
    death(world, 0, "w1")
    world.job(BEGUN + 40.1, Kind.JOB_STARTED, "p1", "order_id=66")
    event = world.job(BEGUN + 40.2, Kind.JOB_FAILED, "p1", "order_id=66")
    world.events[-1] = replace(event, body="resize failed: job stalled more than allowable limit")


@pytest.mark.parametrize(
    "confuser",
    [
        one_death,
        deaths_of_different_jobs,
        errors_on_every_attempt,
        it_finished_in_the_end,
        a_rolling_restart,
        one_death_told_twice,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_needs_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(PoisonJobDetector().detect(world.incident()), NotEvaluated)


TAKEN = "Task shop.resize[{job}] received"
LOST = (
    "Task handler raised error: WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) "
    "Job: {nth}.')"
)


def logged_death(world: World, nth: int, worker: str, *, taken: bool = True) -> None:
    """One attempt that only the log of its worker tells of, in two lines about its end."""
    begun, told = BEGUN + nth * APART, {"keys": ("job:p1",), "source": "resizers"}
    if taken:
        world.log(begun, worker, TAKEN.format(job="p1"), **told)  # type: ignore[arg-type]
    world.error(begun + 20, worker, LOST.format(nth=nth), **told)
    world.error(begun + 20.01, worker, "p1: exited prematurely (WorkerLostError)", **told)


def test_deaths_that_only_logs_tell_count_once_each() -> None:
    world = healthy(World())
    world.job(BEGUN - 5, Kind.JOB_ENQUEUED, "p1", "order_id=66", job_class="shop.resize")
    for nth, worker in enumerate(("resizer-a", "resizer-b", "resizer-a")):
        logged_death(world, nth, worker)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert [one.worker for one in finding.deaths] == ["resizer-a", "resizer-b", "resizer-a"]
    assert [one.started for one in finding.deaths] == [at(BEGUN + n * APART) for n in range(3)]
    assert finding.args == "order_id=66"


def test_the_queues_record_of_the_last_death_is_not_another_one() -> None:
    world = healthy(World())
    logged_death(world, 0, "resizer-a")
    logged_death(world, 1, "resizer-b")
    begun = BEGUN + APART
    world.job(begun + 0.2, Kind.JOB_STARTED, "p1", job_class="shop.resize", worker="resizer-b")
    world.job(begun + 20, Kind.JOB_FAILED, "p1", job_class="shop.resize", worker="resizer-b")
    world.events[-1] = replace(world.events[-1], body=LOST.format(nth=1))
    assert len(only(world).deaths) == 2


def test_one_death_that_a_watcher_complains_of_again_and_again_is_one() -> None:
    world = healthy(World())
    logged_death(world, 0, "resizer-a")
    for nth in (1, 2, 3):
        logged_death(world, nth, "resizer-a", taken=False)
        world.error(BEGUN + nth * 30, "watcher", "Detected zombie job p1", keys=("job:p1",))
    assert found(world) == []
