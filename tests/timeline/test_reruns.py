"""re-press by the dashboard: a job that failed is pushed again by hand over the same items."""

from __future__ import annotations

import pytest

from timeline.detectors.re_press import RePress, RePressDetector
from timeline.event import Kind
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, healthy

FIRST = 900.0


def found(world: World) -> list[RePress]:
    return findings_of(RePressDetector(), world.incident(), RePress)


def run(
    world: World,
    job: str,
    seconds: float,
    items: range,
    words: str = "wrote branch_id={item} ({job})",
    end: Kind = Kind.JOB_FAILED,
    pushed: Kind = Kind.JOB_ENQUEUED,
) -> float:
    """One run; returns when it was over."""
    made = {"job_class": "close_books", "queue": "reports", "status": "failed"}
    world.job(seconds, pushed, job, "period=2026-01", **made)
    world.job(seconds + 0.5, Kind.JOB_STARTED, job, "period=2026-01", **made)
    for place, item in enumerate(items):
        told = words.format(item=item, job=job)
        world.log(seconds + 1 + 0.5 * place, "bookkeeper", told)
    over = seconds + 1 + 0.5 * len(items)
    world.job(over, end, job, "period=2026-01", **made)
    return over


@pytest.mark.parametrize(
    "words",
    ["wrote branch_id={item} ({job})", "closed branch_id={item}", "[{job}] branch_id={item}"],
)
@pytest.mark.parametrize("same", [True, False])
def test_the_same_items_after_each_push(words: str, same: bool) -> None:
    world = healthy(World())
    over = run(world, "c0", FIRST, range(40), words)
    over = run(world, "c0" if same else "c1", over + 40, range(55), words)
    run(world, "c0" if same else "c2", over + 25, range(70), words)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.presses) == 3
    assert finding.keys == tuple(sorted(f"branch:{item}" for item in range(55)))


def test_runs_over_other_items_are_none() -> None:
    world = healthy(World())
    over = run(world, "c0", FIRST, range(40))
    run(world, "c1", over + 40, range(40, 90))
    assert not found(world)


def test_an_automatic_retry_is_no_press() -> None:
    world = healthy(World())
    over = run(world, "c0", FIRST, range(40), end=Kind.JOB_RETRIED)
    run(world, "c0", over + 40, range(40), pushed=Kind.JOB_RETRIED, end=Kind.JOB_FINISHED)
    assert not found(world)


def test_what_ended_well_and_is_run_again_later_is_settled() -> None:
    world = healthy(World())
    run(world, "c0", FIRST, range(40), "branch_id={item}", end=Kind.JOB_FINISHED)
    run(world, "c1", FIRST + 400, range(40), "branch_id={item}", end=Kind.JOB_FINISHED)
    assert not found(world)
