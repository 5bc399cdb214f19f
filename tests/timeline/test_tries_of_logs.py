"""Attempts that a queue forgets and its workers wrote of, and failures of lines without levels."""

from __future__ import annotations

import pytest

from timeline.detectors.poison_job import PoisonJobDetector, UnreadableJob
from timeline.event import Kind

from .worlds import World, healthy

FIRST = 1200.0
BROKEN = "UnicodeDecodeError: 'utf-8' codec can't decode byte 0x96 in position 211"


def others(world: World, *, severity: int = 9) -> World:
    """Forty jobs of the same kind that go well."""
    for number in range(40):
        at, job = 40 + number * 45, f"q{number}w"
        world.job(at - 1, Kind.JOB_ENQUEUED, job, f"user_id={number}")
        world.job(at, Kind.JOB_STARTED, job, f"user_id={number}")
        world.job(at + 1, Kind.JOB_FINISHED, job, f"user_id={number}")
        spoken(world, at, job, number, "ready with", severity)
    return world


def spoken(world: World, at: float, job: str, user: int, end: str, severity: int = 9) -> None:
    told, host = f"welcome_mail job_id={job} user_id={user}", f"courier-{user % 3}"
    world.log(at, "courier", f"take {told}", severity=severity, clock=host)
    world.log(at + 0.9, "courier", f"{end} {told}", severity=severity, clock=host)


def fails(world: World, at: float, job: str, severity: int, error: str = BROKEN) -> None:
    told = f"welcome_mail job_id={job} user_id=77"
    world.log(at, "courier", f"take {told}", severity=min(severity, 9), clock="courier-1")
    words = f"gave up {told}\n{error}"
    world.log(at + 0.2, "courier", words, severity=severity, clock="courier-1")


def found(world: World) -> list[UnreadableJob]:
    result = PoisonJobDetector().detect(world.incident())
    return [one for one in result if isinstance(one, UnreadableJob)]  # type: ignore[union-attr]


@pytest.mark.parametrize("attempts", [3, 5, 9])
def test_a_queue_that_keeps_the_last_attempt_leaves_the_others_to_the_logs(attempts: int) -> None:
    world = others(healthy(World()))
    world.job(FIRST - 1, Kind.JOB_ENQUEUED, "bad1", "user_id=77")
    for number in range(attempts):
        fails(world, FIRST + 30 * number, "bad1", 17)
    last = FIRST + 30 * (attempts - 1)
    world.job(last, Kind.JOB_STARTED, "bad1", "user_id=77")
    world.job(last + 0.2, Kind.JOB_RETRIED, "bad1", "user_id=77", error=BROKEN)
    (finding,) = found(world)
    assert (finding.jobs, finding.attempts) == (("job:bad1",), attempts)
    assert finding.job_class == "welcome_mail"


def test_two_words_about_one_failure_are_one_attempt() -> None:
    world = others(healthy(World()))
    for number in range(2):
        at = FIRST + 30 * number
        fails(world, at, "bad1", 17)
        world.job(at, Kind.JOB_STARTED, "bad1", "user_id=77")
        world.job(at + 0.2, Kind.JOB_RETRIED, "bad1", "user_id=77", error=BROKEN)
    incident = world.incident()
    assert incident.tries.filter(incident.tries["job"] == "job:bad1").height == 2
    assert found(world) == []


@pytest.mark.parametrize(
    "error",
    [
        BROKEN,
        "com.acme.feed.BadRowException: line 14",
        "java.lang.NumberFormatException: For input string: x",
    ],
)
def test_lines_without_levels_fail_by_the_name_of_what_was_raised(error: str) -> None:
    world = World()
    for number in range(40):
        spoken(world, 40 + number * 45, f"q{number}w", number, "ready with", severity=0)
    for number in range(4):
        fails(world, FIRST + 30 * number, "bad1", 0, error)
    (finding,) = found(world)
    assert finding.attempts == 4


@pytest.mark.parametrize("error", ["no errors", "ErrorBudget ok", "0 exceptions seen: all well"])
def test_lines_without_levels_that_only_count_errors_are_no_failures(error: str) -> None:
    world = World()
    for number in range(40):
        spoken(world, 40 + number * 45, f"q{number}w", number, "ready with", severity=0)
    for number in range(4):
        fails(world, FIRST + 30 * number, "bad1", 0, error)
    assert found(world) == []
