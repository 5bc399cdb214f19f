"""Points of curves: which belong to one series, wherever the value stands among its words."""

from __future__ import annotations

import json

import pytest

from connectors.prometheus.api import Series
from connectors.prometheus.telling import curve_events
from timeline.event import Event, Kind, Lane
from timeline.facts.series import points_in

from .worlds import World, at


def recorded_before(name: str, whose: str, value: str, second: float) -> Event:
    """As recordings hold it whose value stands behind the labels."""
    return Event(
        timestamp=at(second),
        source="metrics",
        lane=Lane.METRIC,
        kind=Kind.METRIC,
        body=f"{name} ({whose}) = {value}",
        ref=f"{name}{whose}@{second}",
        attributes=json.dumps({"metric": name, "labels": {}, "value": float(value)}),
    )


def told_now(name: str, host: str, value: str, second: float) -> list[Event]:
    series = Series({"host": host} if host else {}, ((at(second), value),))
    return list(curve_events("metrics", name, series))


def test_a_row_of_a_curve_shows_its_value_before_its_labels() -> None:
    (event,) = told_now("used", "a = b", "7", 1)
    assert event.body.startswith("used = 7 (host=")


@pytest.mark.parametrize("before", [True, False], ids=["recorded before", "as it is told now"])
def test_points_of_one_series_differ_in_their_value_alone(before: bool) -> None:
    world = World()
    for second in range(5):
        for name, host in (("used", "a"), ("used", "b"), ("free", "a"), ("free", "")):
            value = str(second * 3)
            world.events += (
                [recorded_before(name, f"host={host}", value, second)]
                if before
                else told_now(name, host, value, second)
            )
    points = points_in(world.incident())
    assert points.get_column("series").n_unique() == 4
    assert points.group_by("series").len().get_column("len").to_list() == [5] * 4
