"""What may be said about what is not there: silences of those who should speak, and `absence`.

Every detector that claims a negative asks `absence`. It knows coverage and silences, and it only
ever weakens a claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.coverage import Coverage, Sight
from timeline.event import Lane
from timeline.facts.at_work import (
    jobs_meanwhile,
    jobs_unnamed,
    measured_as_before,
    named_as_before,
    named_by_others,
    siblings_meanwhile,
)
from timeline.facts.counted import counted_bars
from timeline.facts.words import instant
from timeline.order import Verdict

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


class Absence(NamedTuple):
    """How sure it is that nothing was there, and every reason against being surer."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """An actor of a log source that said nothing in `[start, end)` (ns), against its habit.

    `verdict` is certain when it was provably at work meanwhile, likely when others spoke of it,
    possible when only its siblings went on. `proof` says which, in words; `proof_row` is the event
    that shows it best, or None. `ongoing` is whether it lasts to the end of what was read.
    """

    actor: str
    source: str
    start: int
    end: int
    verdict: Verdict
    proof: str
    proof_row: int | None
    ongoing: bool


def absence(
    incident: Incident, sources: Iterable[str], start: int, end: int, key: str = ""
) -> Absence:
    """How sure "nothing of the kind happened in `[start, end)`" is, said of all `sources`.

    With `key` the kind is what carries that key, which a look-up may have settled.

    Certain only if every source was fully covered and none of its actors had fallen silent, or left
    out its work, while at work; otherwise possible. Without any source it is possible.
    """
    names = tuple(dict.fromkeys(sources))
    if not names:
        return Absence(Verdict.POSSIBLE, ("no source was read that would hold it",))
    limits = incident.snapshot.coverage.limits(names, start, max(end, start + 1), key=key)
    reasons = [limit.sentence() for limit in limits]
    reasons += [
        f"{silence.actor} is silent from {instant(silence.start)}"
        for silence in incident.silences
        if silence.source in names and silence.start < end and silence.end > start
    ]
    reasons += [
        f"{spot.source}: {spot.reason}"
        for spot in incident.thin_spots
        if spot.source in names and spot.start < end and spot.end > start
    ]
    verdict = Verdict.POSSIBLE if reasons else Verdict.CERTAIN
    return Absence(verdict, tuple(dict.fromkeys(reasons)))


def heard(incident: Incident, lane: Lane) -> tuple[str, ...]:
    """Names of the sources of `lane` that answered at all: with an event, or with some coverage.

    A configured source that could not be reached is none of them.
    """
    covered = {
        entry.source
        for entry in incident.snapshot.coverage.entries
        if entry.sight is not Sight.BLIND
    }
    return tuple(sorted(incident.speakers[lane] | covered.intersection(incident.sources_in(lane))))


def speakers_in(incident: Incident) -> Mapping[Lane, frozenset[str]]:
    """The sources with an event in each lane, for every lane there is."""
    pairs = incident.snapshot.events.group_by("lane", "source").agg()
    told = [(str(lane), str(source)) for lane, source in pairs.iter_rows()]
    return {
        lane: frozenset(source for spoken, source in told if spoken == lane.value) for lane in Lane
    }


def covered_until(incident: Incident, sources: Iterable[str], start: int, key: str = "") -> int:
    """How far all `sources` were fully covered from `start` on, without a hole; `start` if not.

    With `key`, how far for records that carry it.

    A log file is only known to be complete up to its last line, so "nothing until the end of the
    window" can seldom be said, and "nothing until then" can.
    """
    coverage = incident.snapshot.coverage
    return min((_unbroken(coverage.of(name, key), start) for name in set(sources)), default=start)


def _unbroken(entries: Iterable[Coverage], start: int) -> int:
    """How far the entries of one source cover everything from `start` on."""
    after = [entry for entry in entries if entry.end > start]
    weak = [max(entry.start, start) for entry in after if entry.sight is not Sight.FULL]
    reached = start
    for entry in sorted(after, key=lambda item: item.start):
        if entry.sight is Sight.FULL:
            if entry.start > reached:
                break
            reached = max(reached, entry.end)
    return min([reached, *weak])


def read_until(incident: Incident) -> int:
    """The instant (ns) up to which the window was read."""
    window = incident.window
    return min(window.end, incident.collected_at) if incident.collected_at else window.end


def silences_in(incident: Incident) -> tuple[Silence, ...]:
    """All silences with some sign that the actor was, or may have been, at work; by start."""
    gaps = _long_gaps(incident)
    workers = incident.workers if gaps.height else frozenset()
    found = [_proved(incident, gap, workers) for gap in gaps.iter_rows(named=True)]
    return tuple(sorted((s for s in found if s is not None), key=lambda s: (s.start, s.actor)))


def _long_gaps(incident: Incident) -> pl.DataFrame:
    """(actor, source, start, end, ongoing, long, rare, unlikely) of pauses beyond each actor's
    own habit.

    `rare` are those far beyond it, which need no more than a sign that the actor was at work;
    `unlikely` need signs that its work went on as before.

    A bar in which the engine counted records of an actor is no pause of it, and one with records
    of nobody by name is no pause of anybody in that source.
    """
    window, until = incident.window, read_until(incident)
    logs = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("timestamp").is_between(window.start, until)
    )
    spoken = (
        logs.group_by("source", "actor", pl.col("timestamp") // BUCKET_NS)
        .agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max())
        .select("source", "actor", "first", "last")
        .collect()
    )
    bars = counted_bars(incident)
    if bars.height:
        told = spoken.with_columns(pl.col("source", "actor").cast(pl.String))
        spoken = pl.concat([told, bars.filter(pl.col("actor") != "")])
    spoken = spoken.sort("source", "actor", "first")
    per = ("source", "actor")
    gaps = spoken.with_columns(
        start=pl.col("last"),
        end=pl.col("first").shift(-1).over(per).fill_null(until),
        ongoing=pl.col("first").shift(-1).over(per).is_null(),
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
    pauses = long.select(
        pl.col("actor", "source").cast(pl.String),
        "start",
        "end",
        "ongoing",
        "long",
        "rare",
        "unlikely",
    ).filter(pl.col("actor") != "")
    return _without(pauses, bars.filter(pl.col("actor") == ""))


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


def _without(pauses: pl.DataFrame, nameless: pl.DataFrame) -> pl.DataFrame:
    """The pauses in which no record of nobody by name was counted."""
    if pauses.is_empty() or nameless.is_empty():
        return pauses
    broken = pauses.join(nameless.select("source", "first", "last"), on="source").filter(
        (pl.col("first") < pl.col("end")) & (pl.col("last") > pl.col("start"))
    )
    return pauses.join(
        broken.unique(["source", "actor", "start"]), on=["source", "actor", "start"], how="anti"
    )


def _proved(incident: Incident, gap: dict[str, object], workers: frozenset[str]) -> Silence | None:
    actor, source = str(gap["actor"]), str(gap["source"])
    start, end = _ns(gap["start"]), _ns(gap["end"])
    proof = jobs_meanwhile(incident, actor, start, end, workers)
    if gap["rare"]:
        proof = proof or named_by_others(incident, actor, start, end)
        proof = proof or measured_as_before(incident, actor, start, end)
        proof = proof or siblings_meanwhile(incident, actor, start, end)
    elif not gap["long"] or not jobs_unnamed(incident, actor, start, end, workers):
        proof = None
    if proof is None and gap["unlikely"]:
        proof = named_as_before(incident, actor, start, end)
        proof = proof or measured_as_before(incident, actor, start, end)
    if proof is None:
        return None
    verdict, words, row = proof
    return Silence(actor, source, start, end, verdict, words, row, bool(gap["ongoing"]))


def _ns(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"nanoseconds were expected here, not {value!r}")
    return value
