"""backlog as the queue itself tells it now: how many wait, since when, and who takes from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.batch import BatchExtras, Remark, batch_of
from timeline.coverage import Sight
from timeline.detectors.backlog import BacklogDetector
from timeline.detectors.backlog_finding import PAUSED, Backlog
from timeline.event import Kind
from timeline.facts.backlogs import ALL_QUEUES, How
from timeline.order import Verdict

from .test_backlog import depth_now, found, note, only
from .worlds import World, at


def test_a_present_depth_of_a_paused_queue_is_said_as_such() -> None:
    world = World()
    note(world, 1500, "paused mailers")
    depth_now(world, 420, oldest=1501)
    finding = only(world)
    assert finding.how is How.NOT_KNOWN
    assert finding.verdict is Verdict.LIKELY
    assert "420 jobs wait in mailers now (not then), the oldest since 02:25:01" in (
        finding.sentence()
    )


@pytest.mark.parametrize("words", ["; the queue is paused", ""])
def test_what_the_queue_itself_says_of_a_pause_is_enough(words: str) -> None:
    world = World()
    depth_now(world, 420, words=words)
    batches = world.batches()
    if not words:
        said = Remark("rq", "quiet", "all workers are paused (pause-all-workers)")
        batches.append(batch_of("rq", [], BatchExtras()))
        batches[-1] = replace(batches[-1], remarks=(said,))
    (finding,) = BacklogDetector().detect(world.incident(batches))  # type: ignore[misc]
    assert isinstance(finding, Backlog)
    assert finding.changed == PAUSED
    assert finding.verdict is Verdict.LIKELY


def test_an_old_present_backlog_is_only_possible() -> None:
    world = World()
    depth_now(world, 420, oldest=900)
    assert only(world).verdict is Verdict.POSSIBLE


def test_the_sum_of_all_queues_is_not_told_beside_its_parts() -> None:
    world = World()
    note(world, 1500, "all workers paused")
    depth_now(world, 420, oldest=1501, source="sidekiq")
    depth_now(world, 425, oldest=1501, source="sidekiq", queue=ALL_QUEUES)
    assert [one.queue for one in found(world)] == ["mailers"]


def waiting_since(world: World, first: float, *, status: str = "queued") -> World:
    """A queue that forgets what it has done: only what waits now still has its stamp."""
    for number in range(60):
        world.job(
            first + number * 5, Kind.JOB_ENQUEUED, f"v{number}", queue="facturen", status=status
        )
    depth_now(world, 60, queue="facturen")
    world.blind("rq", 0, 2100, Sight.NOW_ONLY)
    return world


def test_what_waits_now_and_came_before_t_was_waiting_at_t() -> None:
    finding = only(waiting_since(World(), 1500))
    assert finding.verdict is Verdict.LIKELY
    assert finding.began == at(1500)
    assert finding.waited_then == 49  # pushed a minute or longer before 1800 s
    assert "49 of them waited at T" in finding.sentence()


@pytest.mark.parametrize(("first", "status"), [(1790, "queued"), (1500, "scheduled")])
def test_what_came_later_or_is_put_off_did_not_wait_at_t(first: float, status: str) -> None:
    assert found(waiting_since(World(), first, status=status)) == []


def test_a_queue_that_nobody_takes_from_is_told_at_once() -> None:
    world = World()
    depth_now(world, 60, queue="facturen", takers=0)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.clause() == "60 jobs wait in facturen now and no worker takes from it"
    assert finding.next_action == "Start workers for facturen, one first: nobody takes from it."


@pytest.mark.parametrize(("depth", "takers"), [(60, 2), (60, None), (3, 0)])
def test_a_queue_with_workers_or_hardly_any_work_is_no_backlog(
    depth: int, takers: int | None
) -> None:
    world = World()
    depth_now(world, depth, takers=takers)
    assert found(world) == []
