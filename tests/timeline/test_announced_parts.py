"""partial-batch: items that were named beforehand, of which one part was hardly begun."""

from __future__ import annotations

import pytest

from timeline.detectors.partial_batch import PartialBatch, PartialBatchDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World


def found(world: World) -> list[PartialBatch]:
    result = PartialBatchDetector().detect(world.incident())
    told = [] if isinstance(result, NotEvaluated) else result
    return [finding for finding in told if isinstance(finding, PartialBatch)]


def planned(world: World, part: str, *, begun: int, others_left: int = 0, parts: int = 5) -> World:
    """Hundred accounts in parts; of part 2 only the first `begun` are written."""
    for place in range(100):
        words = f"planned account_id={5000 + place} {part}={place % parts} run_id=r9"
        world.log(1200 + place * 0.004, "batch", words)
    mine = 0
    for place in range(100):
        seconds = 1205.0 + place
        if place % parts == 2:
            mine += 1
            if mine > begun:
                continue
        elif place in (10, 31, 53)[:others_left]:
            words = f"no address on file account_id={5000 + place} run_id=r9"
            world.error(seconds, "batch", words)
            continue
        world.log(seconds, "batch", f"statement written account_id={5000 + place} run_id=r9")
    return world


@pytest.mark.parametrize(
    ("part", "begun", "others_left"), [("shard", 8, 0), ("region", 4, 3), ("slice", 9, 2)]
)
def test_a_part_that_was_hardly_begun(part: str, begun: int, others_left: int) -> None:
    (finding,) = found(planned(World(), part, begun=begun, others_left=others_left))
    assert finding.verdict is Verdict.LIKELY
    assert (finding.never, finding.failed) == (20 - begun, others_left)


def test_it_is_told_beside_a_batch_that_is_known_better() -> None:
    from timeline.knowledge import ExpectedSet, Knowledge, Work

    world = planned(World(), "shard", begun=6)
    for place in range(20):
        world.log(300.0 + place, "batch", f"export written tenant_id={place + 30}")
    names = tuple(f"tenant:{place + 30}" for place in range(20))
    expected = ExpectedSet("tenants", Work(log="export written"), names)
    world.knowledge = Knowledge(expected=(expected,))
    assert [finding.never for finding in found(world)] == [14]


def test_items_that_are_left_here_and_there_are_silent() -> None:
    world = World()
    for place in range(100):
        world.log(1200 + place * 0.004, "batch", f"planned account_id={5000 + place} shard=1")
    for place in range(100):
        if place % 7:
            world.log(1205.0 + place, "batch", f"statement written account_id={5000 + place}")
    assert not found(world)


def test_a_place_in_the_source_is_no_number_of_items() -> None:
    world = World()
    for slot in range(33):
        world.log(300.0 + 40 * slot, "batch", f"[batch.jobs:57] fetch_rates begins slot={slot}")
    assert not found(world)
