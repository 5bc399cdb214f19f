"""Connectors that answer as a test tells them to. They reach nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import ClassVar

from pydantic import BaseModel

from connectors.contract import Answer, CheckReport
from halfawake.setup import PreparedSource, Setup
from timeline.batch import Batch, batch_of
from timeline.clock import ClockReading
from timeline.event import Event, Kind, Lane
from timeline.incident import SourceInfo
from timeline.keys import KeyRules
from timeline.window import Budget, Window

Behaviour = Callable[[Window], AsyncIterator[Answer]]


class FakeOptions(BaseModel):
    """No options."""


class FakeConnector:
    """Answers `fetch` by a behaviour and `lookup` from the events it was given."""

    system: ClassVar[str] = "fake"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = FakeOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        self.source = source
        self.behaviour: Behaviour = self._nothing
        self.known: tuple[Event, ...] = ()
        self.asked: list[tuple[str, ...]] = []
        self.closed = False

    async def check(self) -> CheckReport:
        return CheckReport("fake 1")

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Answer]:
        async for answer in self.behaviour(window):
            yield answer

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        self.asked.append(tuple(keys))
        found = [event for event in self.known if set(event.keys) & set(keys)]
        if found:
            yield batch_of(self.source, found)

    async def clock(self) -> ClockReading | None:
        return None

    async def close(self) -> None:
        self.closed = True

    async def _nothing(self, window: Window) -> AsyncIterator[Answer]:
        await asyncio.sleep(0)
        return
        yield  # makes this an asynchronous generator


def event(source: str, at: int, body: str, *keys: str, severity: int = 9) -> Event:
    return Event(
        at, source, Lane.LOG, Kind.LOG, body, f"{source}@{at}", at, severity, "web", keys=keys
    )


def setup_of(*connectors: FakeConnector, seconds: float = 5.0) -> Setup:
    return Setup(
        tuple(
            PreparedSource(
                SourceInfo(connector.source, Lane.LOG, "fake"), connector, Budget(seconds=seconds)
            )
            for connector in connectors
        )
    )


def fake(source: str) -> FakeConnector:
    return FakeConnector(source, FakeOptions(), KeyRules())
