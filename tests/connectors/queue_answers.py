"""Asks a queue connector and sorts what it says, for the tests of the queues on Redis."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

from connectors.contract import CheckReport, Connector
from tests.conformance.collecting import Collected
from timeline.event import Event, Kind
from timeline.window import MINUTE_NS, SECOND_NS, Window


def last_minutes(minutes: int = 5) -> Window:
    """From some minutes ago until now, pinned a second ago."""
    now = time.time_ns()
    return Window(now - SECOND_NS, now - minutes * MINUTE_NS, now)


def of(collected: Collected, key: str, *kinds: Kind) -> list[Event]:
    """Events that carry `key`, in time order; only of `kinds` when any are given."""
    found = [e for e in collected.events if key in e.keys and (not kinds or e.kind in kinds)]
    return sorted(found, key=lambda event: (event.timestamp, event.seq))


def told(event: Event) -> Mapping[str, object]:
    """The event's attributes."""
    attributes: dict[str, object] = json.loads(event.attributes or "{}")
    return attributes


def depth(collected: Collected, queue: str) -> Event:
    """The one event that says how much waits in `queue` now."""
    (event,) = [
        e for e in collected.events if e.kind is Kind.METRIC and told(e).get("queue") == queue
    ]
    return event


def counts(event: Event) -> Mapping[str, object]:
    """The further counts of a depth."""
    found = told(event)["counts"]
    assert isinstance(found, dict)
    return found


def next_due(event: Event) -> dict[str, str]:
    """When each of the next jobs of a depth comes due, by job id."""
    found = told(event)["next_due"]
    assert isinstance(found, list)
    return {entry["job_id"]: entry["due_at"] for entry in found}


def overdue(event: Event) -> list[str]:
    """Running jobs of a depth that their worker seems to have lost."""
    found = told(event)["overdue"]
    assert isinstance(found, list)
    return found


def remark(collected: Collected, topic: str) -> str:
    """The sentence of the one remark of that topic."""
    (sentence,) = [r.sentence for r in collected.remarks if r.topic == topic]
    return sentence


def checked(connector: Connector) -> CheckReport:
    """One check in an event loop of its own; the connector is closed."""

    async def check() -> CheckReport:
        try:
            return await connector.check()
        finally:
            await connector.close()

    return asyncio.run(check())
