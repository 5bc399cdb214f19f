"""lock-queue: who waits behind whom, as state and log tell it, and what stays silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.detectors.lock_queue import (
    IDLE,
    LONG,
    MIGRATES,
    LockQueue,
    LockQueueDetector,
)
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.finding import Finding, NotEvaluated, to_json
from timeline.order import Verdict

from .worlds import CLOSED, SECOND, World, at, healthy, iso

LOOK = 2100.0
"""When the database was asked: at the window's end."""
ROOT, MIGRATION = 811, 812


def found(world: World) -> list[Finding]:
    result = LockQueueDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return list(result)


def only(world: World) -> LockQueue:
    (finding,) = found(world)
    assert isinstance(finding, LockQueue)
    return finding


def session(
    world: World,
    pid: int,
    application: str,
    began: float,
    *,
    state: str = "active",
    changed: float | None = None,
    query: str = "",
    holds: tuple[str, ...] = (),
) -> None:
    """An open transaction as the PostgreSQL connector tells it."""
    told = {
        "now": True,
        "pid": pid,
        "user": "shop",
        "application_name": application,
        "state": state,
        "xact_start": iso(began),
        "state_change": iso(began if changed is None else changed),
        "query_start": iso(began),
        "holds": list(holds),
        "query": query,
        "seen_at": iso(LOOK),
    }
    shown(world, began, Kind.TXN_BEGIN, f"pg_stat_activity/{pid}@{at(began)}", application, told)


def waiter(
    world: World,
    pid: int,
    application: str,
    blockers: tuple[int, ...],
    since: float | None,
    *,
    mode: str = "AccessShareLock",
    relation: str = "users",
    look: float = LOOK,
    query: str = "SELECT * FROM users WHERE id = 1",
) -> None:
    """A lock wait as the PostgreSQL connector tells it."""
    told = {
        "now": True,
        "pid": pid,
        "user": "shop",
        "application_name": application,
        "state": "active",
        "blocked_pid": pid,
        "blocking_pids": list(blockers),
        "lock": "relation",
        "lock_mode": mode,
        "relation": relation,
        "waits_since": None if since is None else iso(since),
        "query": query,
        "seen_at": iso(look),
    }
    shown(world, look, Kind.LOG, f"pg_locks/{pid}@{at(look)}", application, told, polled=True)


def shown(
    world: World,
    seconds: float,
    kind: Kind,
    ref: str,
    actor: str,
    told: dict[str, object],
    *,
    polled: bool = False,
) -> None:
    world.events.append(
        Event(
            timestamp=at(seconds),
            source="postgres",
            lane=Lane.DATABASE,
            kind=kind,
            body=f"pid {told['pid']}",
            ref=ref,
            seq=len(world.events),
            severity_number=13,
            actor=actor,
            meaning=Meaning.POLLED if polled else Meaning.OCCURRED,
            precision=Precision.MICROSECOND,
            keys=(f"txn:{told['pid']}",),
            attributes=json.dumps(told),
        )
    )


def idle_root(world: World, began: float = 1500.0) -> None:
    session(
        world,
        ROOT,
        "web",
        began,
        state="idle in transaction",
        changed=began + 1,
        query="UPDATE users SET status = '…'",
        holds=("RowExclusiveLock on users",),
    )


def pile(world: World | None = None, readers: int = 3) -> World:
    """An idle transaction, a migration behind it, and readers behind the migration."""
    world = world or healthy(World())
    idle_root(world)
    waiter(
        world,
        MIGRATION,
        "deploy",
        (ROOT,),
        1600.0,
        mode="AccessExclusiveLock",
        query="ALTER TABLE users ADD COLUMN plan text",
    )
    for number in range(readers):
        waiter(world, 900 + number, "reader", (MIGRATION,), 1700.0 + number)
    return world


def still_waiting(
    world: World,
    seconds: float,
    pid: int,
    holders: str,
    queue: str,
    *,
    mode: str = "AccessShareLock",
    source: str = "pg.log",
) -> None:
    """A line of PostgreSQL's log after a second of waiting (`log_lock_waits`)."""
    label = "Process" if "," not in holders else "Processes"
    detail = f"␊DETAIL:  {label} holding the lock: {holders}. Wait queue: {queue}." * bool(holders)
    world.log(
        seconds,
        "postgres",
        f"[{pid}] app@shop process {pid} still waiting for {mode} on relation 16402 of database 5 "
        f"after 1000.123 ms{detail}␊STATEMENT:  SELECT * FROM users WHERE name = 'ann'",
        source=source,
    )


def test_an_idle_transaction_is_named_as_the_root_of_all_who_wait() -> None:
    finding = only(pile())
    assert finding.verdict is Verdict.CERTAIN
    assert finding.root is not None
    assert (finding.root.session, finding.root_kind) == ("811", IDLE)
    assert [waiter.session for waiter in finding.waiters] == ["812", "900", "901", "902"]
    assert finding.depth == 2
    assert finding.gate == "812"
    assert finding.began == at(1600)
    assert finding.longest == 500 * SECOND
    assert finding.next_action.startswith("Ask whoever runs pid 811 (web)")
    assert "kill" not in finding.next_action.lower() + "".join(finding.would_decide)


def test_the_sentence_is_told_from_the_evidence() -> None:
    finding = only(pile())
    told = finding.sentence()
    for words in (
        "4 sessions waited for locks of pid 811 (web)",
        "idle in its transaction for 9 min 59 s",
        "holding RowExclusiveLock on users",
        "first pid 812 (deploy) for AccessExclusiveLock on users from 02:26:40.000 on",
        "at worst 8 min 20 s and 2 deep",
        "readers queue behind it",
    ):
        assert words in told
    one_less = replace(finding, waiters=finding.waiters[:3], depth=1, gate="")
    assert "3 sessions" in one_less.sentence()
    assert "deep" not in one_less.sentence()
    assert "readers queue" not in one_less.sentence()
    assert "at least 4 sessions" in replace(finding, more=True).sentence()
    assert (
        finding.clause() == "4 sessions waited for locks of pid 811 (web), idle in its transaction"
    )
    assert json.dumps(to_json(finding.evidence()))


def test_the_order_of_root_and_waiters_is_certain_by_the_servers_own_word() -> None:
    steps = only(pile()).steps
    assert [step.role for step in steps[:3]] == ["holds the lock", "first waiter", "waits too"]
    assert steps[0].event.kind is Kind.TXN_BEGIN
    orders = [step.order for step in steps[1:]]
    assert all(order is not None and order.verdict is Verdict.CERTAIN for order in orders)
    assert orders[0] is not None
    assert "the server says" in orders[0].because


def test_waiters_that_began_at_once_are_not_put_in_order() -> None:
    world = healthy(World())
    idle_root(world)
    for number in range(3):
        waiter(world, 900 + number, "web", (ROOT,), 1700.0 + number / 1e4)
    last = only(world).steps[-1].order
    assert last is not None
    assert last.verdict is Verdict.POSSIBLE


@pytest.mark.parametrize(
    ("state", "query", "began", "kind", "asked"),
    [
        ("active", "ALTER TABLE users ADD COLUMN x int", 2000.0, MIGRATES, "migration can stop"),
        ("active", "UPDATE users SET plan = 1", 1900.0, LONG, "how long"),
        ("idle in transaction (aborted)", "", 1900.0, IDLE, "end its transaction"),
    ],
)
def test_what_the_root_is_decides_whom_to_ask_for_what(
    state: str, query: str, began: float, kind: str, asked: str
) -> None:
    world = healthy(World())
    session(world, ROOT, "batch", began, state=state, query=query)
    for number in range(3):
        waiter(world, 900 + number, "web", (ROOT,), 2050.0 + number, mode="ShareLock")
    finding = only(world)
    assert finding.root_kind == kind
    assert asked in finding.next_action
    assert "pid 811 (batch)" in finding.next_action


def test_of_two_piles_each_has_its_own_root() -> None:
    world = pile()
    session(world, 700, "batch", 1900.0)
    for number in range(3):
        waiter(world, 710 + number, "stock", (700,), 2000.0 + number, relation="stock")
    roots = [f.root.session for f in found(world) if isinstance(f, LockQueue) and f.root]
    assert roots == ["811", "700"]


def test_a_wait_that_is_seen_twice_is_one_waiter() -> None:
    world = pile()
    for number in range(3):
        waiter(world, 900 + number, "reader", (MIGRATION,), 1700.0 + number, look=LOOK + 4)
    assert len(only(world).waiters) == 4


def test_without_the_begin_of_a_wait_its_length_is_not_claimed() -> None:
    world = healthy(World())
    idle_root(world)
    for number in range(3):
        waiter(world, 900 + number, "web", (ROOT,), None)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "how long" in finding.weakest_link
    assert all(waiter.waited is None for waiter in finding.waiters)


def nothing(world: World) -> None:
    del world


def short_waits(world: World) -> None:
    idle_root(world)
    for number in range(9):
        waiter(world, 900 + number, "web", (ROOT,), LOOK - 0.3)


def two_behind_one(world: World) -> None:
    idle_root(world)
    for number in range(2):
        waiter(world, 900 + number, "web", (ROOT,), 1700.0)


def pairs_that_come_and_go(world: World) -> None:
    for number in range(8):
        start = 100 + number * 200.0
        still_waiting(world, start, 900 + number, "811", f"{900 + number}")


def idle_transaction_that_blocks_nobody(world: World) -> None:
    idle_root(world)


def waits_that_began_after_the_window(world: World) -> None:
    idle_root(world)
    for number in range(4):
        waiter(world, 900 + number, "web", (ROOT,), LOOK + 60, look=LOOK + 90)


def talk_of_locks(world: World) -> None:
    for number in range(4):
        world.log(1700 + number, "web", f"Lock on order {number} released; still waiting for mail")


def rolling_restart(world: World) -> None:
    for number, service in enumerate(("web", "billing", "search")):
        world.log(1700 + number, service, "received SIGTERM, shutting down gracefully")
        world.error(1700.2 + number, service, CLOSED)


@pytest.mark.parametrize(
    "confuser",
    [
        nothing,
        short_waits,
        two_behind_one,
        pairs_that_come_and_go,
        idle_transaction_that_blocks_nobody,
        waits_that_began_after_the_window,
        talk_of_locks,
        rolling_restart,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_the_same_events_in_any_order_tell_the_same() -> None:
    world, turned = pile(), pile()
    turned.events.reverse()
    assert only(world).sentence() == only(turned).sentence()


def test_needs_somebody_who_could_tell() -> None:
    world = World()
    world.job(3, Kind.JOB_ENQUEUED, "j1", "user_id=1")
    result = LockQueueDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "database" in result.needs
