"""full by figures alone: curves of a space that reach their end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from timeline.detectors.full import Full, FullDetector
from timeline.detectors.full_measured import FullByFigures
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

from .worlds import World, at

SINCE = 1200.0


def told(world: World) -> list[Finding]:
    found = FullDetector().detect(world.incident())
    assert not isinstance(found, NotEvaluated)
    return list(found)


def curve(name: str, value: Callable[[float], float], **labels: str) -> World:
    world = World()
    world.log(5, "web", "started")
    for number in range(135):
        second = number * 15.0
        shown = {"metric": name, "labels": labels, "value": value(second)}
        world.events.append(
            Event(
                timestamp=at(second),
                source="prometheus",
                lane=Lane.METRIC,
                kind=Kind.METRIC,
                body=f"{name} ({labels}) = {value(second):g}",
                ref=f"{name}@{number}",
                attributes=json.dumps(shown),
            )
        )
    return world


def falling(second: float) -> float:
    return max(0.0, 8e10 * (1 - second / SINCE))


def rising(top: float) -> Callable[[float], float]:
    return lambda second: min(top, top * (0.6 + 0.4 * second / SINCE))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("node_filesystem_avail_bytes", falling),
        ("disk_used_percent", rising(100.0)),
        ("kubelet_volume_stats_used_ratio", rising(1.0)),
        ("node_filesystem_files_free_inodes", falling),
    ],
)
def test_a_space_that_comes_to_its_end(name: str, value: Callable[[float], float]) -> None:
    (finding,) = told(curve(name, value, instance="db-1:9100", mountpoint="/var/lib"))
    assert isinstance(finding, FullByFigures) and finding.verdict is Verdict.LIKELY
    assert finding.sentence().startswith("Nothing was left on /var/lib of db-1")
    assert abs(finding.began - at(SINCE)) <= 16e9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("disk_used_percent", rising(97.0)),  # nearly, and it stays there
        ("node_filesystem_avail_bytes", lambda second: 0.0),  # a medium that is always full
        ("node_disk_io_time_seconds_free", falling),  # no space
        ("free_tickets", falling),
        ("disk_used_percent", lambda second: 100.0 if second == SINCE else 70.0),  # one bad sample
    ],
)
def test_what_is_not_at_its_end_is_silent(name: str, value: Callable[[float], float]) -> None:
    assert told(curve(name, value, instance="db-1:9100")) == []


def test_who_ran_out_says_it_better() -> None:
    world = curve("node_filesystem_avail_bytes", falling, instance="db-1:9100")
    world.error(1300, "postgresql", "could not extend file: No space left on device")
    (finding,) = told(world)
    assert isinstance(finding, Full)
