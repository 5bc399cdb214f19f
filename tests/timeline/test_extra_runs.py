"""extra-runs: turns with more than one run, forked batons, and repeats that are meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.chain_findings import ForkedChain
from timeline.detectors.extra_runs import ExtraRuns, ExtraRunsDetector
from timeline.event import Kind
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import ExpectedSet, Knowledge, Schedule, Work
from timeline.order import Verdict, at_least

from .worlds import SECOND, World, at, healthy

TEN = Schedule("backup", Work(job_class="backup"), cron="*/10 * * * *")


def found(world: World) -> list[Finding]:
    result = ExtraRunsDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return list(result)


def only(world: World) -> ExtraRuns:
    (finding,) = found(world)
    assert isinstance(finding, ExtraRuns)
    return finding


def backup(world: World, name: str, seconds: float, *, args: str = "", worker: str = "w1") -> None:
    world.run(
        name, args, seconds, seconds + 0.3, seconds + 40, job_class="ops.backup", worker=worker
    )


def scheduled(*skip: int) -> World:
    world = healthy(World(knowledge=Knowledge(schedules=(TEN,))))
    for minute in range(0, 35, 10):
        if minute not in skip:
            backup(world, f"b{minute}", minute * 60 + 1)
    return world


def test_two_runs_for_one_due_instant() -> None:
    world = scheduled()
    backup(world, "c20", 1203, worker="w2")
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.sentence() == (
        "Backup ran twice instead of once for the run due at 02:20:00.000 (b20 and c20 on w1 "
        "and w2)."
    )
    assert finding.keys == ("job:b20", "job:c20")
    assert finding.cause == "unknown"
    assert "somebody ran it by hand" in finding.alternatives


def test_runs_that_make_up_for_missed_ones_are_a_qualifier() -> None:
    world = scheduled(10)
    backup(world, "late", 1202)
    finding = only(world)
    assert finding.cause == "catching up"
    assert finding.qualifier


def test_a_learnt_schedule_is_at_most_likely() -> None:
    world = healthy(World())
    for turn in range(15):
        backup(world, f"b{turn}", turn * 120, args="kind=full")
    backup(world, "twin", 600.5, args="kind=full")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.turns[0].times == 2


@pytest.mark.parametrize(
    "args",
    ["date=2026-03-14", '"2026-03-14", app="shop"', "{'for': '2026-03-14T02:00:00Z'}"],
)
def test_one_date_under_two_ids(args: str) -> None:
    world = healthy(World())
    backup(world, "m1", 100, args=args)
    backup(world, "m2", 500, args=args)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.keys == ("job:m1", "job:m2")


def test_two_schedulers_send_one_task() -> None:
    world = healthy(World())
    for minute in (5, 10):
        for host in ("beat-1", "beat-2"):
            delay = 0.4 if host == "beat-2" else 0
            text = "Scheduler: Sending due task nightly-backup (ops.backup)"
            world.log(minute * 60 + delay, host, text)
    finding = only(world)
    assert finding.cause == "two schedulers"
    assert finding.next_action == "Stop one of beat-1 and beat-2."
    assert len(finding.turns) == 2


def test_items_of_an_expected_set_done_more_than_once() -> None:
    apps = tuple(f"app:{number}" for number in range(6))
    expected = ExpectedSet("app backups", Work(log="backup of"), apps)
    world = healthy(World(knowledge=Knowledge(expected=(expected,))))
    for number in range(6):
        world.log(200 + number * 5, "backup-1", f"backup of app_id={number} written")
    for number in (1, 4):
        world.log(400 + number * 5, "backup-2", f"backup of app_id={number} written")
    finding = only(world)
    assert finding.keys == ("app:1", "app:4")
    assert [turn.times for turn in finding.turns] == [2, 2]
    assert [(one.key, one.state) for one in finding.repairs()] == [
        ("app:1", "worked on twice"),
        ("app:4", "worked on twice"),
    ]


# A fork


def forked(world: World, *, twice: bool = False) -> World:
    """The hop h5 is followed by two messages, and both go on."""
    more = {"job_class": "ops.run_all_backups", "queue": "backups"}
    args = "date=2026-03-14"

    def hop(name: str, start: float, *following: str) -> None:
        world.job(start, Kind.JOB_STARTED, name, args, **more)
        for number, successor in enumerate(following):
            world.job(
                start + 0.02 + number * 0.02,
                Kind.JOB_ENQUEUED,
                successor,
                args,
                **more,
            )
        world.job(start + 0.1, Kind.JOB_FINISHED, name, args, **more)

    world.job(5, Kind.JOB_ENQUEUED, "h0", args, **more)
    for number in range(5):
        hop(f"h{number}", 10 + number * 60, f"h{number + 1}")
    if twice:
        hop("h5", 310, "h6")
        hop("h5", 340, "k6")
    else:
        hop("h5", 310, "h6", "k6")
    for number in range(6, 35):
        hop(f"h{number}", 10 + number * 60, f"h{number + 1}")
        hop(f"k{number}", 40 + number * 60, f"k{number + 1}")
    return world


@pytest.mark.parametrize(("twice", "cause"), [(True, "delivered again"), (False, "pushed twice")])
def test_a_hop_with_two_successors_is_a_fork(twice: bool, cause: str) -> None:
    (finding,) = found(forked(healthy(World()), twice=twice))
    assert isinstance(finding, ForkedChain)
    assert finding.cause == cause
    assert finding.forks[0].hop == "job:h5"
    assert finding.forks[0].successors == ("job:h6", "job:k6")
    assert finding.verdict is Verdict.LIKELY
    assert "message h5 has 2 successors" in finding.sentence()
    assert "2 branches still moved" in finding.sentence()


def test_log_lines_with_ids_tell_a_fork_for_certain() -> None:
    world = healthy(World())
    pairs = [("m0", "m1"), ("m1", "m2"), ("m2", "m3"), ("m2", "n3"), ("m3", "m4"), ("n3", "n4")]
    for number, (old, new) in enumerate(pairs):
        text = f"re-queued backup for 2026-03-14, message_id={old} as new_message_id={new}"
        world.log(100 + number * 50, f"backup-{number % 2}", text)
    (finding,) = found(world)
    assert isinstance(finding, ForkedChain)
    assert finding.verdict is Verdict.CERTAIN
    assert len(finding.forks[0].successors) == 2


# What is none


def retried(world: World) -> None:
    for seconds, kind in (
        (100, Kind.JOB_ENQUEUED),
        (101, Kind.JOB_STARTED),
        (102, Kind.JOB_RETRIED),
        (130, Kind.JOB_STARTED),
        (150, Kind.JOB_FINISHED),
    ):
        world.job(seconds, kind, "m1", "date=2026-03-14", job_class="backup")


def repeated_after_a_failure(world: World) -> None:
    more = {"job_class": "backup", "status": "failed"}
    world.job(100, Kind.JOB_ENQUEUED, "m1", "date=2026-03-14", **more)
    world.job(101, Kind.JOB_STARTED, "m1", "date=2026-03-14", **more)
    world.job(102, Kind.JOB_FAILED, "m1", "date=2026-03-14", **more)
    backup(world, "m2", 500, args="date=2026-03-14")


def different_dates(world: World) -> None:
    backup(world, "m1", 100, args="date=2026-03-14")
    backup(world, "m2", 101, args="date=2026-03-13")


def always_in_two_parts(world: World) -> None:
    for turn in range(15):
        for part in ("a", "b"):
            backup(world, f"{part}{turn}", turn * 120, args="kind=full")


def one_line_shipped_twice(world: World) -> None:
    for shipper in ("one", "two"):
        text = "Scheduler: Sending due task nightly-backup (ops.backup)"
        world.log(300, "beat-1", text, source=shipper, clock="beat-1")


def two_tasks_at_one_instant(world: World) -> None:
    for host, task in (("beat-1", "backup"), ("beat-2", "report")):
        world.log(300, host, f"Scheduler: Sending due task {task} (ops.{task})")


def fan_out(world: World) -> None:
    """Every page of a crawl puts two more on the queue: that is how it is meant."""
    more = {"job_class": "crawl", "queue": "ops"}
    for number in range(12):
        start = 10 + number * 60
        world.job(start, Kind.JOB_STARTED, f"c{number}", "", **more)
        for child in (2 * number + 1, 2 * number + 2):
            world.job(start + 0.01, Kind.JOB_ENQUEUED, f"c{child}", "", **more)
        world.job(start + 0.1, Kind.JOB_FINISHED, f"c{number}", "", **more)


@pytest.mark.parametrize(
    "confuser",
    [
        retried,
        repeated_after_a_failure,
        different_dates,
        always_in_two_parts,
        one_line_shipped_twice,
        two_tasks_at_one_instant,
        fan_out,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_schedule_is_silent() -> None:
    assert found(scheduled()) == []


def test_needs_a_queue_or_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(ExtraRunsDetector().detect(world.incident()), NotEvaluated)


def test_the_order_of_arrival_does_not_matter() -> None:
    world = scheduled()
    backup(world, "c20", 1203)
    batches = world.batches()
    one = ExtraRunsDetector().detect(world.incident(batches))
    two = ExtraRunsDetector().detect(world.incident(batches[::-1]))
    assert [f.sentence() for f in one] == [f.sentence() for f in two]  # type: ignore[union-attr]


def test_moving_everything_moves_only_the_times() -> None:
    world = forked(healthy(World()))
    (here,) = found(world)
    world.shift = 3_600 * SECOND
    (there,) = found(world)
    assert there.began - here.began == 3_600 * SECOND
    assert replace(there, began=0, ended=0, steps=()).keys == here.keys
    assert here.began == at(310.04)


@pytest.mark.parametrize("milliseconds", [250, 5_000])
def test_a_wider_clock_never_makes_it_surer(milliseconds: int) -> None:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    (tight,) = found(forked(healthy(World())))
    (wide,) = found(forked(healthy(World(bound=bound))))
    assert at_least(tight.verdict, wide.verdict)


def side_by_side(world: World, forks_at: int) -> World:
    """Two branches two seconds apart: each push comes a moment after the runs of both."""
    more = {"job_class": "Nachtlauf", "queue": "takt"}
    world.job(5, Kind.JOB_ENQUEUED, "a0", "", **more)
    for number in range(33):
        start = 10 + number * 60
        for name, later in (("a", 0.0), ("b", 2.0))[: 1 + (number > forks_at)]:
            world.job(start + later, Kind.JOB_STARTED, f"{name}{number}", "", **more)
            world.job(start + later + 0.2, Kind.JOB_FINISHED, f"{name}{number}", "", **more)
        for name, later in (("a", 2.8), ("b", 4.5))[: 1 + (number >= forks_at)]:
            world.job(start + later, Kind.JOB_ENQUEUED, f"{name}{number + 1}", "", **more)
    return world


def test_branches_that_run_side_by_side_do_not_hide_their_fork() -> None:
    (finding,) = found(side_by_side(healthy(World()), forks_at=12))
    assert isinstance(finding, ForkedChain)
    assert finding.forks[0].hop == "job:a12"
    assert finding.verdict is Verdict.LIKELY


def test_work_that_goes_two_ways_from_its_beginning_is_meant_so() -> None:
    world = side_by_side(healthy(World()), forks_at=1)
    result = ExtraRunsDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated) or not list(result)
