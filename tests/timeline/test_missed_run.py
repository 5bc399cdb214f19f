"""missed-run: due instants without a run, batons without a successor, and what is neither."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.coverage import Sight
from timeline.detectors.chain_findings import BrokenChain
from timeline.detectors.missed_run import MissedRunDetector
from timeline.detectors.missed_run_findings import MissedRun
from timeline.event import Kind
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import Knowledge, Schedule, Work
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
