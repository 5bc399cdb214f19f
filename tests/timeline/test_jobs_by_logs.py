"""Queues that show no message: what workers' logs alone tell of jobs, and its look-alikes."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from timeline.detectors.ambiguous_enqueue import AmbiguousEnqueueDetector
from timeline.detectors.delivered_again import DeliveredAgain, DeliveredAgainDetector
from timeline.detectors.deploy_skew import OLD_WORKER, DeploySkew, DeploySkewDetector
from timeline.detectors.job_before_commit import JobBeforeCommitDetector
from timeline.detectors.lost_worker import LostWorker, LostWorkerDetector
from timeline.detectors.poison_job import PoisonJobDetector, UnreadableJob
from timeline.detectors.unsafe_replay import UnsafeReplayDetector
from timeline.event import Event
from timeline.order import Verdict, at_least

from .tasks import BEGUN, BROKEN, HOSTS, done, failed, found, night, ran, say, taken
from .worlds import World, at


def outcomes(world: World, job: str) -> list[str]:
    told = world.incident().handled.filter(pl.col("job") == f"task:{job}")
    return [str(outcome) for outcome in told.get_column("outcome").to_list()]


def test_an_ordinary_night_is_told_in_full_and_nothing_is_said_of_it() -> None:
    world = night()
    told = world.incident().handled
    assert told.height == 180
    assert set(told.get_column("outcome").to_list()) == {"finished"}
    assert told.get_column("usual").all()
    for detector in (
        DeliveredAgainDetector(),
        LostWorkerDetector(),
        PoisonJobDetector(),
        DeploySkewDetector(),
        UnsafeReplayDetector(),
        AmbiguousEnqueueDetector(),
        JobBeforeCommitDetector(),
    ):
        assert found(detector, world) == []


def test_a_message_that_is_no_work_names_no_job() -> None:
    world = night()
    for number in range(5):
        say(world, 900 + number, "fat-0", f"correio aceite message_id=m{number} pedido_id=7001")
        world.row(905 + number, "deliveries", number)
        say(world, 910 + number, "fat-1", f"entrega delivery_id={number}")
        say(world, 911 + number, "fat-1", f"entrega vista delivery_id={number}")
    names = world.incident().jobs.named.get_column("job")
    assert set(names.str.extract("^([^:]*)").to_list()) == {"task"}


def test_progress_that_comes_again_is_no_new_attempt() -> None:
    world = night()
    for number in range(6):
        job, start = f"t{8100 + number}", 1300 + number * 20.0
        for step in range(4):
            words = f"página lida task_id={job} pedido_id={8100 + number}"
            say(world, start + step, "fat-2", words)
        done(world, start + 5, "fat-2", job)
    assert outcomes(world, "t8103") == ["finished"]


def test_a_failure_a_success_and_a_run_without_end_are_told_apart() -> None:
    world = night()
    ran(world, BEGUN, "fat-0", "t9001", error=BROKEN)
    ran(world, BEGUN + 20, "fat-1", "t9001")
    taken(world, BEGUN + 30, "fat-2", "t9002")
    assert outcomes(world, "t9001") == ["failed", "finished"]
    assert outcomes(world, "t9002") == ["open"]


def delivered_twice(world: World) -> None:
    for number in range(3):
        job, start = f"t{9100 + number}", BEGUN + number * 11
        taken(world, start, "fat-0", job)
        taken(world, start + 45, "fat-3", job)
        done(world, start + 70, "fat-0", job)
        done(world, start + 110, "fat-3", job)


def test_work_that_outlasts_its_lease_is_seen_to_run_twice() -> None:
    world = night()
    delivered_twice(world)
    (finding,) = found(DeliveredAgainDetector(), world)
    assert isinstance(finding, DeliveredAgain)
    assert finding.keys == ("task:t9100", "task:t9101", "task:t9102")
    assert finding.verdict is Verdict.LIKELY
    assert finding.cause == "timeout"
    assert "always about 45.0 s after the first" in finding.sentence()
    assert {case.overlap for case in finding.cases} == {Verdict.CERTAIN}
    assert (finding.cases[0].first_worker, finding.cases[0].second_worker) == ("fat-0", "fat-3")


def an_ordinary_retry(world: World) -> None:
    ran(world, BEGUN, "fat-0", "t9100", error="tempo esgotado: timeout of 3 s")
    ran(world, BEGUN + 45, "fat-3", "t9100")


def done_and_pushed_anew(world: World) -> None:
    ran(world, BEGUN, "fat-0", "t9100")
    ran(world, BEGUN + 400, "fat-3", "t9100")


def two_services_of_one_message(world: World) -> None:
    taken(world, BEGUN, "fat-0", "t9100")
    for seconds, words in ((3, "arquivo guardou"), (9, "arquivo fechou")):
        body = f"{words} task_id=t9100 pedido_id=9100"
        world.log(BEGUN + seconds, "arquivo", body, source="logs", clock="arq-0")
    done(world, BEGUN + 20, "fat-0", "t9100")


@pytest.mark.parametrize(
    "confuser", [an_ordinary_retry, done_and_pushed_anew, two_services_of_one_message]
)
def test_what_only_looks_like_a_second_delivery_is_silent(
    confuser: Callable[[World], None],
) -> None:
    world = night()
    confuser(world)
    assert found(DeliveredAgainDetector(), world) == []


def killed(world: World, seconds: float, host: str) -> None:
    words = "Out of memory: Killed process 40411 (faturador) total-vm:812kB"
    world.log(seconds, "kernel", words, severity=17, source="journal", clock=host)


def test_what_the_killed_host_had_in_hand_is_named() -> None:
    world = night()
    for number in range(3):
        taken(world, BEGUN + 1 + number, "fat-9", f"t{9200 + number}")
    killed(world, BEGUN + 5, "fat-9")
    ran(world, BEGUN + 40, "fat-1", "t9200")
    (finding,) = found(LostWorkerDetector(), world)
    assert isinstance(finding, LostWorker)
    assert finding.keys == ("task:t9200", "task:t9201", "task:t9202")
    assert finding.worker == "fat-9"
    assert finding.killed_at == at(BEGUN + 5)
    assert at_least(Verdict.LIKELY, finding.verdict)
    assert [job.again for job in finding.jobs] == [at(BEGUN + 40), None, None]


def killed_beside_a_worker_that_went_on(world: World) -> None:
    taken(world, BEGUN, "fat-9", "t9200")
    taken(world, BEGUN + 1, "fat-9", "t9201")
    killed(world, BEGUN + 5, "fat-9")
    done(world, BEGUN + 9, "fat-9", "t9201")


def killed_elsewhere(world: World) -> None:
    taken(world, BEGUN, "fat-9", "t9200")
    killed(world, BEGUN + 5, "fat-8")


def killed_with_empty_hands(world: World) -> None:
    ran(world, BEGUN, "fat-9", "t9200")
    killed(world, BEGUN + 5, "fat-9")


@pytest.mark.parametrize(
    "confuser", [killed_beside_a_worker_that_went_on, killed_elsewhere, killed_with_empty_hands]
)
def test_a_kill_that_took_nothing_along_is_silent(confuser: Callable[[World], None]) -> None:
    world = night()
    confuser(world)
    assert found(LostWorkerDetector(), world) == []


def test_a_task_that_no_host_can_do_is_set_aside() -> None:
    world = night()
    for number, host in enumerate(HOSTS):
        ran(world, BEGUN + number * 30, host, "t9300", error=BROKEN)
    (finding,) = found(PoisonJobDetector(), world)
    assert isinstance(finding, UnreadableJob)
    assert finding.keys == ("task:t9300",)
    assert (finding.attempts, finding.workers) == (4, HOSTS)
    assert finding.others >= 4
    assert finding.verdict is Verdict.LIKELY
    assert "failed at every attempt (4 failures on fat-0, fat-1, fat-2" in finding.sentence()
    assert finding.next_action.startswith("Set t9300 aside")


def it_went_well_in_the_end(world: World) -> None:
    for number in range(4):
        ran(world, BEGUN + number * 30, "fat-1", "t9300", error=BROKEN)
    ran(world, BEGUN + 200, "fat-2", "t9300")


def each_time_another_error(world: World) -> None:
    for number, error in enumerate(("sem papel", "impressora ocupada", "tinta no fim")):
        ran(world, BEGUN + number * 30, "fat-1", "t9300", error=error)


def the_other_side_was_down(world: World) -> None:
    for number in range(4):
        error = "finanças: HTTP status 503, try again later"
        ran(world, BEGUN + number * 30, "fat-1", "t9300", error=error)


def everything_failed_alike(world: World) -> None:
    for number in range(30):
        job = f"t{9300 + number}"
        for again in range(3):
            ran(world, BEGUN + number + again * 40, "fat-1", job, error=BROKEN)


@pytest.mark.parametrize(
    "confuser",
    [
        it_went_well_in_the_end,
        each_time_another_error,
        the_other_side_was_down,
        everything_failed_alike,
    ],
)
def test_failures_that_are_not_the_tasks_own_are_silent(
    confuser: Callable[[World], None],
) -> None:
    world = night()
    confuser(world)
    assert found(PoisonJobDetector(), world) == []


def test_a_task_that_had_charged_before_it_failed_is_not_to_be_replayed() -> None:
    world = night()
    for again in range(2):
        start = BEGUN + again * 30
        taken(world, start, "fat-1", "t9400")
        say(world, start + 0.1, "fat-1", "charged card task_id=t9400 pedido_id=9400")
        failed(world, start + 0.4, "fat-1", "t9400")
    (finding,) = found(UnsafeReplayDetector(), world)
    assert "task:t9400" in finding.keys
    assert "t9400 did it more than once" in finding.sentence()


def test_a_task_that_failed_before_it_did_anything_wakes_nobody() -> None:
    world = night()
    ran(world, BEGUN, "fat-1", "t9400", error=BROKEN)
    assert found(UnsafeReplayDetector(), world) == []


def pushed(world: World, order: int, words: str, waited: float = 4.0) -> None:
    """A request that writes its row, then waits for what `words` says."""
    request = f"request_id=r{order}"
    world.log(BEGUN, "loja", f"POST /pedidos {request}")
    world.row(BEGUN + 0.01, "pedidos", order)
    world.log(BEGUN + 0.02, "loja", f"pedido_id={order} gravado {request}")
    world.error(BEGUN + 0.02 + waited, "loja", f"{words} {request}")


@pytest.mark.parametrize(
    "words",
    [
        "EmitirNota não enviada: sem resposta do broker",
        "rpc DEADLINE_EXCEEDED while handing EmitirNota to the broker",
        "could not be queued: upstream gave up",
    ],
)
def test_a_push_that_fails_in_words_of_its_own_is_ambiguous(words: str) -> None:
    world = night()
    pushed(world, 9500, words)
    (finding,) = found(AmbiguousEnqueueDetector(), world)
    assert "pedido:9500" in finding.keys


@pytest.mark.parametrize(
    ("words", "waited"),
    [
        ("payment could not be submitted: read timed out (https://pay.example/submit)", 4.0),
        ("EmitirNota recusada: nif em falta", 0.01),
        ("publishing the page failed: template not rendered", 4.0),
    ],
)
def test_other_calls_and_quick_refusals_are_no_ambiguous_pushes(words: str, waited: float) -> None:
    world = night()
    pushed(world, 9500, words, waited)
    assert found(AmbiguousEnqueueDetector(), world) == []


@pytest.mark.parametrize(
    "words",
    ["Pedido 9600 bestaat niet", "Pedido 9600 non esiste", "Pedido 9600 ist nicht vorhanden"],
)
def test_a_task_that_was_faster_than_the_commit_is_found_by_its_own_key(words: str) -> None:
    world = night()
    world.row(BEGUN, "pedidos", 9600, commit=BEGUN + 1.5)
    ran(world, BEGUN + 0.2, "fat-1", "t9600", error=words)
    ran(world, BEGUN + 9, "fat-2", "t9600")
    (finding,) = found(JobBeforeCommitDetector(), world)
    assert {"task:t9600", "pedido:9600"} <= set(finding.keys)
    assert "later attempt finished" in finding.sentence()


def test_a_task_whose_row_was_there_long_before_is_no_race() -> None:
    world = night()
    world.row(BEGUN - 300, "pedidos", 9600, commit=BEGUN - 299.9)
    ran(world, BEGUN, "fat-1", "t9600", error="Pedido 9600 bestaat niet")
    assert found(JobBeforeCommitDetector(), world) == []


def released(world: World, seconds: float, service: str) -> None:
    event = world.change(seconds, f"rollout of {service} 4fd21b09aa finished")
    world.events[-1] = Event(
        **{
            **{name: getattr(event, name) for name in event.__dataclass_fields__},
            "actor": service,
            "attributes": '{"version": "4fd21b09aa", "status": "success"}',
        }
    )


def skewed(world: World, *, restarted: bool) -> None:
    """New messages fail on all hosts in words that nobody knows, and go well two minutes later."""
    released(world, BEGUN, "loja")
    for number in range(8):
        error = "envelope de outra era"
        ran(world, BEGUN + 10 + number * 8, HOSTS[number % 4], f"t{9700 + number}", error=error)
    if restarted:
        for place, host in enumerate(HOSTS):
            say(world, BEGUN + 100 + place, host, "de pé, revisão 4fd21b09")
        released(world, BEGUN + 106, "faturador")
    for number in range(8):
        ran(world, BEGUN + 120 + number, HOSTS[(number + 1) % 4], f"t{9700 + number}")


def test_errors_that_restarted_workers_no_longer_have_are_skew_in_any_words() -> None:
    world = night()
    skewed(world, restarted=True)
    (finding,) = found(DeploySkewDetector(), world)
    assert isinstance(finding, DeploySkew)
    assert (finding.side, finding.verdict) == (OLD_WORKER, Verdict.LIKELY)
    assert len(finding.jobs) == 8
    assert finding.healed == 8


def test_errors_that_went_away_by_themselves_are_no_skew() -> None:
    world = night()
    skewed(world, restarted=False)
    assert found(DeploySkewDetector(), world) == []
