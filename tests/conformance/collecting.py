"""Runs one fetch or look-up to its end and lays everything it said out for inspection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from connectors.contract import Answer, Connector
from timeline.batch import Batch, Preview, Remark
from timeline.columns import event_from
from timeline.coverage import Coverage
from timeline.event import Event
from timeline.window import Budget, Window

DEADLINE_S = 30.0
"""A fetch of a handful of records that takes longer hangs."""


@dataclass
class Collected:
    """All answers of one fetch or look-up."""

    previews: list[Preview] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    preview_first: bool = True

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in events_of(batch)]

    @property
    def coverage(self) -> list[Coverage]:
        return [entry for batch in self.batches for entry in batch.coverage]

    @property
    def remarks(self) -> list[Remark]:
        return [remark for batch in self.batches for remark in batch.remarks]


def events_of(batch: Batch) -> list[Event]:
    """The batch's events as objects, with their keys."""
    keys: dict[int, list[str]] = {}
    for row, key in batch.keys.iter_rows():
        keys.setdefault(row, []).append(key)
    return [
        event_from(record, keys.get(row, ()))
        for row, record in enumerate(batch.events.iter_rows(named=True))
    ]


async def drained(answers: AsyncIterator[Answer]) -> Collected:
    collected = Collected()
    async with asyncio.timeout(DEADLINE_S):
        async for answer in answers:
            if isinstance(answer, Preview):
                collected.preview_first = collected.preview_first and not collected.batches
                collected.previews.append(answer)
            else:
                collected.batches.append(answer)
    return collected


async def _closing(connector: Connector, answers: AsyncIterator[Answer]) -> Collected:
    try:
        return await drained(answers)
    finally:
        await connector.close()


def fetched(connector: Connector, window: Window, budget: Budget | None = None) -> Collected:
    """One whole fetch in an event loop of its own; the connector is closed."""
    return asyncio.run(_closing(connector, connector.fetch(window, budget or Budget())))


def looked_up(connector: Connector, keys: tuple[str, ...], window: Window) -> Collected:
    """One whole look-up in an event loop of its own; the connector is closed."""
    return asyncio.run(_closing(connector, connector.lookup(keys, window, Budget())))


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A loopback port on which nothing listens, kept from others while the block lasts."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class BlackHole:
    """Accepts connections, reads what comes and never answers: a server behind a stuck network."""

    def __init__(self) -> None:
        self.open = 0
        self.accepted = 0
        self.port = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[BlackHole]:
        server = await asyncio.start_server(self._swallow, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _swallow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.accepted += 1
        try:
            with contextlib.suppress(ConnectionError):
                while await reader.read(4096):
                    pass
        finally:
            self.open -= 1
            writer.close()

    async def emptied(self, within_s: float) -> bool:
        """Whether every connection was ended within that time."""
        until = time.monotonic() + within_s
        while self.open and time.monotonic() < until:  # noqa: ASYNC110  # bounded, in a test
            await asyncio.sleep(0.02)
        return self.open == 0
