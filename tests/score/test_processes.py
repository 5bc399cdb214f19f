"""The processes of a score: each stays on a processor of its own."""

from __future__ import annotations

import os

import pytest

from tests.score.measure import ALONE, _processors, _spread

pinned = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system binds no process to a processor"
)


def test_processors_are_given_out_in_turn() -> None:
    known = _processors(1_000)
    assert known[0] == _processors(1)[0]
    assert set(_processors(len(set(known)))) == set(known)


@pinned
def test_worlds_are_played_on_one_processor_each() -> None:
    before = os.sched_getaffinity(0)
    held = _spread(os.sched_getaffinity, [0] * 2 * ALONE, 2, lambda _: None, at_once=1)
    assert {len(processors) for processors in held} == {1}
    assert set().union(*held) <= before
    assert os.sched_getaffinity(0) == before
