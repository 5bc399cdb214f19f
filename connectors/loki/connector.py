"""The Loki connector: lines nearest T first, forwards and backwards from it.

Owns what may be claimed: lines beyond the budget are counted by Loki itself and said; what
retention deleted or an agent never shipped cannot be told from silence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  the class attribute names it at run time

from connectors.clock_sampling import reading_from
from connectors.contract import CheckReport, Cost
from connectors.discovery import Candidate, Place
from connectors.logs.jsonshape import value_at
from connectors.logs.sight import instant
from connectors.logs.zones import ZoneRule
from connectors.loki.api import Entry, Loki
from connectors.loki.lines import SHIPPING_NS, Lines, dialect_of
from connectors.loki.lookup import queries_for
from connectors.loki.options import LokiOptions
from connectors.loki.paging import Walk
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import SECOND_NS, Budget, Window

NO_ACCOUNTS = (
    "Loki has no accounts of its own: a proxy before it decides; let it pass GET "
    "/loki/api/v1/query_range, query, labels and status/buildinfo, and neither push nor delete"
)
READING_SHARE = 0.8
"""Of the time it may take; the rest is for counting what was not read."""
SAMPLE_LINES = 200
"""Newest lines of the window by which the format of all is decided."""
CLOCK_SAMPLES = 3
"""The Date header has whole seconds: more samples narrow it little."""
LOOKUP_KEYS = 20
"""Keys of one look-up; each is a query of its own."""
QUIET_NS = 60 * SECOND_NS
"""Agents ship in batches and ingesters may lag: the last minute before now is not complete."""


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    window: Window
    deadline: float
    rows: int
    lines: Lines
    coverage: list[Coverage] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


class LokiConnector:
    """One query of one tenant of one Loki. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "loki"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = LokiOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, LokiOptions):
            raise TypeError("LokiConnector needs LokiOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._loki = Loki(options)

    def __repr__(self) -> str:
        return f"LokiConnector({self.source!r}, {self._loki.where!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """The variables of logcli, LOKI_ADDR, and LOKI_URL, with their credentials by name."""
        names = {"LOKI_USERNAME": "username", "LOKI_PASSWORD": "password",
                 "LOKI_BEARER_TOKEN": "bearer", "LOKI_ORG_ID": "tenant"}  # fmt: skip
        for variable in ("LOKI_ADDR", "LOKI_URL"):
            if place.variables.get(variable):
                options: dict[str, object] = {"url": f"${{{variable}}}", "query": '{job=~".+"}'}
                for name, option in names.items():
                    if place.variables.get(name):
                        options[option] = f"${{{name}}}"
                if "bearer" in options:
                    options.pop("password", None)
                yield Candidate("loki", "loki", options, f"the variable {variable}")
                return

    async def check(self) -> CheckReport:
        """Version, tenant, labels and whether the query finds anything in the last hour."""
        deadline = time.monotonic() + self._options.read_timeout_s * 2
        build = await self._loki.content("status/buildinfo", deadline)
        version = value_at(build, ("version",)) if isinstance(build, dict) else None
        now = time.time_ns()
        hour = 3_600 * SECOND_NS
        answer = await self._loki.content(
            "labels", deadline, start=str(now - 24 * hour), end=str(now)
        )
        names = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(names, list) or not names:
            raise NothingHere(
                "Loki holds no stream of the last day for this tenant",
                where=self._loki.where,
                remedy="Set tenant, or check that an agent ships to it.",
            )
        count = await self._loki.count(self._options.query, now - hour, now, deadline)
        counted = "would not count" if count is None else f"counts {count:,}"
        labels = ", ".join(clean(str(name)) for name in names[:12])
        return CheckReport(
            f"Loki {clean(str(version)) if version else 'of unknown version'}",
            (
                f"tenant {clean(self._options.tenant) or 'none sent'}",
                f"labels: {labels}",
                f"Loki {counted} lines of the last hour for the query",
            ),
            (
                "what retention deleted, and what no agent shipped: both look like silence",
                "the last minute before now, until agents and ingesters have caught up",
            ),
            await self.clock(),
            cost=(Cost("lines of the last hour", "the streams that query selects", count),),
            rights=(NO_ACCOUNTS,),
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Lines from T on, then from T back; the last batch carries coverage and remarks."""
        try:
            reading = await self._begin(window, budget)
            middle = min(max(window.pin, window.start), window.end)
            end = window.end + SHIPPING_NS
            sides = [(middle, end, True), (window.start, middle, False)]
            walks = [
                Walk(self._options.query, low, high, forward)
                for low, high, forward in sides
                if low < min(high, window.end)
            ]
            for left, walk in zip(range(len(walks), 0, -1), walks, strict=True):
                async for batch in self._walked(reading, walk, -(-reading.rows // left)):
                    yield batch
            yield self._account(reading)
        except BaseException:
            await self._loki.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Lines of `span` that carry any of `keys`: Loki filters by the value, we by the key."""
        wanted = [key for key in keys if split_key(key)[0] not in ("", "row")][:LOOKUP_KEYS]
        if not wanted:
            return
        try:
            reading = await self._begin(span, budget)
            told: set[str] = set()
            missing = []
            for key in wanted:
                found = False
                async for events in self._carrying(reading, key):
                    found = True
                    fresh = [event for event in events if event.ref not in told]
                    if len(fresh) > reading.rows:
                        sentence = f"the search for {key} stopped at the row budget"
                        reading.remarks.append(Remark(self.source, "cut", sentence))
                        fresh = fresh[: reading.rows]
                    told.update(event.ref for event in fresh)
                    reading.rows -= len(fresh)
                    if fresh:
                        yield batch_of(self.source, fresh)
                    if reading.rows <= 0:
                        break
                if not found:
                    missing.append(key)
            if missing:
                sentence = f"{', '.join(missing)}: in no line of the query and window"
                reading.remarks.append(Remark(self.source, "not-found", sentence, len(missing)))
            yield batch_of(self.source, (), BatchExtras(remarks=tuple(reading.remarks)))
        except BaseException:
            await self._loki.close()
            raise

    async def _carrying(self, reading: _Reading, key: str) -> AsyncIterator[list[Event]]:
        """Pages of the window's events that carry `key`."""
        window = reading.window
        for query in queries_for(self._options.query, key, self._key_rules):
            walk = Walk(query, window.start, window.end + SHIPPING_NS, forward=True)
            async for page in walk.pages(self._loki, reading.deadline):
                events = await asyncio.to_thread(self._events, reading, page)
                carrying = [event for event in events if key in event.keys]
                if carrying:
                    yield carrying

    async def clock(self) -> ClockReading | None:
        """The Date header against our clock; None when the server sends none."""
        deadline = time.monotonic() + self._options.read_timeout_s
        taken = [await self._loki.clock_sample(deadline) for _ in range(CLOCK_SAMPLES)]
        samples = [sample for sample in taken if sample is not None]
        return reading_from(self.source, samples) if samples else None

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        await self._loki.close()

    async def _begin(self, window: Window, budget: Budget) -> _Reading:
        deadline = time.monotonic() + budget.seconds * READING_SHARE
        sample, _ = await self._loki.entries(
            self._options.query, window.start, window.end + SHIPPING_NS, forward=False,
            limit=SAMPLE_LINES, deadline=deadline,
        )  # fmt: skip
        rule = ZoneRule.named(self._options.zone)
        dialect = await asyncio.to_thread(dialect_of, sample, rule, window.end // SECOND_NS)
        return _Reading(window, deadline, budget.rows, Lines(self.source, self._key_rules, dialect))

    def _events(self, reading: _Reading, page: list[Entry]) -> list[Event]:
        found = (reading.lines.event(entry) for entry in page)
        return [event for event in found if reading.window.contains(event.timestamp)]

    async def _walked(self, reading: _Reading, walk: Walk, rows: int) -> AsyncIterator[Batch]:
        cut = ""
        pages = walk.pages(self._loki, reading.deadline)
        async for page in pages:
            events = await asyncio.to_thread(self._events, reading, page)
            if len(events) > rows:
                cut = f"reading stopped at the budget of {rows:,} more lines"
                events = events[:rows]
                walk.reached = events[-1].timestamp if events else walk.reached
            rows -= len(events)
            reading.rows -= len(events)
            if events:
                yield batch_of(self.source, events)
            if not cut and time.monotonic() > reading.deadline:
                cut = "reading stopped: its time was up"
            if not cut and rows <= 0:
                cut = "reading stopped at the row budget"
            if cut:
                break
        if walk.crowded is not None:
            sentence = f"more lines than one page holds share the stamp {instant(walk.crowded)}"
            self._weak(reading, walk.crowded, walk.crowded + 1, sentence)
        if cut:
            await self._count_rest(reading, walk, cut)

    async def _count_rest(self, reading: _Reading, walk: Walk, cut: str) -> None:
        """Say what lies beyond the last line that was read, with Loki's own count of it."""
        edge = walk.reached
        low, high = walk.start, min(walk.end, reading.window.end)
        if edge is not None and walk.forward:
            low = min(max(low, edge), high - 1)
        elif edge is not None:
            high = max(min(high, edge), low + 1)
        deadline = time.monotonic() + self._options.read_timeout_s / 3
        count = await self._loki.count(walk.query, low, high, deadline)
        beyond = "not counted" if count is None else f"{count:,} by Loki's count"
        sentence = f"{cut}; lines between {instant(low)} and {instant(high)}: {beyond}"
        self._weak(reading, low, high, sentence)

    def _weak(self, reading: _Reading, low: int, high: int, sentence: str) -> None:
        remedy = "narrow the query or the window, or raise the budget"
        reading.remarks.append(Remark(self.source, "cut", sentence))
        reading.coverage.append(Coverage(self.source, low, high, Sight.PARTIAL, sentence, remedy))

    def _account(self, reading: _Reading) -> Batch:
        window = reading.window
        settled = min(window.end, max(time.time_ns() - QUIET_NS, window.start))
        entries = [*reading.coverage]
        if window.start < settled:
            entries.append(Coverage(self.source, window.start, settled, Sight.FULL))
        if settled < window.end:
            words = "agents and ingesters may not have caught up with the last minute"
            entries.append(
                Coverage(self.source, settled, window.end, Sight.PARTIAL, words, "fetch again")
            )
        extras = BatchExtras(tuple(entries), tuple(reading.remarks), self._loki.bytes_read)
        return batch_of(self.source, (), extras)
