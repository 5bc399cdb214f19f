"""lost-worker: whose death a kill or an end by memory is, and how sure that makes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.event import Kind
from timeline.facts.kills import Kill, is_same_worker
from timeline.order import Verdict

from .test_lost_worker import DEATH, only, overdue, silent, started
from .worlds import World, at, healthy

OOM = "pod w1 container worker ended: OOMKilled, exit code 137"


def test_a_kill_of_that_very_worker_makes_it_certain() -> None:
    world = healthy(World())
    started(world)
    silent(world)
    world.error(DEATH + 3, "w1/worker", OOM, source="cluster")
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.killed_at == at(DEATH + 3)
    assert "OOMKilled" in finding.killed_by
    assert "it was killed at 02:24:03.000" in finding.sentence()
    assert [step.role for step in finding.steps] == ["started", "last heartbeat", "killed"]


@pytest.mark.parametrize(
    ("bound_ms", "verdict"),
    [(10, Verdict.CERTAIN), (600, Verdict.LIKELY), (3_000, Verdict.POSSIBLE)],
)
def test_a_kill_is_as_sure_as_the_clocks(bound_ms: int, verdict: Verdict) -> None:
    bound = ClockBound(bound_ms * 1_000_000, bound_ms * 1_000_000)
    world = healthy(World(bound=bound))
    started(world, seconds=DEATH)
    overdue(world, "j1")
    world.error(DEATH + 1, "w1", "worker w1 exited: terminated by SIGKILL", source="node")
    assert only(world).verdict is verdict


@pytest.mark.parametrize(
    "line",
    [
        "pod w2 container worker ended: OOMKilled, exit code 137",
        "Out of memory: Killed process 991 (ruby) total-vm:9",
        "ticket: customers ask about SIGKILL",
    ],
)
def test_the_death_of_another_process_is_no_second_sign(line: str) -> None:
    world = healthy(World())
    started(world)
    silent(world)
    world.error(DEATH + 3, "kernel", line)
    finding = only(world)
    assert finding.killed_at is None
    assert finding.verdict is Verdict.LIKELY


@pytest.mark.parametrize(
    ("worker", "line", "same"),
    [
        ("app1:4711:9c", "Out of memory: Killed process 4711 (ruby)", True),
        ("app1:4711:9c", "Out of memory: Killed process 4712 (ruby)", False),
        ("mail-7f9c:1:ab thread 4x", "pod mail-7f9c container app ended: OOMKilled", True),
        ("mail-7f9c:1:ab thread 4x", "pod mail-7f9 container app ended: OOMKilled", False),
        ("celery@box-3", "box-3: celery.service: Main process exited, code=killed", True),
        ("celery@box-3", "celery.service: Main process exited, code=killed", False),
        ("worker", "one worker was sent SIGKILL", False),
        ("worker 1", "a worker was sent SIGKILL", False),
        ("", "w1 was sent SIGKILL", False),
    ],
)
def test_a_line_is_about_a_worker_by_pid_pod_host_or_a_telling_name(
    worker: str, line: str, same: bool
) -> None:
    assert is_same_worker(Kill(0, 0, "kernel", line), worker, "") is same


def test_a_pid_in_the_workers_name_is_a_name() -> None:
    world = healthy(World())
    started(world, worker="app1:4711:9c")
    overdue(world, "j1")
    world.error(DEATH + 3, "kernel", "Out of memory: Killed process 4711 (ruby) total-vm:9")
    assert only(world).verdict is Verdict.CERTAIN


def test_a_kill_without_the_queues_word_is_at_most_likely() -> None:
    world = healthy(World())
    started(world)
    world.error(DEATH, "w1", "worker w1 exited: terminated by SIGKILL", source="node")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    world.blind("rq", DEATH - 5, DEATH + 5)
    assert only(world).verdict is Verdict.POSSIBLE


def test_running_out_of_memory_is_no_planned_stop() -> None:
    world = healthy(World())
    started(world)
    world.log(DEATH, "w1", "received SIGTERM, shutting down gracefully")
    world.error(DEATH + 1, "w1/worker", OOM, source="cluster")
    silent(world, seconds=DEATH - 1)
    assert not only(world).qualifier


def test_a_reapers_late_word_and_the_kill_on_the_workers_host_are_one_death() -> None:
    world = healthy(World())
    for nth, job in enumerate(("j1", "j2", "j3", "j4")):
        told = {"keys": (f"job:{job}",), "clock": "spule-7.kiel", "source": "spulen"}
        begun = DEATH - 200 + nth * 10 if nth else DEATH - 10
        world.log(begun, "spule", f"{job} angefangen", **told)  # type: ignore[arg-type]
        if nth:
            world.log(begun + 5, "spule", f"{job} erledigt", **told)  # type: ignore[arg-type]
    kill = "kernel: Out of memory: Killed process 3723 (spule) host=spule-7.kiel"
    world.error(DEATH, "kernel", kill, source="kern")
    event = world.job(DEATH + 300, Kind.JOB_FAILED, "j1", "user_id=1", worker="spule-7.kiel.1070")
    body = "found without its process: SolidQueue::Processes::ProcessPrunedError"
    world.events[-1] = replace(event, body=body)
    finding = only(world)
    assert finding.killed_at == at(DEATH)
    assert (finding.alive, finding.noticed) == (at(DEATH - 10), at(DEATH + 300))


def test_a_kill_on_a_host_whose_work_goes_on_is_another_process() -> None:
    world = healthy(World())
    for nth, job in enumerate(("j1", "j2", "j3", "j4")):
        told = {"keys": (f"job:{job}",), "clock": "spule-7.kiel", "source": "spulen"}
        begun = DEATH - 10 + nth
        world.log(begun, "spule", f"{job} angefangen", **told)  # type: ignore[arg-type]
        if nth:
            world.log(begun + 40, "spule", f"{job} erledigt", **told)  # type: ignore[arg-type]
    kill = "kernel: Out of memory: Killed process 3723 (nginx) host=spule-7.kiel"
    world.error(DEATH, "kernel", kill, source="kern")
    event = world.job(DEATH + 300, Kind.JOB_FAILED, "j1", "user_id=1", worker="spule-7.kiel.1070")
    body = "found without its process: SolidQueue::Processes::ProcessPrunedError"
    world.events[-1] = replace(event, body=body)
    assert only(world).killed_at is None
