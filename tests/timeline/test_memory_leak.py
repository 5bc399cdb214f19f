"""memory-leak: ramp, plateau, restart; warm-up, caches and collectors stay silent."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.memory_leak import MemoryLeak, MemoryLeakDetector, size
from timeline.event import Event, Kind, Lane, Meaning
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

MB = 2.0**20
RSS = "process_resident_memory_bytes"


def found(world: World) -> list[MemoryLeak]:
    return findings_of(MemoryLeakDetector(), world.incident(), MemoryLeak)


def only(world: World) -> MemoryLeak:
    (finding,) = found(world)
    return finding


def point(
    world: World, seconds: float, value: float, *, metric: str = RSS, instance: str = "resize-1"
) -> None:
    """A point of a configured query, as the Prometheus connector words it."""
    labels = {"__name__": metric, "instance": instance, "job": "resize"}
    told = {"labels": labels, "metric": "memory", "value": value}
    world.events.append(
        Event(
            at(seconds),
            "prom",
            Lane.METRIC,
            Kind.METRIC,
            f"memory ({metric}, instance={instance}) = {value:.0f}",
            f"{metric}{instance}@{at(seconds)}",
            seq=len(world.events),
            actor="resize",
            meaning=Meaning.DERIVED,
            attributes=json.dumps(told),
        )
    )


def begun(world: World, seconds: float, instance: str = "resize-1") -> None:
    """`process_start_time_seconds`, as the Prometheus connector words it."""
    world.events.append(
        Event(
            at(seconds),
            "prom",
            Lane.METRIC,
            Kind.CHANGE,
            f"{instance} of job resize started",
            f"start{instance}@{at(seconds)}",
            seq=len(world.events),
            actor="resize",
        )
    )


def curve(world: World, shape: Callable[[float], float], **more: str) -> World:
    """A point every 15 s, with a ripple of one part in a hundred as real processes have it."""
    for number in range(140):
        seconds = number * 15.0
        ripple = 1 + 0.01 * math.sin(number * 2.4)
        point(world, seconds, shape(seconds) * ripple, **more)
    return world


def sawtooth(world: World, life: float = 700.0, *, restarts: bool = True) -> World:
    def shape(seconds: float) -> float:
        into = seconds % life
        return min(200 * MB + into * 1.5 * MB, 1000 * MB)

    curve(world, shape)
    if restarts:
        for number in range(1, int(2100 / life) + 1):
            begun(world, number * life)
    return world


def limit(world: World, value: float) -> None:
    for number in range(140):
        point(world, number * 15.0, value, metric="container_spec_memory_limit_bytes")


def test_two_ramps_that_restarts_ended_are_a_saw_tooth() -> None:
    world = sawtooth(World())
    limit(world, 1024 * MB)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.who == "resize-1"
    assert finding.cycles == 2
    assert finding.restarts == (at(700), at(1400))
    assert finding.slope == pytest.approx(90 * MB, rel=0.05)
    assert finding.plateau > 0
    assert "2 ramps of like slope" in finding.weakest_link
    assert finding.sentence().startswith("The memory of resize-1 grew from 207 MB to 1010 MB from ")
    assert [step.role for step in finding.steps][:2] == ["foot of the ramp", "top"]
    assert finding.steps[-1].role == "began anew"


def test_a_kill_for_memory_is_named() -> None:
    world = sawtooth(World(), life=1400)
    body = "Memory cgroup out of memory: Killed process 88 (resize-1) total-vm:2g"
    world.error(1398, "kernel", body)
    finding = only(world)
    assert finding.killed
    assert finding.cycles == 1
    assert "killed for its memory" in finding.sentence()


def test_the_items_of_one_life_give_memory_per_item() -> None:
    world = sawtooth(World(), life=1400)
    for number in range(300):
        start = 2 + number * 4.0
        world.run(f"j{number}", f"image_id={number}", start, start + 0.1, start + 1,
                  worker="resize-1")  # fmt: skip
    finding = only(world)
    assert finding.items > 100
    assert finding.per_item is not None
    assert finding.per_item == pytest.approx(1.5 * 4 * MB, rel=0.1)
    assert f"full after {finding.items_per_life}" in finding.sentence()


def test_a_ramp_towards_a_known_limit_says_when_it_meets_it() -> None:
    world = curve(World(), lambda seconds: 300 * MB + seconds * 0.2 * MB)
    limit(world, 1024 * MB)
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.limit_at is not None
    left = (1024 - 720) / 0.2
    assert finding.limit_at == pytest.approx(at(2085 + left), abs=300 * SECOND)
    assert "before it is ended" in finding.next_action
    assert not finding.qualifier


def test_a_mere_rise_only_colours_other_findings() -> None:
    finding = only(curve(World(), lambda seconds: 300 * MB + seconds * 0.2 * MB))
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.qualifier


def test_a_ramp_that_stands_at_its_limit_needs_no_restart() -> None:
    world = curve(World(), lambda seconds: min(300 * MB + seconds * 0.6 * MB, 1000 * MB))
    limit(world, 1024 * MB)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert finding.plateau > 0
    assert "(its limit is 1.0 GB)" in finding.sentence()


@pytest.mark.parametrize(
    "words",
    [
        "memory {used:.0f} MB of 1024 MB after batch",
        "gc done rss={used:.0f}M limit=1024M",
        "RSS: {used:.0f}MB (limit 1024MB)",
    ],
)
def test_a_process_that_logs_its_own_memory_is_enough(words: str) -> None:
    world = World()
    for number in range(80):
        world.log(number * 20.0, "importer", words.format(used=200 + number * 9.5))
    world.log(1601, "importer", "booting importer 4.2")
    for number in range(20):
        world.log(1620 + number * 20.0, "importer", words.format(used=210 + number))
    finding = only(world)
    assert finding.who == "importer"
    assert finding.limit == 1024 * MB
    assert finding.restarts == (at(1601),)


def flat(world: World) -> None:
    curve(world, lambda _: 400 * MB)


def warm_up(world: World) -> None:
    begun(world, 1)
    curve(world, lambda seconds: 600 * MB - 400 * MB * math.exp(-seconds / 200))


def a_cache_that_is_full_below_the_limit(world: World) -> None:
    curve(world, lambda seconds: min(200 * MB + seconds * 0.4 * MB, 600 * MB))
    limit(world, 2048 * MB)


def saw_teeth_of_a_collector(world: World) -> None:
    curve(world, lambda seconds: 200 * MB + seconds % 120 * 4 * MB)


def long_teeth_without_any_restart(world: World) -> None:
    sawtooth(world, restarts=False)


def a_batch_that_gives_it_back(world: World) -> None:
    curve(world, lambda s: 200 * MB + max(0.0, 600 - abs(s - 1000)) * 1.0 * MB)


def a_walk_that_goes_up_for_a_while(world: World) -> None:
    curve(world, lambda s: 300 * MB + 60 * MB * math.sin(s / 400) + max(0.0, s - 1200) * 0.1 * MB)


def page_cache(world: World) -> None:
    curve(world, lambda s: 200 * MB + s * MB, metric="container_memory_cache")


def free_memory_that_rises(world: World) -> None:
    curve(world, lambda s: 200 * MB + s * MB, metric="node_memory_MemAvailable_bytes")


@pytest.mark.parametrize(
    "confuser",
    [
        flat,
        warm_up,
        a_cache_that_is_full_below_the_limit,
        saw_teeth_of_a_collector,
        long_teeth_without_any_restart,
        a_batch_that_gives_it_back,
        a_walk_that_goes_up_for_a_while,
        page_cache,
        free_memory_that_rises,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain, mixed = only(sawtooth(World())), sawtooth(World())
    mixed.events.reverse()
    for number in range(30):
        mixed.log(number * 60, "search", "refresh done, memory of the night")
    assert only(mixed).sentence() == plain.sentence()


def test_shifting_all_stamps_moves_times_only() -> None:
    here, there = only(sawtooth(World())), only(sawtooth(World(shift=3600 * SECOND)))
    assert there.began - here.began == 3600 * SECOND
    assert (there.low, there.high, there.cycles) == (here.low, here.high, here.cycles)
    assert there.slope == pytest.approx(here.slope)


def test_wider_clock_bounds_never_upgrade() -> None:
    wide = only(sawtooth(World(bound=ClockBound(5 * SECOND, 5 * SECOND))))
    assert wide.verdict is only(sawtooth(World())).verdict


def test_needs_a_curve_or_lines() -> None:
    assert isinstance(MemoryLeakDetector().detect(healthy(World()).incident()), NotEvaluated)


def test_sizes_are_read_aloud() -> None:
    assert [size(n) for n in (12, 96 * 2**10, 812 * MB, 1.25 * 2**30)] == [
        "12 B",
        "96 kB",
        "812 MB",
        "1.2 GB",
    ]


def saw(seconds: float) -> float:
    """Idle, then two ramps from the same foot; at 1500 s it falls."""
    if seconds < 900:
        return 200 * MB
    return (200 + ((seconds - 900) % 600) * 1.3) * MB


@pytest.mark.parametrize(
    ("words", "actor"),
    [
        ("Dienst resize bereit nach 3.1 s", "resize"),
        ("Responding at http://0.0.0.0:8080", "resize"),
        ("memory cgroup: Killed process 77 (resize), OOMKilled, resize-1", "kernel"),
    ],
)
def test_a_ramp_that_follows_an_idle_stretch_ends_with_any_record_of_it(
    words: str, actor: str
) -> None:
    world = curve(World(), saw)
    world.log(1502, actor, words, severity=13)
    finding = only(world)
    assert finding.cycles == 1 and finding.verdict is Verdict.LIKELY
    assert finding.began > at(850)


def test_requests_and_kills_of_others_explain_no_fall() -> None:
    world = curve(World(), saw)
    world.log(1501, "resize", "request started GET /thumbs request_id=r77")
    world.log(1502, "kernel", "OOMKilled, other-4, exit code 137", severity=13)
    assert not [one for one in found(world) if one.cycles]
