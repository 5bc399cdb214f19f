"""change-before: trouble of a new kind right after a change that names no service."""

from __future__ import annotations

import pytest

from timeline.detectors.change_before import ChangeBeforeDetector
from timeline.detectors.new_since_change import NewSinceChange
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

CHANGE = 1300.0
TIMED_OUT = "charge failed: connect to api.pay.example port 443 failed: Connection timed out"


def found(world: World) -> list[NewSinceChange]:
    result = ChangeBeforeDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, NewSinceChange)]


def fails(world: World, begin: float, count: int = 12, every: float = 20.0) -> World:
    for number in range(count):
        world.error(begin + every * number, "billing", f"{TIMED_OUT} order_id={number + 70}")
    return world


def statement(world: World, seconds: float, words: str) -> None:
    world.log(seconds, "postgresql", f"[{seconds:.0f}] app@shop {words}", source="db.log")


def slow(world: World, begin: float, table: str = "orders", count: int = 20) -> World:
    for number in range(count):
        words = f"duration: {2100 + number}.118 ms  execute <unnamed>: SELECT * FROM {table} WHERE"
        statement(world, begin + 9 * number, f"{words} email = $1 ORDER BY id DESC LIMIT 50")
    return world


@pytest.mark.parametrize(
    "words",
    [
        "terraform apply prod-network: 0 added, 1 changed, 1 destroyed",
        "security group sg-77 ingress rule 3 removed",
        "rotated the password of role app_rw",
    ],
)
def test_a_change_that_names_nobody_and_calls_that_fail_since(words: str) -> None:
    world = healthy(World())
    world.change(CHANGE, words)
    (finding,) = found(fails(world, CHANGE + 12))
    assert finding.verdict is Verdict.POSSIBLE
    assert not finding.qualifier
    assert finding.began == at(CHANGE)
    assert finding.count == 12
    assert words[:20] in finding.sentence()


@pytest.mark.parametrize(
    "words",
    [
        "statement: DROP INDEX CONCURRENTLY index_orders_on_email;",
        "statement: ALTER TABLE orders ALTER COLUMN email TYPE text;",
        "execute <unnamed>: drop index public.orders_email_idx",
    ],
)
def test_a_statement_in_the_databases_own_log_is_a_change(words: str) -> None:
    world = healthy(World())
    statement(world, CHANGE, words)
    (finding,) = found(slow(world, CHANGE + 4))
    assert finding.slow
    assert finding.verdict is Verdict.LIKELY
    assert finding.what == "migration"


def test_slow_statements_on_another_table_are_not_its_doing() -> None:
    world = healthy(World())
    statement(world, CHANGE, "statement: DROP INDEX index_shipments_on_code;")
    assert not found(slow(world, CHANGE + 4))


def test_statements_that_were_slow_before_are_nothing_new() -> None:
    world = slow(healthy(World()), 200, count=60)
    statement(world, CHANGE, "statement: DROP INDEX index_orders_on_email;")
    assert not found(slow(world, CHANGE + 4))


def test_errors_that_stood_before_are_nothing_new() -> None:
    world = fails(healthy(World()), 320, count=20, every=50)
    world.change(CHANGE, "firewall policy 88 activated")
    assert not found(fails(world, CHANGE + 12))


def test_a_change_of_another_service_is_not_blamed() -> None:
    world = healthy(World())
    world.log(10, "search", "reindexed")
    world.change(CHANGE, "search 4.1 rolled out")
    assert not found(fails(world, CHANGE + 12))


def test_errors_that_come_minutes_later_are_not_tied_to_it() -> None:
    world = healthy(World())
    world.change(CHANGE, "firewall policy 88 activated")
    assert not found(fails(world, CHANGE + 200))


def test_where_changes_are_made_all_the_time_one_more_says_nothing() -> None:
    world = healthy(World())
    for place in range(40):
        world.change(30 + 45 * place, f"rule {place} updated")
    assert not found(fails(world, 1365 + 30))


def test_a_few_odd_errors_are_no_kind() -> None:
    world = healthy(World())
    world.change(CHANGE, "firewall policy 88 activated")
    assert not found(fails(world, CHANGE + 12, count=3))
