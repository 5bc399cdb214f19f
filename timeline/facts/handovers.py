"""Work that one service hands to another through a queue that keeps nothing, read from lines alone.

A broker shows no single message, but its producer and its consumer log the same id: the request in
which it was made had begun before anybody could take it up. Ids alone join; words only tell which
of two services handed over. Says nothing about clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import all_of_type, pairs_of_type
from timeline.facts.lines import LINE_SCHEMA, lines_at

if TYPE_CHECKING:
    from timeline.incident import Incident

PUTS = (
    r"(?i)\b(?:(?:en|re)-?queu(?:e|ed|ing)|queued|push(?:ed|ing)?|publish(?:ed|ing|er)?|submitted"
    r"|dispatch(?:ed|ing)|(?:re)?schedul(?:ed|ing)|put|send|sent|produced|emitted|added|inserted"
    r"|confirmed|gesendet|eingereiht|versendet|envoyée?|publiée?|encolad[oa]|enviad[oa]|enfileirad[oa]"
    r"|inviat[oa]|accodat[oa]|verzonden)\b"
)
"""How programs of many languages say, in any tense, that they hand work over to a queue."""
TAKES = (
    r"(?i)\b(?:perform(?:ed|ing)?|process(?:ed|ing)?|start(?:ed|ing)?|running|execut(?:ed|ing)|begonnen"
    r"|handl(?:e|ed|ing)|consum(?:e|ed|ing)|receiv(?:e|ed|ing)|picked|begin|began|begun|active|work(?:ed"
    r"|ing)|taken|empfangen|traité|reçue?|procesando|recibid[oa]|processando|recebid[oa]|ricevut[oa])\b"
    r"|job:start"
)
"""How workers say that they have it; a line with both words tells of a run (`queued 3 s ago`)."""
HANDED = ("job", "message")
"""Types of ids that name one piece of work on its way."""
SERVED = ("request", "trace", "correlation")
MANY_IDS = 20
FIRST_SHARE = 0.3
"""Over so many ids, so often must one service speak before the other for the order to tell who
hands over without words: two clocks that differ by more than work waits still leave the time
before, and the hosts that are right, in their order. Who asks later about work that is done never
comes first."""
MAX_IDS = 2_000
"""Ids that are looked at, spread over the window: a clock needs no more."""

HANDOVER_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,  # the key that both services logged
    "begun_row": pl.UInt32,  # the producer's first line of the request in which it was made
    "taken_row": pl.UInt32,  # the first line of whoever took it up
}


def hands_over() -> pl.Expr:
    """Whether a line tells that somebody puts work on a queue, as workers do as well."""
    body = pl.col("body")
    return body.str.contains(PUTS) & ~body.str.contains(TAKES)


def handovers(incident: Incident, known: pl.Series) -> pl.DataFrame:
    """HANDOVER_SCHEMA of work whose ids are none of `known` (those that a queue remembers)."""
    lines = _lines_of_two(incident, known)
    if lines.is_empty():
        return pl.DataFrame(schema=HANDOVER_SCHEMA)
    keys = incident.snapshot.keys_of(lines.get_column("row"))
    served = pl.concat([pairs_of_type(keys, name) for name in SERVED]).get_column("row")
    lines = lines.with_columns(served=pl.col("row").is_in(served.unique().implode()))
    said = lines.filter("served")
    said = said.filter(pl.len().over("id") == 1)
    taken = (
        lines.filter(~pl.col("served"))
        .join(said.select("id", producer="actor", said_at="timestamp"), on="id")
        .filter(
            (pl.col("actor") != pl.col("producer")) & (pl.col("clock").n_unique().over("id") == 1)
        )
        .sort("timestamp", "row")
        .unique("id", keep="first", maintain_order=True)
    )
    if taken.is_empty():  # nobody took up what another spoke of under a request
        return pl.DataFrame(schema=HANDOVER_SCHEMA)
    worded = said.filter(hands_over()).get_column("id")
    named = pl.col("body").str.contains(TAKES) & pl.col("id").is_in(worded.implode())
    pair = ("producer", "actor")
    first = (pl.col("said_at") <= pl.col("timestamp")).mean().over(pair)
    ordered = (pl.len().over(pair) >= MANY_IDS) & (first >= FIRST_SHARE)
    taken = taken.filter(named | ordered)
    if taken.is_empty():
        return pl.DataFrame(schema=HANDOVER_SCHEMA)
    begun = _begun(incident, said.join(taken.select("id"), on="id", how="semi"))
    both = begun.join(taken.select("id", taken_row="row"), on="id")
    return both.select(pl.col(name).cast(kind) for name, kind in HANDOVER_SCHEMA.items())


def _lines_of_two(incident: Incident, known: pl.Series) -> pl.DataFrame:
    """LINE_SCHEMA and `id` of log lines with exactly one such id that two to three clocks name."""
    snapshot = incident.snapshot
    named = pl.concat([all_of_type(snapshot, name) for name in HANDED]).rename({"key": "id"})
    named = named.filter(pl.len().over("row") == 1, ~pl.col("id").is_in(known.implode()))
    if named.is_empty():
        return pl.DataFrame(schema=LINE_SCHEMA)
    events = snapshot.events
    rows = named.get_column("row")
    placed = named.with_columns(
        lane=events.get_column("lane").gather(rows).cast(pl.String),
        actor=events.get_column("actor").gather(rows).to_physical(),
        at=events.get_column("timestamp").gather(rows),
    ).filter(pl.col("lane") == Lane.LOG.value)
    shared = placed.group_by("id").agg(pl.col("actor").n_unique(), pl.col("at").min())
    shared = shared.filter(pl.col("actor") == 2).sort("at", "id")
    few = shared.gather_every(max(1, -(-shared.height // MAX_IDS)))
    chosen = placed.select("row", "id").join(few.select("id"), on="id", how="semi")
    return lines_at(incident, chosen.get_column("row")).join(chosen, on="row")


def _begun(incident: Incident, said: pl.DataFrame) -> pl.DataFrame:
    """(id, begun_row): the first line of the request that each line of `said` belongs to.

    Of the same service, under the same clock, and before it: what was logged first came first.
    """
    keys = incident.snapshot.keys_of(said.get_column("row"))
    served = pl.concat([pairs_of_type(keys, name) for name in SERVED]).unique()
    within = served.join(
        said.select("id", "actor", "clock", said_row="row", said_at="timestamp"),
        left_on="row",
        right_on="said_row",
    ).rename({"row": "said_row"})
    every = incident.snapshot.keys.filter(
        pl.col("key").is_in(served.get_column("key").unique().implode())
    )
    lines = lines_at(incident, every.get_column("row")).join(every, on="row")
    first = lines.filter(pl.col("lane") == Lane.LOG.value).sort("timestamp", "row")
    by = ["key", "actor", "clock"]
    first = first.unique(by, keep="first", maintain_order=True)
    begun = first.select(*by, "timestamp", begun_row="row").join(within, on=by)
    earlier = (pl.col("timestamp") <= pl.col("said_at")) & (
        pl.col("begun_row") != pl.col("said_row")
    )
    return (
        begun.filter(earlier)
        .sort("timestamp", "begun_row")
        .unique("id", keep="first")
        .select("id", "begun_row")
    )
