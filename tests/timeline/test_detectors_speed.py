"""A million log lines must not make the detectors slow: counts are polars' work, not Python's."""

from __future__ import annotations

import pytest

from bench.detectors import EVENTS, each_alone, shared_facts, whole
from bench.night import night
from halfawake.plugins import detectors

LINES = 1_000_000
LIMIT_S = 6.0
"""Twice what all of them take on two cores that others use as well (bench/README.md). The goal is
two seconds; this only notices a detector that makes it a multiple."""
ALONE_S = 0.3
"""For one detector whose facts are known; more of them come every month."""


@pytest.mark.timing
def test_a_million_lines_do_not_make_the_detectors_slow() -> None:
    incident = night(LINES, EVENTS, EVENTS)
    assert whole(incident, detectors()) < LIMIT_S
    shared_facts(incident)
    assert incident.errors.height >= LINES // 200
    slow = {term: s for term, s in each_alone(incident, detectors()).items() if s > ALONE_S}
    assert not slow
