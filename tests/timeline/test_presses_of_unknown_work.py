"""re-press: jobs of which neither class nor arguments are known are not the same work."""

from __future__ import annotations

import pytest

from timeline.detectors.re_press import RePressDetector
from timeline.event import Kind
from timeline.finding import NotEvaluated

from .worlds import World, healthy


@pytest.mark.parametrize("args", ["", "4711"])
def test_jobs_without_a_class_break_nothing(args: str) -> None:
    """Celery's results tell neither, once the message is gone; kombu's may keep the arguments."""
    world = healthy(World())
    for number in range(4):
        text = f"LookupError: User {number} not found"
        world.job(1500 + number, Kind.JOB_FAILED, f"t{number}", args, job_class="", error=text)
    result = RePressDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated) or not [one for one in result if not args]
