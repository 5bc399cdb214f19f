"""Two of a kind side by side: aligned by what they say, told slower only where it can be known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.compare import Comparison, compare
from timeline.compare_sides import side_of
from timeline.compare_steps import Mark
from timeline.event import Kind
from timeline.similar import main_key, similar_that_went_well, story_key

from .worlds import World, at


def mail(
    world: World, job: str, user: int, sent: float, wait: float, *, fails: bool = False,
    worker: str = "worker-1",
) -> None:  # fmt: skip
    """A sign-up and its mail: row, push, start, line, end."""
    world.log(sent - 0.01, "web", f"POST /signups user_id={user} request_id=r{user}")
    world.row(sent - 0.005, "users", user)
    args = f"user_id={user}"
    world.job(sent, Kind.JOB_ENQUEUED, job, args)
    world.job(sent + wait, Kind.JOB_STARTED, job, args, worker=worker)
    world.log(sent + wait + 0.05, worker, f"looking up user_id={user} job_id={job}")
    if fails:
        world.error(sent + wait + 0.06, worker, f"User {user} not found job_id={job}")
        world.job(sent + wait + 0.07, Kind.JOB_FAILED, job, args, worker=worker, status="failed")
    else:
        world.log(sent + wait + 0.06, worker, f"sent to user_id={user} job_id={job}")
        world.job(sent + wait + 0.07, Kind.JOB_FINISHED, job, args, worker=worker)


def two() -> World:
    world = World()
    mail(world, "aa01", 4711, 1000, 0.1)
    mail(world, "bb02", 4712, 1030, 3.1, fails=True, worker="worker-2")
    return world


def marks(found: Comparison) -> list[tuple[Mark, str, str]]:
    return [
        (step.mark, step.left.body if step.left else "", step.right.body if step.right else "")
        for step in found.steps
    ]


def test_equal_steps_stand_beside_each_other_and_the_rest_is_of_one_side() -> None:
    found = compare(two().incident(), "job:bb02", "job:aa01")
    assert (found.left.outcome.words, found.left.outcome.well) == ("failed", False)
    assert (found.right.outcome.words, found.right.outcome.well) == ("finished", True)
    assert [mark for mark, _, _ in marks(found)] == [
        Mark.SAME, Mark.LEFT_SLOWER, Mark.SAME, Mark.OTHERWISE, Mark.OTHERWISE,
    ]  # fmt: skip
    assert "not found" in marks(found)[3][1] and "sent to" in marks(found)[3][2]


def test_how_much_slower_is_told_from_the_equal_step_before() -> None:
    step = compare(two().incident(), "job:bb02", "job:aa01").steps[1]
    assert step.took == (3_100_000_000, 100_000_000)
    assert step.times == pytest.approx(31)


def test_a_clock_that_may_be_off_by_more_makes_nobody_slower() -> None:
    world = two()
    world.bound = ClockBound(2_000_000_000, 2_000_000_000, "assumed")
    world.events = [
        replace(event, clock="web") if event.kind is Kind.JOB_ENQUEUED else event
        for event in world.events
    ]
    found = compare(world.incident(), "job:bb02", "job:aa01")
    assert Mark.LEFT_SLOWER not in [step.mark for step in found.steps]


def test_a_step_in_another_place_is_not_told_missing() -> None:
    world = World()
    for name, order in (("r1", ("took the lock", "read the cart")), ("r2", ("read the cart",))):
        begin = 1000 if name == "r1" else 1010
        world.log(begin, "web", f"GET /cart started request_id={name}")
        for place, words in enumerate(order):
            world.log(begin + 0.1 * (place + 1), "web", f"{words} request_id={name}")
        if name == "r2":
            world.log(begin + 0.2, "web", f"took the lock request_id={name}")
    found = compare(world.incident(), "request:r1", "request:r2")
    assert [step.mark for step in found.steps] == [Mark.SAME, Mark.MOVED, Mark.SAME, Mark.MOVED]


def test_attributes_that_differ_are_told_without_ids_and_times() -> None:
    found = compare(two().incident(), "job:bb02", "job:aa01")
    names = [name for name, _, _ in found.attributes]
    assert ("worker", "worker-2", "worker-1") in found.attributes
    assert "job_id" not in names and "args" not in names


def test_what_both_share_is_told_of_neither() -> None:
    world = World()
    world.log(1000, "web", "POST /orders request_id=q1", keys=("job:a1", "job:b2"))
    world.log(1001, "web", "took the money request_id=q1")
    world.log(1002, "worker", "printed", keys=("job:a1",))
    world.log(1003, "worker", "printed", keys=("job:b2",))
    found = compare(world.incident(), "job:a1", "job:b2")
    assert "took the money" not in " ".join(event.body for event in found.left.events)


def test_a_key_that_nobody_carries_is_said() -> None:
    with pytest.raises(ValueError, match="No row carries job:zz"):
        compare(two().incident(), "job:aa01", "job:zz")
    with pytest.raises(ValueError, match="itself"):
        compare(two().incident(), "job:aa01", "job:aa01")


def test_what_was_not_seen_stands_beside_what_is_missing() -> None:
    world = two()
    world.blind("rq", 1000, 1040)
    found = compare(world.incident(), "job:bb02", "job:aa01")
    assert any("it was cut" in sentence for sentence in found.unseen)


def test_the_like_of_a_failed_job_is_the_nearest_of_its_class_that_finished() -> None:
    world = two()
    mail(world, "cc03", 4713, 1040, 0.1)
    mail(world, "dd04", 4714, 1031, 0.1, fails=True)
    mail(world, "ee05", 4715, 1300, 0.1)
    world.run("ff06", "user_id=4716", 1032, 1032.1, 1032.2, job_class="invoice")
    found = similar_that_went_well(world.incident(), "job:bb02")
    assert found.key == "job:cc03" and "welcome_mail" in found.by


def test_one_that_went_well_only_after_errors_is_the_second_choice() -> None:
    world = World()
    mail(world, "aa01", 4711, 1000, 0.1, fails=True)
    mail(world, "bb02", 4712, 1010, 0.1)
    world.error(1010.5, "worker-1", "could not count the mail job_id=bb02")
    mail(world, "cc03", 4713, 1100, 0.1)
    assert similar_that_went_well(world.incident(), "job:aa01").key == "job:cc03"
    without = World(events=[e for e in world.events if "job:cc03" not in e.keys])
    second = similar_that_went_well(without.incident(), "job:aa01")
    assert second.key == "job:bb02" and "not at once" in second.by


def test_the_like_of_a_request_is_on_its_route_and_was_answered_well() -> None:
    world = World()
    for number, (path, status) in enumerate(
        (("/orders/1", 200), ("/users/2", 200), ("/orders/3", 500), ("/orders/4", 502))
    ):
        world.log(1000 + number, "web", f"GET {path} {status} in 9 ms request_id=q{number}")
    found = similar_that_went_well(world.incident(), "request:q2")
    assert found.key == "request:q0" and "GET /orders/:id" in found.by


def test_nothing_alike_is_said_with_what_was_looked_for() -> None:
    world = World()
    mail(world, "aa01", 4711, 1000, 0.1, fails=True)
    with pytest.raises(ValueError, match="No other welcome_mail that finished"):
        similar_that_went_well(world.incident(), "job:aa01")


def test_the_main_key_of_a_row_is_what_logs_and_jobs_name_as_well() -> None:
    world = two()
    row = next(event for event in world.events if event.kind is Kind.ROW_INSERTED)
    assert main_key(row, frozenset()) == "user:4711"
    line = next(event for event in world.events if "looking up" in event.body)
    assert main_key(line, frozenset()) == "job:aa01"
    assert main_key(line, frozenset(), like="user:1") == "user:4711"
    assert main_key(line, frozenset({"job:aa01"})) == "user:4711"


def test_the_story_of_a_row_is_that_of_its_thing() -> None:
    world = two()
    line = next(event for event in world.events if "looking up" in event.body)
    assert story_key(line, frozenset(), lambda _: 1) == "user:4711"
    assert story_key(line, frozenset({"user:4711"}), lambda _: 1) == "job:aa01"


def test_of_several_things_the_story_is_that_of_the_rarest() -> None:
    counts = {"campaign:7": 224, "user:4711": 6}
    line = replace(two().events[0], kind=Kind.LOG, keys=("campaign:7", "user:4711", "job:aa01"))
    assert story_key(line, frozenset(), counts.__getitem__) == "user:4711"
    row = replace(line, kind=Kind.ROW_INSERTED, keys=("row:users/4711", "campaign:7"))
    assert story_key(row, frozenset(), counts.__getitem__) == "row:users/4711"


def test_an_answer_with_errors_went_not_well() -> None:
    world = World()
    world.log(1000, "web", "GET /orders/1 200 in 9 ms request_id=q1")
    world.error(999.9, "web", "cache lost request_id=q1")
    outcome = side_of(world.incident(), "request:q1").outcome
    assert (outcome.words, outcome.well, outcome.errors) == ("answered 200, with errors", False, 1)
    assert side_of(world.incident(), "request:q1").began == at(999.9)
