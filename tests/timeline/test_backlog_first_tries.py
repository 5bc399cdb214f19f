"""backlog: jobs whose only start is the one of a later try wait for their hour and in no line."""

from __future__ import annotations

import json
from dataclasses import replace

from timeline.detectors.backlog import BacklogDetector
from timeline.detectors.backlog_finding import Backlog
from timeline.event import Kind
from timeline.facts.backlogs import histories
from timeline.facts.first_tries import first_tries

from .findings import findings_of
from .worlds import SECOND, World, iso

END = 2100.0
FAILING = (900.0, 1500.0)
"""When what is below failed: jobs that came then were tried again until some minutes later."""


def found(world: World) -> list[Backlog]:
    return findings_of(BacklogDetector(), world.incident(), Backlog)


def moved(
    world: World,
    seconds: float,
    kind: Kind,
    job: str,
    *,
    attempt: int | None,
    due: float | None = None,
    status: str = "completed",
) -> None:
    """A transition as a queue tells it that counts attempts and overwrites their stamps."""
    event = world.job(seconds, kind, job, status=status)
    told = json.loads(event.attributes or "{}")
    if attempt is not None:
        told["attempt"] = attempt
    if due is not None:
        told["due_at"] = iso(due)
    world.events[-1] = replace(event, attributes=json.dumps(told))


def night(world: World, *, attempt: int | None = 4, fresh: bool = True) -> World:
    """A job every three seconds. Of those that came while it failed, two in three are on record
    with the start of their last try, three hundred seconds later, as attempt number `attempt`."""
    for number in range(int(END / 3) - 10):
        sent, job = 1 + number * 3.0, f"m{number}"
        again = FAILING[0] <= sent < FAILING[1] and (number % 3 > 0 or not fresh)
        start, tries = (sent + 300, attempt) if again else (sent + 0.2, attempt and 1)
        moved(world, sent, Kind.JOB_ENQUEUED, job, attempt=tries)
        moved(world, start, Kind.JOB_STARTED, job, attempt=tries)
        moved(world, start + 2, Kind.JOB_FINISHED, job, attempt=tries)
    return world


def test_jobs_that_are_tried_again_are_no_backlog() -> None:
    assert found(night(World())) == []


def test_jobs_that_are_begun_so_late_for_the_first_time_are_one() -> None:
    (finding,) = found(night(World(), attempt=1))
    assert finding.peak is not None
    assert finding.peak > 50


def test_without_a_count_of_attempts_the_stamps_are_all_there_is() -> None:
    assert len(found(night(World(), attempt=None))) == 1


def workers_tell(world: World, *, later: float = 0.0) -> World:
    """The workers' lines of the first try of those jobs, or of one so many seconds `later`."""
    for number in range(int(END / 3) - 10):
        sent = 1 + number * 3.0
        if FAILING[0] <= sent < FAILING[1] and number % 3:
            begun, line = sent + later + 0.3, f"begin welcome_mail job_id=m{number}"
            world.log(begun, "mailer", line, clock="w-1")
            line = f"welcome_mail gave up: no answer job_id=m{number}"
            world.error(begun + 1, "mailer", line, clock="w-1")
    return world


def test_a_job_that_its_worker_shows_failing_had_begun() -> None:
    assert found(workers_tell(night(World(), attempt=None))) == []


def test_of_two_attempts_and_one_stamp_the_first_start_is_unknown_and_no_wait() -> None:
    (history,) = histories(night(World(), attempt=2).incident())
    assert max(history.depths["depth"].to_list()) <= 2
    assert not first_tries(history.moves)["timed"].all()


def test_lines_of_every_try_tell_when_the_job_was_taken_up() -> None:
    world = workers_tell(night(World(), attempt=2))
    workers_tell(world, later=300.0)
    (history,) = histories(world.incident())
    tries = first_tries(history.moves)
    assert tries["timed"].all()
    assert max((tries["left"] - tries["came"]).to_list()) < SECOND


def test_a_sampled_depth_in_which_fresh_jobs_begin_at_once_is_no_line() -> None:
    """The system counts what is put off among what waits."""
    world = sampled(night(World(), attempt=4))
    assert found(world) == []


def test_a_sampled_depth_in_which_fresh_jobs_wait_is_one() -> None:
    assert len(found(sampled(night(World(), attempt=1)))) == 1


def sampled(world: World) -> World:
    for seconds in range(0, int(END), 30):
        held = min(max(0.0, seconds - FAILING[0]), 300.0) if seconds < FAILING[1] + 300 else 0.0
        event = world.job(float(seconds), Kind.METRIC, f"sample{seconds}")
        told = {"queue": "mailers", "depth": int(held / 4.5)}
        world.events[-1] = replace(event, keys=(), attributes=json.dumps(told))
    return world


def stuck(world: World) -> World:
    """From 1500 s on nobody takes up anything."""
    for number in range(int(END / 3)):
        sent, job = 1 + number * 3.0, f"m{number}"
        moved(world, sent, Kind.JOB_ENQUEUED, job, attempt=int(sent < 1500))
        if sent < 1500:
            moved(world, sent + 0.2, Kind.JOB_STARTED, job, attempt=1)
            moved(world, sent + 2, Kind.JOB_FINISHED, job, attempt=1)
    return world


def test_jobs_put_off_for_another_try_are_told_as_such_beside_a_backlog() -> None:
    world = stuck(World())
    (alone,) = found(world)
    for number in range(7):
        job, came, due = f"late{number}", 1550.0 + number, 2400.0 + number
        for seconds, kind in ((came, Kind.JOB_ENQUEUED), (came + 1, Kind.JOB_STARTED)):
            moved(world, seconds, kind, job, attempt=2, due=due, status="retryable")
    (finding,) = found(world)
    assert (finding.peak, finding.put_off) == (alone.peak, 7)
    assert "Not counted: 7 jobs put off for another try, the last until 02:40:06.000." in (
        finding.figures
    )
    assert alone.put_off == 0


def test_a_backlog_says_how_many_more_may_have_waited() -> None:
    world = stuck(World())
    assert "first start" not in found(world)[0].weakest_link
    for number in range(9):
        came = 1550.0 + number
        moved(world, came, Kind.JOB_ENQUEUED, f"late{number}", attempt=3)
        moved(world, came + 400, Kind.JOB_STARTED, f"late{number}", attempt=3)
    assert "overwrote the first start of 9 further jobs" in found(world)[0].weakest_link
