"""Of which kinds of request a writer ever told, and how many of those it missed in a silence.

A proxy that logs one route, or an adapter that one partner calls, is silent when that route or
partner is, however busy all others are. So the requests that it missed are counted kind by kind: of
the kinds that it used to name, at the share at which it named them, and never against all traffic.
What kind a request is, others tell by the first line that they write of it, without what differs
between two requests. A kind that comes up in the silence only, and often, is no one's yet: nobody
knows whether the silent one would have told of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.facts.handled import FORM
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

FEWEST = 5
"""Requests of a kind at other times before it is one of its own; rarer ones are taken together."""
MOST = 4_000
"""Requests that are looked at in the silence, and as many outside, drawn by lot: every so-many-th
would see one kind only where callers take turns."""

SEED = 0
"""The same requests are drawn every time."""


class Missed(NamedTuple):
    """In a silence, of the kinds that the writer otherwise names: how many requests of others there
    were, what share of their like it names, and how likely it is to miss them all by chance."""

    requests: int
    share: float
    by_chance: float


def missed_kinds(incident: Incident, inside: pl.DataFrame, outside: pl.DataFrame) -> Missed:
    """`inside` and `outside` hold `execution` (of another writer, one for each request), `outside`
    also `mine`, whether the silent one named that request."""
    asked, usual = _thinned(inside), _thinned(outside)
    executions = pl.concat([asked.get_column("execution"), usual.get_column("execution")])
    kinds = _kinds(incident, executions)
    told = usual.join(kinds, on="execution")
    known = told.group_by("kind").agg(n=pl.len(), mine=pl.col("mine").sum())
    seen = pl.col("kind").is_in(known.get_column("kind").implode())
    now = asked.join(kinds, on="execution").group_by("kind").agg(missed=pl.len())
    now = now.filter(seen | (pl.col("missed") < FEWEST))
    known = known.with_columns(kind=pl.when(pl.col("n") >= FEWEST).then("kind"))
    known = known.group_by("kind").agg(pl.col("n").sum(), pl.col("mine").sum())
    usually = pl.col("kind").is_in(known.get_column("kind").drop_nulls().implode())
    now = now.with_columns(kind=pl.when(usually).then("kind"))
    counts = now.group_by("kind").agg(pl.col("missed").sum())
    both = known.filter(pl.col("mine") > 0).join(counts, on="kind", nulls_equal=True)
    requests, log, named = 0, 0.0, 0.0
    for n, mine, missed in both.select("n", "mine", "missed").iter_rows():
        share = mine / (n + 1)
        requests += missed
        log += missed * math.log1p(-share)
        named += missed * mine / n
    scale = max(1.0, inside.height / max(asked.height, 1))
    return Missed(round(requests * scale), named / max(requests, 1), math.exp(log * scale))


def _thinned(requests: pl.DataFrame) -> pl.DataFrame:
    return requests.sample(MOST, seed=SEED) if requests.height > MOST else requests


def _kinds(incident: Incident, executions: pl.Series) -> pl.DataFrame:
    """(execution, kind) by the first line of each."""
    events = incident.snapshot.events
    rows = incident.executions.rows_of(executions)
    rows = rows.with_columns(at=events.get_column("timestamp").gather(rows.get_column("row")))
    first = rows.sort("at", "row").unique("execution", keep="first", maintain_order=True)
    bodies = events.get_column("body").gather(first.get_column("row"))
    actor = events.get_column("actor").gather(first.get_column("row")).cast(pl.String)
    told = first.with_columns(body=bodies, actor=actor.fill_null(""))
    words = pl.col("body").str.replace_all(plain_form(bodies, FORM), "#")
    return told.select("execution", kind=pl.concat_str("actor", pl.lit(": "), words))
