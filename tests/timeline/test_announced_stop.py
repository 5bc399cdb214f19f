"""lost-worker beside a rolling release: which host's announcement is the lost worker's own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from timeline.detectors.lost_worker import LostWorker, LostWorkerDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated

from .worlds import World, healthy, iso

LOST = 1500.0


def found(stopping: str, *, told_apart: bool = True) -> list[LostWorker]:
    """A worker of box-1 is missed at `LOST`; `stopping` announces its stop before that."""
    world = healthy(World())
    for number in range(20):
        for box in ("box-1", "box-2"):
            line = f"start welcome_mail job_id=k{box}{number}"
            clock = box if told_apart else "mailer.log"
            world.log(300 + 20 * number, "mailer", line, clock=clock)
    world.job(LOST - 300, Kind.JOB_STARTED, "j1", "user_id=1", worker="box-1.77", clock="box-1")
    clock = stopping if told_apart else "mailer.log"
    world.log(LOST - 60, "mailer", "received SIGTERM, shutting down gracefully", clock=clock)
    event = world.job(LOST, Kind.JOB_RETRIED, "j1", "user_id=1")
    told = json.loads(event.attributes or "{}")
    told |= {"declared_lost_at": iso(LOST), "lock_last_renewed_before": iso(LOST - 200)}
    world.events[-1] = replace(event, attributes=json.dumps(told))
    result = LostWorkerDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, LostWorker)]


def test_another_host_that_stops_explains_nothing() -> None:
    (finding,) = found("box-2")
    assert not finding.qualifier


@pytest.mark.parametrize("told_apart", [True, False])
def test_the_own_stop_does_and_so_may_one_that_is_not_told_apart(told_apart: bool) -> None:
    (finding,) = found("box-1", told_apart=told_apart)
    assert finding.qualifier
    assert "announced" in finding.weakest_link
