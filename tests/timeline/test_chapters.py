"""The story of a key in chapters: nothing of another story, and what cannot be known."""

from __future__ import annotations

import pytest

from timeline.chapters import MOST_OF_A_KIND, Chapter, chapters_of, told_first
from timeline.compare_sides import Outcome
from timeline.event import Kind

from .worlds import World


def sign_up(world: World, user: int, begin: float, *, fails: bool = False) -> None:
    job, args = f"j{user}", f"user_id={user}"
    world.log(begin, "web", f"POST /signups user_id={user} request_id=r{user}")
    world.row(begin + 0.1, "users", user)
    world.job(begin + 0.2, Kind.JOB_ENQUEUED, job, args)
    world.job(begin + 0.3, Kind.JOB_STARTED, job, args, worker="worker-1")
    if fails:
        world.job(begin + 0.5, Kind.JOB_FAILED, job, args, worker="worker-1", error="lost")
        return
    world.log(begin + 0.4, "worker-1", f"sent welcome mail to user_id={user} job_id={job}")
    world.job(begin + 0.5, Kind.JOB_FINISHED, job, args, worker="worker-1")


def test_request_row_job_and_effect_stand_in_their_chapters() -> None:
    world = World()
    sign_up(world, 4711, 1000)
    sign_up(world, 4712, 1001, fails=True)
    told = chapters_of(world.incident(), "user:4711")
    assert [one.key for one in told.requests] == ["request:r4711"]
    assert [one.key for one in told.rows] == ["row:users/4711"]
    assert [(one.key, one.outcome.words) for one in told.jobs] == [("job:j4711", "finished")]
    assert [(job, effect.kind) for job, effect in told.effects] == [("job:j4711", "sent")]
    assert told.errors == () and told.unknown == ()
    assert told.sentence == "user:4711: 1 request, 1 database row, 1 job, 1 effect"


def test_what_went_wrong_is_counted_and_told() -> None:
    world = World()
    sign_up(world, 4712, 1000, fails=True)
    told = chapters_of(world.incident(), "user:4712")
    assert "1 job (1 went wrong)" in told.sentence
    assert [event.kind for event in told.errors] == [Kind.JOB_FAILED]


def test_what_no_source_could_see_is_part_of_the_story() -> None:
    world = World()
    sign_up(world, 4711, 1000)
    world.blind("rq", 1000, 1500)
    told = chapters_of(world.incident(), "user:4711")
    assert [entry.source for entry in told.unknown] == ["rq"]


def test_rows_from_beyond_the_window_are_counted() -> None:
    world = World()
    sign_up(world, 4711, 1000)
    world.row(-50_000, "profiles", 9, columns={"user_id": 4711})
    told = chapters_of(world.incident(), "user:4711")
    assert told.outside == 1 and "1 record beyond the window" in told.sentence


def test_a_key_that_nobody_carries_yet_is_said() -> None:
    with pytest.raises(ValueError, match="No row carries order:1 yet"):
        chapters_of(World().incident(), "order:1")


def test_of_many_chapters_those_that_went_wrong_are_kept() -> None:
    world = World()
    event = world.log(1000, "web", "a line")
    every = [
        Chapter(f"job:{n}", (event,), Outcome("failed" if n == 19 else "finished", n != 19))
        for n in range(20)
    ]
    kept, left = told_first(every)
    assert len(kept) == MOST_OF_A_KIND and left == 20 - MOST_OF_A_KIND
    assert kept[-1].key == "job:19"
