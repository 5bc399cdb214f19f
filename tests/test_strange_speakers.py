"""Who spoke too seldom to have a habit is left aside before anything dear is worked out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bench.strange.catalogue import BY_NAME
from bench.strange.reading import Reading, read
from bench.strange.shape import write
from timeline.facts import line_rates, pauses_of_speakers
from timeline.facts.line_rates import blocks_of, moved_series
from timeline.facts.pauses_of_speakers import pauses_of
from timeline.facts.placebo import Outlier

LINES = 2_000


def _told(name: str, folder: Path) -> Reading:
    return read(write(BY_NAME[name], folder, LINES))


@pytest.mark.parametrize(("name", "compared"), [("many-speakers", False), ("crlf", True)])
def test_series_of_a_few_lines_are_not_compared(
    name: str, compared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident, seen = _told(name, tmp_path).incident, list[pl.DataFrame]()

    def watched(counts: pl.DataFrame, *_: object) -> list[Outlier]:
        seen.append(counts)
        return []

    monkeypatch.setattr(line_rates, "outliers", watched)
    assert moved_series(incident, blocks_of(incident, None)) == []
    assert [counts.height > 0 for counts in seen] == [compared]


@pytest.mark.parametrize(("name", "compared"), [("many-speakers", False), ("crlf", True)])
def test_pauses_of_who_spoke_a_few_times_are_not_weighed(
    name: str, compared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident, seen = _told(name, tmp_path).incident, list[int]()
    weighed = pauses_of_speakers._long

    def watched(spoken: pl.DataFrame, per: tuple[str, ...], until: int) -> pl.DataFrame:
        seen.append(spoken.height)
        return weighed(spoken, per, until)

    monkeypatch.setattr(pauses_of_speakers, "_long", watched)
    pauses_of(incident, incident.window.end)
    assert any(seen) == compared
