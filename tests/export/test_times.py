"""Instants in exports: recorded precision, units named, digits cut and never invented."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.export.world import at
from timeline.event import PRECISION_NS, Precision
from timeline.export.times import from_pin, rfc3339, stated_precision, table_time

STAMP = at("02:07:29.117482915")


@pytest.mark.parametrize(
    ("precision", "table", "machine"),
    [
        (Precision.MINUTE, "2026-03-14 02:07", "2026-03-14T02:07:00Z"),
        (Precision.SECOND, "2026-03-14 02:07:29", "2026-03-14T02:07:29Z"),
        (Precision.MILLISECOND, "2026-03-14 02:07:29.117", "2026-03-14T02:07:29.117Z"),
        (Precision.MICROSECOND, "2026-03-14 02:07:29.117482", "2026-03-14T02:07:29.117482Z"),
        (Precision.NANOSECOND, "2026-03-14 02:07:29.117482915", "2026-03-14T02:07:29.117482915Z"),
    ],
)
def test_a_stamp_is_written_in_the_unit_it_was_recorded_in(
    precision: Precision, table: str, machine: str
) -> None:
    assert table_time(STAMP, precision) == table
    assert rfc3339(STAMP, precision) == machine


@pytest.mark.parametrize(
    ("difference", "precision", "words"),
    [
        (0, Precision.MILLISECOND, "0 s"),
        (-2_365_000_000, Precision.MILLISECOND, "-2.365 s"),
        (-2_365_999_999, Precision.NANOSECOND, "-2.365 s"),
        (-2_365_000_000, Precision.SECOND, "-2 s"),
        (64_010_000_000, Precision.MILLISECOND, "+1 min 4.010 s"),
        (64_010_000_000, Precision.SECOND, "+1 min 4 s"),
        (-59_999_999_999, Precision.MILLISECOND, "-59.999 s"),
        (-(3 * 3_600 + 300) * 10**9, Precision.MILLISECOND, "-3 h 5 min"),
        (400_000, Precision.MICROSECOND, "+0.4 ms"),
        (400_000, Precision.MILLISECOND, "0 s"),
        (5, Precision.NANOSECOND, "+5 ns"),
        (-90_000_000_000, Precision.MINUTE, "-1 min"),
    ],
)
def test_the_distance_from_the_pin_names_its_units(
    difference: int, precision: Precision, words: str
) -> None:
    assert from_pin(difference, precision) == words


@given(st.integers(0, 2**62), st.sampled_from(list(Precision)))
def test_a_written_stamp_is_never_later_and_less_than_one_unit_earlier(
    timestamp: int, precision: Precision
) -> None:
    text = rfc3339(timestamp, precision)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    written = seconds * 10**9 + int(fraction.ljust(9, "0") or 0)
    assert 0 <= timestamp - written < PRECISION_NS[precision]


@given(st.integers(0, 2**62))
def test_a_typed_instant_is_written_in_full_and_no_finer(timestamp: int) -> None:
    unit = PRECISION_NS[stated_precision(timestamp)]
    assert timestamp % unit == 0
    assert unit == 10**9 or timestamp % (unit * 1_000) != 0
