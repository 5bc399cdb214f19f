"""Work that its teller no longer names: jobs are run and rows are written as before, but the lines
that used to name each of them are missing.

A service that falls silent is found by its pauses (`timeline.facts.sight`). One whose lines are
sampled, cut by a rate limit, rotated away or read in part still speaks now and then; what gives it
away is the work that other sources know of. Never says why the lines are missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.counted import counted_bars
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_ITEMS = 2_000
"""Items of one kind that are followed; of more, evenly chosen ones."""
LEAST_ITEMS = 8
"""Items that must go unnamed, and that must be seen outside, before a share means anything."""
NAMED_USUALLY = 0.6
"""Share of the items outside the stretch that a teller must name to be missed inside it."""
NAMED_INSIDE = 0.15
"""Largest share of the items that it may still name inside: a sample, errors, the burst that a rate
limit lets pass."""
QUIETER = 0.4
"""Part of its usual rate below which all its lines must have fallen: where it talks as ever, other
hands did that work."""
PROOF = math.log(1e5)
"""Log likelihood ratio of the stretch against the usual share. Every beginning and every end is
tried for every teller and kind, so one in a hundred would come by chance all the time."""
SHORTEST_NS = 60_000_000_000
FRESH_NS = 10_000_000_000
"""The lines about the last items may still be on their way."""

_ITEM = ("kind", "key", "at", "row")


@dataclass(frozen=True, slots=True)
class Unnamed:
    """`teller` of `source` named `named` of the `items` of `kind` (a job class or a table) in
    `[start, end)`, and usually the share `usual`. `row` is the event of an item it left out; `pace`
    is what was left of all its lines, as a share of its usual rate."""

    teller: str
    source: str
    kind: str
    jobs: bool
    start: int
    end: int
    items: int
    named: int
    usual: float
    pace: float
    row: int
    ongoing: bool


def unnamed_work(incident: Incident) -> list[Unnamed]:
    """The longest such stretch of every teller, by its start."""
    found: dict[tuple[str, str], Unnamed] = {}
    for jobs, items in ((True, _jobs(incident)), (False, _rows(incident))):
        for one in _stretches(incident, items, jobs=jobs):
            place = (one.source, one.teller)
            if place not in found or found[place].items < one.items:
                found[place] = one
    return sorted(found.values(), key=lambda one: (one.start, one.teller))


def _jobs(incident: Incident) -> pl.DataFrame:
    """Each job at its first start."""
    runs = incident.jobs.runs.sort("start", "job").unique("job", keep="first", maintain_order=True)
    return _chosen(
        incident,
        runs.select(
            pl.concat_str(pl.lit("j "), pl.col("job_class").fill_null("")).alias("kind"),
            key="job",
            at="start",
            row="start_row",
        ),
    )


def _rows(incident: Incident) -> pl.DataFrame:
    """Each row at its creation, by the key that is the row."""
    created = incident.records.summary.filter(pl.col("created").is_not_null()).select(
        "record", at="created", row="created_row", kind="table"
    )
    owners = incident.records.owners.unique("record", keep="first", maintain_order=True)
    return _chosen(incident, created.join(owners.select("record", "key"), on="record"))


def _chosen(incident: Incident, items: pl.DataFrame) -> pl.DataFrame:
    """Of each kind, in time order, those that are followed."""
    until = read_until(incident) - FRESH_NS
    inside = items.filter(pl.col("at").is_between(incident.window.start, until))
    inside = inside.filter(pl.len().over("kind") >= 2 * LEAST_ITEMS).sort("at", "key")
    number = pl.int_range(pl.len()).over("kind")
    step = (pl.len().over("kind") // MOST_ITEMS).clip(1)
    return inside.filter(number % step == 0).select(_ITEM)


def _stretches(incident: Incident, items: pl.DataFrame, *, jobs: bool) -> Iterator[Unnamed]:
    if items.is_empty():
        return
    said = _tellings(incident, items, jobs=jobs)
    tellers = said.group_by("kind", "source", "teller").agg(named=pl.col("key").n_unique())
    enough = tellers.filter(pl.col("named") >= LEAST_ITEMS).sort("kind", "source", "teller")
    for kind, source, teller, _ in enough.iter_rows():
        told = said.filter(
            (pl.col("source") == source) & (pl.col("teller") == teller) & (pl.col("kind") == kind)
        )
        mine = items.filter(pl.col("kind") == kind).with_columns(
            named=pl.col("key").is_in(told.get_column("key").implode())
        )
        found = _worst(incident, mine, str(teller), str(source), jobs=jobs)
        if found is not None:
            yield found


def _tellings(incident: Incident, items: pl.DataFrame, *, jobs: bool) -> pl.DataFrame:
    """(kind, key, source, teller) of every log line that names one of `items`."""
    if jobs:
        named = incident.jobs.named.rename({"job": "key"})
    else:
        wanted = items.get_column("key").unique()
        named = incident.snapshot.keys.filter(pl.col("key").is_in(wanted.implode()))
    named = named.select("row", "key").join(items.select("key", "kind"), on="key")
    events = incident.snapshot.events
    rows = named.get_column("row")
    shown = events.select(pl.col("lane", "source", "actor").gather(rows))
    told = named.hstack(shown).filter(pl.col("lane") == Lane.LOG.value)
    return told.select(
        "kind",
        "key",
        pl.col("source").cast(pl.String),
        teller=pl.col("actor").cast(pl.String).fill_null(""),
    ).unique()


def _worst(
    incident: Incident, mine: pl.DataFrame, teller: str, source: str, *, jobs: bool
) -> Unnamed | None:
    """The stretch that speaks most for missing lines, or None where none does so enough."""
    edge = max(2 * LEAST_ITEMS, mine.height // 10)
    shares = [mine["named"].head(edge).mean(), mine["named"].tail(edge).mean()]
    usual = min(max(float(str(share or 0)) for share in shares), 0.99)
    if usual < NAMED_USUALLY or not teller:
        return None
    inside = NAMED_INSIDE / 2
    hit, miss = math.log(inside / usual), math.log((1 - inside) / (1 - usual))
    score = pl.when("named").then(hit).otherwise(miss).cum_sum()
    scored = mine.with_columns(total=score)
    before = scored.get_column("total").shift(1, fill_value=0.0)
    gain = scored.get_column("total") - before.cum_min()
    last = gain.arg_max()
    if last is None or gain[last] < PROOF:
        return None
    first = before.head(last + 1).arg_min() or 0
    part = scored.slice(first, last - first + 1)
    outside = pl.concat([scored.head(first), scored.tail(scored.height - last - 1)])
    named = int(part["named"].sum())
    start, end = int(part["at"][0]), int(part["at"][-1])
    ongoing = last + 1 == scored.height
    end = read_until(incident) if ongoing else max(end, start + 1)
    if (
        end - start < SHORTEST_NS
        or part.height - named < LEAST_ITEMS
        or outside.height < LEAST_ITEMS
        or named > NAMED_INSIDE * part.height
    ):
        return None
    usual = float(str(outside["named"].mean() or 0))
    pace = _pace(incident, teller, source, start, end)
    if usual < NAMED_USUALLY or pace is None or pace > QUIETER:
        return None
    return Unnamed(
        teller=teller,
        source=source,
        kind=str(part["kind"][0]).removeprefix("j ") if jobs else str(part["kind"][0]),
        jobs=jobs,
        start=start,
        end=end,
        items=part.height,
        named=named,
        usual=usual,
        pace=pace,
        row=int(part.filter(~pl.col("named"))["row"][0]),
        ongoing=ongoing,
    )


def _pace(incident: Incident, teller: str, source: str, start: int, end: int) -> float | None:
    """How much of its usual rate of lines the teller kept in `[start, end)`; None where records of
    that stretch were counted and not read, so that nothing can be said of them."""
    bars = counted_bars(incident)
    if bars.filter(
        (pl.col("source") == source) & (pl.col("first") < end) & (pl.col("last") > start)
    ).height:
        return None
    window, until = incident.window, read_until(incident)
    stamps = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("source") == source)
        & (pl.col("actor") == teller)
        & pl.col("timestamp").is_between(window.start, until)
    )
    within = pl.col("timestamp").is_between(start, end, "left")
    inside, every = stamps.select(within.sum().alias("inside"), pl.len()).collect().row(0)
    elsewhere = (until - window.start) - (end - start)
    if elsewhere <= 0 or every == inside:
        return None
    return float((inside / (end - start)) / ((every - inside) / elsewhere))
