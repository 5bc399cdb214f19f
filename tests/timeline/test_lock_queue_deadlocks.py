"""lock-queue: circles that the database broke, and what their clients took up again or gave up."""

from __future__ import annotations

import pytest

from timeline.detectors.deadlocks import Deadlock
from timeline.order import Verdict

from .test_lock_queue import found
from .worlds import World, healthy

CIRCLE = (
    "deadlock detected␊DETAIL:  Process 812 waits for ShareLock on transaction 740; blocked by "
    "process 811.␊ Process 811 waits for ShareLock on transaction 741; blocked by process 812."
)


def deadlock(world: World, seconds: float, request: str, last: str, severity: int = 9) -> None:
    """One deadlock as the server and its client tell it, and the client's last line."""
    world.error(seconds, "postgres", CIRCLE, source="pg.log")
    body = f"psycopg.errors.DeadlockDetected: {CIRCLE} request_id={request}"
    world.log(seconds + 0.01, "web", body, severity=17)
    world.log(seconds + 0.3, "web", f"{last} request_id={request}", severity=severity)


def test_one_deadlock_that_was_tried_again_is_only_a_qualifier() -> None:
    world = healthy(World())
    deadlock(world, 1700, "a1", "POST /orders 201")
    (finding,) = found(world)
    assert isinstance(finding, Deadlock)
    assert finding.qualifier
    assert (finding.deadlocks, finding.went_on, finding.failed) == (1, 1, 0)
    assert finding.circles == (("811", "812"),)
    assert "1 went on afterwards" in finding.sentence()


def test_one_deadlock_whose_request_failed_is_a_finding() -> None:
    world = healthy(World())
    deadlock(world, 1700, "a1", "POST /orders failed", severity=17)
    (finding,) = found(world)
    assert isinstance(finding, Deadlock)
    assert not finding.qualifier
    assert finding.verdict is Verdict.CERTAIN
    assert finding.failed == 1
    assert "request:a1" in finding.keys


def refund_gave_up(world: World, words: str = "refund wallet_id=31 given up:") -> None:
    """A client without job or request ids, whose error names the thing and where it stood."""
    world.error(1700, "postgres", CIRCLE, source="pg.log")
    context = '␊CONTEXT:  while updating tuple (0,3) in relation "wallets"'
    world.log(1700.01, "refunder", f"{words} {CIRCLE}{context}", severity=17)


def test_a_thing_that_its_client_gave_up_is_a_finding() -> None:
    world = healthy(World())
    refund_gave_up(world)
    world.log(1701, "refunder", "refund wallet_id=32 done")
    world.log(1702, "auditor", "checked wallet_id=31")
    (finding,) = found(world)
    assert isinstance(finding, Deadlock)
    assert (finding.qualifier, finding.went_on, finding.failed) == (False, 0, 1)
    assert finding.tables == ("wallets",)
    assert "over wallets" in finding.sentence()
    assert "wallet:31" in finding.keys


@pytest.mark.parametrize(
    "again", ["refund wallet_id=31 done", "refund wallet_id=31 committed on attempt 2"]
)
def test_a_thing_that_its_client_took_up_again_is_only_a_qualifier(again: str) -> None:
    world = healthy(World())
    refund_gave_up(world)
    world.log(1701, "refunder", again)
    (finding,) = found(world)
    assert isinstance(finding, Deadlock)
    assert (finding.qualifier, finding.went_on, finding.failed) == (True, 1, 0)


def test_a_client_that_says_it_will_retry_has_not_given_up() -> None:
    world = healthy(World())
    refund_gave_up(world, "refund wallet_id=31 attempt 1 of 3:")
    (finding,) = found(world)
    assert isinstance(finding, Deadlock)
    assert (finding.qualifier, finding.went_on, finding.failed) == (True, 0, 0)


def test_deadlocks_again_and_again_are_a_finding_though_each_was_tried_again() -> None:
    world = healthy(World())
    for number in range(3):
        deadlock(world, 1700 + number * 20, f"a{number}", "POST /orders 201")
    (finding,) = found(world)
    assert isinstance(finding, Deadlock)
    assert (finding.deadlocks, finding.qualifier) == (3, False)
