"""The whole story of one key: request, row, job, error, and what cannot be known about it.

Events that carry the key, and those that share a narrow key (its request, its job) with them. A
story ends with the stretches in which a source that could hold a further chapter was not looking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.keys import split_key

if TYPE_CHECKING:
    import polars as pl

    from timeline.coverage import Coverage
    from timeline.event import Event
    from timeline.incident import Incident
    from timeline.store import Snapshot

LINKING_TYPES = frozenset(("request", "trace", "job", "txn"))
"""Keys of one unit of work. Others (a customer, an order) would lead into other stories."""
MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Story:
    """`events` in time order; `links` are the keys that joined them; `unknown` bounds the claim."""

    key: str
    events: tuple[Event, ...]
    links: tuple[str, ...]
    unknown: tuple[Coverage, ...]


def story_of(incident: Incident, key: str) -> Story:
    """Everything the incident holds about `key`."""
    snapshot = incident.snapshot
    events = tuple(snapshot.events_at(story_rows(snapshot, key).to_list()))
    start = min((event.timestamp for event in events), default=incident.window.start)
    names = [source.name for source in incident.sources]
    unknown = snapshot.coverage.limits(names, start, max(incident.window.end, start + 1))
    return Story(key, events, links_of(snapshot, key), unknown)


def story_rows(snapshot: Snapshot, key: str) -> pl.Series:
    """Row numbers (u32, time order) of the story of `key`, at most `MOST_EVENTS`."""
    return snapshot.rows_with([key, *links_of(snapshot, key)]).head(MOST_EVENTS)


def links_of(snapshot: Snapshot, key: str) -> tuple[str, ...]:
    """Requests, jobs and transactions that share an event with `key`, in order of appearance."""
    rows = snapshot.rows_with([key]).head(MOST_EVENTS)
    keys = snapshot.keys_of(rows).get_column("key").unique(maintain_order=True)
    return tuple(
        other
        for other in keys.to_list()
        if other != key
        and split_key(other)[0] in LINKING_TYPES
        and other not in snapshot.broad_keys
    )
