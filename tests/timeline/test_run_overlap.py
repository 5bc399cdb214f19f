"""run-overlap: runs of one schedule that meet, held-back runs, and what is no overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.run_overlap import HeldBack, RunOverlap, RunOverlapDetector, WillOverlap
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import Knowledge, Overlap, Schedule, Work
from timeline.order import Verdict, at_least

from .worlds import SECOND, World, at, healthy

EVERY = Schedule("invoice run", Work(job_class="invoices"), cron="*/4 * * * *")


def found(world: World) -> list[Finding]:
    result = RunOverlapDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def only(world: World) -> RunOverlap:
    (finding,) = found(world)
    assert isinstance(finding, RunOverlap)
    return finding


def runs(lengths: dict[int, float], schedule: Schedule | None = EVERY, **more: object) -> World:
    known = Knowledge(schedules=(schedule,) if schedule else ())
    world = healthy(World(knowledge=known, **more))  # type: ignore[arg-type]
    for minute, took in lengths.items():
        start = minute * 60 + 0.5
        args = "account_id=9"
        world.run(
            f"i{minute}", args, start, start + 0.2, start + took, job_class="billing.invoices"
        )
    return world


MEETING = dict.fromkeys(range(0, 32, 4), 30.0) | {12: 290.0}


def test_a_run_that_meets_the_next_is_certain() -> None:
    finding = only(runs(MEETING))
    assert finding.verdict is Verdict.CERTAIN
    (meeting,) = finding.meetings
    assert (meeting.first, meeting.second) == ("job:i12", "job:i16")
    assert meeting.together == 49_800_000_000
    assert finding.shared == ("account:9",)
    assert finding.sentence() == (
        "Invoice run (due at */4 * * * * in UTC) began at 02:16:00.700 while the run of "
        "02:12:00.700 still went on until 02:16:50.500; a run takes 29.8 s."
    )
    assert finding.clause() == "invoice run overtook itself once"
    assert [step.role for step in finding.steps] == ["first run", "second run", "first run ends"]


def test_a_learnt_schedule_is_at_most_likely() -> None:
    lengths = dict.fromkeys(range(0, 32, 2), 20.0) | {12: 150.0}
    finding = only(runs(lengths, None))
    assert finding.verdict is Verdict.LIKELY
    assert "learnt" in finding.weakest_link


@pytest.mark.parametrize(
    "line",
    [
        "Execution of job \"invoices (trigger: cron[minute='*/4'], next run at: …)\" skipped: "
        "maximum number of running instances reached (1)",
        "JobAlreadyActive: Not starting job because prior execution is running and concurrency "
        "policy is Forbid (CronJob invoices)",
    ],
)
def test_the_schedulers_own_word(line: str) -> None:
    world = healthy(World())
    for seconds in (300, 540):
        world.log(seconds, "scheduler", line, severity=13)
    (finding,) = found(world)
    assert isinstance(finding, HeldBack)
    assert (finding.schedule, finding.times) == ("invoices", 2)


def test_runs_that_get_longer_will_overlap() -> None:
    lengths = {minute: 120.0 + minute * 3 for minute in range(0, 32, 4)}
    (finding,) = found(runs(lengths))
    assert isinstance(finding, WillOverlap)
    assert finding.qualifier
    assert "will overtake itself" in finding.sentence()


def test_steady_long_runs_are_no_trend() -> None:
    assert found(runs(dict.fromkeys(range(0, 32, 4), 200.0))) == []


def allowed() -> World:
    return runs(MEETING, replace(EVERY, overlap=Overlap.ALLOW))


def two_for_one_turn() -> World:
    world = runs(dict.fromkeys(range(0, 32, 4), 30.0))
    world.run("twin", "", 721, 721.5, 760, job_class="invoices")
    return world


def no_end_on_record() -> World:
    world = runs(MEETING)
    world.events = [e for e in world.events if not ("job:i12" in e.keys and "finished" in e.ref)]
    return world


@pytest.mark.parametrize("confuser", [allowed, two_for_one_turn, no_end_on_record])
def test_confusers_stay_silent(confuser: Callable[[], World]) -> None:
    assert found(confuser()) == []


def test_without_a_schedule_it_says_what_it_needs() -> None:
    result = RunOverlapDetector().detect(healthy(World()).incident())
    assert isinstance(result, NotEvaluated)


@pytest.mark.parametrize("milliseconds", [50, 2_000, 30_000, 90_000])
def test_a_wider_clock_never_makes_it_surer(milliseconds: int) -> None:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    tight = only(runs(MEETING))
    world = runs(MEETING, bound=bound)
    for number, event in enumerate(world.events):
        if event.source == "rq":
            world.events[number] = replace(event, clock=f"w{number}")
    assert at_least(tight.verdict, only(world).verdict)


def test_moving_everything_moves_only_the_times() -> None:
    world = runs(MEETING)
    here = only(world)
    world.shift = 86_400 * SECOND
    assert only(world).began - here.began == 86_400 * SECOND
    assert here.began == at(960.7)
