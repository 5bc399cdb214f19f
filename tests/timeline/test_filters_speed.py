"""Search and filter over a million rows answer before a person wonders."""

from __future__ import annotations

import pytest

from bench.night import night
from bench.search import filtering, searching

LINES = 1_000_000
SEARCH_LIMIT_S = 0.3
FILTER_LIMIT_S = 0.15


@pytest.mark.timing
def test_a_million_rows_are_searched_and_filtered_without_a_pause() -> None:
    incident = night(LINES, LINES // 20, LINES // 20)
    assert {name: s for name, s in searching(incident).items() if s > SEARCH_LIMIT_S} == {}
    assert {name: s for name, s in filtering(incident).items() if s > FILTER_LIMIT_S} == {}
