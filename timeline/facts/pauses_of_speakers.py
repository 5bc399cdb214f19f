"""Pauses of those who write logs, against each one's own habit: whole writers, single hosts of a
writer, and a writer's ordinary lines without its warnings.

One pass over the log lines gives all three. A pause is only measured here; whether somebody was at
work meanwhile is for `timeline.facts.sight` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.counted import counted_bars

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_SILENCE_NS = 60_000_000_000
"""Shorter pauses happen to every service."""
SILENCE_FOLD = 10
"""A pause is out of the ordinary from this multiple of the actor's own 99th percentile gap."""
MISSED_FOLD = 4
"""The same for one who names the jobs it runs, while jobs ran: their lines are what is missing."""
BY_CHANCE = 1e-3
"""How often a pause as long may come by chance in one who speaks at no set times, so that with the
same work going on it is no chance: quiet services never come near `SILENCE_FOLD`."""
OWN_LONGEST = 2
"""And it is as many times as long as the actor's next longest pause."""
MIN_GAPS = 20
"""Gaps an actor must have shown before its pauses mean anything."""
BUCKET_NS = 5_000_000_000
"""Gaps are measured between buckets of this width; far below `MIN_SILENCE_NS`."""
ORDINARY = 0.5
"""Share of ordinary lines from which a writer tells of its work: one that speaks of failures alone,
as many a server's log does, says by its silence that nothing fails."""
ONLY_GRAVE = 2
"""Warnings that a writer wrote while it left out its ordinary lines."""
SPEAKER = ("source", "actor")

WHOLE, ORDINARILY, ONE_HOST = "whole", "ordinarily", "one host"
"""Whose pauses are told apart: a writer's, its ordinary lines', those of one host of several."""
_PER = ("of", *SPEAKER, "clock")

PAUSE_COLUMNS = ("source", "actor", "clock", "start", "end", "ongoing", "long", "rare", "unlikely")


class Pauses(NamedTuple):
    """Pauses (PAUSE_COLUMNS) beyond each one's own habit, ns; `clock` is the host, or empty.

    `rare` are those far beyond it, which need no more than a sign of work; `unlikely` need signs
    that the work went on as before. `hosts` are of one host each, whose like went on meanwhile;
    `ordinary` of a writer that wrote nothing but warnings in them.
    """

    whole: pl.DataFrame
    hosts: pl.DataFrame
    ordinary: pl.DataFrame


def pauses_of(incident: Incident, until: int) -> Pauses:
    """All pauses in what was read up to `until` (ns).

    A bar in which the engine counted records of an actor is no pause of it, and one with records
    of nobody by name is no pause of anybody in that source. What hosts and levels those records
    have is not known, so parts of a writer are not looked at where any were only counted.
    """
    parts = _spoken(incident, until)
    mild = pl.col("n").filter("mild").sum() / pl.col("n").sum()
    telling = parts.group_by(SPEAKER).agg(share=mild, parts=pl.len())
    telling = telling.filter(pl.col("share") >= ORDINARY)
    bars = counted_bars(incident)
    if bars.is_empty():  # nobody who spoke more seldom has a habit, in whole or in part
        telling = telling.filter(pl.col("parts") > MIN_GAPS)
    parts = parts.join(telling, on=list(SPEAKER), how="semi")
    whole = _merged(parts, SPEAKER, WHOLE)
    if bars.height:
        named = bars.filter(pl.col("actor") != "").with_columns(clock=pl.lit(""), of=pl.lit(WHOLE))
        long = _long(pl.concat([whole, named.select(whole.columns)]), _PER, until)
        long = _without(long.drop("of"), bars.filter(pl.col("actor") == ""))
        return Pauses(long, long.clear(), long.clear())
    known = parts.filter(pl.col("clock") != "")
    several = known.filter(pl.col("clock").n_unique().over(SPEAKER) > 1)
    usual = _merged(parts.filter("mild"), SPEAKER, ORDINARILY)
    hosts = _merged(several, (*SPEAKER, "clock"), ONE_HOST)
    long = _long(pl.concat([whole, usual, hosts]), _PER, until)
    of = long.get_column("of")
    long = long.drop("of")
    whole = long.filter(of == WHOLE)
    ordinary = _of_ordinary(parts, _apart_from(long.filter(of == ORDINARILY), whole))
    apart = _apart_from(long.filter(of == ONE_HOST), pl.concat([whole, ordinary]))
    return Pauses(whole, apart, ordinary)


def _spoken(incident: Incident, until: int) -> pl.DataFrame:
    """(source, actor, clock, mild, bucket, first, last, n) of log lines by buckets of time."""
    window = incident.window
    logs = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("timestamp").is_between(window.start, until)
    )
    mild = (pl.col("severity_number") < SEVERITY_WARN).alias("mild")
    stamp = pl.col("timestamp")
    bucket = (stamp // BUCKET_NS).alias("bucket")
    told = logs.group_by(*SPEAKER, "clock", mild, bucket).agg(
        first=stamp.min(), last=stamp.max(), n=pl.len()
    )
    names = pl.col(*SPEAKER, "clock").cast(pl.String).fill_null("")
    return told.select(names, "mild", "bucket", "first", "last", "n").collect()


def _merged(parts: pl.DataFrame, per: tuple[str, ...], of: str) -> pl.DataFrame:
    """(_PER, first, last): one stretch of speech a bucket for everybody that `per` tells apart."""
    merged = parts.group_by(*per, "bucket").agg(pl.col("first").min(), pl.col("last").max())
    clock = pl.col("clock") if "clock" in per else pl.lit("").alias("clock")
    return merged.select(pl.lit(of).alias("of"), *SPEAKER, clock, "first", "last")


def _long(spoken: pl.DataFrame, per: tuple[str, ...], until: int) -> pl.DataFrame:
    """The pauses (PAUSE_COLUMNS, and `of`) of everybody that `per` tells apart."""
    spoken = spoken.filter(pl.col("actor") != "").sort(*per, "first")
    # Whoever speaks next is the same one: what one said stands together.
    same = pl.all_horizontal(pl.col(name).shift(-1) == pl.col(name) for name in per)
    following = pl.when(same).then(pl.col("first").shift(-1))
    gaps = spoken.with_columns(
        start=pl.col("last"), end=following.fill_null(until), ongoing=following.is_null()
    ).with_columns(gap=pl.col("end") - pl.col("start"))
    gap = pl.col("gap")
    habit = (
        gaps.filter(~pl.col("ongoing"))
        .group_by(per)
        .agg(
            habit=gap.quantile(0.99, "lower"),
            gaps=pl.len(),
            total=gap.sum(),
            longest=gap.max(),
            next_longest=gap.top_k(2).min(),
        )
    )
    judged = gaps.join(habit, on=list(per)).with_columns(
        long=gap > MISSED_FOLD * pl.col("habit"),
        rare=gap > SILENCE_FOLD * pl.col("habit"),
        unlikely=_unlikely(),
    )
    long = judged.filter(
        (pl.col("gaps") >= MIN_GAPS)
        & (gap > MIN_SILENCE_NS)
        & (pl.col("long") | pl.col("unlikely"))
    )
    return long.select("of", *PAUSE_COLUMNS)


def _unlikely() -> pl.Expr:
    """Whether a pause is beyond chance and by far the actor's longest: pauses of one who speaks at
    random exceed `k` mean lengths once in `e**k`."""
    gap, ongoing = pl.col("gap"), pl.col("ongoing")
    own = pl.when(ongoing).then(0).otherwise(gap)
    others = pl.col("gaps") - pl.when(ongoing).then(0).otherwise(1)
    mean = (pl.col("total") - own) / others.clip(1)
    chances = (pl.col("gaps").cast(pl.Float64) / BY_CHANCE).log()
    largest = gap >= pl.col("longest")
    next_one = pl.when(ongoing | ~largest).then("longest").otherwise("next_longest")
    return (gap > chances * mean) & (gap > OWN_LONGEST * next_one)


def _of_ordinary(parts: pl.DataFrame, pauses: pl.DataFrame) -> pl.DataFrame:
    """Those of `pauses` in which a writer wrote warnings and nothing else."""
    if pauses.is_empty():
        return pauses
    grave = parts.filter(~pl.col("mild")).select(*SPEAKER, "first", "n")
    told = pauses.join(grave, on=list(SPEAKER)).filter(
        pl.col("first").is_between(pl.col("start"), pl.col("end"))
    )
    place = [*SPEAKER, "start"]
    enough = told.group_by(place).agg(n=pl.col("n").sum()).filter(pl.col("n") >= ONLY_GRAVE)
    return pauses.join(enough, on=place, how="semi").sort(place)


def _apart_from(pauses: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """`pauses` outside those of the writer as a whole."""
    if pauses.is_empty() or whole.is_empty():
        return pauses
    bounds = whole.select(*SPEAKER, low="start", high="end")
    met = pauses.join(bounds, on=list(SPEAKER)).filter(
        (pl.col("low") < pl.col("end")) & (pl.col("high") > pl.col("start"))
    )
    return pauses.join(met, on=[*SPEAKER, "clock", "start"], how="anti")


def _without(pauses: pl.DataFrame, nameless: pl.DataFrame) -> pl.DataFrame:
    """The pauses in which no record of nobody by name was counted."""
    if pauses.is_empty() or nameless.is_empty():
        return pauses
    broken = pauses.join(nameless.select("source", "first", "last"), on="source").filter(
        (pl.col("first") < pl.col("end")) & (pl.col("last") > pl.col("start"))
    )
    place = [*SPEAKER, "start"]
    return pauses.join(broken.unique(place), on=place, how="anti")
