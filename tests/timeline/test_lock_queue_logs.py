"""lock-queue as the server's log and its clients tell it, alone and beside its state."""

from __future__ import annotations

import json

import pytest

from timeline.detectors.lock_queue import (
    IDLE,
    UNKNOWN,
    LockTimeouts,
)
from timeline.finding import to_json
from timeline.order import Verdict

from .test_lock_queue import MIGRATION, found, only, pile, still_waiting
from .worlds import SECOND, World, at, healthy


def logged_pile(world: World | None = None) -> World:
    world = world or healthy(World())
    still_waiting(world, 1601.0, MIGRATION, "811", "812", mode="AccessExclusiveLock")
    for number in range(3):
        queue = ", ".join(str(pid) for pid in (MIGRATION, *range(900, 901 + number)))
        still_waiting(world, 1701.0 + number, 900 + number, "811", queue)
    return world


def test_the_servers_log_alone_names_root_and_first_waiter() -> None:
    finding = only(logged_pile())
    assert finding.verdict is Verdict.CERTAIN
    assert finding.root is not None
    assert finding.root.session == "811"
    assert finding.waiters[0].session == "812"
    assert finding.began == at(1601) - 1_000_123_000
    assert len(finding.waiters) == 4
    assert "ann" not in json.dumps(to_json(finding.evidence())), "no literal of a statement"


def test_an_acquired_line_tells_how_long_the_same_wait_was() -> None:
    world = logged_pile()
    line = (
        "process 812 acquired AccessExclusiveLock on relation 16402 of database 5 after 95000.0 ms"
    )
    world.log(1694.9999, "postgres", line, source="pg.log")
    finding = only(world)
    assert finding.longest == pytest.approx(95 * SECOND, abs=SECOND)
    assert len(finding.waiters) == 4


def test_a_log_without_holders_is_only_likely_and_names_nobody() -> None:
    world = healthy(World())
    for number in range(3):
        still_waiting(world, 1701.0 + number, 900 + number, "", "")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.root, finding.root_kind) == (None, UNKNOWN)
    assert "nobody named" in finding.sentence()


def test_two_holders_leave_open_which_one_it_was() -> None:
    world = healthy(World())
    for number in range(3):
        still_waiting(world, 1701.0 + number, 900 + number, "811, 814", f"{900 + number}")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "pid 814" in finding.weakest_link


def test_state_and_log_of_one_queue_are_one_finding() -> None:
    finding = only(logged_pile(pile()))
    assert finding.root_kind == IDLE
    assert len(finding.waiters) == 4


def test_only_clients_that_gave_up_are_possible_at_most() -> None:
    world = healthy(World())
    for number, service in enumerate(("web", "billing", "web")):
        line = "psycopg.errors.LockNotAvailable: canceling statement due to lock timeout"
        world.error(1700 + number, service, line)
    (finding,) = found(world)
    assert isinstance(finding, LockTimeouts)
    assert finding.verdict is Verdict.POSSIBLE
    assert "3 statements of billing and web gave up" in finding.sentence()


def test_those_who_gave_up_are_counted_into_the_queue_that_the_server_tells() -> None:
    world = pile()
    for number in range(3):
        world.error(1800 + number, "web", "canceling statement due to lock timeout")
    finding = only(world)
    assert finding.gave_up == 3
    assert "3 statements gave up waiting" in finding.sentence()
