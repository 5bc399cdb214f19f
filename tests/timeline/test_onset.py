"""Onset: the trigger's beginning, or the first bucket that stands out, or nothing."""

from __future__ import annotations

from timeline.analysis import analyse
from timeline.detectors.network_hiccup import NetworkHiccupDetector
from timeline.onset import onset_of

from .worlds import HICCUP, SECOND, World, at, healthy, shop


def test_onset_is_where_the_trigger_began_not_t() -> None:
    onset = analyse(shop().incident(), (NetworkHiccupDetector(),)).onset
    assert onset is not None
    assert at(HICCUP) <= onset <= at(HICCUP) + SECOND // 5


def test_a_quiet_night_has_no_onset() -> None:
    assert onset_of(healthy(World()).incident(), ()) is None


def test_without_findings_the_first_unusual_bucket_counts() -> None:
    world = healthy(World())
    for number in range(60):
        world.error(number * 35, "web", "boom")
    for number in range(10):
        world.error(1500 + number, "web", "bang")
    onset = onset_of(world.incident(), ())
    assert onset is not None
    assert abs(onset - at(1500)) <= 30 * SECOND


def test_steady_noise_has_no_onset() -> None:
    world = healthy(World())
    for number in range(700):
        world.error(number * 3, "web", "boom")
    assert onset_of(world.incident(), ()) is None


def test_a_burst_at_the_very_start_cannot_be_told_from_the_usual() -> None:
    world = healthy(World())
    for number in range(50):
        world.error(10 + number, "web", "boom")
    assert onset_of(world.incident(), ()) is None
