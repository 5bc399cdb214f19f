"""Who hands work over, told by the order of lines and, under shuffled clocks, by their number."""

from __future__ import annotations

import random

import polars as pl
import pytest

from timeline.facts.pushers import pushing_actors

SECOND = 1_000_000_000
Said = tuple[str, str, int]


def pushers(said: list[Said]) -> list[str]:
    lines = pl.DataFrame(said, schema=["job", "actor", "timestamp"], orient="row")
    return pushing_actors(lines).to_list()


def handed_over(jobs: int, off_s: float) -> list[Said]:
    """`desk` hands each job over; `oven` says 0.1 s later that it takes it, then that it is done.

    The clock of each line of `oven` is off by up to `off_s`, one way or the other.
    """
    rng, said = random.Random(jobs), []
    for number in range(jobs):
        job, at = f"job:{number}", number * 10.0
        off = rng.uniform(-off_s, off_s)
        told = ((at, "desk"), (at + 0.1 + off, "oven"), (at + 0.4 + off, "oven"))
        said += [(job, actor, round(seconds * SECOND)) for seconds, actor in told]
    return said


@pytest.mark.parametrize(("jobs", "off_s"), [(5, 0.0), (200, 0.05), (200, 0.3), (200, 2.0)])
def test_who_writes_once_before_another_takes_it_up_hands_over(jobs: int, off_s: float) -> None:
    assert pushers(handed_over(jobs, off_s)) == ["desk"]


def test_a_few_jobs_out_of_order_decide_nothing() -> None:
    said = handed_over(5, 0.0)
    late = [(job, actor, at + SECOND * (actor == "desk")) for job, actor, at in said[:6]]
    assert pushers(late + said[6:]) == []


def test_who_writes_once_after_the_work_hands_nothing_over() -> None:
    said = [(job, actor, at + 5 * SECOND * (actor == "desk"))
            for job, actor, at in handed_over(200, 0.05)]  # fmt: skip
    assert pushers(said) == []


def test_two_workers_that_each_write_one_line_hand_nothing_over() -> None:
    """A job delivered again: now the one is first, now the other."""
    said = [
        (f"job:{number}", actor, (number * 10 + place) * SECOND)
        for number in range(60)
        for place, actor in enumerate(("w-1", "w-2") if number % 2 else ("w-2", "w-1"))
    ]
    assert pushers(said) == []
