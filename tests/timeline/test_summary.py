"""The sentences about a whole incident: what is claimed and where the claim ends."""

from __future__ import annotations

import dataclasses

from tests.tui import story
from timeline.coverage import Coverage, CoverageMap, Sight
from timeline.incident import Incident
from timeline.progress import Phase
from timeline.summary import (
    blind_words,
    common_words,
    empty_words,
    outside_words,
    trust_words,
    victims_words,
)


def seeing(incident: Incident, *entries: Coverage) -> Incident:
    snapshot = dataclasses.replace(incident.snapshot, coverage=CoverageMap(entries))
    return dataclasses.replace(incident, snapshot=snapshot)


def everything(incident: Incident) -> Incident:
    window = incident.window
    full = (Coverage(s.name, window.start, window.end, Sight.FULL) for s in incident.sources)
    return seeing(incident, *full)


def test_nothing_is_claimed_only_when_every_source_looked() -> None:
    empty = story.incident([])
    assert empty_words(everything(empty), story.statuses()).startswith("Nothing happened")
    words = empty_words(empty, story.statuses())
    assert "Nothing happened" not in words
    assert "mailer" in words and "jobs" in words and "web" not in words


def test_no_answer_is_not_an_empty_window() -> None:
    failed = [
        dataclasses.replace(status, phase=Phase.FAILED, problem="refused")
        for status in story.statuses()
    ]
    assert "nothing can be said" in empty_words(everything(story.incident([])), failed)


def test_blind_spots_name_failures_first_and_each_source_once() -> None:
    failed = dataclasses.replace(
        story.statuses()[1], phase=Phase.FAILED, problem="connection refused."
    )
    words = blind_words(story.COVERAGE[2:4], [failed])
    assert words == ["mailer: connection refused", "jobs: keeps no successes after 500 s"]


def test_trust_names_clocks_zones_and_counts() -> None:
    words = trust_words(story.incident())
    assert words == [
        "clocks ±250 ms assumed",
        "zone assumed: mailer",
        "3 undated (web)",
        "12 out of order (web)",
    ]


def test_t_outside_the_rows() -> None:
    assert outside_words(story.incident()) == ""
    early = [e for e in story.crowd() if e.timestamp < story.ONSET]
    late = [e for e in story.crowd() if e.timestamp > story.T]
    assert "after the last row" in outside_words(story.incident(early))
    assert "before the first row" in outside_words(story.incident(late))


def test_victims_and_what_they_share() -> None:
    assert victims_words(story.ANALYSIS.state) == "4 keys hit, 0 new/min"
    assert common_words(story.ANALYSIS) == ["actor web-1: 4 of 4 hit, 50% of the others"]
