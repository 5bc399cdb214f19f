"""overlapping-runs that no queue tells of: two hands at one piece of work."""

from __future__ import annotations

import json

import pytest

from timeline.detectors.overlapping_runs import OverlappingRuns, OverlappingRunsDetector
from timeline.detectors.worked_twice import TwoHolders, WorkedTwice
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, at


def found(world: World, kind: type[Finding] = WorkedTwice) -> list[Finding]:
    result = OverlappingRunsDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, kind)]


def pages(
    world: World, since: float, hand: str, *, feed: str = "acme", run: str = "", first: int = 1
) -> None:
    """Ten pages of one feed, four seconds each."""
    for page in range(first, first + 10):
        own = f" run_id={run}" if run else ""
        body = f"feed_id={feed} page {page}/40 stored {page * 7 + int(since) % 5} rows{own}"
        world.log(since + 4 * page, "importer", body, clock=hand)


def test_two_hosts_at_one_feed() -> None:
    world = World()
    pages(world, 1400, "host-a")
    pages(world, 1413, "host-b")
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert "feed:acme" in finding.keys
    assert at(1410) < finding.began < at(1420)


def test_two_runs_on_one_host() -> None:
    world = World()
    pages(world, 1400, "host-a", run="r-1")
    pages(world, 1413, "host-a", run="r-2")
    (finding,) = found(world)
    assert {"run:r-1", "run:r-2"} <= set(finding.keys)


def test_a_sweep_that_meets_the_next_one() -> None:
    world = World()
    for start, run in ((900, "a1"), (1300, "a2"), (1420, "a3")):
        for item in range(40):
            second = start + item * (5 if run != "a1" else 1)
            world.log(second, "sweep", f"settled claim_id={item + 500} run_id={run}")
    (finding,) = found(world)
    assert isinstance(finding, WorkedTwice)
    assert (finding.pairs[0].first, finding.pairs[0].second) == ("run:a2", "run:a3")
    assert "claim:510" in finding.keys


def test_a_hand_over_is_no_meeting() -> None:
    world = World()
    pages(world, 1400, "host-a")
    pages(world, 1445, "host-b")
    assert not found(world)


def test_who_divides_the_pages_does_not_do_them_twice() -> None:
    world = World()
    pages(world, 1400, "host-a")
    pages(world, 1413, "host-b", first=11)
    assert not found(world)


def test_one_line_that_came_two_ways_is_one_line() -> None:
    world = World()
    pages(world, 1400, "host-a")
    pages(world, 1400, "agent-b")
    assert not found(world)


def test_where_every_host_is_told_everything_nobody_is_too_many() -> None:
    world = World()
    for number, host in enumerate(("host-a", "host-b", "host-c")):
        pages(world, 1400 + number, host)
    assert not found(world)


def test_what_met_all_night_is_a_habit() -> None:
    world = World()
    for number in range(6):
        pages(world, 100 + 200 * number, "host-a", feed=f"f{number}x")
        pages(world, 109 + 200 * number, "host-b", feed=f"f{number}x")
    assert not found(world)


def test_two_attempts_of_one_job_are_another_matter() -> None:
    world = World()
    for since, host in ((1400, "host-a"), (1413, "host-b")):
        for part in range(10):
            body = f"part {part}/10 job_id=j7 export_id=e9"
            world.log(since + 4 * part, "worker", body, clock=host)
    assert not found(world)


def held(world: World, instance: str, spans: list[tuple[int, int]], gauge: str = "leader") -> None:
    for sample in range(0, 2100, 15):
        value = float(any(low <= sample < high for low, high in spans))
        labels = {"job": "cron", "instance": instance}
        world.events.append(
            Event(
                timestamp=at(sample),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"{gauge} (instance={instance}, job=cron) = {value:g}",
                ref=f"{gauge}{instance}@{sample}",
                seq=sample,
                actor="cron",
                attributes=json.dumps({"metric": gauge, "labels": labels, "value": value}),
            )
        )


@pytest.mark.parametrize("gauge", ["leader", "batch_running", "mutex_held"])
def test_two_that_hold_what_one_held_before(gauge: str) -> None:
    world = World()
    held(world, "a:1", [(0, 600), (1200, 1700)], gauge)
    held(world, "b:1", [(630, 1180), (1500, 1700)], gauge)
    (finding,) = found(world, TwoHolders)
    assert finding.verdict is Verdict.LIKELY
    assert at(1490) <= finding.began <= at(1515)


def test_workers_that_are_busy_by_themselves_are_no_holders() -> None:
    world = World()
    held(world, "a:1", [(n, n + 90) for n in range(0, 2100, 150)])
    held(world, "b:1", [(n, n + 90) for n in range(60, 2100, 210)])
    assert not found(world, TwoHolders)


def test_a_hand_over_between_two_scrapes_is_none() -> None:
    world = World()
    held(world, "a:1", [(0, 900)])
    held(world, "b:1", [(885, 2100)])
    assert not found(world, TwoHolders)


def test_what_is_held_by_all_is_no_token() -> None:
    world = World()
    held(world, "a:1", [(0, 2100)], "up")
    held(world, "b:1", [(1000, 2100)], "up")
    assert not found(world, TwoHolders)


def closing(world: World, name: str, start: float, end: float, **more: object) -> None:
    args = str(more.pop("args", "period_id=2026-01"))
    world.run(name, args, start - 1, start, end, job_class="ClosePeriod", **more)


def same_work(world: World) -> list[Finding]:
    return [f for f in found(world, OverlappingRuns) if getattr(f, "sign", "") == "same work"]


@pytest.mark.parametrize("source", ["rq", "oban", "sqs"])
def test_two_jobs_that_were_given_the_same(source: str) -> None:
    world = World()
    closing(world, "j1", 1300, 1500, source=source)
    closing(world, "j2", 1420, 1580, source=source)
    (finding,) = same_work(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert {"period:2026-01", "job:j1", "job:j2"} <= set(finding.keys)


def test_one_after_the_other_is_no_company() -> None:
    world = World()
    closing(world, "j1", 1300, 1400)
    closing(world, "j2", 1420, 1580)
    assert not same_work(world)


def test_parts_of_one_whole_are_not_the_same_work() -> None:
    world = World()
    closing(world, "j1", 1300, 1500, args="period_id=2026-01 part=1")
    closing(world, "j2", 1420, 1580, args="period_id=2026-01 part=2")
    assert not same_work(world)


def test_jobs_of_which_two_run_all_night_are_a_habit() -> None:
    world = World()
    for number in range(8):
        args = f"period_id=p{number}"
        closing(world, f"a{number}", 100 + 180 * number, 160 + 180 * number, args=args)
        closing(world, f"b{number}", 110 + 180 * number, 170 + 180 * number, args=args)
    assert not same_work(world)


def test_what_two_hosts_name_all_night_is_a_part_of_them() -> None:
    world = World()
    for number in range(200):
        body = f"pool {number % 4} drained thing_id=0x7f1c"
        world.log(10.0 * number, "worker", body, clock=f"host-{number // 4 % 2}")
    assert not found(world)


def test_where_an_object_lies_in_memory_is_no_work() -> None:
    world = World()
    for since, host in ((1400, "host-a"), (1413, "host-b")):
        for part in range(10):
            body = f"step {part} with #<OrderFile id: 0x00007f1c2a> feed_id=0x00007f1c2a"
            world.log(since + 4 * part, "worker", body, clock=host)
    assert not found(world)


@pytest.mark.parametrize(("name", "times"), [("message_id", 0), ("upload_id", 1)])
def test_items_that_a_queue_gave_out_again_were_not_done_twice_at_once(
    name: str, times: int
) -> None:
    world = World()
    for number in range(30):
        body = f"taken {name}=m-{number:04}7c"
        world.log(600 + 4 * number, "relay", body, clock="host-a")
        if number >= 14:  # two and two change places on their way
            later = 606 + 4 * (number + 1 - 2 * (number % 2))
            world.log(later, "relay", body, clock="host-b")
    assert len(found(world)) == times
