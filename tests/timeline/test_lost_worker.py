"""lost-worker: which jobs a dead worker held, how sure that is, and what stays silent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from halfawake.demo import story_path
from timeline.bundle import read_bundle
from timeline.detectors.delivered_again import DeliveredAgainDetector
from timeline.detectors.lost_worker import LostWorker, LostWorkerDetector
from timeline.detectors.poison_job import PoisonJobDetector
from timeline.event import Event, Kind, Lane
from timeline.finding import Detector, NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy, iso

DEATH = 1440.0
WORK_HORSE = "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9);"


def found(world: World) -> list[LostWorker]:
    return findings_of(LostWorkerDetector(), world.incident(), LostWorker)


def only(world: World) -> LostWorker:
    (finding,) = found(world)
    return finding


def present(
    world: World, seconds: float, kind: Kind, body: str, keys: tuple[str, ...] = (), **told: object
) -> Event:
    """A queue's word about a worker (`change`) or about itself now (`metric`)."""
    actor = str(told.pop("actor", "mailers"))
    return world._add(
        Event(
            timestamp=at(seconds),
            source="rq",
            lane=Lane.QUEUE,
            kind=kind,
            body=body,
            ref=world._ref("present"),
            seq=world._number,
            actor=actor,
            keys=keys,
            attributes=json.dumps(told),
        )
    )


def started(world: World, job: str = "j1", seconds: float = DEATH - 10, worker: str = "w1") -> None:
    args = f"user_id={job[1:]}"
    world.job(seconds - 1, Kind.JOB_ENQUEUED, job, args, status="started")
    world.job(seconds, Kind.JOB_STARTED, job, args, status="started", worker=worker)


def overdue(world: World, *jobs: str, seconds: float = 2105.0) -> None:
    body = f"mailers now: 0 waiting, {len(jobs)} running"
    present(world, seconds, Kind.METRIC, body, now=True, queue="mailers", overdue=list(jobs))


def silent(world: World, worker: str = "w1", seconds: float = DEATH, seen: float = 2105.0) -> None:
    body = f"worker {worker}: last heartbeat; it has not been heard of since"
    present(world, seconds, Kind.CHANGE, body, actor=worker, seen_at=iso(seen))


def stalled(world: World, job: str = "j1", seconds: float = DEATH + 30) -> None:
    """A stall as BullMQ's stream tells it: noticed one lock duration after the last renewal."""
    event = world.job(seconds, Kind.JOB_RETRIED, job, f"user_id={job[1:]}")
    told = json.loads(event.attributes or "{}")
    told |= {
        "declared_lost_at": iso(seconds),
        "lock_last_renewed_before": iso(seconds - 30),
    }
    world.events[-1] = _with(event, "stalled: its lock had expired and it waits again", told)


def _with(event: Event, body: str, told: dict[str, object]) -> Event:
    return replace(event, body=body, attributes=json.dumps(told))


def test_a_silent_worker_is_an_interval_and_names_its_jobs() -> None:
    world = healthy(World())
    started(world, "j1")
    started(world, "j2", DEATH - 5)
    silent(world)
    finding = only(world)
    assert finding.keys == ("job:j1", "job:j2")
    assert (finding.alive, finding.noticed) == (at(DEATH), at(2105))
    assert (finding.began, finding.ended) == (at(DEATH), at(2105))
    assert finding.killed_at is None
    assert finding.sentence() == (
        "Worker w1 was lost after 02:24:00.000 (its last heartbeat) and before 02:35:05.000 "
        "(no heartbeat until then), holding 2 jobs: j1 and j2 (what became of them is "
        "not visible)."
    )
    assert finding.clause() == "worker w1 was lost holding 2 jobs"


def test_one_sign_is_likely_and_says_what_else_it_may_be() -> None:
    world = healthy(World())
    started(world)
    overdue(world, "j1")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "froze" in finding.weakest_link
    assert any("starved" in words for words in finding.alternatives)
    assert any("out-of-memory" in words for words in finding.would_decide)


def test_a_lease_of_a_worker_that_nobody_names_is_possible_at_most() -> None:
    """Without the workers' log nobody sees who held the job, nor whether it went on."""
    world = healthy(World())
    started(world, seconds=DEATH - 900, worker="")
    overdue(world, "j1")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "no record names the worker" in finding.weakest_link
    named = healthy(World())
    started(named, seconds=DEATH - 900, worker="w1")
    overdue(named, "j1")
    assert only(named).verdict is Verdict.LIKELY


def test_the_queue_that_names_the_death_needs_no_second_sign() -> None:
    world = healthy(World())
    started(world)
    event = world.job(DEATH, Kind.JOB_FAILED, "j1", "user_id=1", worker="w1", status="failed")
    world.events[-1] = _with(
        event, f"failed on mailers: {WORK_HORSE}", json.loads(event.attributes or "")
    )
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.child
    assert "A process of w1 was lost" in finding.sentence()
    assert "j1 (filed as failed)" in finding.sentence()


def test_a_job_given_out_again_in_the_same_instant_was_lost_by_the_run_before() -> None:
    world = healthy(World())
    started(world, seconds=DEATH)
    world.job(DEATH + 30, Kind.JOB_STARTED, "j1", "user_id=1", worker="w2")
    stalled(world, seconds=DEATH + 30)
    world.job(DEATH + 31, Kind.JOB_FINISHED, "j1", "user_id=1", worker="w2")
    finding = only(world)
    assert (finding.alive, finding.worker) == (at(DEATH), "w1")
    assert finding.jobs[0].again == at(DEATH + 30)


def test_a_loss_noticed_in_the_second_of_the_start_is_no_second_start() -> None:
    world = healthy(World())
    started(world, seconds=DEATH)
    event = world.job(DEATH, Kind.JOB_FAILED, "j1", "user_id=1", worker="w1", status="failed")
    told = json.loads(event.attributes or "{}")
    world.events[-1] = _with(event, f"failed on mailers: {WORK_HORSE}", told)
    (job,) = only(world).jobs
    assert (job.again, job.became) == (None, "filed as failed")


def test_what_was_already_done_by_another_worker_is_not_held() -> None:
    """Its worker beat last before the job ended: whoever ended it, nothing is left of it."""
    world = healthy(World())
    body = "worker w1 gave its last heartbeat and still holds 1 messages: lost at some time after"
    started(world, seconds=DEATH - 5)
    world.job(DEATH + 5, Kind.JOB_FINISHED, "j1", "user_id=1", worker="w2")
    present(world, DEATH, Kind.CHANGE, body, ("job:j1",), actor="w1", seen_at=iso(2105))
    assert found(world) == []


def test_two_signs_of_one_attempt_are_one_loss_by_the_stronger() -> None:
    world = healthy(World())
    started(world)
    silent(world)
    overdue(world, "j1")
    assert only(world).sign == "silent"


def test_a_start_long_before_does_not_date_the_loss() -> None:
    world = healthy(World())
    started(world, seconds=60)
    stalled(world, seconds=DEATH)
    finding = only(world)
    assert (finding.alive, finding.began) == (at(60), at(DEATH - 30))


def test_a_stall_tells_the_lease_and_what_became_of_the_job() -> None:
    world = healthy(World())
    world.systems["rq"] = "bullmq"
    started(world, worker="")
    stalled(world)
    world.job(DEATH + 31, Kind.JOB_STARTED, "j1", "user_id=1", status="active")
    world.job(DEATH + 33, Kind.JOB_FINISHED, "j1", "user_id=1")
    finding = only(world)
    (job,) = finding.jobs
    assert job.again == at(DEATH + 31)
    assert finding.noticed == at(DEATH + 30)
    assert "started again at 02:24:31.000" in finding.sentence()
    assert "that no record names" in finding.sentence()
    assert any("30.0 s" in words for words in finding.alternatives)
    assert finding.recovery.startswith("BullMQ runs it again")
    assert "started again from the beginning" in finding.next_action


def test_what_nobody_will_run_again_is_the_next_thing_to_look_at() -> None:
    world = healthy(World())
    world.systems["rq"] = "sidekiq 8.0"
    started(world)
    silent(world)
    finding = only(world)
    assert "loses it for ever" in finding.next_action
    assert "j1" in finding.next_action


def test_an_unknown_queue_has_no_made_up_rule() -> None:
    world = healthy(World())
    world.systems["rq"] = "homegrown"
    started(world)
    silent(world)
    finding = only(world)
    assert finding.recovery == ""
    assert any("Find out what rq does" in words for words in finding.would_decide)


def test_a_lost_child_in_a_log_is_found_by_the_jobs_key() -> None:
    world = healthy(World())
    world.log(DEATH - 5, "mailer", "start resize job_id=x9")
    world.error(
        DEATH, "mailer", "job_id=x9 WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)"
    )
    finding = only(world)
    assert finding.keys == ("job:x9",)
    assert finding.verdict is Verdict.CERTAIN


def test_a_long_lease_is_no_heartbeat() -> None:
    world = healthy(World())
    world.systems["rq"] = "celery"
    started(world)
    overdue(world, "j1")
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "takes long" in finding.weakest_link


def test_two_workers_are_two_findings_and_one_sweep_is_one() -> None:
    world = healthy(World())
    started(world, "j1", worker="w1")
    started(world, "j2", worker="w2")
    started(world, "j3", worker="w2")
    overdue(world, "j1", "j2", "j3")
    assert sorted((one.worker, len(one.jobs)) for one in found(world)) == [("w1", 1), ("w2", 2)]


def test_one_job_that_loses_two_unnamed_workers_in_a_row_is_two_deaths() -> None:
    world = healthy(World())
    for begun in (DEATH, DEATH + 11):
        world.job(begun, Kind.JOB_STARTED, "j1", "user_id=1")
        stalled(world, seconds=begun + 10)
    assert [(one.alive, one.noticed) for one in found(world)] == [
        (at(DEATH), at(DEATH + 10)),
        (at(DEATH + 11), at(DEATH + 21)),
    ]


def test_an_announced_stop_is_only_a_qualifier() -> None:
    world = healthy(World())
    started(world)
    world.log(DEATH, "w1", "received SIGTERM, shutting down gracefully")
    stalled(world)
    finding = only(world)
    assert finding.qualifier
    assert "announced" in finding.weakest_link


def test_a_deploy_beside_it_is_an_alternative() -> None:
    world = healthy(World())
    started(world)
    silent(world)
    world.change(DEATH + 2, "mailer v412 deployed")
    assert any("mailer v412" in words for words in only(world).alternatives)


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


@pytest.mark.parametrize("story", ["night-hiccup", "quiet-hour", "signup-race"])
@pytest.mark.parametrize(
    "detector", [LostWorkerDetector(), DeliveredAgainDetector(), PoisonJobDetector()]
)
def test_the_recorded_nights_lost_no_worker(story: str, detector: Detector) -> None:
    with story_path(story).open("rb") as stream:
        incident, _ = read_bundle(stream)
    assert incident.jobs.transitions.height > 0
    assert detector.detect(incident) == []


def test_a_long_job_that_still_beats_is_silent() -> None:
    world = healthy(World())
    started(world)
    overdue(world)
    assert found(world) == []


def test_an_ordinary_failure_and_its_retry_are_silent() -> None:
    world = healthy(World())
    started(world)
    world.job(DEATH, Kind.JOB_RETRIED, "j1", "user_id=1", worker="w1", error="LookupError: no user")
    world.job(DEATH + 30, Kind.JOB_STARTED, "j1", "user_id=1", worker="w2")
    world.job(DEATH + 31, Kind.JOB_FINISHED, "j1", "user_id=1", worker="w2")
    assert found(world) == []


def test_workers_that_are_recycled_with_empty_hands_are_silent() -> None:
    world = healthy(World())
    started(world)
    world.job(DEATH, Kind.JOB_FINISHED, "j1", "user_id=1", worker="w1")
    silent(world, seconds=DEATH + 1)
    world.error(DEATH + 1, "w1", "worker w1 exited: terminated by SIGKILL", source="node")
    assert found(world) == []


def test_a_rolling_restart_that_finishes_its_work_is_silent() -> None:
    world = healthy(World())
    for number in (1, 2, 3):
        worker = f"w{number}"
        started(world, f"j{number}", DEATH + number, worker)
        world.log(DEATH + number + 0.2, worker, "received SIGTERM, shutting down gracefully")
        world.job(DEATH + number + 1, Kind.JOB_FINISHED, f"j{number}", worker=worker)
        world.error(DEATH + number + 2, worker, f"worker {worker} ended, exit code 137")
    assert found(world) == []


def test_a_shift_in_time_changes_nothing_but_the_stamps() -> None:
    told = []
    for shift in (0, 3600 * SECOND):
        world = healthy(World(shift=shift))
        started(world)
        overdue(world, "j1")
        finding = only(world)
        told.append((finding.began - shift, finding.ended - shift, finding.verdict, finding.keys))
    assert told[0] == told[1]


def test_needs_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    result = LostWorkerDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "queue" in result.needs


def test_a_lease_that_ran_out_late_is_dated_by_the_last_line_of_a_host_that_fell_silent() -> None:
    world = healthy(World())
    started(world, worker="knecht-4")
    for nth in range(5):
        body = f"Speicherstand geprüft, Runde {nth}"
        world.log(DEATH - 9 + nth, "knecht", body, clock="knecht-4", source="knechte")
    overdue(world, "j1")
    finding = only(world)
    assert (finding.began, finding.noticed) == (at(DEATH - 5), at(2105))
    assert "after 02:23:55.000 (the last line of its host)" in finding.sentence()


def test_a_host_that_goes_on_writing_dates_nothing() -> None:
    world = healthy(World())
    started(world, worker="knecht-4")
    world.log(2110, "knecht", "Speicherstand geprüft", clock="knecht-4", source="knechte")
    overdue(world, "j1")
    assert only(world).alive == at(DEATH - 10)
