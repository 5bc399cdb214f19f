"""unsafe-replay where two jobs were at one thing: either of them may have written its rows."""

from __future__ import annotations

import pytest

from timeline.event import Kind
from timeline.order import Verdict

from .test_unsafe_replay import BEGUN, attempt, only
from .worlds import World, healthy


def written_for(order: int) -> World:
    """One failed job on order 77, and a row about `order` written while it ran."""
    world = healthy(World())
    attempt(world, "a1", 77, told='duplicate key value violates unique constraint "invoices_once"')
    world.row(BEGUN + 1, "invoices", 9, columns={"order_id": order})
    return world


def twin(world: World, order: int, seconds: float) -> World:
    """Another job of two seconds that ended well."""
    world.run("a2", f"order_id={order}", seconds - 1, seconds, seconds + 2, job_class="Shop.Twin")
    return world


def test_a_row_that_two_jobs_may_have_written_is_possible() -> None:
    finding = only(twin(written_for(77), 77, BEGUN - 0.5))
    assert finding.verdict is Verdict.POSSIBLE
    assert "while another job was at it" in finding.weakest_link


@pytest.mark.parametrize(("order", "seconds"), [(78, BEGUN - 0.5), (77, BEGUN - 30)])
def test_another_job_on_another_thing_or_at_another_time_takes_nothing_away(
    order: int, seconds: float
) -> None:
    assert only(twin(written_for(77), order, seconds)).verdict is Verdict.LIKELY


def test_one_job_under_two_names_is_no_other() -> None:
    world = written_for(77)
    started = next(e for e in world.events if e.kind is Kind.JOB_STARTED and "job:a1" in e.keys)
    world.log(BEGUN + 0.2, "clerk", "began job_id=a1 job_id=b1 order_id=77")
    assert started.keys
    assert only(world).verdict is Verdict.LIKELY


def test_what_names_the_job_is_its_own_whoever_else_was_there() -> None:
    world = twin(written_for(78), 77, BEGUN - 0.5)
    world.row(BEGUN + 1, "ledgers", 5, columns={"job_id": "a1", "order_id": 77})
    assert only(world).verdict is Verdict.CERTAIN
