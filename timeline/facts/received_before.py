"""Errors about messages that their writer had received: trouble at work, and no push.

Brokers use the same verbs for both ends of a message, so that a line about one that was rejected or
given back reads like a push that failed. What decides is the order: where somebody else wrote of
this very message first, and the writer wrote of it before the error as well, the message had been
sent, and had come to him. Whoever pushes writes of a message before all others do.

Each id of a line is judged by itself: that one was sent long ago says nothing of another.
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
    about = about.filter(pl.col("lane") == Lane.LOG.value)
    mine = named.join(about.select("key", "row", "timestamp", "actor"), on=["row", "key"])
    told = mine.join(_first_words(about), on=["key", "actor"])
    came = told.filter((pl.col("sent") < pl.col("first")) & (pl.col("first") < pl.col("timestamp")))
    return came.get_column("row").unique().sort().cast(rows.dtype)


def _first_words(about: pl.DataFrame) -> pl.DataFrame:
    """(key, actor, first, sent), ns: when each first wrote of a key, and when the first of all
    others did. One row for each writer of a key, however often a message was tried."""
    first = about.group_by("key", "actor").agg(first=pl.col("timestamp").min())
    earliest = (
        first.sort("first", "actor")
        .group_by("key")
        .agg(
            opener=pl.col("actor").first(),
            opened=pl.col("first").first(),
            followed=pl.col("first").get(1, null_on_oob=True),
        )
    )
    others = pl.when(pl.col("opener") != pl.col("actor")).then("opened").otherwise("followed")
    return first.join(earliest, on="key").select("key", "actor", "first", sent=others)
