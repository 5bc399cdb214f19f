"""Who wrote a row, as the writer's own log tells it: the request whose line names it just then.

An audit table often keeps no request id, and the person it names may be the same for both of two
writes. The service that saved the row wrote a line of it within a second, under the id of the
request. Where two requests spoke of the row at that instant, neither is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Event, Lane
from timeline.facts.lines import keyed_lines

if TYPE_CHECKING:
    from timeline.incident import Incident

SERVED = r"^(?:request|trace|correlation):"
"""Keys under which a request is served."""
JUST_THEN_NS = 1_000_000_000
"""A row and the line about it are stamped within a second of each other."""
MAX_THINGS = 200

Span = tuple[Event, Event]


def spoken_writers(
    incident: Incident, things: pl.Series
) -> Mapping[str, tuple[tuple[int, str], ...]]:
    """By thing: the instants (ns) at which a log line under a request's key names it, with that
    key, in time order. Of several keys of one line the first by name is taken."""
    wanted = things.unique().sort().head(MAX_THINGS)
    lines = keyed_lines(incident, wanted.to_list()).filter(pl.col("lane") == Lane.LOG.value)
    keys = incident.snapshot.keys_of(lines.get_column("row")).filter(
        pl.col("key").str.contains(SERVED)
    )
    first = keys.sort("row", "key").unique("row", keep="first", maintain_order=True)
    told = lines.rename({"key": "thing"}).join(first, on="row").sort("timestamp", "row")
    found: dict[str, list[tuple[int, str]]] = {}
    for thing, at, key in told.select("thing", "timestamp", "key").iter_rows():
        found.setdefault(thing, []).append((at, key))
    return {thing: tuple(spoken) for thing, spoken in found.items()}


def writer_at(spoken: tuple[tuple[int, str], ...], at: int) -> str:
    """The only request that spoke of the thing within a second of `at` (ns), or empty."""
    near = {key for when, key in spoken if abs(when - at) <= JUST_THEN_NS}
    return near.pop() if len(near) == 1 else ""


def spans_of(incident: Incident, keys: list[str]) -> Mapping[str, Span]:
    """The first and the last log line under each of `keys`."""
    if not keys:
        return {}
    lines = keyed_lines(incident, keys).filter(pl.col("lane") == Lane.LOG.value)
    ends = lines.group_by("key", maintain_order=True).agg(
        first=pl.col("row").first(), last=pl.col("row").last()
    )
    firsts = incident.snapshot.events_at(ends.get_column("first").to_list())
    lasts = incident.snapshot.events_at(ends.get_column("last").to_list())
    return dict(zip(ends.get_column("key"), zip(firsts, lasts, strict=True), strict=True))
