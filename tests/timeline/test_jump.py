"""A time typed over an open window: one instant, or a sentence; never a guess."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.jump import instant_of
from timeline.pin import PinProblem
from timeline.window import MINUTE_NS, SECOND_NS, Window

BERLIN = ZoneInfo("Europe/Berlin")


def ns(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp()) * SECOND_NS


T = ns("2026-03-14T02:13:40+00:00")
WINDOW = Window.around(T)


@pytest.mark.parametrize(
    ("typed", "expected", "words"),
    [
        ("02:13", ns("2026-03-14T02:13:00+00:00"), "02:13:00Z, T -40.000s"),
        ("02:13:40.5", T + SECOND_NS // 2, "02:13:40.500Z, T +0.500s"),
        ("-6m", T - 6 * MINUTE_NS, "02:07:40Z, T -6m00.0s"),
        ("+90s", T + 90 * SECOND_NS, "02:15:10Z, T +1m30.0s"),
        ("+1h30m", T + 90 * MINUTE_NS, "03:43:40Z, T +1h30m"),
        ("2026-03-14T02:13:40Z", T, "02:13:40Z, T"),
        ("2026-03-13T23:00Z", ns("2026-03-13T23:00:00+00:00"), "2026-03-13 23:00:00Z, T -3h13m"),
        (str(T // SECOND_NS), T, "02:13:40Z, T; an epoch in seconds"),
        ("03:10+01:00", T - 220 * SECOND_NS, "02:10:00Z, T -3m40.0s (03:10:00 UTC+01:00)"),
    ],
)
def test_what_is_understood(typed: str, expected: int, words: str) -> None:
    assert instant_of(typed, WINDOW) == (expected, words)


def test_a_time_of_the_other_zone_is_taken_where_only_it_fits() -> None:
    found = instant_of("03:10", WINDOW, BERLIN)
    assert found.at == ns("2026-03-14T02:10:00+00:00")
    assert "03:10:00 Europe/Berlin, UTC+01:00" in found.words
    assert instant_of("02:10", WINDOW, BERLIN).at == found.at


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("6m", "Write -6m or +6m"),
        ("04:00", "not in this window (01:43:40 to 02:18:40 UTC)"),
        ("25:00", "not on any clock"),
        ("soon", "'soon' is no time; write 02:13"),
        ("", "is no time"),
        ("yesterday 02:13", "Write the date"),
        ("-", "is no time"),
    ],
)
def test_what_is_refused_and_why(typed: str, told: str) -> None:
    with pytest.raises(PinProblem) as problem:
        instant_of(typed, WINDOW, BERLIN)
    assert told in str(problem.value)


def test_two_instants_that_fit_are_both_named() -> None:
    hours = Window(T, T - 120 * MINUTE_NS, T + 30 * MINUTE_NS)
    with pytest.raises(PinProblem, match="2026-03-14T02:10:00Z or 2026-03-14T01:10:00Z"):
        instant_of("02:10", hours, BERLIN)
    days = Window(T, T - 30 * 60 * MINUTE_NS, T + 30 * MINUTE_NS)
    with pytest.raises(PinProblem, match="2026-03-13T02:10:00Z or 2026-03-14T02:10:00Z"):
        instant_of("02:10", days)


def test_an_hour_that_a_clock_change_repeats_is_not_chosen() -> None:
    change = ns("2026-10-25T01:00:00+00:00")
    night = Window(change, change - 50 * MINUTE_NS, change + 50 * MINUTE_NS)
    with pytest.raises(PinProblem, match="2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z"):
        instant_of("02:30", night, BERLIN)


def test_a_window_of_months_needs_a_date() -> None:
    months = Window(T, T - 120 * 24 * 60 * MINUTE_NS, T + MINUTE_NS)
    with pytest.raises(PinProblem, match="add a date"):
        instant_of("02:10", months)


@given(st.integers(WINDOW.start // SECOND_NS, WINDOW.end // SECOND_NS))
def test_every_second_of_the_window_can_be_gone_to(second: int) -> None:
    at = second * SECOND_NS
    face = datetime.fromtimestamp(second, UTC).strftime("%H:%M:%S")
    assert instant_of(face, WINDOW).at == at


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_a_sentence(typed: str) -> None:
    try:
        assert isinstance(instant_of(typed, WINDOW, BERLIN).at, int)
    except PinProblem as problem:
        assert str(problem)
