"""Requests that others say somebody handled, and of which it wrote nothing, against its habit.

A balancer writes to whom it sent each request, and whoever served it writes a line under the same
id. Where every such request stood in both logs, and from an instant on in the balancer's alone,
with success, the lines are missing and not the work. Each further request counts, so that it takes
no minute to tell, as the length of a pause alone would (`timeline.facts.pauses_of_speakers`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Lane
from timeline.facts.at_work import (
    AS_BEFORE,
    EDGE_NS,
    SHORTEST_HOST,
    Proof,
    mild_lines,
    more_errors,
)
from timeline.facts.entities import pairs_of_type
from timeline.facts.outcome_words import FAILED
from timeline.facts.words import counted
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

SHORTEST_NS = 15_000_000_000
"""Lines that are not here yet may be on their way: shippers hold them back for some seconds."""
HABIT_FOLD = 10
"""A pause is looked into from this multiple of the writer's own 99th percentile gap."""
LEAST = 20
"""Requests that others say it handled, in the pause and before, until anything is said."""
ALWAYS = 0.95
"""Share of those before that it wrote of itself: few are left for chance, or for a habit of leaving
some kind of request out."""
BACK_FOLD = 10
"""How many lengths of the pause are read before it."""
MAX_WRITERS = 6
"""Writers that are looked into, by how far the pause is beyond their habit."""


class Unheard(NamedTuple):
    """`name` (a writer of `source`, or one `host` of it) wrote nothing in `[start, end)` (ns)."""

    name: str
    source: str
    host: bool
    start: int
    end: int
    ongoing: bool
    proof: Proof


def unheard_handlers(incident: Incident, until: int) -> list[Unheard]:
    """At most one pause of every such writer in what was read up to `until` (ns), by its start."""
    sources = {source.name for source in incident.sources}
    found = []
    for one in _pausing(incident, until).iter_rows(named=True):
        actor, clock = str(one["actor"]), str(one["clock"])
        host = clock if clock not in sources and len(clock) >= SHORTEST_HOST else ""
        start, end = int(one["start_of"]), int(one["end_of"])
        name = host or actor
        source = _source_if_silent(incident, actor, host, start, end)
        proof = (
            _proof(incident, name, _told(incident, actor, clock), start, end) if source else None
        )
        if proof is not None:
            ongoing = bool(one["ongoing"])
            found.append(Unheard(name, source, bool(host), start, end, ongoing, proof))
    return sorted(found, key=lambda one: (one.start, one.name))


def _told(incident: Incident, actor: str, clock: str) -> pl.Series:
    """The ids (hashes, whatever each calls them) of the requests that a writer logged."""
    frame = incident.executions.frame.lazy().filter(
        (pl.col("kind") == "request") & (pl.col("actor") == actor) & (pl.col("clock") == clock)
    )
    return frame.select(_same("id").alias("same")).collect().to_series()


def _same(name: str) -> pl.Expr:
    return pl.col(name).str.replace("^(?:request|trace):", "").hash()


def _pausing(incident: Incident, until: int) -> pl.DataFrame:
    """The longest pause of everybody whose longest is far beyond its habit: the farthest first."""
    stamp, gap = pl.col("start"), pl.col("start").diff()
    told = incident.executions.frame.lazy().filter(
        (pl.col("kind") == "request") & stamp.is_between(incident.window.start, until)
    )
    each = told.group_by("actor", "clock").agg(
        n=pl.len(),
        habit=gap.quantile(0.99, "lower"),
        inner=gap.max(),
        inner_end=stamp.get(gap.arg_max()),
        last=stamp.max(),
    )
    each = each.filter(pl.col("n") >= LEAST).with_columns(pl.col("actor", "clock").cast(pl.String))
    ongoing = until - pl.col("last") >= pl.col("inner")
    judged = each.filter(pl.col("actor") != "").with_columns(
        ongoing=ongoing,
        start_of=pl.when(ongoing).then("last").otherwise(pl.col("inner_end") - pl.col("inner")),
        end_of=pl.when(ongoing).then(until).otherwise("inner_end"),
    )
    length = pl.col("end_of") - pl.col("start_of")
    far = judged.with_columns(fold=length / pl.col("habit").clip(1)).filter(
        (length >= SHORTEST_NS) & (pl.col("fold") >= HABIT_FOLD)
    )
    ranked = far.sort("fold", "actor", "clock", descending=[True, False, False])
    return ranked.head(MAX_WRITERS).collect()


def _proof(incident: Incident, name: str, ids: pl.Series, start: int, end: int) -> Proof | None:
    """That others name it for requests as before, and that it wrote of none of them (`ids`)."""
    since = max(incident.window.start, start - BACK_FOLD * (end - start))
    named = _naming(incident, name, since, end)
    if named.is_empty():
        return None
    named = named.with_columns(told=pl.col("same").is_in(ids.implode()))
    # The two may write their lines of one request in either order, each by its own clock.
    inside = named.filter(pl.col("at").is_between(start + EDGE_NS, end - EDGE_NS))
    before = named.filter(pl.col("at") < start)
    if min(inside.height, before.height) < LEAST or inside["told"].any():
        return None
    usual = before["told"].sum() / before.height
    lasted = int(inside["at"][-1]) - start  # what was read after that may be no time at all
    pace = before.height * (lasted - EDGE_NS) / max(start - int(before["at"][0]), 1)
    if usual < ALWAYS or lasted < SHORTEST_NS or inside.height < AS_BEFORE * pace:
        return None
    if more_errors(incident, name, start, end):
        return None
    words = (
        f"others say it handled {counted(inside.height, 'request')} meanwhile, of which it names "
        f"none, and {usual:.0%} of those before"
    )
    return Verdict.LIKELY, words, int(inside["row"][0])


def _naming(incident: Incident, name: str, since: int, end: int) -> pl.DataFrame:
    """(row, at, same): requests of others inside `(since, end)` said to be handled by `name`, each
    once; those that failed may never have come to it."""
    lines = mild_lines(incident, since, end)
    lines = lines.filter(pl.col("body").str.contains(name, literal=True))
    word = rf"(?:^|[^\w.-]){re.escape(name)}(?:[^\w-]|$)"
    lines = lines.filter(
        (pl.col("actor") != name)
        & (pl.col("clock") != name)
        & pl.col("body").str.contains(word)
        & ~pl.col("body").str.contains(FAILED.pattern)
    ).join(incident.failures.select("row"), on="row", how="anti")
    keys = incident.snapshot.keys_of(lines.get_column("row"))
    ids = pl.concat([pairs_of_type(keys, kind) for kind in ("request", "trace")])
    ids = ids.unique("row", keep="first", maintain_order=True)
    stamps = incident.snapshot.events.get_column("timestamp").gather(ids.get_column("row"))
    named = ids.select("row", _same("key").alias("same")).with_columns(at=stamps)
    return named.sort("at", "row").unique("same", keep="first", maintain_order=True)


def _source_if_silent(incident: Incident, actor: str, host: str, start: int, end: int) -> str:
    """The source of its log lines; empty where it wrote any line inside `(start, end)`."""
    mine = (pl.col("lane") == Lane.LOG.value) & (pl.col("actor").cast(pl.String) == actor)
    if host:
        mine &= pl.col("clock").cast(pl.String) == host
    lines = incident.snapshot.events.lazy().filter(mine)
    stamp = pl.col("timestamp")
    told = lines.select(
        pl.col("source").cast(pl.String).first(),
        inside=stamp.is_between(start, end, "none").any(),
    )
    source, inside = told.collect().row(0)
    return "" if inside else str(source or "")
