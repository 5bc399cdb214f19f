"""The pace of a walk: short statements, whatever a row costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sql.pacing import LEAST_ROWS, MOST_ROWS, SLOWEST_S, Pace


def walked(cost_of_a_row_s: float, statements: int) -> list[float]:
    """Seconds that each of so many statements took."""
    pace, took = Pace(), []
    for _ in range(statements):
        took.append(pace.rows * cost_of_a_row_s)
        pace.took(took[-1])
    return took


@given(st.floats(min_value=1e-8, max_value=5e-5))
def test_no_statement_is_slow_where_all_rows_cost_the_same(cost_s: float) -> None:
    assert max(walked(cost_s, 30)) <= SLOWEST_S


@pytest.mark.parametrize("cost_s", [1e-4, 9e-4])
def test_dear_rows_soon_make_small_statements(cost_s: float) -> None:
    assert walked(cost_s, 10)[-1] <= SLOWEST_S


def test_cheap_rows_are_read_in_few_statements() -> None:
    pace = Pace()
    for _ in range(10):
        pace.took(0.001)
    assert pace.rows == MOST_ROWS


def test_a_walk_never_stands_still() -> None:
    pace = Pace()
    for _ in range(20):
        pace.took(10.0)
    assert pace.rows == LEAST_ROWS


def test_a_pace_that_is_right_is_kept() -> None:
    pace = Pace(rows=1_000)
    pace.took(SLOWEST_S / 3)
    assert pace.rows == 1_000
