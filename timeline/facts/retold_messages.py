"""Messages of which two consumers wrote the same line, though one consumer is the rule.

A broker that counts what it gives out again names no message, but consumers often do: who books a
parcel says so under the id of the message. Where a message was given out a second time, the same
line stands in the log of a second consumer. A line that several write of every message (an exchange
that fans out, a gateway in front) says nothing, nor does one after which its writer complained: a
consumer that could not do it gave it back itself. Whether the broker gave anything out again is for
`timeline.facts.redelivered` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import all_of_type, entity_pairs
from timeline.facts.lines import keyed_lines, lines_at
from timeline.templates import template_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_LINES = 30_000
"""Lines about messages that are read, the latest."""
ONCE = 0.5
"""Share of the messages of one form of line that one consumer alone must have told of."""


class Retold(NamedTuple):
    """One message (key) told of in the same words by two consumers; event rows of both lines.

    `things` are the entities that both lines name.
    """

    message: str
    first_row: int
    again_row: int
    first_by: str
    again_by: str
    things: tuple[str, ...]


def retold_messages(incident: Incident, start: int, end: int) -> list[Retold]:
    """By the second line: messages told of again by another consumer in `[start, end]` (ns UTC)."""
    told = _told(incident)
    if told.is_empty():
        return []
    each = (
        told.sort("timestamp", "row")
        .group_by("form", "key", maintain_order=True)
        .agg(
            lines=pl.len(),
            tellers=pl.struct("actor", "clock").n_unique(),
            first_row=pl.col("row").first(),
            again_row=pl.col("row").last(),
            first_by=pl.col("actor").first(),
            again_by=pl.col("actor").last(),
            at=pl.col("timestamp").last(),
        )
        .with_columns(once=(pl.col("tellers") == 1).mean().over("form"))
    )
    twice = each.filter(
        (pl.col("lines") == 2)
        & (pl.col("tellers") == 2)
        & (pl.col("once") >= ONCE)
        & pl.col("at").is_between(start, end)
    )
    twice = twice.unique("key", keep="last", maintain_order=True)
    twice = twice.join(_complained_of(incident, twice.get_column("key")), on="key", how="anti")
    things = _things(incident, twice)
    return [
        Retold(
            one["key"],
            one["first_row"],
            one["again_row"],
            one["first_by"],
            one["again_by"],
            things.get(one["again_row"], ()),
        )
        for one in twice.sort("at", "again_row").iter_rows(named=True)
    ]


def _told(incident: Incident) -> pl.DataFrame:
    """(row, key, timestamp, actor, clock, form) of the mild log lines that name one message."""
    named = all_of_type(incident.snapshot, "message")
    if named.is_empty():
        return named
    named = named.filter(pl.len().over("row") == 1).sort("row").tail(MOST_LINES)
    lines = lines_at(incident, named.get_column("row")).filter(
        (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") < SEVERITY_WARN)
    )
    lines = lines.unique(["timestamp", "actor", "clock", "body"], keep="first", maintain_order=True)
    return lines.join(named, on="row").with_columns(form=template_of(pl.col("body")))


def _complained_of(incident: Incident, messages: pl.Series) -> pl.DataFrame:
    """(key) of those of `messages` that any line tells trouble of."""
    lines = keyed_lines(incident, messages.to_list())
    errors = incident.errors.get_column("row")
    bad = (pl.col("severity_number") >= SEVERITY_WARN) | pl.col("row").is_in(errors.implode())
    return lines.filter(bad).select("key").unique()


def _things(incident: Incident, twice: pl.DataFrame) -> dict[int, tuple[str, ...]]:
    """By the row of the second line: the entities, beside the message, that both lines name."""
    rows = pl.concat([twice.get_column("first_row"), twice.get_column("again_row")])
    keys = entity_pairs(incident.snapshot.keys_of(rows))
    keys = keys.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    pairs = twice.select("first_row", "again_row", message="key")
    both = pairs.join(keys.rename({"row": "first_row"}), on="first_row")
    both = both.join(keys.rename({"row": "again_row"}), on=["again_row", "key"])
    both = both.filter(pl.col("key") != pl.col("message")).unique().sort("again_row", "key")
    found = both.group_by("again_row", maintain_order=True).agg("key")
    return {row: tuple(names) for row, names in found.iter_rows()}
