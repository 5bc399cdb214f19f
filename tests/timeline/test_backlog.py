"""backlog: what piles up, how long it drains and how fast to resume; ordinary queues are silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.coverage import Sight
from timeline.detectors.backlog import BacklogDetector
from timeline.detectors.backlog_finding import PAUSED, Backlog
from timeline.event import Event, Kind, Lane
from timeline.facts.backlogs import How
from timeline.facts.rates import drain_of, rate_of
from timeline.facts.resume_plan import ASSUMPTIONS
from timeline.finding import NotEvaluated, to_json
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, iso

PAUSE = 1200.0
END = 2100.0


def found(world: World) -> list[Backlog]:
    return findings_of(BacklogDetector(), world.incident(), Backlog)


def only(world: World) -> Backlog:
    (finding,) = found(world)
    return finding


def flow(
    world: World,
    *,
    queue: str = "mailers",
    every: float = 3.0,
    held: tuple[float, float] = (END, END),
    takes: float = 6.0,
    source: str = "rq",
    prefix: str = "m",
) -> World:
    """Jobs at an even pace; those that come while work is held back wait, two at a time after."""
    free = held[1]
    for number in range(int(END / every)):
        sent = 1 + number * every
        job = f"{prefix}{number}"
        more = {"queue": queue, "source": source, "worker": f"w{number % 3}"}
        world.job(sent, Kind.JOB_ENQUEUED, job, f"user_id={number}", **more)
        start = sent + 0.1
        if sent >= held[0]:
            start, free = free, free + takes / 2
        if start + takes < END:
            world.job(start, Kind.JOB_STARTED, job, "", **more)
            world.job(start + takes, Kind.JOB_FINISHED, job, "", **more)
    return world


def note(world: World, seconds: float, body: str) -> Event:
    event = Event(at(seconds), "notes", Lane.NOTE, Kind.NOTE, body, f"notes@{len(world.events)}")
    world.events.append(event)
    return event


def depth_now(
    world: World,
    depth: int,
    *,
    queue: str = "mailers",
    due: dict[str, int] | None = None,
    oldest: float | None = None,
    words: str = "",
    source: str = "rq",
    takers: int | None = None,
) -> Event:
    """The present, as `connectors.queues.present` words it."""
    told: dict[str, object] = {
        "now": True,
        "queue": queue,
        "depth": depth,
        "running": 0,
        "overdue": [],
        "counts": {},
        "due_by_minute": due or {},
        "next_due": [],
    }
    if oldest is not None:
        told["oldest_waits_since"] = iso(oldest)
    if takers is not None:
        told["takers"] = takers
    body = f"{queue} now: {depth} waiting, 0 running{words}"
    seen = world.end + 4
    event = Event(
        at(seen),
        source,
        Lane.QUEUE,
        Kind.METRIC,
        body,
        f"queue:{queue}@{at(seen)}",
        seq=len(world.events) + 9_000_000,
        actor=queue,
        attributes=json.dumps(told),
    )
    world.events.append(event)
    return event


def paused(world: World, until: float = END) -> World:
    flow(world, held=(PAUSE, until))
    note(world, PAUSE - 2, "paused mailers while we repair orders")
    return world


def test_a_paused_queue_says_how_deep_since_when_and_with_how_many_workers_to_resume() -> None:
    world = paused(World())
    depth_now(world, 300, due={"0": 4, "3": 12, "9": 1})
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.how, finding.changed) == (How.COUNTED, PAUSED)
    assert finding.queue == "mailers"
    assert finding.peak == finding.depth == 300
    assert finding.paused_at == at(PAUSE - 2)
    assert finding.resumed_at is None
    assert finding.arrivals is not None
    assert finding.arrivals.count == 100
    assert finding.drain is not None
    assert finding.drain.soonest is None
    assert (finding.due_soon, finding.due_most) == (17, 12)
    assert finding.plan is not None
    assert (finding.plan.highest, finding.plan.workers, finding.plan.seen) == (20, 2, 3)
    assert finding.sentence() == (
        "The queue mailers grew from 0 to 300 waiting jobs from 02:20:20.000 on; it was paused "
        "at 02:19:58.000; it does not drain at this pace."
    )
    assert finding.figures == (
        "300 jobs wait at 02:35:04.000, when it was read.",
        "20 (16 to 24) per minute come in, 0 (0 to 0.6) per minute are done.",
        "It does not drain at this pace.",
        "17 retries fall due within half an hour, up to 12 in one minute.",
        "2 workers reach the 20 starts a minute that were the most before (one begins 10, for a "
        "job takes 6.0 s; 3 were at work then).",
    )
    assert finding.assumes[0] == "jobs come and end as they did in the last 5 min counted"
    assert finding.assumes[1:] == ASSUMPTIONS
    assert finding.next_action == (
        "Resume mailers with at most 2 workers, a few at a time: 20 starts a minute were the most "
        "before, and one worker begins 10."
    )
    assert finding.clause() == "mailers backed up to 300 jobs"
    assert json.dumps(to_json(finding.evidence()))
    assert finding.steps[0].role == "held back"


def test_after_the_resume_the_drain_time_is_a_range() -> None:
    finding = only(paused_and_resumed())
    assert finding.resumed_at == at(1600)
    assert finding.depth is not None
    assert finding.peak is not None
    assert finding.depth < finding.peak
    assert finding.drain is not None
    assert "it was paused at 02:19:58.000 and resumed at 02:26:40.000" in finding.sentence()


def paused_and_resumed() -> World:
    world = flow(World(), held=(PAUSE, 1600), takes=4.0)
    note(world, PAUSE - 2, "paused mailers while we repair orders")
    note(world, 1600, "resumed mailers")
    return world


def test_a_queue_that_forgets_is_never_read_as_growing() -> None:
    world = paused(World())
    world.blind("rq", 0, END)
    assert found(world) == []


def test_a_hole_in_what_the_queue_kept_makes_no_growth_from_what_is_left() -> None:
    world = paused(World())
    world.blind("rq", PAUSE + 300, END)
    finding = only(world)
    assert finding.depth_at <= at(PAUSE + 300)


def test_what_is_kept_after_the_horizon_of_a_queue_is_enough() -> None:
    """RQ forgets successes after 500 s: before that stretch it shows what waits now only."""
    world = paused(World())
    world.blind("rq", 0, 1000, Sight.NOW_ONLY)
    finding = only(world)
    assert finding.how is How.COUNTED
    assert finding.depth == 300
    assert finding.plan is not None
    assert finding.plan.starts == 67


def even(world: World) -> None:
    flow(world)


def one_large_push_that_drains(world: World) -> None:
    flow(world, every=30.0)
    for number in range(200):
        start = 1510 + number
        world.run(f"b{number}", "", 1500 + number / 1000, start, start + 0.5, worker="w1")


def jobs_for_later(world: World) -> None:
    """Three hundred jobs sent evenly, all due tomorrow."""
    flow(world, every=30.0)
    for number in range(300):
        event = world.job(1200 + number, Kind.JOB_ENQUEUED, f"l{number}", status="scheduled")
        told = json.loads(event.attributes or "{}") | {"due_at": "2026-03-15T02:00:00.000000+00:00"}
        world.events[-1] = replace(event, attributes=json.dumps(told))


def a_pause_of_another_queue(world: World) -> None:
    flow(world)
    flow(world, queue="low", prefix="l", every=30)
    note(world, 1500, "paused low")


def few_wait(world: World) -> None:
    flow(world, every=60.0, held=(PAUSE, END))


def present_but_young(world: World) -> None:
    depth_now(world, 500, oldest=2050)


def a_plan_to_pause(world: World) -> None:
    depth_now(world, 500, oldest=2050)
    note(world, 1500, "should we pause mailers?")


@pytest.mark.parametrize(
    "confuser",
    [
        even,
        one_large_push_that_drains,
        jobs_for_later,
        a_pause_of_another_queue,
        few_wait,
        present_but_young,
        a_plan_to_pause,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_a_batch_that_was_worked_off_only_colours_other_findings() -> None:
    world = flow(World(), every=30.0)
    for number in range(300):
        sent, start = 1000 + number, 1000 + number * 1.5
        world.run(f"b{number}", "", sent, max(sent, start), start + 0.5, worker="w1")
    finding = only(world)
    assert finding.qualifier
    assert finding.next_action == ""
    assert finding.clause() == "mailers backed up to 99 jobs and was worked off"


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain = only(paused(World()))
    mixed = paused(World())
    mixed.events.reverse()
    for number in range(50):
        mixed.log(number * 40, "search", f"refresh {number} done")
    assert only(mixed).sentence() == plain.sentence()


def test_shifting_all_stamps_moves_times_only() -> None:
    here, there = only(paused(World())), only(paused(World(shift=3600 * SECOND)))
    assert there.began - here.began == 3600 * SECOND
    assert (there.peak, there.arrivals, there.plan) == (here.peak, here.arrivals, here.plan)


def test_wider_clock_bounds_never_upgrade() -> None:
    wide = only(paused(World(bound=ClockBound(2 * SECOND, 2 * SECOND))))
    assert wide.verdict is only(paused(World())).verdict


def test_needs_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(BacklogDetector().detect(world.incident()), NotEvaluated)


def test_rates_and_drain_times_carry_their_interval() -> None:
    done, come = rate_of(100, 300 * SECOND), rate_of(25, 300 * SECOND)
    assert done.per_minute == pytest.approx(20)
    assert (done.low, done.high) == pytest.approx((16.08, 23.92))
    drain = drain_of(300, come, done)
    assert drain.soonest is not None
    assert drain.latest is not None
    assert drain.soonest < 300 / 15 * 60 * SECOND < drain.latest
    assert drain.words() == "it drains in 14 min to 33 min"
    assert drain_of(300, done, come).words() == "it does not drain at this pace"
    assert drain_of(300, done, rate_of(110, 300 * SECOND)).latest is None
    assert rate_of(0, 60 * SECOND).high == pytest.approx(3)


def pushed_at_once(world: World, *, others: bool, queue: str = "rapporten") -> World:
    """A push of 240 jobs at 1500 s; what comes later shares its workers, or has others."""
    free, more = 1500.0, {"queue": queue, "worker": "w1"}
    came = [(30.0 + 15 * number, f"o{number}", 0.0) for number in range(98)]
    came += [(1500 + number / 50, f"b{number}", 1.0) for number in range(240)]
    came += [(1510.0 + 15 * number, f"l{number}", 0.0) for number in range(30)]
    for sent, job, _ in came:
        waits = sent >= 1500 and (others or job.startswith("b"))
        start = max(free, sent + 0.1) if waits else sent + 0.1
        free = start + 1.2 if waits else free
        world.job(sent, Kind.JOB_ENQUEUED, job, "", **more)
        world.job(start, Kind.JOB_STARTED, job, "", **more)
        world.job(start + 1, Kind.JOB_FINISHED, job, "", **more)
    return world


def test_a_push_at_once_that_keeps_later_work_waiting_is_a_backlog() -> None:
    finding = only(pushed_at_once(World(), others=True))
    assert finding.verdict is Verdict.LIKELY
    assert not finding.qualifier
    assert (finding.peak or 0) > 200


def test_a_push_at_once_that_keeps_nobody_waiting_is_silent() -> None:
    assert found(pushed_at_once(World(), others=False)) == []
