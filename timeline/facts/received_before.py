"""Errors about messages that their writer had received: trouble at work, and no push.

Brokers use the same verbs for both ends of a message, so that a line about one that was rejected or
given back reads like a push that failed. What decides is the order: where somebody else wrote of
this very message first, and the writer wrote of it before the error as well, the message had been
sent, and had come to him. Whoever pushes writes of a message before all others do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.lines import keyed_lines

if TYPE_CHECKING:
    from timeline.incident import Incident

KINDS = ("job", "message", "task")
"""What libraries call the id of one message or piece of work."""


def received_before(incident: Incident, rows: pl.Series) -> pl.Series:
    """Those of `rows` (error lines) that are about a message which its writer had received."""
    if rows.is_empty():
        return rows
    keys = incident.snapshot.keys_of(rows)
    named = pl.concat([pairs_of_type(keys, kind) for kind in KINDS])
    if named.is_empty():
        return rows.clear()
    about = keyed_lines(incident, named.get_column("key").unique())
    about = about.filter(pl.col("lane") == Lane.LOG.value).select(
        "key", "row", "timestamp", "actor"
    )
    mine = named.join(about, on=["row", "key"]).rename({"row": "hit", "timestamp": "at"})
    told = mine.join(about, on="key", suffix="_told").filter(pl.col("row") != pl.col("hit"))
    own = pl.col("actor_told") == pl.col("actor")
    seen = told.group_by("hit").agg(
        first=pl.col("timestamp").filter(own).min(),
        sent=pl.col("timestamp").filter(~own).min(),
        at=pl.col("at").first(),
    )
    came = seen.filter((pl.col("sent") < pl.col("first")) & (pl.col("first") < pl.col("at")))
    return came.get_column("hit").cast(rows.dtype)
