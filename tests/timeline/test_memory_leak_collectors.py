"""memory-leak by the logs of collectors: what is left after each collection."""

from __future__ import annotations

import pytest

from timeline.facts.heap_lines import heaps
from timeline.order import Verdict

from .test_memory_leak import found, only
from .worlds import World

SIZE = 4096


def g1(number: int, kind: str, left: float) -> str:
    was = min(SIZE, left + 700)
    return f"GC({number}) Pause {kind} (G1 Pause) {was:.0f}M->{left:.0f}M({SIZE}M) 12.3ms"


def parallel(number: int, kind: str, left: float) -> str:
    name = "Full GC (Ergonomics)" if kind == "Full" else "GC (Allocation Failure)"
    was = min(SIZE, left + 700)
    return (
        f"[{name} [PSYoungGen: 900000K->{number}K(1000000K)] {was * 1024:.0f}K->{left * 1024:.0f}K"
        f"({SIZE * 1024}K), [Metaspace: 90000K->90000K(1100000K)], 0.05 secs]"
    )


def climbing(words: object, *, until: float = 1200.0) -> World:
    """What is left rises to 95 %; from then on full collections free hardly anything."""
    assert callable(words)
    world, number = World(), 0
    for number in range(100):
        second = 20 + number * (until - 20) / 100
        left = SIZE * (0.2 + 0.74 * number / 100 + 0.005 * (number % 3))
        world.log(second, "ledger", words(number, "Young", left), source="gc.log", clock="ledger-7")
    for extra in range(60):
        left = SIZE * (0.96 + 0.005 * (extra % 3))
        line = words(number + extra, "Full", left)
        world.log(until + 9 * extra, "ledger", line, source="gc.log", clock="ledger-7")
    return world


@pytest.mark.parametrize("words", [g1, parallel])
def test_full_collections_in_vain_after_a_ramp(words: object) -> None:
    finding = only(climbing(words))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.who, finding.measured_by) == ("ledger-7", "its collector's log")
    assert finding.limit == SIZE * 2**20
    assert not finding.qualifier


def test_a_full_collection_that_frees_much_is_an_ordinary_saw() -> None:
    world = World()
    for number in range(200):
        left = SIZE * (0.25 + 0.7 * (number % 50) / 50)
        line = g1(number, "Full" if number % 50 == 0 else "Young", left)
        world.log(10 + 10 * number, "ledger", line, source="gc.log", clock="ledger-7")
    assert not found(world)


def test_young_collections_alone_prove_no_limit() -> None:
    world = World()
    for number in range(200):
        left = SIZE * (0.2 + 0.78 * number / 200)
        line = g1(number, "Young", left)
        world.log(10 + 10 * number, "ledger", line, source="gc.log", clock="ledger-7")
    assert all(one.verdict is Verdict.POSSIBLE and one.qualifier for one in found(world))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("GC(14) Garbage Collection (Warmup) 812M(20%)->310M(8%)", 310),
        ("GC(3) Major Collection (Allocation Rate) 812M(20%)->310M(8%) 0.120s", 310),
        ("[1:0x5c2] 8123 ms: Mark-sweep 398.1 (425.9) -> 310.0 (424.0) MB, 234.5 / 0.0 ms", 310),
        ("gc 14 @3.104s 2%: 0.01+1.2+0.02 ms clock, 398->401->310 MB, 402 MB goal, 8 P", 310),
        ("[Eden: 24.0M(24.0M)->0.0B(13.0M) Heap: 334.0M(512.0M)->310.0M(512.0M)] [GC end]", 310),
    ],
)
def test_formats_of_other_collectors(line: str, left: int) -> None:
    world = World()
    world.log(10, "ledger", line, clock="ledger-7")
    (heap,) = heaps(world.incident())
    assert heap.points["value"].to_list() == [left * 2**20]


@pytest.mark.parametrize(
    "line",
    [
        "GC(3) Metaspace: 6123K(6400K)->6123K(6400K) NonClass: 5603K(5696K)->5603K(5696K)",
        "GC(3) PSYoungGen: 65536K(76288K)->10748K(76288K) Eden: 65536K(65536K)->0K(65536K)",
        "resized upload 812K->310K (webp)",
    ],
)
def test_parts_of_a_heap_and_other_arrows_are_none(line: str) -> None:
    world = World()
    world.log(10, "ledger", line, clock="ledger-7")
    assert not heaps(world.incident())
