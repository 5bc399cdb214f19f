"""The Kubernetes connector: pods and cluster events first, then the lines of their containers.

Owns what may be claimed. Pods that are gone took their status and their lines with them, events
live for an hour, and the kubelet hands out a container's newest log file alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel  # noqa: TC002  the class attribute names it at run time

from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.kubernetes.checking import check_cluster
from connectors.kubernetes.commands import Kubectl
from connectors.kubernetes.events import events_of, pod_named_by
from connectors.kubernetes.kubeconfig import candidates_in
from connectors.kubernetes.options import KubernetesOptions
from connectors.kubernetes.pods import Pod, PodEvents, pod_of
from connectors.kubernetes.sight import Sights
from connectors.logs.jsonshape import JsonValue
from connectors.logs.zones import ZoneRule
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.clock import ClockReading
from timeline.event import Event, Lane
from timeline.keys import KeyRules, split_key
from timeline.problems import AccessRefused
from timeline.window import Budget, Window

if TYPE_CHECKING:
    from connectors.kubernetes.podlogs import Told

READING_SHARE = 0.85
"""Of the time it may take; the rest is for ending processes and for the account."""
RUNS_AT_ONCE = 2
"""Processes, and so connections to the API server, at any time."""
BATCH_EVENTS = 2_000


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    window: Window
    now: int
    deadline: float
    rows: int
    bytes: int
    sights: Sights
    keys: frozenset[str] = frozenset()
    """Only what carries one of these; empty takes everything."""
    found: set[str] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)

    def takes(self, event: Event) -> bool:
        hit = self.keys.intersection(event.keys)
        self.found |= hit
        return not self.keys or bool(hit)


class KubernetesConnector:
    """One namespace of one cluster. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "kubernetes"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = KubernetesOptions
    runs: ClassVar[tuple[str, ...]] = ("kubectl", "kubeconfig")

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, KubernetesOptions):
            raise TypeError("KubernetesConnector needs KubernetesOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._kubectl = Kubectl(options)

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """The current context of the kubeconfig."""
        return candidates_in(place)

    async def check(self) -> CheckReport:
        """Context, versions, rights, what is there and what the cluster forgets."""
        return await check_cluster(self.source, self._kubectl, self._options)

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Pods and events, then containers' lines; the last batch carries coverage and remarks."""
        reading = self._begin(window, budget)
        async for batch in self._read(reading):
            yield batch
        yield self._account(reading)

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Pods, events and lines of `span` that carry any of `keys`; nothing is indexed by key."""
        wanted = frozenset(key for key in keys if split_key(key)[0] not in ("", "row"))
        if not wanted:
            return
        reading = self._begin(span, budget, wanted)
        async for batch in self._read(reading):
            yield batch
        missing = sorted(wanted - reading.found)
        if missing:
            sentence = (
                f"{', '.join(missing[:10])}: not in the pods, events and lines that are left of "
                "the window"
            )
            reading.remarks.append(Remark(self.source, "not-found", sentence, len(missing)))
        extras = BatchExtras(remarks=tuple(reading.remarks))
        yield batch_of(self.source, (), extras)

    async def clock(self) -> ClockReading | None:
        """None: kubectl does not pass on the API server's clock."""
        return None

    async def close(self) -> None:
        """Nothing stays running between questions."""

    def _begin(
        self, window: Window, budget: Budget, keys: frozenset[str] = frozenset()
    ) -> _Reading:
        now = time.time_ns()
        seconds = min(budget.seconds, self._options.timeout_s)
        return _Reading(
            window,
            now,
            time.monotonic() + seconds * READING_SHARE,
            budget.rows,
            budget.bytes,
            Sights(self.source, window, now),
            keys,
        )

    async def _read(self, reading: _Reading) -> AsyncIterator[Batch]:
        await self._kubectl.pin_context(reading.deadline)
        selector = [f"--selector={self._options.selector}"] if self._options.selector else []
        items = await self._kubectl.listed("pods", reading.deadline, *selector)
        pods = [pod for item in items if (pod := pod_of(item)) is not None]
        objects = await self._cluster_events(reading)
        reading.sights.pods(pods, [pod_named_by(item) for item in objects], bool(selector))
        for batch in self._batches(reading, self._dated(reading, pods, objects)):
            yield batch
        if self._options.logs:
            async for batch in self._lines(reading, pods):
                yield batch

    async def _cluster_events(self, reading: _Reading) -> list[JsonValue]:
        if not self._options.events:
            return []
        try:
            objects = await self._kubectl.listed("events", reading.deadline)
        except AccessRefused as problem:
            reading.sights.no_events(problem)
            reading.remarks.append(Remark(self.source, "refused", problem.sentence()))
            return []
        reading.sights.events(self._options.event_ttl_s)
        return objects

    def _dated(
        self, reading: _Reading, pods: list[Pod], objects: list[JsonValue]
    ) -> Iterator[Event]:
        """What happened to pods and containers, and what the cluster said, inside the window."""
        teller = PodEvents(self.source)
        for pod in pods:
            for event in teller.of(pod, reading.now):
                present = event.timestamp == reading.now
                if (present or reading.window.contains(event.timestamp)) and reading.takes(event):
                    yield event
        for item in objects:
            for event in events_of(item, self.source, self._key_rules):
                if reading.window.contains(event.timestamp) and reading.takes(event):
                    yield event

    def _batches(self, reading: _Reading, events: Iterator[Event]) -> Iterator[Batch]:
        pin = reading.window.pin
        found = sorted(events, key=lambda event: (abs(event.timestamp - pin), event.ref))
        if len(found) > reading.rows:
            self._cut(reading, f"reading stopped at {reading.rows:,} of {len(found):,} changes")
            found = found[: reading.rows]
        reading.rows -= len(found)
        for start in range(0, len(found), BATCH_EVENTS):
            yield batch_of(self.source, found[start : start + BATCH_EVENTS])

    async def _lines(self, reading: _Reading, pods: list[Pod]) -> AsyncIterator[Batch]:
        from connectors.kubernetes.podlogs import Asked, PodLogs, Told, runs_of

        logs = PodLogs(
            self._kubectl,
            self.source,
            self._key_rules,
            ZoneRule.named(self._options.zone),
            reading.window,
        )
        runs = runs_of(pods, reading.window)
        most = self._options.max_containers
        if len(runs) > most:
            self._cut(
                reading, f"{len(runs)} containers have lines; {most} were read (max_containers)"
            )
        turns = asyncio.Semaphore(RUNS_AT_ONCE)

        async def one(asked: Asked) -> tuple[Told, int | None]:
            async with turns:
                if reading.rows <= 0 or reading.bytes <= 0 or time.monotonic() > reading.deadline:
                    return Told(asked, complaint="the budget was used up before it"), None
                told = await logs.read(asked, reading.deadline, reading.bytes)
                oldest = told.first
                if oldest is not None and oldest > reading.window.start:
                    oldest = await logs.oldest(asked, reading.deadline)
                return told, oldest

        tasks = [asyncio.create_task(one(asked)) for asked in runs[:most]]
        try:
            for task in tasks:
                told, oldest = await task
                if (batch := self._told(reading, told, oldest)) is not None:
                    yield batch
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _told(self, reading: _Reading, told: Told, oldest: int | None) -> Batch | None:
        from connectors.logs.nearest import carrying, nearest

        reading.sights.container(told, oldest)
        if told.complaint:
            sentence = f"{told.asked.name}: no lines: {told.complaint}"
            reading.remarks.append(Remark(self.source, "cut", sentence))
        if told.cut:
            self._cut(reading, f"{told.asked.name}: reading stopped: {told.cut}")
        if told.chunk is None:
            return None
        reading.bytes -= told.bytes
        reading.remarks += told.remarks(self.source)
        events, keys = told.chunk.events, told.chunk.keys
        if reading.keys:
            events, keys, found = carrying(events, keys, reading.keys)
            reading.found |= found
        if events.height > reading.rows:
            self._cut(reading, f"{told.asked.name}: reading stopped at the row budget")
            events, keys = nearest(events, keys, reading.window.pin, reading.rows)
        reading.rows -= events.height
        return Batch(self.source, events, keys, undated=told.chunk.undated, bytes_read=told.bytes)

    def _cut(self, reading: _Reading, sentence: str) -> None:
        reading.sights.cut(sentence)
        reading.remarks.append(Remark(self.source, "cut", sentence))

    def _account(self, reading: _Reading) -> Batch:
        context = Remark(self.source, "context", f"read from context {self._kubectl.context}")
        extras = BatchExtras(
            coverage=reading.sights.coverage(), remarks=(context, *reading.remarks)
        )
        return batch_of(self.source, (), extras)
