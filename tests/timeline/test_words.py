"""How instants and distances are written: cut, never rounded, never padded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.event import Event, Kind, Lane, Precision
from timeline.order import Order, Verdict
from timeline.window import MINUTE_NS, SECOND_NS, Window
from timeline.words import (
    DAY_NS,
    HOUR_NS,
    KIND_WORDS,
    LANE_WORDS,
    ORDER_GLYPHS_ASCII,
    age,
    clock_face,
    count_of,
    day,
    order_glyph,
    order_words,
    signed_distance,
    span_words,
    wall_time,
    what_word,
    window_words,
)

STAMP = 1_773_454_049_120_345_678  # 2026-03-14 02:07:29.120345678 UTC
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("precision", "digits", "shown"),
    [
        (Precision.NANOSECOND, 9, "02:07:29.120345678"),
        (Precision.NANOSECOND, 3, "02:07:29.120"),
        (Precision.MICROSECOND, 9, "02:07:29.120345"),
        (Precision.MILLISECOND, 9, "02:07:29.120"),
        (Precision.SECOND, 9, "02:07:29"),
        (Precision.MINUTE, 9, "02:07"),
        (Precision.MILLISECOND, 0, "02:07:29"),
    ],
)
def test_wall_time_has_the_digits_of_its_source(
    precision: Precision, digits: int, shown: str
) -> None:
    assert wall_time(STAMP, precision, digits) == shown


def test_a_pinned_second_has_no_fraction() -> None:
    assert clock_face(STAMP - STAMP % SECOND_NS) == "02:07:29"
    assert clock_face(STAMP) == "02:07:29.120"
    assert day(STAMP) == "2026-03-14"


@given(INT64)
def test_every_stamp_can_be_written(stamp: int) -> None:
    text = f"{day(stamp)}T{wall_time(stamp, Precision.NANOSECOND)}"
    whole, _, fraction = text.partition(".")
    assert len(fraction) == 9
    assert stamp % SECOND_NS == int(fraction)
    assert len(whole) >= 19


@pytest.mark.parametrize(
    ("delta", "precision", "shown"),
    [
        (0, Precision.MILLISECOND, "0"),
        (-371_283 * 10**6, Precision.MILLISECOND, "-6m11.2s"),
        (-371_283 * 10**6, Precision.SECOND, "-6m11s"),
        (-600 * 10**6, Precision.SECOND, "0s"),
        (59_999_999_999, Precision.MILLISECOND, "+59.999s"),
        (117 * 10**6, Precision.MILLISECOND, "+0.117s"),
        (-3 * HOUR_NS - 5 * MINUTE_NS, Precision.MILLISECOND, "-3h05m"),
        (-3 * DAY_NS - 2 * HOUR_NS, Precision.MILLISECOND, "-3d02h"),
        (-90 * SECOND_NS, Precision.MINUTE, "-1m"),
    ],
)
def test_distances(delta: int, precision: Precision, shown: str) -> None:
    assert signed_distance(delta, precision) == shown


@given(st.integers(-(10**18), 10**18), st.sampled_from(list(Precision)))
def test_a_distance_is_short_and_signed_like_its_number(delta: int, precision: Precision) -> None:
    text = signed_distance(delta, precision)
    assert len(text) <= 9
    if text != "0s" and delta:
        assert text[0] == ("-" if delta < 0 else "+")


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (850 * 10**6, "850 ms"),
        (2_140 * 10**6, "2.1 s"),
        (10 * SECOND_NS, "10 s"),
        (371 * SECOND_NS, "6 min 11 s"),
        (30 * MINUTE_NS, "30 min"),
        (3 * HOUR_NS + 5 * MINUTE_NS + 9 * SECOND_NS, "3 h 5 min"),
        (2**63 - 1, "open-ended"),
    ],
)
def test_spans(size: int, shown: str) -> None:
    assert span_words(size) == shown
    assert span_words(-size) == shown


@pytest.mark.parametrize(
    ("delta", "shown"),
    [
        (31 * MINUTE_NS + 59 * SECOND_NS, "31 min ago"),
        (12 * SECOND_NS, "12 s ago"),
        (0, "now"),
        (-4 * MINUTE_NS, "in 4 min"),
        (2 * DAY_NS + 3 * HOUR_NS, "2 d 3 h ago"),
    ],
)
def test_ages(delta: int, shown: str) -> None:
    assert age(delta) == shown


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (30 * MINUTE_NS, 5 * MINUTE_NS, "-30/+5 min"),
        (90 * SECOND_NS, 30 * SECOND_NS, "-90/+30 s"),
        (2 * HOUR_NS, HOUR_NS, "-2/+1 h"),
        (30 * MINUTE_NS, 17 * SECOND_NS + 3, "-30 min/+17 s"),
        (30 * MINUTE_NS, 1, "-30 min/+0"),
    ],
)
def test_windows(before: int, after: int, shown: str) -> None:
    assert window_words(Window(0, -before, after)) == shown


def test_every_lane_and_kind_has_a_short_word() -> None:
    assert set(LANE_WORDS) == set(Lane)
    assert set(KIND_WORDS) == set(Kind)
    assert max(map(len, LANE_WORDS.values())) <= 6
    assert max(map(len, KIND_WORDS.values())) <= 7


def test_failures_are_told_by_capitals() -> None:
    failed = Event(0, "jobs", Lane.QUEUE, Kind.JOB_FAILED, "", "j1")
    error = Event(0, "web", Lane.LOG, Kind.LOG, "", "w1", severity_number=17)
    assert what_word(failed) == "FAILED"
    assert what_word(error) == "ERROR"


def test_orders_are_a_sign_and_a_word() -> None:
    signs = {order_glyph(Order(verdict, "")) for verdict in Verdict}
    assert len(signs) == 3
    assert order_glyph(Order(None, "")) == "x"
    assert order_glyph(None) == ""
    assert all(sign.isascii() for sign in ORDER_GLYPHS_ASCII.values())
    assert order_words(Order(Verdict.POSSIBLE, "3 ms")) == "undecided: 3 ms"
    assert order_words(Order(None, "one clock")) == "contradicted: one clock"


def test_counts_are_grouped() -> None:
    assert count_of(1, "row") == "1 row"
    assert count_of(12_304, "row") == "12 304 rows"
    assert count_of(2, "query", "queries") == "2 queries"
