"""Wide mode on real clusters: little travels, and what is found is what a full read finds."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import polars as pl
import pytest

from halfawake import plugins
from halfawake.collection import CollectionSession
from halfawake.setup import REMOTE_BUDGET, PreparedSource, Setup
from tests.connectors.night import Night, index_night
from tests.connectors.search_data import delete_index
from tests.connectors.test_elasticsearch_wide import connector
from tests.servers.process import RunningServer
from timeline.analysis import Analysis
from timeline.event import SEVERITY_WARN, Lane
from timeline.incident import Incident, SourceInfo
from timeline.progress import CollectionEnded, IncidentGrew, Phase, PreviewArrived, Update
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window
from timeline.words import grouped
from tui.density import Columns, density_of

PIN = 1_773_454_049_000_000_000
WINDOW = Window.around(PIN)
REQUESTS = 110_000
"""Some 198 000 documents in 35 minutes."""
MOST_MOVED = 0.05
USEFUL_S = 3.0
"""Rows around T, the counts of every lane and the sentence stand by then, on an idle machine."""
EVERYTHING = Budget(rows=1_000_000, bytes=8 * 1024**3, seconds=600)


@dataclass
class Told:
    """What one collection said, and when."""

    began: float = field(default_factory=time.monotonic)
    preview_s: float = 0.0
    counted_s: float = 0.0
    sentence_s: float = 0.0
    """Line one told what happened."""
    incident: Incident | None = None
    analysis: Analysis | None = None
    phases: tuple[Phase, ...] = ()
    moved: int = 0

    def take(self, update: Update) -> None:
        since = time.monotonic() - self.began
        if isinstance(update, PreviewArrived):
            self.preview_s = self.preview_s or since
        elif isinstance(update, IncidentGrew):
            self.incident, self.analysis = update.incident, update.analysis
            if update.incident.snapshot.counts.height:
                self.counted_s = self.counted_s or since
            if update.analysis is not None and update.analysis.findings:
                self.sentence_s = self.sentence_s or since
        elif isinstance(update, CollectionEnded):
            self.phases = tuple(status.phase for status in update.statuses)
            self.moved = sum(status.rows for status in update.statuses)


@dataclass(frozen=True)
class Indexed:
    """A night on a real cluster."""

    server: RunningServer
    name: str
    night: Night
    documents: int

    def collected(self, budget: Budget) -> Told:
        """Both phases, as `halfawake at` runs them."""
        info = SourceInfo("logs", Lane.LOG, "elasticsearch")
        source = PreparedSource(info, connector(self.server.url, self.name), budget)
        services = ("web", "mailer", "deployer")
        setup = Setup((source,), detectors=plugins.detectors(), expected_services=services)
        told = Told()

        async def collect() -> None:
            session = CollectionSession(setup, told.take, lambda: WINDOW.end)
            try:
                await session.collect(WINDOW)
            finally:
                await session.close()

        asyncio.run(collect())
        return told


@pytest.fixture(scope="module", params=["elasticsearch_server", "opensearch_server"])
def indexed(request: pytest.FixtureRequest) -> Iterator[Indexed]:
    server: RunningServer = request.getfixturevalue(request.param)
    name, night = f"night-{secrets.token_hex(4)}", Night(REQUESTS, WINDOW)
    yield Indexed(server, name, night, index_night(server.url, name, night))
    delete_index(server.url, name)


@pytest.fixture(scope="module")
def wide(indexed: Indexed) -> Told:
    return indexed.collected(REMOTE_BUDGET)


def true_counts(night: Night) -> Counter[tuple[int, str, int]]:
    """(second, service, severity) of every document inside the window."""
    found: Counter[tuple[int, str, int]] = Counter()
    severity = {"info": 9, "warning": 13, "error": 17}
    for line in night.documents():
        document = json.loads(line)
        second = int(datetime.fromisoformat(document["@timestamp"]).timestamp())
        if WINDOW.start <= second * SECOND_NS < WINDOW.end:
            level, service = document["log"]["level"], document["service"]["name"]
            found[second, service, severity[level]] += 1
    return found


@pytest.mark.servers
def test_counts_are_the_true_ones(indexed: Indexed, wide: Told) -> None:
    assert wide.incident is not None
    true = true_counts(indexed.night)
    frame = wide.incident.snapshot.counts
    assert frame["exact"].all()
    named = frame.filter(pl.col("count") > 0).select(
        "severity_number", pl.col("actor").cast(pl.String), "count"
    )
    by_kind: Counter[tuple[str, int]] = Counter()
    for (_, service, severity), count in true.items():
        by_kind[service, severity] += count
    told = named.group_by("actor", "severity_number").agg(pl.col("count").sum())
    assert {(a, s): n for a, s, n in told.iter_rows()} == dict(by_kind)
    bars = frame.group_by("start", "width").agg(pl.col("count").sum()).sort("start")
    assert bars["start"][0] == WINDOW.start
    assert (bars["start"] + bars["width"])[-1] == WINDOW.end
    for start, width, count in bars.iter_rows():
        if start % SECOND_NS == 0 and width % SECOND_NS == 0:
            seconds = range(start // SECOND_NS, (start + width) // SECOND_NS)
            assert count == sum(true[key] for key in true if key[0] in seconds)


@pytest.mark.servers
def test_lanes_show_the_true_counts(indexed: Indexed, wide: Told) -> None:
    assert wide.incident is not None
    true = true_counts(indexed.night)
    density = density_of(wide.incident.snapshot, WINDOW)
    for cells in (30, 61, 180):
        band = density.bands(Columns.over(WINDOW, cells))["logs"]
        assert band.rows == sum(band.counts) == sum(true.values())
        assert band.error_rows == sum(n for (_, _, severity), n in true.items() if severity >= 17)
        assert sum(band.warnings) == sum(
            n for (_, _, severity), n in true.items() if severity == 13
        )


OF_EVERY_LINE = {"rate-change", "novel-template"}
"""They compare all lines with all others, and say so where most of them were only counted."""


@pytest.mark.servers
def test_what_is_found_is_what_a_full_read_finds(indexed: Indexed, wide: Told) -> None:
    full = indexed.collected(EVERYTHING)
    assert full.moved >= indexed.documents - 10, "two or three lie behind the end of the window"
    assert full.incident is not None
    assert full.incident.snapshot.counts.is_empty()
    assert full.analysis is not None
    assert wide.analysis is not None
    assert {finding.term for finding in full.analysis.findings} >= {
        "network-hiccup",
        "ambiguous-enqueue",
    }
    told, expected_told = (
        [finding for finding in analysis.findings if finding.term not in OF_EVERY_LINE]
        for analysis in (wide.analysis, full.analysis)
    )
    for found, expected in zip(told, expected_told, strict=True):
        assert found.sentence() == expected.sentence()
        assert found.verdict is expected.verdict
        assert found.keys == expected.keys
        assert found.weakest_link == expected.weakest_link
        assert [step.event.ref for step in found.steps] == [s.event.ref for s in expected.steps]
    assert wide.analysis.state == full.analysis.state
    assert wide.analysis.onset == full.analysis.onset
    assert wide.analysis.headline == full.analysis.headline
    missed = {skipped.term for skipped in wide.analysis.not_evaluated}
    assert missed == {skipped.term for skipped in full.analysis.not_evaluated} | OF_EVERY_LINE


@pytest.mark.servers
def test_little_travels_and_what_stayed_is_said(indexed: Indexed, wide: Told) -> None:
    assert wide.incident is not None
    assert wide.phases == (Phase.DONE,), "nothing that was promised is missing"
    assert wide.moved < MOST_MOVED * indexed.documents
    snapshot = wide.incident.snapshot
    (remark,) = [remark for remark in snapshot.remarks if remark.topic == "counted"]
    total = snapshot.counts["count"].sum()
    fetched_first = total - remark.count
    assert fetched_first <= len(snapshot), "look-ups come on top"
    left = {entry.reason for entry in snapshot.coverage.entries if entry.complete_from}
    assert left == {f"counted, not fetched: {grouped(remark.count)} INFO records"}
    deploys = snapshot.events.filter(pl.col("body").str.contains("deployed"))
    assert deploys.height == 1, "one calm record of somebody who seldom speaks"


@pytest.mark.servers
@pytest.mark.timing
def test_the_screen_is_useful_at_once(indexed: Indexed) -> None:
    runs = []
    for _ in range(3):
        httpx.post(f"{indexed.server.url}/{indexed.name}/_cache/clear").raise_for_status()
        runs.append(indexed.collected(REMOTE_BUDGET))
    told = min(runs, key=lambda run: run.sentence_s)
    assert 0 < told.preview_s <= told.counted_s <= told.sentence_s <= USEFUL_S


@pytest.mark.servers
def test_nobody_in_a_counted_stretch_is_called_silent(indexed: Indexed, wide: Told) -> None:
    assert wide.incident is not None
    assert wide.incident.silences == ()
    held = wide.incident.snapshot.events.filter(
        (pl.col("actor") == "mailer") & (pl.col("severity_number") < SEVERITY_WARN)
    )
    gaps = held["timestamp"].sort().diff().max()
    assert isinstance(gaps, int)
    assert gaps > 3 * MINUTE_NS, "the rows alone would look silent"


@pytest.mark.servers
def test_the_tier_of_an_index_can_be_asked_for(indexed: Indexed) -> None:
    """What `frozen` rests on: by tier an index is found, and by another it is not."""
    if "opensearch" in indexed.server.name.lower():
        pytest.skip("OpenSearch has no data tiers")
    for tier, expected in (("data_content", [indexed.name]), ("data_frozen", [])):
        body = {"index_filter": {"term": {"_tier": tier}}}
        answer = httpx.post(
            f"{indexed.server.url}/{indexed.name}/_field_caps?fields=@timestamp", json=body
        )
        assert answer.json()["indices"] == expected
