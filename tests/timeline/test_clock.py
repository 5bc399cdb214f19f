"""Intervals: asymmetric, open where the stamp says nothing, and never a moved stamp."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.clock import EVER_NS, FOREVER_NS, ClockBound, ClockTable, interval
from timeline.event import Event, Kind, Lane, Meaning, Precision

MS = 1_000_000
T = 1_773_454_049_117_000_000
BOUND = ClockBound(behind=5 * MS, ahead=20 * MS, how="measured")


@pytest.mark.parametrize(
    ("meaning", "precision", "expected"),
    [
        (Meaning.OCCURRED, Precision.NANOSECOND, (T - 5 * MS, T + 20 * MS)),
        (Meaning.SENT, Precision.MILLISECOND, (T - 5 * MS, T + 21 * MS - 1)),
        (Meaning.OCCURRED, Precision.SECOND, (T - 5 * MS, T + 1_020 * MS - 1)),
        (Meaning.COMMITTED, Precision.MICROSECOND, (T - 5 * MS, T + 20 * MS + 999)),
        (Meaning.TRANSACTION_START, Precision.NANOSECOND, (T - 5 * MS, FOREVER_NS)),
        (Meaning.INGESTED, Precision.NANOSECOND, (EVER_NS, T + 20 * MS)),
        (Meaning.POLLED, Precision.NANOSECOND, (EVER_NS, T + 20 * MS)),
    ],
)
def test_interval(meaning: Meaning, precision: Precision, expected: tuple[int, int]) -> None:
    assert interval(T, meaning, precision, BOUND) == expected


@settings(deadline=None)
@given(
    st.integers(EVER_NS, FOREVER_NS),
    st.sampled_from(list(Meaning)),
    st.sampled_from(list(Precision)),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
)
def test_an_interval_holds_its_stamp_and_grows_with_the_error(
    stamp: int, meaning: Meaning, precision: Precision, behind: int, ahead: int, more: int
) -> None:
    bound = ClockBound(behind, ahead)
    earliest, latest = interval(stamp, meaning, precision, bound)
    assert EVER_NS <= earliest <= stamp <= latest <= FOREVER_NS
    wider = interval(stamp, meaning, precision, bound.widened(more))
    assert wider[0] <= earliest and wider[1] >= latest


def test_a_clock_that_runs_fast() -> None:
    earliest, latest = interval(
        T, Meaning.OCCURRED, Precision.NANOSECOND, ClockBound(1_812 * MS, -1_788 * MS)
    )
    assert (earliest, latest) == (T - 1_812 * MS, T - 1_788 * MS)


def test_a_bound_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        ClockBound(10, -11)


def test_the_clock_of_an_event_is_its_own_or_its_source() -> None:
    table = ClockTable({"web": BOUND, "host-3": ClockBound(1, 1, "declared")})
    one = Event(T, "web", Lane.LOG, Kind.LOG, "", "r", precision=Precision.NANOSECOND)
    assert table.interval(one) == (T - 5 * MS, T + 20 * MS)
    named = Event(
        T, "web", Lane.LOG, Kind.LOG, "", "r", clock="host-3", precision=Precision.NANOSECOND
    )
    assert table.interval(named) == (T - 1, T + 1)
    assert table.bound("never heard of") == ClockBound()


def test_words() -> None:
    assert BOUND.words() == "±20 ms measured"
    assert ClockBound().words() == "±250 ms assumed"
