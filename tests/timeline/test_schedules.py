"""Schedules: due instants in a zone, periods learnt from runs, runs of a named piece of work."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from timeline.event import Kind
from timeline.facts.schedules import Planned, planned_works, turns_due
from timeline.facts.work import runs_of
from timeline.knowledge import Knowledge, Schedule, Work
from timeline.window import MINUTE_NS, Window

from .worlds import SECOND, World, at, healthy


def planned(world: World) -> Planned:
    (one,) = planned_works(world.incident())
    return one


def knowing(*schedules: Schedule) -> World:
    return World(knowledge=Knowledge(schedules=schedules))


def nightly(cron: str, zone: str = "UTC") -> Schedule:
    return Schedule("report", Work(job_class="report"), cron=cron, zone=zone)


def around(moment: str) -> tuple[int, Window]:
    stamp = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) * SECOND
    return stamp, Window.around(stamp, 240 * MINUTE_NS, 240 * MINUTE_NS)


def dues_around(moment: str, schedule: Schedule) -> list[str]:
    from dataclasses import replace

    _, window = around(moment)
    incident = replace(knowing(schedule).incident(), window=window)
    (one,) = planned_works(incident)
    return [f"{datetime.fromtimestamp(due // SECOND, UTC):%d %H:%M}" for due in one.dues]


def test_cron_is_read_in_its_zone() -> None:
    assert dues_around("2026-01-14T02:00", nightly("0 3 * * *", "Europe/Berlin")) == ["14 02:00"]
    assert dues_around("2026-07-14T02:00", nightly("0 3 * * *", "Europe/Berlin")) == ["14 01:00"]


def test_a_run_in_the_missing_hour_is_due_once_after_it() -> None:
    spring = nightly("30 2 * * *", "Europe/Berlin")
    assert dues_around("2026-03-29T01:00", spring) == ["29 01:00"]


def test_a_run_in_the_repeated_hour_is_due_once() -> None:
    autumn = nightly("30 2 * * *", "Europe/Berlin")
    assert dues_around("2026-10-25T01:00", autumn) == ["25 00:30"]


def test_an_hourly_run_is_due_in_both_repeated_hours() -> None:
    hourly = nightly("0 * * * *", "Europe/Berlin")
    assert len(dues_around("2026-10-25T01:00", hourly)) == 8


@pytest.mark.parametrize(("zone", "marked"), [("Europe/Berlin", True), ("UTC", False)])
def test_instants_near_a_change_of_the_clocks_are_marked(zone: str, marked: bool) -> None:
    from dataclasses import replace

    _, window = around("2026-03-29T01:00")
    incident = replace(knowing(nightly("0 * * * *", zone)).incident(), window=window)
    (one,) = planned_works(incident)
    assert bool(one.near_change) is marked


@pytest.mark.parametrize(
    "schedule",
    [nightly("61 * * * *"), nightly("nonsense"), nightly("0 3 * * *", "Middle/Earth")],
)
def test_a_schedule_that_cannot_be_read_says_so(schedule: Schedule) -> None:
    assert planned(knowing(schedule)).unusable


def test_an_even_pace_is_learnt() -> None:
    world = World()
    for turn in range(10):
        start = 30 + turn * 180 + (turn % 3) * 4
        world.run(f"r{turn}", "kind=full", start, start + 0.1, start + 5, job_class="shop.report")
    one = planned(world)
    assert one.name == "report"
    assert one.learnt == 10
    assert abs(one.period - 180 * SECOND) < 10 * SECOND


@pytest.mark.parametrize("how", ["few", "uneven", "own arguments", "fast"])
def test_what_is_no_schedule_is_not_learnt(how: str) -> None:
    world = World()
    for turn in range(7 if how == "few" else 20):
        start = 30 + turn * {"fast": 3, "few": 200}.get(how, 90)
        if how == "uneven":
            start += (turn * 37) % 80
        args = f"user_id={turn}" if how == "own arguments" else "kind=full"
        world.run(f"r{turn}", args, start, start + 0.1, start + 0.2, job_class="report")
    assert planned_works(world.incident()) == ()


def test_dates_in_arguments_do_not_keep_a_schedule_from_being_learnt() -> None:
    world = World()
    for turn in range(9):
        args = f"run=2026-03-14T02:{turn:02d}:00Z"
        world.run(f"r{turn}", args, turn * 120, turn * 120 + 1, turn * 120 + 2, job_class="report")
    assert planned(world).learnt == 9


def test_runs_are_told_by_jobs_lines_or_rows() -> None:
    world = healthy(World())
    world.run("b1", "", 100, 101, 160, job_class="ops.backup", queue="ops")
    world.log(100, "backup", "starting nightly backup job_id=b1")
    world.log(120, "backup", "nightly backup: step 2 job_id=b1")
    world.log(160, "backup", "nightly backup finished job_id=b1")
    world.row(160, "backups", 7)
    incident = world.incident()
    (job,) = runs_of(incident, Work(job_class="backup"))
    assert (job.sent, job.start, job.end, job.outcome) == (at(100), at(101), at(160), "finished")
    (line,) = runs_of(incident, Work(log="nightly backup"))
    assert (line.start, line.end, line.name) == (at(100), at(160), "job:b1")
    (row,) = runs_of(incident, Work(table="backups"))
    assert (row.start, row.end) == (None, at(160))
    assert runs_of(incident, Work(job_class="backup", queue="other")) == ()


def test_a_retried_job_is_one_run() -> None:
    world = World()
    for seconds, kind in (
        (100, Kind.JOB_ENQUEUED),
        (101, Kind.JOB_STARTED),
        (102, Kind.JOB_RETRIED),
        (110, Kind.JOB_STARTED),
        (140, Kind.JOB_FINISHED),
    ):
        world.job(seconds, kind, "b1", job_class="backup")
    (run,) = runs_of(world.incident(), Work(job_class="backup"))
    assert (run.start, run.end, run.outcome) == (at(101), at(140), "finished")


def test_an_end_closes_only_the_last_beginning_before_it() -> None:
    world = World()
    world.log(100, "backup", "backup started")
    world.log(200, "backup", "backup started")
    world.log(230, "backup", "backup finished")
    first, second = runs_of(world.incident(), Work(log="backup"))
    assert (first.end, second.end) == (None, at(230))


def test_a_period_is_measured_from_run_to_run() -> None:
    world = knowing(Schedule("sync", Work(job_class="sync"), every=300 * SECOND))
    for turn in (0, 1, 2, 5, 6):
        start = 10 + turn * 300
        world.run(f"s{turn}", "", start, start, start + 1, job_class="sync")
    incident = world.incident()
    (one,) = planned_works(incident)
    turns = turns_due(incident, one)
    assert [turn.due for turn in turns if not turn.runs] == [at(910), at(1210)]
