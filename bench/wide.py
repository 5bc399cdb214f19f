"""Five million log documents in one window: what travels, and how soon the screen is useful.

Starts a real Elasticsearch on loopback (or takes HALFAWAKE_TEST_ELASTICSEARCH_URL), indexes a
shop's night with a small mapping, and reads it as `halfawake at` does, with the budget of a system
under investigation. The floor is the cluster's own count of the same window.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.table import ratio, write_table
from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from halfawake import plugins
from halfawake.collection import CollectionSession
from halfawake.setup import REMOTE_BUDGET, PreparedSource, Setup
from tests.connectors.night import Night, index_night
from tests.connectors.search_data import delete_index
from tests.servers.catalog import KINDS, start_server
from timeline.event import Lane
from timeline.incident import SourceInfo
from timeline.keys import KeyRules
from timeline.progress import CollectionEnded, IncidentGrew, PreviewArrived, Update
from timeline.window import Window

REQUESTS, QUICK_REQUESTS = 2_773_000, 110_000
"""Some 5 000 000 and 198 000 documents."""
PIN = 1_773_454_049_000_000_000
RUNS = 3
REQUEST_S = 120.0
SERVER = "elasticsearch"
LOST = "lost redis:6379"
"""What line one has to say: the fault that lies in the data."""
HAPPENED = f"Web and mailer {LOST}"
"""What it begins with at last, the louder service first."""


@dataclass
class Reading:
    """When one collection said what, in seconds since it was asked, and what it moved."""

    began: float = field(default_factory=time.perf_counter)
    rows_s: float = 0.0
    counts_s: float = 0.0
    sentence_s: float = 0.0
    """Line one told what happened, whether or not the source had told everything."""
    whole_s: float = 0.0
    """Line one was told of everything that travels."""
    all_s: float = 0.0
    moved: int = 0
    travelled: int = 0
    headline: str = ""

    def take(self, update: Update) -> None:
        since = time.perf_counter() - self.began
        if isinstance(update, PreviewArrived):
            self.rows_s = self.rows_s or since
        elif isinstance(update, IncidentGrew):
            if update.incident.snapshot.counts.height:
                self.counts_s = self.counts_s or since
            if update.analysis is not None:
                self.headline = update.analysis.headline
                if LOST in self.headline:
                    self.sentence_s = self.sentence_s or since
                if not update.incident.reading:
                    self.whole_s = self.whole_s or since
        elif isinstance(update, CollectionEnded):
            self.all_s = since
            self.moved = sum(status.rows for status in update.statuses)
            self.travelled = sum(status.bytes_read for status in update.statuses)
            self.headline += "".join(f" {status.problem}" for status in update.statuses)


def measure(folder: Path, quick: bool) -> None:
    """Index, read `RUNS` times, print the best of each figure."""
    del folder
    night = Night(QUICK_REQUESTS if quick else REQUESTS, Window.around(PIN))
    name = f"night-{secrets.token_hex(4)}"
    with _server() as url:
        began = time.perf_counter()
        documents = index_night(url, name, night)
        indexed = time.perf_counter() - began
        try:
            floor = min(_counted(url, name) for _ in range(RUNS))
            readings = [_read(url, name, night.window) for _ in range(RUNS)]
        finally:
            delete_index(url, name)
    if not readings[0].headline.startswith(HAPPENED):
        raise RuntimeError(f"the hiccup was not found: {readings[0].headline!r}")
    figures = {
        "rows around T": min(reading.rows_s for reading in readings),
        "every lane counted": min(reading.counts_s for reading in readings),
        "first sentence": min(reading.sentence_s for reading in readings),
        "sentence about all that travels": min(reading.whole_s for reading in readings),
        "look-ups done": min(reading.all_s for reading in readings),
    }
    rows = [["the cluster's own count per bar and level", f"{floor:.2f} s", "1.00"]]
    rows += [[name, f"{seconds:.2f} s", ratio(seconds, floor)] for name, seconds in figures.items()]
    write_table(f"{documents:,} documents, one window", ("until", "seconds", "ratio"), rows)
    last = readings[-1]
    write_table(
        "what travelled",
        ("", "", "of the documents"),
        [
            ["documents", f"{last.moved:,}", f"{last.moved / documents:.2%}"],
            ["bytes", f"{last.travelled:,}", ""],
            ["indexed in", f"{indexed:.0f} s", ""],
        ],
    )


@contextmanager
def _server() -> Iterator[str]:
    if url := os.environ.get(KINDS[SERVER].test_variable):
        yield url
        return
    with start_server(SERVER, {}) as server:
        yield server.url


def _counted(url: str, name: str) -> float:
    """Seconds of the plainest search that counts the window."""
    bars = {
        "date_histogram": {"field": "@timestamp", "fixed_interval": "3500ms"},
        "aggs": {"levels": {"terms": {"field": "log.level"}}},
    }
    body = {"size": 0, "track_total_hits": True, "aggs": {"bars": bars}}
    began = time.perf_counter()
    target = f"{url}/{name}/_search?request_cache=false"
    httpx.post(target, json=body, timeout=REQUEST_S).raise_for_status()
    return time.perf_counter() - began


def _read(url: str, name: str, window: Window) -> Reading:
    options = ElasticsearchOptions.model_validate({"url": url, "index": name})
    reader = ElasticsearchConnector("logs", options, KeyRules())
    info = SourceInfo("logs", Lane.LOG, SERVER)
    setup = Setup((PreparedSource(info, reader, REMOTE_BUDGET),), detectors=plugins.detectors())
    # Counts of a window that was asked for before would come from the cluster's memory.
    httpx.post(f"{url}/{name}/_cache/clear", timeout=REQUEST_S).raise_for_status()
    reading = Reading()

    async def collect() -> None:
        session = CollectionSession(setup, reading.take, lambda: window.end)
        try:
            await session.collect(window)
        finally:
            await session.close()

    asyncio.run(collect())
    return reading
