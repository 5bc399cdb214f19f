"""The RabbitMQ connector: depths, alarms and connections now, then the samples it still holds.

Owns what may be claimed: the management API counts, it shows no message and no id. So no job is
ever "not there", and look-ups answer that nothing can be looked up.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.answers import at, items, text, whole
from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.logs.jsonshape import JsonValue
from connectors.queues.account import Account
from connectors.rabbitmq import broker, history, present
from connectors.rabbitmq.api import ManagementAPI, segment
from connectors.rabbitmq.options import MAX_PAGE, RabbitMQOptions
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, Misconfigured, NothingHere
from timeline.window import Budget, Window

MAX_CONNECTIONS = 1_000
"""Connections looked at, the newest first."""
MAX_EXCHANGES = 20
"""Dead-letter exchanges whose bindings are asked for, one request each."""
NODE_SAMPLES = ("mem_used_details.samples", "disk_free_details.samples")
COUNTS_ONLY = "RabbitMQ tells counts only: no message, no id, no time of one message"
VARIABLES = ("RABBITMQ_URL", "CLOUDAMQP_URL", "AMQP_URL", "RABBITMQ_MANAGEMENT_URL")


@dataclass
class _Reading:
    """What one fetch has learnt so far."""

    account: Account
    broker: broker.Broker
    born: int = 0
    """When the oldest running node started (ns UTC): statistics from before are gone."""
    queues: dict[tuple[str, str], JsonValue] = field(default_factory=dict)


class RabbitMQConnector:
    """One broker or cluster. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "rabbitmq"
    lane: ClassVar[Lane] = Lane.QUEUE
    Options: ClassVar[type[BaseModel]] = RabbitMQOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, RabbitMQOptions):
            raise TypeError("RabbitMQConnector needs RabbitMQOptions")
        self.source = source
        self._options = options
        self._api = ManagementAPI(options)

    def __repr__(self) -> str:
        return f"RabbitMQConnector({self.source!r}, {self._api!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """The usual variables. The API's own port is guessed from an AMQP address."""
        for name in VARIABLES:
            if place.variables.get(name, "").startswith(("amqp://", "amqps://", "http")):
                options = {"url": f"${{{name}}}"}
                yield Candidate("rabbitmq", "rabbitmq", options, f"the variable {name}")

    async def check(self) -> CheckReport:
        """Version, nodes, alarms, queues, the account's tags, the clock, and what is forgotten."""
        found = await broker.identify(self._api)
        me = await self._api.get("/api/whoami")
        nodes = await self._nodes()
        _, total = await self._page(found, 1, 1, None)
        if not total:
            raise NothingHere(
                "The account sees no queue there",
                where=self._api.server,
                remedy="Give it access to the virtual host (set_permissions with ^$ three times).",
            )
        tags = broker.tags_of(me)
        running = sum(at(node, "running") is True for node in nodes)
        facts = [
            f"RabbitMQ {found.version} at {self._api.server}, cluster {found.cluster}",
            f"{running} of {len(nodes)} nodes are running",
            f"{total} queues are visible",
        ]
        facts += [event.body for node in nodes for event in present.node_now(self.source, node, 1)]
        if self._options.place.guessed:
            facts.append(f"only the AMQP address is set; its API was found at {self._api.server}")
        name = clean(text(at(me, "name")))
        may_write = bool(broker.WRITING_TAGS.intersection(tags))
        rights = [f"the account {name} has the tags {', '.join(tags) or 'none'}"]
        if not may_write:
            rights.append(broker.ASK_AN_ADMINISTRATOR.format(name=name))
        return CheckReport(
            system=f"RabbitMQ {found.version}",
            facts=tuple(facts),
            cannot_see=(COUNTS_ONLY, "connections that are gone, and who held a message then"),
            clock=await self.clock(),
            writes_refused=False if may_write else None,
            retention=(f"samples for {broker.ages_in_words(found)}, until a node restarts",),
            rights=tuple(rights),
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What is so now, connections that came in `window`, then the samples inside it."""
        try:
            found = await broker.identify(self._api)
            account = Account.opened(self.source, found.now, budget)
            reading = _Reading(account, found)
            nodes = await self._nodes()
            events = [e for node in nodes for e in present.node_now(self.source, node, found.now)]
            starts = [present.node_start(self.source, node, found.now) for node in nodes]
            reading.born = min((e.timestamp for e in starts if e is not None), default=0)
            events += [e for e in starts if e is not None and window.contains(e.timestamp)]
            parts = history.stretches(window, found.now, reading.born, found.ages_s)
            yield account.batch(events, bytes_read=self._api.unreported_bytes())
            async for batch in self._connections(reading, window):
                yield batch
            async for batch in self._queues(reading, parts):
                yield batch
            async for batch in self._marks(reading, parts):
                yield batch
            yield self._closing(reading, window, parts)
        except BaseException:
            await self._api.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Nothing: no key can be found in counts. Says so, once the broker has answered."""
        found = await broker.identify(self._api)
        account = Account.opened(self.source, found.now, budget)
        yield account.not_found(keys, "cannot be looked up; " + COUNTS_ONLY)

    async def clock(self) -> ClockReading | None:
        """The answering node's clock against ours; None when its statistics are off."""
        samples = await broker.sample_clock(self._api, SAMPLES)
        return reading_from(self.source, samples) if samples else None

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        await self._api.close()

    async def _nodes(self) -> list[JsonValue]:
        return items(await self._api.get("/api/nodes", columns=",".join(present.NODE_COLUMNS)))

    async def _page(
        self,
        found: broker.Broker,
        number: int,
        size: int,
        stretch: history.Stretch | None,
        deadline: float | None = None,
    ) -> tuple[list[JsonValue], int]:
        """One page of queues, the fullest first, with samples of `stretch`; and how many match."""
        columns: tuple[str, ...] = present.QUEUE_COLUMNS
        wanted: dict[str, str | int] = {"page": number, "page_size": size}
        if found.keeps_statistics:
            wanted |= {"sort": "messages", "sort_reverse": "true"}
        else:
            wanted |= {"disable_stats": "true", "enable_queue_totals": "true"}
        if stretch is not None:
            columns += history.sample_columns()
            wanted |= stretch.grid.lengths
        if self._options.queues:
            wanted |= {"name": _pattern(self._options.queues), "use_regex": "true"}
        vhost = f"/{segment(self._api.vhost)}" if self._api.vhost else ""
        wanted["columns"] = ",".join(columns)
        answer = await self._api.get(f"/api/queues{vhost}", deadline, **wanted)
        return items(at(answer, "items")), whole(at(answer, "filtered_count"))

    async def _queues(
        self, reading: _Reading, parts: Sequence[history.Stretch]
    ) -> AsyncIterator[Batch]:
        """Every queue as it is now and its finest samples; then the coarser ones."""
        now, account = reading.broker.now, reading.account
        finest = parts[0] if parts else None
        listed: list[Event] = []
        async for page in self._pages(reading, finest):
            fresh = {present.identity(queue): queue for queue in page}
            fresh = {place: q for place, q in fresh.items() if place not in reading.queues}
            reading.queues |= fresh
            if finest is not None:
                yield account.batch(self._samples(fresh.values(), finest))
        letters = await self._dead_letters(reading)
        for queue in reading.queues.values():
            listed.append(present.queue_now(self.source, queue, letters, now))
        yield account.batch(listed)
        for stretch in parts[1:]:
            seen: set[tuple[str, str]] = set()
            async for page in self._pages(reading, stretch):
                fresh = {present.identity(queue): queue for queue in page}
                again = [queue for place, queue in fresh.items() if place not in seen]
                seen |= fresh.keys()
                yield account.batch(self._samples(again, stretch))

    async def _pages(
        self, reading: _Reading, stretch: history.Stretch | None
    ) -> AsyncIterator[list[JsonValue]]:
        account, size, read, number = reading.account, self._options.page_queues, 0, 1
        while True:
            page, total = await self._page(reading.broker, number, size, stretch, account.deadline)
            yield page
            read, number = read + len(page), number + 1
            if read >= total or not page:
                return
            if read >= self._options.max_queues or account.exhausted:
                cut = f"{total} queues match; the {read} fullest were read"
                if cut not in account.cuts:
                    account.cuts.append(cut)
                return

    def _samples(self, queues: Iterable[JsonValue], stretch: history.Stretch) -> list[Event]:
        told: list[Event] = []
        for queue in queues:
            title, ref = present.title(queue), present.reference(queue)
            told += history.queue_samples(self.source, queue, title, ref, stretch)
        return told

    async def _connections(self, reading: _Reading, window: Window) -> AsyncIterator[Batch]:
        """Connections opened inside `window`, and how many are held up now."""
        vhost = f"/vhosts/{segment(self._api.vhost)}" if self._api.vhost else ""
        known: list[JsonValue] = []
        for number in range(1, MAX_CONNECTIONS // MAX_PAGE + 1):
            answer = await self._api.get(
                f"/api{vhost}/connections",
                reading.account.deadline,
                page=number,
                page_size=MAX_PAGE,
                sort="connected_at",
                sort_reverse="true",
                columns=",".join(present.CONNECTION_COLUMNS),
            )
            known += items(at(answer, "items"))
            total = whole(at(answer, "filtered_count"))
            if len(known) >= total:
                break
        else:
            cut = f"{total} connections are open; the newest {len(known)} were looked at"
            reading.account.cuts.append(cut)
        events = list(present.blocked_now(self.source, known, reading.broker.now))
        came = [present.connected(self.source, connection, window) for connection in known]
        events += [event for event in came if event is not None]
        yield reading.account.batch(events)

    async def _dead_letters(self, reading: _Reading) -> present.DeadLetters:
        """Where dead letters go today. Bindings that may not be read are left out, and said."""
        to: dict[tuple[str, str], list[str]] = {}
        of: dict[tuple[str, str], list[str]] = {}
        bindings: dict[tuple[str, str], list[JsonValue]] = {}
        for place, queue in reading.queues.items():
            target = present.dead_letter_target(queue)
            if target is None:
                continue
            vhost, (exchange, key) = place[0], target
            if not exchange:
                names = [key or place[1]]
            else:
                if (vhost, exchange) not in bindings and len(bindings) < MAX_EXCHANGES:
                    bindings[vhost, exchange] = await self._bindings(reading, vhost, exchange)
                bound = bindings.get((vhost, exchange), [])
                names = [
                    text(at(b, "destination"))
                    for b in bound
                    if text(at(b, "destination_type")) == "queue"
                    and (not key or text(at(b, "routing_key")) in (key, "", "#"))
                ]
            for name in dict.fromkeys(names):
                to.setdefault(place, []).append(clean(name))
                of.setdefault((vhost, name), []).append(present.title(queue))
        return present.DeadLetters(to, of)

    async def _bindings(self, reading: _Reading, vhost: str, exchange: str) -> list[JsonValue]:
        path = f"/api/exchanges/{segment(vhost)}/{segment(exchange)}/bindings/source"
        columns = "destination,destination_type,routing_key"
        try:
            return items(await self._api.get(path, reading.account.deadline, columns=columns))
        except (AccessRefused, Misconfigured):  # no right, or the exchange does not exist
            return []

    async def _marks(
        self, reading: _Reading, parts: Sequence[history.Stretch]
    ) -> AsyncIterator[Batch]:
        """Connections coming and going, and memory or disk beyond the limits, sample by sample."""
        deadline = reading.account.deadline
        columns = ",".join((*present.NODE_COLUMNS, *NODE_SAMPLES))
        for stretch in parts:
            overview = await self._api.get(
                "/api/overview", deadline, columns="churn_rates", **stretch.grid.lengths
            )
            events = list(history.churn_samples(self.source, overview, stretch))
            nodes = await self._api.get(
                "/api/nodes", deadline, columns=columns, **stretch.grid.nodes
            )
            for node in items(nodes):
                name = clean(text(at(node, "name")))
                events += history.memory_samples(self.source, node, name, stretch)
            yield reading.account.batch(events)

    def _closing(
        self, reading: _Reading, window: Window, parts: Sequence[history.Stretch]
    ) -> Batch:
        """What each stretch of the window is worth, and every cut."""
        account = reading.account
        cuts = "; ".join(account.cuts)
        told: list[Coverage] = []
        reached = window.end
        for stretch in parts:  # the newest first
            reason = f"{COUNTS_ONLY}; one sample every {stretch.grid.step_s} s"
            told.append(
                Coverage(
                    self.source,
                    stretch.start,
                    reached,
                    Sight.PARTIAL,
                    "; ".join(part for part in (reason, cuts) if part),
                )
            )
            reached = stretch.start
        if window.start < reached:
            reason = broker.forgetting(reading.broker, reading.born)
            told.append(
                Coverage(
                    self.source,
                    window.start,
                    reached,
                    Sight.NOW_ONLY,
                    reason,
                    "What is shown is so now; look at a monitoring system for then.",
                )
            )
        remarks = [Remark(self.source, "cut", cut) for cut in account.cuts]
        spent = self._api.unreported_bytes()
        return account.batch((), bytes_read=spent, coverage=told, remarks=remarks)


def _pattern(names: Sequence[str]) -> str:
    """A regular expression for names in which `*` stands for anything."""
    parts = [".*".join(re.escape(piece) for piece in name.split("*")) for name in names]
    return f"^({'|'.join(parts)})$"
