"""memory-leak by short teeth: a dozen points a life, or a fall that leaves more than half.

Each look-alike has the same falls and lacks what makes them ends of a process that was full.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from timeline.detectors.memory_leak import MemoryLeak, MemoryLeakDetector
from timeline.event import Event, Kind, Lane, Meaning
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, at

MB = 2.0**20
POD = "thumbs-6c9f7-x2k4q"
LIFE = 600.0
STEP = 60.0


def found(world: World) -> list[MemoryLeak]:
    return findings_of(MemoryLeakDetector(), world.incident(), MemoryLeak)


def curve(world: World, shape: Callable[[float], float], pod: str = POD) -> World:
    """A point a minute, with a ripple of one part in a hundred."""
    for number in range(35):
        seconds = number * STEP + 5
        value = shape(seconds) * (1 + 0.01 * math.sin(number * 2.4))
        labels = {"pod": pod, "container": "thumbs"}
        name = "container_memory_working_set_bytes"
        told = {"labels": {"__name__": name, **labels}, "metric": name, "value": value}
        world.events.append(
            Event(
                at(seconds),
                "prom",
                Lane.METRIC,
                Kind.METRIC,
                f"{name} (container=thumbs, pod={pod}) = {value:.0f}",
                f"{pod}@{number}",
                seq=len(world.events),
                actor="thumbs",
                meaning=Meaning.DERIVED,
                attributes=json.dumps(told),
            )
        )
    return world


def tooth(seconds: float) -> float:
    """From 500 MB to 900 MB and back to 500 MB: more than half is left at each fall."""
    return (500 + seconds % LIFE / LIFE * 400) * MB


def killed(world: World, seconds: float, pod: str = POD) -> None:
    words = f"pod {pod} container thumbs ended: OOMKilled, exit code 137"
    world.log(seconds, f"{pod}/thumbs", words, severity=17)


def started(world: World, seconds: float) -> None:
    world.log(seconds, "thumbs", f"{POD} listening on 8080")


def test_teeth_that_kills_ended_are_one_leak() -> None:
    world = curve(World(), tooth)
    for number in (1, 2, 3):
        killed(world, number * LIFE)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.cycles == 3 and finding.killed
    assert finding.restarts == (at(LIFE), at(2 * LIFE), at(3 * LIFE))
    assert "3 ramps of like slope" in finding.weakest_link


def test_the_onset_is_where_the_first_ramp_leaves_the_old_level() -> None:
    level = 400.0
    world = curve(World(), lambda s: 500 * MB if s < level else tooth(s - level))
    killed(world, level + LIFE)
    (finding,) = found(world)
    assert abs(finding.began - at(level)) <= 2 * STEP * 1e9
    assert finding.verdict is Verdict.LIKELY


def test_a_stretch_pressed_flat_against_the_ceiling_is_no_recovery() -> None:
    world = curve(
        World(), lambda s: min(tooth(s % 1000 if s % 1000 < LIFE else LIFE - 1), 900 * MB)
    )
    killed(world, 1000)
    killed(world, 2000)
    (finding,) = found(world)
    assert finding.cycles == 2 and finding.plateau > 0


def test_a_process_that_is_still_coming_up_is_not_at_its_foot() -> None:
    """The first sample of a new process is taken before it has loaded anything."""
    world = curve(World(), lambda s: 20 * MB if s > LIFE and s % LIFE < STEP else tooth(s))
    for number in (1, 2, 3):
        killed(world, number * LIFE)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.cycles == 3 and finding.low > 400 * MB


def test_one_short_tooth_before_a_mere_start_is_only_possible() -> None:
    world = curve(World(), lambda s: tooth(s) if s < LIFE else 500 * MB)
    started(world, LIFE + 1)
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE


def no_record(world: World) -> None:
    """A collector's saw: it falls, and nobody ended."""
    curve(world, tooth)


def others_were_killed(world: World) -> None:
    curve(world, tooth)
    killed(world, LIFE, "thumbs-6c9f7-other")


def caches_that_fill_up_after_every_deploy(world: World) -> None:
    """Warm after a few minutes, level then, and replaced on purpose."""
    curve(world, lambda s: (900 - 400 * math.exp(-(s % LIFE) / 80)) * MB)
    for number in (1, 2, 3):
        started(world, number * LIFE + 1)


def settled_before_it_was_replaced(world: World) -> None:
    curve(world, lambda s: (500 + min(s % 1000, 400)) * MB)
    started(world, 1001)
    started(world, 2001)


def given_back_while_it_lives(world: World) -> None:
    """Batches that go up and down; a deploy falls upon the end of one of them."""
    curve(world, lambda s: (500 + s % 200 * 2) * MB)
    started(world, 601)


@pytest.mark.parametrize(
    "look_alike",
    [
        no_record,
        others_were_killed,
        caches_that_fill_up_after_every_deploy,
        settled_before_it_was_replaced,
        given_back_while_it_lives,
    ],
)
def test_falls_of_another_kind_stay_silent(look_alike: Callable[[World], None]) -> None:
    world = World()
    look_alike(world)
    assert found(world) == []


def test_instances_that_log_into_one_file_are_told_apart_by_their_hosts() -> None:
    """Two in step would look like one that wavers; one of them rises and is killed."""
    world = World()
    for number in range(60):
        for host, into in (("thumbs-a1", number % 30), ("thumbs-b2", 0)):
            words = f"rss={300 + into * 25}M limit=1100M"
            world.log(number * 30.0 + 1, "thumbs", words, clock=host)
    for seconds in (900, 1799):
        words = "thumbs.service: Failed with result 'oom-kill'."
        world.log(seconds, "systemd", words, clock="thumbs-a1", severity=13)
    (finding,) = found(world)
    assert finding.who == "thumbs-a1" and finding.killed
