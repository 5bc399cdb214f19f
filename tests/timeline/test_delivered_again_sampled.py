"""delivered-again by logs of which only a part was kept: two attempts must not read as one."""

from __future__ import annotations

import pytest

from timeline.coverage import Sight
from timeline.detectors.delivered_again import DeliveredAgain, DeliveredAgainDetector
from timeline.order import Verdict

from .worlds import World, healthy

BEGUN = 1440.0
CUTS = ((-60.0, 500.0), (5.0, 20.0), (61.0, 90.0))
"""Stretches around the attempts in which lines are missing, in seconds from the first start."""


def only(world: World) -> DeliveredAgain:
    (finding,) = DeliveredAgainDetector().detect(world.incident())  # type: ignore[misc]
    assert isinstance(finding, DeliveredAgain)
    return finding


def label(world: World, seconds: float, host: str, words: str, job: str = "m7") -> None:
    world.log(seconds, "printer", f"{words} PrintLabel job_id={job} parcel_id=70", clock=host)


def usual(world: World) -> World:
    for number in range(30):
        label(world, 20.0 + 40 * number, f"printer-{number % 3}", "begin", f"n{number}")
        label(world, 21.5 + 40 * number, f"printer-{number % 3}", "ready with", f"n{number}")
    return world


def late_word() -> World:
    """Two starts on two hosts; the first host writes of the job once more after the second."""
    world = usual(healthy(World()))
    label(world, BEGUN, "printer-0", "begin")
    label(world, BEGUN + 60, "printer-1", "begin")
    label(world, BEGUN + 95, "printer-0", "ready with")
    return world


def test_a_first_run_that_writes_after_the_second_start_still_went_on() -> None:
    finding = only(late_word())
    assert finding.verdict is Verdict.LIKELY
    assert finding.cases[0].overlap is Verdict.CERTAIN


@pytest.mark.parametrize("cut", CUTS)
def test_where_lines_are_missing_its_last_word_may_be_of_a_third_run(
    cut: tuple[float, float],
) -> None:
    world = late_word()
    world.blind("printer.log", BEGUN + cut[0], BEGUN + cut[1])
    finding = only(world)
    assert finding.verdict is Verdict.POSSIBLE
    assert finding.cases[0].overlap is Verdict.POSSIBLE
    assert "it was cut" in finding.cases[0].overlap_because


def test_lines_missing_elsewhere_change_nothing() -> None:
    world = late_word()
    world.blind("printer.log", 100, 200)
    world.blind("web.log", BEGUN, BEGUN + 90, Sight.BLIND)
    assert only(world).verdict is Verdict.LIKELY
