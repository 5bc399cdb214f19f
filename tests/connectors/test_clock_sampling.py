"""The bound of a clock reading holds for every network, honest or lopsided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.clock_sampling import ClockSample, reading_from

START = 1_700_000_000_000_000_000
DELAYS = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))


@given(st.integers(-(10**12), 10**12), st.lists(DELAYS, min_size=1, max_size=9))
def test_the_true_offset_lies_within_the_bound(offset: int, delays: list[tuple[int, int]]) -> None:
    samples, now = [], START
    for there, back in delays:
        stated = (now + there + offset) // 1_000 * 1_000  # the server says whole microseconds
        samples.append(ClockSample(now, stated, now + there + back))
        now += there + back + 1_000_000
    reading = reading_from("db", samples)
    assert abs(reading.offset - offset) <= reading.error
    shortest = min(there + back for there, back in delays)
    assert reading.error <= shortest / 2 + 1_001, "no worse than the shortest round trip"


def test_samples_that_contradict_each_other_widen_the_bound() -> None:
    before, after = ClockSample(0, 0, 10), ClockSample(100, 10**9, 110)
    reading = reading_from("db", [before, after])
    assert reading.error >= 10**9 / 2 - 1_000


def test_no_sample_is_no_reading() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        reading_from("db", [])
