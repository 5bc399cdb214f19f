"""missed-run: due instants without a run, batons without a successor, and what is neither."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.coverage import Sight
from timeline.detectors.chain_findings import BrokenChain
from timeline.detectors.missed_run import MissedRunDetector
from timeline.detectors.missed_run_findings import MissedRun, ToldMissed
from timeline.event import Kind
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import Knowledge, Overlap, Schedule, Work
from timeline.order import Verdict, at_least

from .worlds import SECOND, World, at, healthy

FIVE = Schedule("stock sync", Work(job_class="stock_sync"), cron="*/5 * * * *")
"""Due at 02:05, 02:10, … 02:30 in a window that begins at 02:00."""


def found(world: World) -> list[Finding]:
    result = MissedRunDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated), result.sentence()
    return list(result)


def only(world: World) -> MissedRun:
    (finding,) = found(world)
    assert isinstance(finding, MissedRun)
    return finding


def sync(world: World, minute: float, *, late: float = 1.0, took: float = 20.0) -> None:
    start = minute * 60 + late
    name = f"s{minute:g}"
    world.run(name, "", start, start + 0.2, start + took, job_class="jobs.stock_sync", queue="ops")


def every_five(*, but: tuple[int, ...] = (), schedule: Schedule = FIVE, **more: object) -> World:
    world = healthy(World(knowledge=Knowledge(schedules=(schedule,)), **more))  # type: ignore[arg-type]
    for minute in range(0, 35, 5):
        if minute not in but:
            sync(world, minute)
    return world


def test_a_due_run_that_is_not_there_is_certain() -> None:
    finding = only(every_five(but=(15,)))
    assert finding.verdict is Verdict.CERTAIN
    assert [one.due for one in finding.missed] == [at(900)]
    assert (finding.due, finding.ran) == (6, 5)
    assert finding.sentence() == (
        "Stock sync was due at 02:15:00.000 and did not run (due at */5 * * * * in UTC; 5 of 6 due "
        "runs began in time). It ran again at 02:20:01.000."
    )
    assert finding.clause() == "stock sync was due at 02:15:00.000 and did not run"
    assert "by hand" in finding.next_action
    assert [step.role for step in finding.steps] == ["last run", "next run"]


def test_it_never_ran_again() -> None:
    finding = only(every_five(but=(15, 20, 25, 30)))
    assert len(finding.missed) == 4
    assert finding.again is None
    assert "4 times from 02:15:00.000 to 02:30:00.000 and did not run" in finding.sentence()


def test_where_the_queue_could_not_be_seen_it_is_only_possible() -> None:
    world = every_five(but=(15,))
    world.blind("rq", 890, 920)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert "may not have been seen" in finding.weakest_link


def test_a_queue_that_forgets_cannot_show_that_nothing_ran() -> None:
    world = healthy(World(knowledge=Knowledge(schedules=(FIVE,))))
    world.blind("rq", 0, 2100, Sight.NOW_ONLY)
    result = MissedRunDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "remembers runs of stock sync" in result.needs


def test_a_name_that_never_occurs_may_be_a_wrong_name() -> None:
    schedule = replace(FIVE, work=Work(job_class="sync_stock"))
    finding = only(every_five(schedule=schedule))
    assert finding.verdict is Verdict.LIKELY
    assert "called something else" in finding.weakest_link


def test_a_run_that_is_late_is_told_as_late() -> None:
    world = every_five(but=(15,))
    sync(world, 15, late=130)
    finding = only(world)
    assert finding.qualifier
    assert "began 2 min 10 s late" in finding.sentence()


def test_a_run_that_was_pushed_and_never_started() -> None:
    world = every_five(but=(30,))
    world.job(1801, Kind.JOB_ENQUEUED, "s30", job_class="stock_sync", status="queued")
    finding = only(world)
    assert finding.missed[0].state == "waiting"
    assert finding.keys == ("job:s30",)
    assert "was pushed at 02:30:01.000 but not started" in finding.sentence()


def test_a_learnt_schedule_is_at_most_likely() -> None:
    world = healthy(World())
    for minute in range(0, 30, 2):
        if minute not in (18, 20):
            sync(world, minute, late=minute % 3)
    for minute in (30, 32):
        sync(world, minute)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "learnt from" in finding.weakest_link
    assert len(finding.missed) == 2
    assert finding.alternatives


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


# The baton


def hop(
    world: World,
    number: int,
    start: float,
    *,
    run: str = "2026-03-14",
    back: bool = True,
    fail: bool = False,
    job_class: str = "ops.run_all_backups",
) -> None:
    """One hop: it is taken, looks at the clock, puts the next one back, and ends."""
    args = f"date={run}, at=02:00"
    more = {"job_class": job_class, "queue": "backups", "worker": f"w{number % 3}"}
    world.job(start, Kind.JOB_STARTED, f"h{number}", args, **more)
    if back:
        more_next = {"job_class": job_class, "queue": "backups"}
        world.job(
            start + 0.05,
            Kind.JOB_ENQUEUED,
            f"h{number + 1}",
            args,
            **more_next,
        )
    kind = Kind.JOB_FAILED if fail else Kind.JOB_FINISHED
    status = "failed" if fail else "finished"
    world.job(start + 0.1, kind, f"h{number}", args, status=status, **more)


def baton(world: World, hops: int, *, period: float = 60, **more: object) -> World:
    world.job(5, Kind.JOB_ENQUEUED, "h0", "date=2026-03-14, at=02:00", job_class="run_all_backups")
    for number in range(hops):
        last = number == hops - 1
        options = more if last else {}
        hop(world, number, 10 + number * period, **options)  # type: ignore[arg-type]
    return world


def test_a_baton_without_a_successor_ends_every_later_run() -> None:
    (finding,) = found(baton(healthy(World()), 20, back=False))
    assert isinstance(finding, BrokenChain)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.last, finding.hops, finding.run) == ("job:h19", 20, "2026-03-14")
    assert finding.sentence() == (
        "The chain of run_all_backups broke: after 20 hops about 1 min apart its last message h19 "
        "for 2026-03-14 was taken at 02:19:10.000 and put nothing back; no successor exists "
        "although one came every 1 min: every later run is lost too."
    )
    assert "start the chain of run_all_backups again" in finding.next_action


def test_a_last_hop_that_failed_says_so() -> None:
    (finding,) = found(baton(healthy(World()), 20, back=False, fail=True))
    assert isinstance(finding, BrokenChain)
    assert "(failed)" in finding.sentence()


def test_a_dropped_baton_in_an_unread_stretch_is_possible() -> None:
    world = baton(healthy(World()), 20, back=False)
    world.blind("rq", 1160, 1300)
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE


WORDINGS = (
    "re-queued backup for {run} at 02:00, not yet due, message_id={old} new_message_id={new}",
    "backup run={run} not due, put back message_id={old} as message_id={new}",
    'requeueing {{"message_id": "{old}", "date": "{run}", "next_message_id": "{new}"}}',
)


def line_hops(world: World, wording: str, count: int, *, period: float = 120) -> World:
    for number in range(count):
        old, new = f"6f1c-{number:04d}", f"6f1c-{number + 1:04d}"
        text = wording.format(run="2026-03-14", old=old, new=new)
        world.log(10 + number * period, f"backup-{number % 2}", text, source="backup.log")
    return world


@pytest.mark.parametrize("wording", WORDINGS)
def test_log_lines_alone_tell_where_the_baton_fell(wording: str) -> None:
    (finding,) = found(line_hops(healthy(World()), wording, 8))
    assert isinstance(finding, BrokenChain)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.hops, finding.run, finding.last_seen) == (8, "2026-03-14", at(850))
    assert "was put back at 02:14:10.000 and never seen again" in finding.sentence()


def test_too_few_hops_need_a_wider_window() -> None:
    world = line_hops(healthy(World()), WORDINGS[0], 2, period=900)
    result = MissedRunDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "a wider window: 2 hops that backup-1 put back" in result.needs


def test_what_was_heard_of_the_last_message_is_shown() -> None:
    world = line_hops(healthy(World()), WORDINGS[0], 8)
    world.error(860, "backup-1", "cannot read message_id=6f1c-0007: gone", source="backup.log")
    (finding,) = found(world)
    assert finding.steps[-1].role == "afterwards"
    assert "gone" in finding.steps[-1].event.body


def test_lines_without_ids_are_a_chain_when_they_come_evenly() -> None:
    world = healthy(World())
    for number in range(8):
        world.log(10 + number * 90, "backup-1", "re-queued backup for 2026-03-14, not yet due")
    (finding,) = found(world)
    assert isinstance(finding, BrokenChain)


# What is none


def not_yet_over(world: World) -> None:
    world.knowledge = Knowledge(
        schedules=(
            Schedule("late", Work(job_class="late"), cron="34 2 * * *", tolerance=5 * 60 * SECOND),
        )
    )


def traffic_that_ends(world: World) -> None:
    for user in range(30):
        start = 10 + user * 30
        world.run(f"m{user}", f"user_id={user}", start, start, start + 1, job_class="digest")


def uneven_runs(world: World) -> None:
    draw = random.Random(4)
    start = 0.0
    for number in range(20):
        start += draw.uniform(5, 90)
        world.run(f"x{number}", "kind=full", start, start, start + 1, job_class="reindex")


def a_living_baton(world: World) -> None:
    baton(world, 34)


def a_baton_that_waits_in_its_queue(world: World) -> None:
    baton(world, 20)
    last = [e for e in world.events if e.kind is Kind.JOB_ENQUEUED and "job:h20" in e.keys]
    (event,) = last
    told = (event.attributes or "").replace('"status": "finished"', '"status": "scheduled"')
    world.events[world.events.index(event)] = replace(event, attributes=told)


def polls_until_paid(world: World) -> None:
    """Jobs that put themselves back until a payment is there: they are meant to end."""
    for payment in range(4):
        args = f"payment_id={payment}"
        for number in range(5):
            start, name = 20 + payment * 7 + number * 60, f"p{payment}-{number}"
            more = {"job_class": "check_payment"}
            world.job(start, Kind.JOB_STARTED, name, args, **more)
            if number < 4:
                following = f"p{payment}-{number + 1}"
                world.job(start + 0.02, Kind.JOB_ENQUEUED, following, args, **more)
            world.job(start + 0.1, Kind.JOB_FINISHED, name, args, **more)


def one_poll_until_paid(world: World) -> None:
    more = {"job_class": "check_payment"}
    for number in range(8):
        start, name = 20 + number * 60, f"p{number}"
        world.job(start, Kind.JOB_STARTED, name, "payment_id=7", **more)
        if number < 7:
            world.job(start + 0.02, Kind.JOB_ENQUEUED, f"p{number + 1}", "payment_id=7", **more)
        world.job(start + 0.1, Kind.JOB_FINISHED, name, "payment_id=7", **more)


def lines_that_wait_for_an_order(world: World) -> None:
    for number in range(8):
        text = (
            f"order_id=7 not paid, requeued message_id=m{number} as next_message_id=m{number + 1}"
        )
        world.log(20 + number * 60, "shop-1", text)


def requeued_after_errors(world: World) -> None:
    for number in range(9):
        text = f"job_id=e{number} failed, requeued"
        world.log(20 + number * 60, "mailer", text, severity=13)


def requeued_now_and_then(world: World) -> None:
    for number, start in enumerate((10, 25, 400, 410, 900)):
        world.log(start, "mailer", f"requeued order_id={number} for later")


@pytest.mark.parametrize(
    "confuser",
    [
        not_yet_over,
        traffic_that_ends,
        uneven_runs,
        a_living_baton,
        a_baton_that_waits_in_its_queue,
        polls_until_paid,
        one_poll_until_paid,
        lines_that_wait_for_an_order,
        requeued_after_errors,
        requeued_now_and_then,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    result = MissedRunDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated) or list(result) == []


def test_a_run_skipped_because_the_last_one_still_ran_is_a_qualifier() -> None:
    world = every_five(but=(10, 15))
    sync(world, 10, took=400)
    finding = only(world)
    assert finding.qualifier
    assert finding.missed[0].state == "skipped"
    world = every_five(but=(10, 15), schedule=replace(FIVE, overlap=Overlap.ALLOW))
    sync(world, 10, took=400)
    assert only(world).missed[0].state == "never"


def test_a_healthy_schedule_is_silent() -> None:
    assert found(every_five()) == []


def test_without_a_schedule_it_says_what_it_needs() -> None:
    result = MissedRunDetector().detect(healthy(World()).incident())
    assert isinstance(result, NotEvaluated)
    assert "a configured schedule" in result.needs


def test_a_nightly_run_outside_the_window_is_not_judged() -> None:
    nightly = Schedule("backup", Work(job_class="backup"), cron="0 1 * * *")
    result = MissedRunDetector().detect(healthy(World(knowledge=Knowledge((nightly,)))).incident())
    assert isinstance(result, NotEvaluated)
    assert "the last was at 01:00:00" in result.needs


def test_a_schedule_that_cannot_be_read_is_not_evaluated() -> None:
    broken = replace(FIVE, cron="five past")
    result = MissedRunDetector().detect(healthy(World(knowledge=Knowledge((broken,)))).incident())
    assert isinstance(result, NotEvaluated)
    assert "cannot be read" in result.needs


# What must not matter


def test_the_order_of_arrival_does_not_matter() -> None:
    world = every_five(but=(15,))
    batches = world.batches()
    one = MissedRunDetector().detect(world.incident(batches))
    two = MissedRunDetector().detect(world.incident(batches[::-1]))
    assert [f.sentence() for f in one] == [f.sentence() for f in two]  # type: ignore[union-attr]


def test_moving_everything_moves_only_the_times() -> None:
    world = every_five(but=(15,))
    here = only(world)
    world.shift = 86_400 * SECOND
    there = only(world)
    assert there.began - here.began == 86_400 * SECOND
    assert there.verdict is here.verdict


@pytest.mark.parametrize("milliseconds", [2, 250, 2_000, 60_000])
def test_a_wider_clock_never_makes_it_surer(milliseconds: int) -> None:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    tight = found(baton(healthy(World()), 20, back=False))
    wide = found(baton(healthy(World(bound=bound)), 20, back=False))
    assert all(at_least(t.verdict, w.verdict) for t, w in zip(tight, wide, strict=True))


def test_a_chain_of_parent_ids_is_certain() -> None:
    world = baton(healthy(World()), 20, back=False)
    for place, event in enumerate(world.events):
        name = next((key for key in event.keys if key.startswith("job:h")), "")
        if name and name != "job:h0":
            told = json.loads(event.attributes or "{}")
            told["parent_id"] = f"h{int(name.removeprefix('job:h')) - 1}"
            world.events[place] = replace(event, attributes=json.dumps(told))
    (finding,) = found(world)
    assert isinstance(finding, BrokenChain)
    assert finding.verdict is Verdict.CERTAIN
    assert "ids link the hops" in finding.weakest_link


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
