"""What is called unusual before everything was read: only against what is known to be quiet."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from timeline.batch import BatchExtras, batch_of
from timeline.columns import COUNT_SCHEMA
from timeline.detectors.network_hiccup import NetworkHiccup, NetworkHiccupDetector
from timeline.event import Lane
from timeline.incident import Incident
from timeline.store import Store

from .worlds import CLOSED, HICCUP, SECOND, START, World, at, healthy

SOURCE = "logs"
BIN_S = 30


def complaining(world: World, since: float, until: float, every: float) -> World:
    """Web and billing lose Redis each `every` seconds, in one source with everybody else."""
    seconds = since
    while seconds < until:
        world.error(seconds, "web", CLOSED, source=SOURCE)
        world.error(seconds + 0.4, "billing", CLOSED, source=SOURCE)
        seconds += every
    return world


def calm(world: World) -> World:
    for number in range(2100):
        world.log(number + 0.5, "web", f"GET /{number} 200", source=SOURCE)
    return world


def read_between(world: World, first: float, last: float, *more: tuple[float, float]) -> Incident:
    """The incident while only these stretches of its one log have been read."""
    spans = [(at(start), at(end)) for start, end in ((first, last), *more)]
    kept = [e for e in world.events if any(a <= e.timestamp < b for a, b in spans)]
    store = Store()
    store.add(batch_of(SOURCE, kept))
    whole = world.incident()
    return replace(whole, snapshot=store.snapshot(), reading=(SOURCE,))


def hiccups(incident: Incident) -> list[NetworkHiccup]:
    found = NetworkHiccupDetector().detect(incident)
    assert isinstance(found, list)
    return found


def test_errors_that_always_come_are_not_called_a_burst_because_little_was_read() -> None:
    routine = complaining(calm(World()), 0, 2100, 1.0)
    for reach in (15, 100, 400, 900):
        incident = read_between(routine, 1100 - reach, 1100 + reach)
        assert incident.errors.height > 20
        assert hiccups(incident) == []


@pytest.mark.parametrize(("reach", "told"), [(60, False), (200, False), (330, True), (900, True)])
def test_a_burst_is_told_once_enough_around_it_was_read(reach: int, told: bool) -> None:
    world = complaining(calm(World()), HICCUP, HICCUP + 4, 0.5)
    found = hiccups(read_between(world, HICCUP - reach, HICCUP + reach))
    assert bool(found) is told
    assert {finding.errors for finding in found} <= {16}


def test_what_was_not_read_is_no_quiet_stretch() -> None:
    """Two pieces far apart, as T and the onset are: what lies between is unknown."""
    world = complaining(calm(World()), HICCUP, HICCUP + 4, 0.5)
    incident = read_between(world, HICCUP - 40, HICCUP + 40, (1980, 2100))
    assert hiccups(incident) == []


@pytest.mark.parametrize(("elsewhere", "told"), [(0, True), (1, True), (60, False)])
def test_what_an_engine_counted_is_known(elsewhere: int, told: bool) -> None:
    world = complaining(calm(World()), HICCUP, HICCUP + 4, 0.5)
    incident = read_between(world, HICCUP - 40, HICCUP + 40)
    bars = range(0, 2100, 3)
    counts = pl.DataFrame(
        {
            "source": [SOURCE] * len(bars),
            "lane": [Lane.LOG.value] * len(bars),
            "start": [START + bar * SECOND for bar in bars],
            "width": [3 * SECOND] * len(bars),
            "severity_number": [17] * len(bars),
            "actor": ["web"] * len(bars),
            "count": [elsewhere if bar % 10 == 0 else 0 for bar in bars],
            "exact": [True] * len(bars),
        },
        schema=COUNT_SCHEMA,
    )
    store = Store()
    held = [incident.snapshot.event(row) for row in range(len(incident.snapshot))]
    store.add(batch_of(SOURCE, held, BatchExtras(counts=counts)))
    assert bool(hiccups(replace(incident, snapshot=store.snapshot()))) is told


def test_a_source_that_has_answered_is_known_everywhere() -> None:
    """Its few lines are all that it has; only the other source is still being read."""
    world = complaining(World(), HICCUP, HICCUP + 4, 0.5)
    incident = replace(read_between(world, 0, 2100), reading=("db",))
    assert hiccups(incident)
    assert hiccups(replace(incident, reading=(SOURCE,))) == []


def test_a_short_window_must_be_known_in_full() -> None:
    world = complaining(calm(healthy(World(), until=15)), HICCUP, HICCUP + 4, 0.5)
    incident = read_between(world, HICCUP - 150, HICCUP + 150)
    assert hiccups(incident) == []
    window = replace(
        incident.window, pin=at(HICCUP), start=at(HICCUP - 120), end=at(HICCUP + 4 * BIN_S)
    )
    assert hiccups(replace(incident, window=window))
