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
    own = snapshot.rows_with([key]).head(MOST_EVENTS)
    links = _links(incident, own)
    rows = snapshot.rows_with([key, *links]).head(MOST_EVENTS)
    events = tuple(snapshot.events_at(rows.to_list()))
    start = min((event.timestamp for event in events), default=incident.window.start)
    names = [source.name for source in incident.sources]
    unknown = snapshot.coverage.limits(names, start, max(incident.window.end, start + 1))
    return Story(key, events, links, unknown)


def _links(incident: Incident, rows: pl.Series) -> tuple[str, ...]:
    keys = incident.snapshot.keys_of(rows).get_column("key").unique(maintain_order=True)
    broad = incident.snapshot.broad_keys
    return tuple(
        key for key in keys.to_list() if split_key(key)[0] in LINKING_TYPES and key not in broad
    )
