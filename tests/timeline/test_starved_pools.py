"""connections-exhausted as the gauges of pools tell it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from timeline.detectors.connections_exhausted import ConnectionsExhaustedDetector
from timeline.detectors.starved_pools import StarvedPools
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

NAMES = (
    ("hikaricp_connections_active", "hikaricp_connections_max", "hikaricp_connections_pending"),
    ("active_record_connection_pool_busy", "connection_pool_size", "connection_pool_waiting"),
    ("pgbouncer_pools_server_active_connections", "pgbouncer_databases_pool_size",
     "pgbouncer_pools_client_waiting_connections"),
    ("jdbc_connections_in_use", "jdbc_connections_max", "jdbc_connections_pending"),
)  # fmt: skip


def curve(world: World, name: str, value: Callable[[float], float], labels: str = "web-1") -> None:
    for place in range(130):
        second = 15.0 * place + 5
        told = {"labels": {"__name__": name, "instance": labels}, "metric": name}
        event = Event(
            at(second),
            "prom",
            Lane.METRIC,
            Kind.METRIC,
            f"{name} (instance={labels}) = {value(second):g}",
            f"{name}{labels}@{at(second)}",
            seq=place,
            actor="web",
            attributes=json.dumps({**told, "value": value(second)}),
        )
        world.events.append(event)


def starved(names: tuple[str, ...], *, full: bool = True, looks: int = 20) -> World:
    world = World()
    world.log(5, "web", "listening")

    def inside(second: float) -> bool:
        return 1200 <= second < 1200 + 15 * looks

    active, most, waiting = names
    curve(world, active, lambda s: (10 if full else 6) if inside(s) else 2)
    curve(world, most, lambda _: 10)
    curve(world, waiting, lambda s: 4 if inside(s) else 0)
    return world


def found(world: World) -> list[StarvedPools]:
    result = ConnectionsExhaustedDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, StarvedPools)]


@pytest.mark.parametrize("names", NAMES)
def test_calls_that_wait_for_a_full_pool(names: tuple[str, ...]) -> None:
    (finding,) = found(starved(names))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.pools[0].waiting, finding.pools[0].most) == (4, 10)


def test_calls_that_wait_though_not_all_are_in_use() -> None:
    (finding,) = found(starved(NAMES[0], full=False))
    assert finding.verdict is Verdict.POSSIBLE


def test_a_blip_and_a_queue_by_design_are_silent() -> None:
    assert not found(starved(NAMES[0], looks=2))
    world = World()
    world.log(5, "web", "listening")
    curve(world, "hikaricp_connections_pending", lambda second: second // 60 % 3)
    assert not found(world)


def test_a_full_pool_for_which_nobody_waits_is_silent() -> None:
    world = World()
    world.log(5, "web", "listening")
    curve(world, "hikaricp_connections_active", lambda _: 10)
    curve(world, "hikaricp_connections_max", lambda _: 10)
    curve(world, "hikaricp_connections_pending", lambda _: 0)
    assert not found(world)
