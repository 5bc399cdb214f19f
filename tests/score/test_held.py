"""A claim is true of the things and of the stretch that an act of the world made it true of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from tests.score.held import NarrowTruth, narrowed, of_these
from tests.score.truth import Truth
from timeline.finding import Finding
from timeline.order import Verdict
from timeline.window import SECOND_NS

ONSET, ENDED = 1_000 * SECOND_NS, 1_100 * SECOND_NS
HIT = frozenset(("row:loans/7", "loan:7"))


@dataclass(frozen=True, kw_only=True)
class Alone(Finding):
    term: ClassVar[str] = "orphaned-record"
    remedy: ClassVar[str] = "look"

    def sentence(self) -> str:
        return "a row is alone"


def _alone(at: int, *keys: str) -> Alone:
    return Alone(verdict=Verdict.LIKELY, weakest_link="", began=at, ended=at, steps=(), keys=keys)


def _truth(since: int | None = None) -> NarrowTruth:
    truth = Truth("poison-job", ONSET, ENDED, (HIT,))
    return narrowed(truth, of_these(truth, "orphaned-record", since=since))


def test_what_is_said_of_the_things_that_were_hit_is_true() -> None:
    assert _truth().holds(_alone(ONSET, "loan:7"))
    assert not _truth().found_by(_alone(ONSET, "loan:7"))


@pytest.mark.parametrize("keys", [("loan:8",), ("loan:7", "loan:8")])
def test_what_is_said_of_another_thing_as_well_is_not(keys: tuple[str, ...]) -> None:
    assert not _truth().holds(_alone(ONSET, *keys))


def test_a_record_may_be_dated_by_its_making_where_that_is_said() -> None:
    early = ONSET - 300 * SECOND_NS
    assert not _truth().holds(_alone(early, "loan:7"))
    assert _truth(since=early).holds(_alone(early, "loan:7"))
    assert not _truth(since=early).holds(_alone(early - 60 * SECOND_NS, "loan:7"))
