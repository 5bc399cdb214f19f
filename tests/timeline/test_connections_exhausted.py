"""connections-exhausted: whose limit it was, who came first, what was ordinary and stays silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from timeline.analysis import analyse
from timeline.clock import ClockBound
from timeline.detectors.connections_exhausted import (
    BOTH,
    ConnectionsExhausted,
    ConnectionsExhaustedDetector,
)
from timeline.detectors.lock_queue import LockQueueDetector
from timeline.event import Event, Kind, Lane
from timeline.facts.connections import POOL, SERVER
from timeline.finding import NotEvaluated, to_json
from timeline.order import Verdict

from .test_lock_queue import LOOK, pile
from .worlds import CLOSED, SECOND, World, at, healthy, iso

QUEUE_POOL = (
    "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed "
    "out, timeout 30.00"
)
HIKARI = "HikariPool-1 - Connection is not available, request timed out after 30000ms."
RAILS = (
    "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool within "
    "5.000 seconds (waited 5.003 seconds); all pooled connections were in use"
)
ECTO = (
    "** (DBConnection.ConnectionError) connection not available and request was dropped from "
    "queue after 150ms"
)
SLOTS_GONE = 'connection to server at "10.0.0.5", port 5432 failed: FATAL:  sorry, too many clients'
TOO_MANY = f"psycopg.OperationalError: {SLOTS_GONE} already"
FIRST = 1750.0


def found(world: World) -> list[ConnectionsExhausted]:
    result = ConnectionsExhaustedDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if isinstance(finding, ConnectionsExhausted)]


def only(world: World) -> ConnectionsExhausted:
    (finding,) = found(world)
    return finding


def exhausted(world: World, line: str = QUEUE_POOL, services: tuple[str, ...] = ("web",)) -> World:
    """Six errors within ten seconds, in turn by `services`."""
    for number in range(6):
        service = services[number % len(services)]
        body = f"{line} request_id=x{number}"
        world.error(FIRST + number * 2, service, body)
    return world


def slots(world: World, used: int, most: int = 100, reserved: int = 3) -> Event:
    told = {
        "now": True,
        "used": used,
        "max": most,
        "reserved": reserved,
        "by": [
            {
                "user": "shop",
                "application_name": "report",
                "database": "shop",
                "state": "idle",
                "connections": used - 5,
            }
        ],
        "seen_at": iso(LOOK),
    }
    event = Event(
        at(LOOK),
        "postgres",
        Lane.DATABASE,
        Kind.METRIC,
        f"{used} of {most} connections used",
        f"pg_stat_activity/connections@{at(LOOK)}",
        attributes=json.dumps(told),
    )
    world.events.append(event)
    return event


@pytest.mark.parametrize(
    ("line", "full", "waited"),
    [
        (QUEUE_POOL, POOL, 30.0),
        (HIKARI, POOL, 30.0),
        (RAILS, POOL, 5.003),
        (ECTO, POOL, 0.150),
        ("psycopg_pool.PoolTimeout: couldn't get a connection after 10.00 sec", POOL, 10.0),
        ("server error: FATAL: query_wait_timeout", POOL, 0.0),
        (TOO_MANY, SERVER, 0.0),
        ("FATAL:  remaining connection slots are reserved for roles with SUPERUSER", SERVER, 0.0),
        ('pymysql.err.OperationalError: (1040, "Too many connections")', SERVER, 0.0),
    ],
)
def test_any_clients_words_tell_whose_limit_it_was_and_since_when(
    line: str, full: str, waited: float
) -> None:
    finding = only(exhausted(healthy(World()), line))
    assert finding.verdict is Verdict.CERTAIN
    assert finding.full == full
    assert finding.errors == 6
    assert finding.full_from == at(FIRST) - round(waited * SECOND)
    assert {"request:x0", "request:x5"} <= set(finding.keys)


def test_the_sentence_is_told_from_the_evidence() -> None:
    finding = only(exhausted(healthy(World()), services=("mailer", "web")))
    assert finding.sentence() == (
        "The connection pools of mailer and web for the database were used up from 02:28:40.000 "
        "to 02:29:20.000: 6 calls got none (mailer first, at 02:29:10.000)."
    )
    assert "had no connection left" in replace(finding, full=SERVER).sentence()
    assert [(s.service, s.errors) for s in finding.services] == [("mailer", 3), ("web", 3)]
    assert "never sent" in finding.next_action
    assert json.dumps(to_json(finding.evidence()))


def test_pool_and_server_that_are_full_together_are_told_as_both() -> None:
    world = exhausted(healthy(World()))
    for number in range(3):
        world.error(FIRST + number, "billing", TOO_MANY)
    finding = only(world)
    assert finding.full == BOTH
    assert {s.service: s.full for s in finding.services} == {"web": POOL, "billing": SERVER}


def test_a_full_server_says_who_holds_its_connections() -> None:
    world = exhausted(healthy(World()), TOO_MANY)
    count = slots(world, 97)
    finding = only(world)
    assert finding.slots is not None
    assert finding.slots.full
    assert "97 of 100 connections were taken, most by report idle 92" in finding.sentence()
    assert finding.next_action == "Ask whoever runs report idle why it holds that many."
    assert finding.steps[-1].event.id == count.id


def test_free_slots_are_no_evidence_of_a_full_server() -> None:
    world = exhausted(healthy(World()))
    slots(world, 96)
    finding = only(world)
    assert "connections were taken" not in finding.sentence()
    assert finding.steps[-1].role == "no connection"


def test_a_lock_queue_before_it_is_named_first_and_its_evidence_is_shared() -> None:
    world = exhausted(pile())
    analysis = analyse(world.incident(), (ConnectionsExhaustedDetector(), LockQueueDetector()))
    assert not analysis.not_evaluated
    assert [f.term for f in analysis.findings] == ["lock-queue", "connections-exhausted"]
    queue, effect = analysis.findings
    assert isinstance(effect, ConnectionsExhausted)
    assert effect.cause == "lock-queue"
    assert effect.cause_verdict is Verdict.LIKELY
    assert "pid 811 (web)" in effect.sentence()
    shared = {s.event.id for s in queue.steps} & {s.event.id for s in effect.steps}
    assert len(shared) == 2
    assert analysis.next_action == queue.next_action


def test_a_lock_queue_that_came_later_is_no_cause() -> None:
    world = healthy(World())
    for number in range(6):
        world.error(1500 + number * 2, "web", QUEUE_POOL)
    assert only(pile(world)).cause == ""


def test_where_clocks_cannot_tell_the_order_is_only_possible() -> None:
    bound = ClockBound(200 * SECOND, 200 * SECOND)
    assert only(exhausted(pile(healthy(World(bound=bound))))).cause_verdict is Verdict.POSSIBLE


def test_another_systems_pool_is_not_blamed_on_the_database() -> None:
    world = exhausted(pile(), "redis.exceptions.MaxConnectionsError: Too many connections")
    finding = only(world)
    assert (finding.system, finding.cause) == ("redis", "")


def slow_requests(world: World, start: float, took: float) -> None:
    for number in range(30):
        begun = start + number
        world.log(begun, "web", f"GET /cart started request_id=s{number}")
        world.log(begun + took, "web", f"GET /cart 200 request_id=s{number}")


def usual_requests(world: World) -> None:
    for number in range(60):
        begun = 1200.0 + number * 4
        world.log(begun, "web", f"GET /cart started request_id=u{number}")
        world.log(begun + 0.01, "web", f"GET /cart 200 request_id=u{number}")


def test_work_that_was_slow_before_the_pool_was_full_is_named() -> None:
    world = exhausted(healthy(World()), RAILS)
    usual_requests(world)
    slow_requests(world, FIRST - 60, 2.0)
    finding = only(world)
    assert finding.cause == "slow"
    assert finding.cause_verdict is Verdict.LIKELY
    assert finding.cause_since is not None
    assert finding.cause_since < finding.full_from
    assert "took 2.0 s where 10 ms is usual" in finding.sentence()


def test_work_that_was_slow_only_after_the_pool_was_full_is_no_cause() -> None:
    world = exhausted(healthy(World()), RAILS)
    usual_requests(world)
    slow_requests(world, FIRST, 2.0)
    assert only(world).cause == ""


def test_work_as_slow_as_ever_is_no_cause() -> None:
    world = exhausted(healthy(World()), RAILS)
    usual_requests(world)
    slow_requests(world, FIRST - 60, 0.02)
    assert only(world).cause == ""


def blip_at_a_deploy(world: World) -> None:
    world.change(FIRST - 5, "web v412 deployed")
    for number in range(2):
        world.error(FIRST + number, "web", QUEUE_POOL)


def drops_by_design(world: World) -> None:
    for number in range(400):
        world.error(3 + number * 5, "web", ECTO)


def bursts_as_usual(world: World) -> None:
    for number in range(20):
        for step in range(4):
            world.error(60 + number * 95 + step, "web", ECTO)


def single_errors_far_apart(world: World) -> None:
    for number in range(8):
        world.error(100 + number * 230, "web", HIKARI)


def idle_resets(world: World) -> None:
    for number in range(12):
        world.error(100 + number * 150, ("web", "billing")[number % 2], CLOSED)


def statistics_of_a_pool(world: World) -> None:
    for number in range(6):
        line = "HikariPool-1 - Pool stats (total=10, active=10, idle=0, waiting=7)"
        world.log(FIRST + number, "web", line, severity=5)


def full_server_that_refuses_nobody(world: World) -> None:
    slots(world, 97)


def rolling_restart_without_pool_errors(world: World) -> None:
    for number, service in enumerate(("web", "billing", "search")):
        world.log(FIRST + number, service, "received SIGTERM, shutting down gracefully")
        world.error(FIRST + number + 0.2, service, CLOSED)


@pytest.mark.parametrize(
    "confuser",
    [
        blip_at_a_deploy,
        drops_by_design,
        bursts_as_usual,
        single_errors_far_apart,
        idle_resets,
        statistics_of_a_pool,
        full_server_that_refuses_nobody,
        rolling_restart_without_pool_errors,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_stays_silent() -> None:
    assert found(healthy(World())) == []


def test_a_rolling_restart_that_fills_pools_is_only_a_qualifier() -> None:
    world = exhausted(healthy(World()))
    world.log(FIRST - 1, "web", "received SIGTERM, shutting down gracefully")
    finding = only(world)
    assert finding.qualifier
    assert "announced" in finding.weakest_link


def test_one_recycled_process_does_not_explain_minutes_without_connections() -> None:
    world = healthy(World())
    world.log(FIRST - 601, "web", "received SIGTERM, shutting down gracefully")
    for number in range(20):
        world.error(FIRST - 600 + number * 20, "web", f"{HIKARI} request_id=x{number}")
    finding = only(world)
    assert not finding.qualifier
    assert not any("planned" in other for other in finding.alternatives)


def test_without_control_windows_it_is_only_likely() -> None:
    world = exhausted(healthy(World()))
    world.blind("web.log", 0, 2100)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert "control window" in finding.weakest_link


def test_needs_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    result = ConnectionsExhaustedDetector().detect(world.incident())
    assert isinstance(result, NotEvaluated)
    assert "logs" in result.needs
