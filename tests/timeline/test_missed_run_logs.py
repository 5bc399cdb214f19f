"""missed-run by log lines alone: what a silent, a busy and an even log can show."""

from __future__ import annotations

import random

import pytest

from timeline.detectors.missed_run import MissedRunDetector
from timeline.detectors.missed_run_findings import ToldMissed
from timeline.finding import NotEvaluated
from timeline.knowledge import Knowledge, Schedule, Work
from timeline.order import Verdict

from .test_missed_run import found, only
from .worlds import SECOND, World, at, healthy


def test_logs_alone_show_runs_too() -> None:
    schedule = Schedule("backup", Work(log="nightly-backup:"), cron="0,10,20,30 2 * * *")
    world = healthy(World(knowledge=Knowledge(schedules=(schedule,))))
    for minute in (0, 10, 30):
        world.log(minute * 60 + 2, "cron-1", f"nightly-backup: started run {minute}")
        world.log(minute * 60 + 40, "cron-1", f"nightly-backup: finished run {minute}")
    finding = only(world)
    assert [one.due for one in finding.missed] == [at(1200)]
    assert finding.verdict is Verdict.CERTAIN


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            'Run time of job "sync_all (trigger: interval[0:05:00], next run at: …)" was missed by '
            "0:00:41.203",
            "sync_all",
        ),
        (
            "MissSchedule: Missed scheduled time to start a job: 2026-03-14 02:10:00 (CronJob "
            "nightly-report)",
            "nightly-report",
        ),
    ],
)
def test_the_schedulers_own_word(line: str, name: str) -> None:
    world = healthy(World())
    world.log(700, "scheduler", line, severity=13)
    (finding,) = found(world)
    assert isinstance(finding, ToldMissed)
    assert (finding.schedule, finding.times, finding.verdict) == (name, 1, Verdict.CERTAIN)


PURGE = Schedule("purge", Work(log="expired carts purged"), every=300 * SECOND)


def purges(*, without: tuple[int, ...] = (), chatter: float = 0, hole: bool = False) -> World:
    """Runs told by one log of their own; `chatter` seconds apart its writer says other things."""
    world = World(knowledge=Knowledge(schedules=(PURGE,)))
    for minute in range(2, 35, 5):
        if minute not in without:
            world.log(minute * 60.0, "cart-keeper", f"expired carts purged: {minute * 7}")
    for number in range(int(2090 / chatter) if chatter else 0):
        at_s = 1 + number * chatter
        if not (hole and 850 < at_s < 1200):
            world.log(at_s, "cart-keeper", f"cart {4000 + number} priced")
    return world


def test_a_busy_log_that_is_silent_around_a_due_run_proves_nothing() -> None:
    finding = only(purges(without=(17,), chatter=4, hole=True))
    assert finding.verdict is Verdict.POSSIBLE
    assert "logged nothing at all" in finding.weakest_link


def test_a_busy_log_that_went_on_shows_that_nothing_ran() -> None:
    assert only(purges(without=(17,), chatter=4)).verdict is Verdict.CERTAIN


def test_a_log_of_runs_alone_is_silent_when_nothing_runs() -> None:
    assert only(purges(without=(17,))).verdict is Verdict.CERTAIN


def tidied(world: World, *, until: float, every: float = 75, uneven: float = 0.0) -> World:
    """A line of a service that also speaks of other things; nobody configured its pace."""
    draw = random.Random(11)
    for number in range(int(until / every)):
        when = 5 + number * every + draw.uniform(0, 0.5) + draw.uniform(-uneven, uneven)
        world.log(
            max(when, 1), "koopman-7", f"winkelwagens opgeruimd: {10 + number} in {number} ms"
        )
    for number in range(209):
        world.log(2 + number * 10, "koopman-7", f"prijs berekend voor mand {4000 + number}")
    return world


def test_lines_at_an_even_pace_that_end_are_possible() -> None:
    finding = only(tidied(healthy(World()), until=1400))
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.schedule == "“winkelwagens opgeruimd”"
    assert finding.began == pytest.approx(at(1355), abs=SECOND)
    assert len(finding.missed) >= 8
    assert "configured nowhere" in finding.weakest_link


@pytest.mark.parametrize(
    ("until", "every", "uneven"),
    [(2090, 75, 0), (1400, 75, 30), (450, 75, 0), (1400, 12, 0), (1950, 75, 0)],
    ids=["goes on", "no pace", "too few", "a heartbeat", "one turn late"],
)
def test_lines_that_are_no_habit_or_go_on_are_silent(
    until: float, every: float, uneven: float
) -> None:
    world = tidied(healthy(World()), until=until, every=every, uneven=uneven)
    result = MissedRunDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated) or not list(result)
