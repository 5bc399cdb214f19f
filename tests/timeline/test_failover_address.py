"""failover by an address that moves between machines: whoever moves it knows no system."""

from __future__ import annotations

import json

import pytest

from tests.timeline.worlds import World, at
from timeline.detectors.failover import Failover, FailoverDetector
from timeline.event import Event, Kind, Lane
from timeline.order import Verdict

ADDRESS = "10.9.0.100"
CLOSED = "could not receive data from server: Connection reset by peer ({host}:{port})"
REFUSED = "connect to {host}:{port} failed: Connection refused"
KEEPALIVED = "(VI_51) Entering MASTER STATE"
ANNOUNCED = f"Sending gratuitous ARP on eth0 for {ADDRESS}"


def shop() -> World:
    """Two services that speak now and then for half an hour."""
    world = World()
    for second in range(0, 1800, 5):
        world.log(second, "web", f"served request_id=r{second}")
        world.log(second + 1, "stock", f"counted sku=s{second}")
    return world


def troubled(world: World, host: str, port: int = 5432, at: float = 1200.0) -> World:
    for step in range(4):
        world.error(at + step * 0.1, "web", CLOSED.format(host=host, port=port))
        world.error(at + 1 + step, "stock", REFUSED.format(host=host, port=port))
    return world


def found(world: World) -> list[Failover]:
    told = FailoverDetector().detect(world.incident())
    assert isinstance(told, list)
    return [one for one in told if isinstance(one, Failover)]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("keepalived_vrrp", KEEPALIVED),
        ("ucarp", "[WARNING] Switching to state: MASTER"),
        ("pacemaker-controld", "Result of start operation for db_vip on node-b: ok"),
    ],
)
def test_an_address_that_moved_is_the_takeover_of_those_who_went_to_it(
    who: str, words: str
) -> None:
    world = troubled(shop(), ADDRESS)
    world.log(1204.0, who, words)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    world.log(1204.1, who, ANNOUNCED)
    (finding,) = found(world)
    assert finding.verdict is Verdict.CERTAIN
    assert ADDRESS in finding.sentence()


def test_an_address_that_nobody_in_trouble_went_to_is_somebody_elses() -> None:
    world = troubled(shop(), "10.9.0.7")
    world.log(1204.0, "keepalived_vrrp", KEEPALIVED)
    world.log(1204.1, "keepalived_vrrp", ANNOUNCED)
    assert found(world) == []


def test_an_address_that_moves_while_nobody_fails_is_no_failover() -> None:
    world = shop()
    world.log(1204.0, "keepalived_vrrp", KEEPALIVED)
    world.log(1204.1, "keepalived_vrrp", ANNOUNCED)
    assert found(world) == []


def test_a_server_that_moved_before_the_trouble_began_is_none() -> None:
    world = troubled(shop(), ADDRESS)
    world.log(900.0, "keepalived_vrrp", KEEPALIVED)
    assert found(world) == []


def test_clients_that_name_no_system_are_known_by_the_address() -> None:
    world = shop()
    for step in range(4):
        world.error(1200 + step, "web", f"dial tcp {ADDRESS}:6033: connect: connection refused")
    world.log(1204.0, "keepalived_vrrp", KEEPALIVED)
    assert found(world)[0].verdict is Verdict.LIKELY
    world.log(1204.1, "keepalived_vrrp", ANNOUNCED)
    (finding,) = found(world)
    assert finding.address == ADDRESS and finding.sentence().startswith("The address")


# -- roles by figures ------------------------------------------------------------------------------


def role(world: World, name: str, instance: str, before: int, since: float = 1203.0) -> World:
    """A figure every fifteen seconds that is `before`, and the other one from `since` on."""
    for number in range(138):
        value = before if number * 15 < since else 1 - before
        told = {"metric": name, "labels": {"instance": instance}, "value": value}
        world.events.append(
            Event(
                timestamp=at(number * 15.0),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"{name} ({instance}) = {value}",
                ref=f"{name}/{instance}@{number}",
                attributes=json.dumps(told),
            )
        )
    return world


ROLES = ("pg_replication_is_replica", "mysql_global_variables_read_only", "redis_is_master")


@pytest.mark.parametrize("name", ROLES)
def test_roles_that_change_places_by_figures_are_a_takeover(name: str) -> None:
    world = troubled(shop(), "db-rw")
    assert found(world) == []
    role(world, name, "db-1:9187", 0)
    role(world, name, "db-2:9187", 1)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY and finding.moved_at is not None


def test_one_that_gives_its_role_up_to_nobody_is_none() -> None:
    world = role(troubled(shop(), "db-rw"), ROLES[0], "db-1:9187", 0)
    assert found(role(world, ROLES[0], "db-2:9187", 1, since=9e9)) == []


def test_roles_that_change_places_while_nobody_fails_are_none() -> None:
    world = role(shop(), ROLES[0], "db-1:9187", 0)
    assert found(role(world, ROLES[0], "db-2:9187", 1)) == []


def test_figures_that_go_to_and_fro_are_no_roles() -> None:
    world = troubled(shop(), "db-rw")
    for instance, before in (("db-1:9187", 0), ("db-2:9187", 1)):
        role(world, ROLES[0], instance, before, since=600)
        role(world, ROLES[0], instance, before)
    assert found(world) == []


@pytest.mark.parametrize(("severity", "seen"), [(0, 1), (17, 1), (9, 0)])
def test_an_error_whose_line_tells_no_level_counts_and_one_told_in_passing_does_not(
    severity: int, seen: int
) -> None:
    world = shop()
    for step in range(4):
        closed = CLOSED.format(host=ADDRESS, port=5432)
        refused = REFUSED.format(host=ADDRESS, port=5432)
        world.log(1200 + step * 0.1, "web", closed, severity=severity)
        world.log(1201 + step, "stock", refused, severity=severity)
    world.log(1204.0, "keepalived_vrrp", KEEPALIVED)
    assert len(found(world)) == seen
