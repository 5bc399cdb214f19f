"""duplicate-enqueue of what still waits: a sweeper pushes again what it believes forgotten."""

from __future__ import annotations

import pytest

from timeline.detectors.duplicate_enqueue import DuplicateEnqueue, DuplicateEnqueueDetector
from timeline.order import Verdict

from .findings import findings_of
from .worlds import World, healthy

PUSHED = 900.0


def found(world: World) -> list[DuplicateEnqueue]:
    return findings_of(DuplicateEnqueueDetector(), world.incident(), DuplicateEnqueue)


def synced(world: World, number: int, sent: float, start: float, job: str = "") -> None:
    args = f"invoice_id={number}"
    name = job or f"s{number}-{sent:.0f}"
    world.run(name, args, sent, start, start + 0.4, job_class="push_invoice", queue="slow")


def ordinary(world: World, count: int = 40) -> World:
    for number in range(count):
        synced(world, number, 20 + 15 * number, 20.3 + 15 * number)
    return world


@pytest.mark.parametrize("apart", [30.0, 200.0, 400.0])
@pytest.mark.parametrize("victims", [1, 3, 12])
def test_the_second_push_came_while_the_first_waited(apart: float, victims: int) -> None:
    world = ordinary(healthy(World()))
    for place in range(victims):
        number = 900 + place
        moves = PUSHED + apart + 20 + place
        synced(world, number, PUSHED + place, moves, f"a{place}")
        synced(world, number, PUSHED + apart + 0.1 * place, moves + 0.5, f"b{place}")
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY
    assert len(finding.cases) == victims
    assert {"job:a0", "job:b0", "invoice:900"} <= set(finding.keys)


def test_a_push_after_the_first_had_begun_is_another_piece_of_work() -> None:
    world = ordinary(healthy(World()))
    for place in range(8):
        synced(world, 900 + place, PUSHED + place, PUSHED + place + 1, f"a{place}")
        synced(world, 900 + place, PUSHED + 90 + place, PUSHED + 91 + place, f"b{place}")
    assert not found(world)


def test_what_is_asked_for_again_and_again_is_a_rhythm() -> None:
    world = ordinary(healthy(World()))
    for place in range(6):
        for turn in range(6):
            sent = PUSHED + 60 * turn + place
            synced(world, 900 + place, sent, sent + 70, f"t{turn}-{place}")
    assert not found(world)


def test_a_class_whose_calls_come_again_anyhow_repeats_on_purpose() -> None:
    world = healthy(World())
    for number in range(30):
        synced(world, number, 20 + 15 * number, 20.3 + 15 * number, f"e{number}")
        synced(world, number, 320 + 15 * number, 320.3 + 15 * number, f"f{number}")
    synced(world, 900, PUSHED, PUSHED + 60, "a")
    synced(world, 900, PUSHED + 40, PUSHED + 61, "b")
    assert not found(world)
