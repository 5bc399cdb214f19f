"""unsafe-replay: jobs that failed half-way, and failures before anything was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.coverage import Sight
from timeline.detectors.unsafe_replay import UnsafeReplay, UnsafeReplayDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

BEGUN = 1200.0
CLASS = "Shop.ReceiptJob"


def found(world: World) -> list[UnsafeReplay]:
    return findings_of(UnsafeReplayDetector(), world.incident(), UnsafeReplay)


def only(world: World) -> UnsafeReplay:
    (finding,) = found(world)
    return finding


def attempt(
    world: World,
    job: str,
    order: int,
    seconds: float = BEGUN,
    *,
    did: tuple[str, ...] = (),
    ends: Kind = Kind.JOB_FAILED,
    job_class: str = CLASS,
    told: str = "",
) -> None:
    """One attempt of two seconds by `clerk`, whose lines carry the job's id."""
    args = f"order_id={order}"
    world.job(seconds, Kind.JOB_STARTED, job, args, job_class=job_class, status="failed")
    world.log(seconds + 0.1, "clerk", f"start {job_class} job_id={job} {args}")
    for number, words in enumerate(did):
        world.log(seconds + 0.5 + number / 10, "clerk", f"{words} job_id={job} {args}")
    error = told or "KeyError: 'total'"
    if ends is not Kind.JOB_FINISHED:
        world.error(seconds + 1.9, "clerk", f"{job_class} job_id={job}: {error}")
    world.job(seconds + 2, ends, job, args, job_class=job_class, status="failed", error=error)


def test_a_failed_job_that_had_sent_its_mail_is_not_to_be_replayed() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("charged card", "sent receipt to the customer"))
    attempt(world, "a2", 78, BEGUN + 10)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    unsafe, safe = finding.replays
    assert (unsafe.job, unsafe.safe) == ("job:a1", "no")
    assert [effect.what for effect in unsafe.effects] == ["charged card", "sent receipt"]
    assert {effect.joined for effect in unsafe.effects} == {"job id"}
    assert (safe.job, safe.safe, safe.effects) == ("job:a2", "yes", ())
    assert finding.sentence() == (
        "1 ReceiptJob job failed after doing part of the work: a1 (charged card and sent receipt); "
        "safe to replay: a2."
    )
    assert finding.next_action == (
        "Do not replay a1 as a whole: run only the steps that are missing."
    )
    assert finding.keys == ("job:a1", "order:77")
    assert [step.role for step in finding.steps] == ["already done", "already done", "failed"]


def test_a_row_that_carries_the_jobs_id_is_certain() -> None:
    world = healthy(World())
    attempt(world, "a1", 77)
    world.row(BEGUN + 1, "invoices", 9, columns={"job_id": "a1", "order_id": 77})
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.replays[0].effects[0].what == "invoices/9"
    assert "inserted invoices/9" in finding.sentence()


def test_a_row_about_the_jobs_entity_written_meanwhile_is_likely() -> None:
    world = healthy(World())
    attempt(world, "a1", 77)
    world.row(BEGUN + 1, "invoices", 9, columns={"order_id": 77})
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "entity and time" in finding.weakest_link


def test_an_external_call_answered_with_success_is_an_effect() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("POST https://pay.example/charges status=201 in 200 ms",))
    effect = only(world).replays[0].effects[0]
    assert (effect.kind, effect.what) == ("called", "POST https://pay.example/charges")


def test_a_row_audited_under_the_jobs_request_is_joined_by_it() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("step one request_id=q9",))
    version = world.row(BEGUN + 1, "ledgers", 5, kind=Kind.ROW_VERSION)
    world.events[-1] = replace(version, keys=(*version.keys, "request:q9"))
    (replay,) = only(world).replays
    assert replay.effects[0].joined == "request id"
    assert replay.verdict is Verdict.CERTAIN


def test_a_repeated_effect_is_counted_even_when_the_job_finished() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("sent receipt",), ends=Kind.JOB_RETRIED)
    attempt(world, "a1", 77, BEGUN + 60, did=("sent receipt",), ends=Kind.JOB_FINISHED)
    finding = only(world)
    assert finding.replays[0].repeated == 1
    assert finding.replays[0].state == "finished"
    assert "a1 did it more than once" in finding.sentence()
    assert finding.next_action == "Check a1 for double effects."


def test_the_steps_of_several_jobs_stand_in_the_order_of_their_stamps() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("charged card", "sent receipt to the customer"))
    attempt(world, "a2", 78, BEGUN + 1, did=("charged card",))
    steps = only(world).steps
    stamps = [step.event.timestamp for step in steps]
    assert len({step.why.split()[0].strip(",") for step in steps}) == 2
    assert stamps == sorted(stamps)
    assert all(step.order is not None and step.order.verdict is not None for step in steps[1:])


def test_a_retry_that_is_still_to_come_is_to_be_stopped() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("published order.paid",), ends=Kind.JOB_RETRIED)
    assert only(world).next_action.startswith("Stop the retry of a1 until")


def test_the_same_id_of_the_other_side_twice_is_one_effect() -> None:
    world = healthy(World())
    did = ("sent receipt message_id=<77.1@smtp.example>",)
    attempt(world, "a1", 77, did=did, ends=Kind.JOB_RETRIED)
    attempt(world, "a1", 77, BEGUN + 60, did=did)
    finding = only(world)
    assert finding.qualifier
    assert finding.replays[0].safe == "yes"
    world.events = [
        replace(event, body=event.body.replace("77.1@", "77.2@"))
        if event.timestamp > at(BEGUN + 30)
        else event
        for event in world.events
    ]
    assert only(world).replays[0].safe == "no"


def test_where_nobody_could_see_an_effect_nothing_is_called_safe() -> None:
    world = healthy(World())
    attempt(world, "a1", 77)
    assert only(world).qualifier  # safe
    world.blind("clerk.log", BEGUN, BEGUN + 5, Sight.PARTIAL)
    assert found(world) == []
    attempt(world, "a2", 78, BEGUN + 20, did=("sent receipt",))
    finding = only(world)
    assert [replay.safe for replay in finding.replays] == ["no", "unknown"]
    assert "not known: a1" in finding.sentence()


def test_a_job_that_lost_its_worker_is_never_called_safe() -> None:
    world = healthy(World())
    horse = "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9);"
    attempt(world, "a1", 77, told=horse)
    world.events = [
        replace(event, body=f"failed on mailers: {horse}")
        if event.kind is Kind.JOB_FAILED
        else event
        for event in world.events
    ]
    assert found(world) == []


def failed_at_its_first_step(world: World) -> None:
    attempt(world, "a1", 77, did=("loading order", "POST https://pay.example/charges status=502"))


def it_says_what_it_did_not_do(world: World) -> None:
    attempt(
        world,
        "a1",
        77,
        did=("mail not sent", "failed to send: nothing was sent", "receipt will be sent later"),
    )


def only_reads(world: World) -> None:
    attempt(world, "a1", 77, did=("GET https://stock.example/77 status=200", "read 3 rows"))


def the_queues_own_books(world: World) -> None:
    attempt(world, "a1", 77)
    world.row(BEGUN + 2, "solid_queue_failed_executions", 5, columns={"job_id": "a1"})


def written_by_the_request_before(world: World) -> None:
    world.log(BEGUN - 1, "web", "inserted order_id=77 and pushed job_id=a1 request_id=q1")
    world.row(BEGUN - 1, "invoices", 5, columns={"order_id": 77})
    attempt(world, "a1", 77)


def pushed_by_the_server_meanwhile(world: World) -> None:
    attempt(world, "a1", 77)
    world.log(BEGUN + 3, "web", "published order.new job_id=a1 request_id=q1")


@pytest.mark.parametrize(
    "confuser",
    [
        failed_at_its_first_step,
        it_says_what_it_did_not_do,
        only_reads,
        the_queues_own_books,
        written_by_the_request_before,
        pushed_by_the_server_meanwhile,
    ],
)
def test_confusers_are_no_finding_but_a_qualifier_at_most(
    confuser: Callable[[World], None],
) -> None:
    world = healthy(World())
    confuser(world)
    assert all(finding.qualifier for finding in found(world))


def test_a_job_that_a_retry_healed_is_no_story() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, ends=Kind.JOB_RETRIED)
    attempt(world, "a1", 77, BEGUN + 60, did=("sent receipt",), ends=Kind.JOB_FINISHED)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


@pytest.mark.parametrize("job_class", ["mailers.receipt", "App\\Jobs\\Receipt", "receipt"])
def test_the_brand_of_the_queue_does_not_matter(job_class: str) -> None:
    world = healthy(World())
    attempt(world, "0f3a-11", 77, did=("delivered receipt",), job_class=job_class)
    assert only(world).verdict is Verdict.CERTAIN


def test_order_of_arrival_shift_and_clocks() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("sent receipt",))
    world.row(BEGUN + 1, "invoices", 9, columns={"order_id": 77})
    first = only(world)
    world.events.reverse()
    assert only(world) == first
    world.bound = ClockBound(SECOND, SECOND, "assumed")
    assert only(world).verdict is first.verdict
    world.shift = 60 * SECOND
    moved = only(world)
    assert moved.replays[0].failed_at == first.replays[0].failed_at + 60 * SECOND
    assert moved.sentence().split("(")[0] == first.sentence().split("(")[0]


def test_needs_a_queue() -> None:
    world = World()
    world.log(3, "web", "hello")
    assert isinstance(UnsafeReplayDetector().detect(world.incident()), NotEvaluated)


def test_the_answers_can_be_told_as_a_table() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("sent receipt",))
    told = json.loads(json.dumps(only(world).evidence()))
    (line,) = told["replays"]
    assert {"job", "effects", "safe", "why"} <= set(line)


def test_unrelated_lines_change_nothing() -> None:
    world = healthy(World())
    attempt(world, "a1", 77, did=("sent receipt",))
    first = only(world)
    for number in range(50):
        world.log(100 + number * 30, "weather", f"station_id={number} reports 4 degrees")
    assert only(world).sentence() == first.sentence()
    assert only(world).keys == first.keys


def test_more_failed_jobs_than_are_examined_are_at_least_so_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("timeline.detectors.unsafe_replay.MAX_JOBS", 2)
    world = healthy(World())
    for number in range(4):
        attempt(world, f"a{number}", number, BEGUN + number * 10, did=("sent receipt",))
    finding = only(world)
    assert finding.sentence().startswith("At least 2 ReceiptJob jobs failed after")
    assert [replay.job for replay in finding.replays] == ["job:a2", "job:a3"]
