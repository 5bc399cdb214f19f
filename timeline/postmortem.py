"""A written postmortem held against what was recorded: row by row, and what the rows leave out.

Pure. A row is supported when a record near its time names what it names: a shared key, or words it
shares. Nearness alone supports nothing. That nothing was recorded is only said with what the
sources saw of that stretch. It never says that a row is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from timeline.analysis import Analysis, Condition
from timeline.event import Event, Lane, Precision
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

NEAR_NS = 2 * MINUTE_NS
"""People write minutes down, from memory or from another clock; two of them are usual."""
WORDS_NEEDED = 2
"""Words a record must share with a row; one alone (`web`, `errors`) is in half of all lines."""
WORDS_READ = 16
MATCHES_SHOWN = 3
ROWS_READ = 20_000
"""Records near one row that are looked through; the nearest of more."""
CHANGES_SHOWN = 10
_WORD = re.compile(r"[^\W_][\w.-]{2,60}")
_COMMON_WORDS = """
about after again all also and any are because been before began being but can could did down during
error errors fail failed failing fixed for from had has have into incident issue its new not now off
our out over problem seen service services some started still stopped than that the their then there
they this time until utc was were when which while will with
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words that tell one row from no other."""


class Support(StrEnum):
    """What the records say to one row; the value is how it is told."""

    NAMED = "recorded"
    NEAR = "records near it, none that names the same"
    NOTHING = "nothing recorded"
    OUTSIDE = "outside what was collected"
    UNDATED = "without a usable time"


@dataclass(frozen=True, slots=True)
class Claim:
    """One row of the postmortem. `timestamp` (ns UTC) is None when it has no usable time."""

    timestamp: int | None
    precision: Precision
    text: str
    ref: str
    why_undated: str = ""
    assumed: str = ""
    """What had to be assumed of its time, in words; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Match:
    """A record that names what the row names. `apart` (ns) is 0 inside of the unit that the row's
    time was written in, negative before it and positive behind it."""

    event: Event
    apart: int
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One row held against the records."""

    claim: Claim
    support: Support
    matches: tuple[Match, ...] = ()
    near: int = 0
    """Records within `NEAR_NS` of it."""
    complete: tuple[str, ...] = ()
    """Sources that saw all of that stretch; what they did not tell did not happen in them."""
    unseen: tuple[str, ...] = ()
    """What could not be seen of that stretch, one sentence each."""


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """An instant (ns UTC) at which the recorded story turned, and what says so."""

    timestamp: int
    precision: Precision
    text: str
    inferred: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every row in its order, and the turning points that no row is near."""

    rows: tuple[Held, ...]
    left_out: tuple[TurningPoint, ...]
    turning_points: int


def held_against(incident: Incident, analysis: Analysis, claims: Sequence[Claim]) -> Comparison:
    """The postmortem's rows against the records, and the records' turning points against it."""
    told = [claim.timestamp for claim in claims if claim.timestamp is not None]
    points = turning_points(incident, analysis)
    return Comparison(
        tuple(_held(incident, claim) for claim in claims),
        tuple(p for p in points if not any(abs(p.timestamp - at) <= NEAR_NS for at in told)),
        len(points),
    )


def turning_points(incident: Incident, analysis: Analysis) -> list[TurningPoint]:
    """Onset, the beginning of every finding that is no qualifier, changes, recovery; by time."""
    found: dict[int, TurningPoint] = {}

    def add(at: int, precision: Precision, text: str, *, inferred: bool) -> None:
        found.setdefault(at, TurningPoint(at, precision, text, inferred))

    for finding in analysis.findings:
        if not finding.qualifier and finding.steps:
            step = finding.steps[0]
            event = step.event
            add(event.timestamp, event.precision, f"{finding.term}: {step.why}", inferred=False)
    if analysis.onset is not None:
        add(analysis.onset, Precision.SECOND, "onset, the first sign of it", inferred=True)
    for event in _changes(incident):
        add(event.timestamp, event.precision, f"{event.actor}: {event.body}", inferred=False)
    state = analysis.state
    if state.condition is Condition.RECOVERED and state.since is not None:
        add(state.since, Precision.SECOND, "recovered, no new error since", inferred=True)
    return [found[at] for at in sorted(found)]


def _changes(incident: Incident) -> list[Event]:
    window = incident.window
    inside = pl.col("timestamp").is_between(window.start, window.end, closed="left")
    rows = incident.snapshot.where(inside & (pl.col("lane") == Lane.CHANGE.value)).to_list()
    events = incident.snapshot.events_at(rows)
    events.sort(key=lambda event: (abs(event.timestamp - window.pin), event.ref))
    return events[:CHANGES_SHOWN]


def _held(incident: Incident, claim: Claim) -> Held:
    at, window = claim.timestamp, incident.window
    if at is None:
        return Held(claim, Support.UNDATED)
    start, end = at - NEAR_NS, at + claim.precision.nanoseconds + NEAR_NS
    if end <= window.start or start >= window.end:
        return Held(claim, Support.OUTSIDE)
    near = incident.snapshot.where(
        pl.col("timestamp").is_between(start, end, closed="left")
    )  # time order
    complete, unseen = _sight(incident, start, end)
    if near.is_empty():
        return Held(claim, Support.NOTHING, complete=complete, unseen=unseen)
    matches = _matches(incident, claim, at, near)
    support = Support.NAMED if matches else Support.NEAR
    return Held(claim, support, matches, len(near), complete, unseen)


def _sight(incident: Incident, start: int, end: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sources that saw all of the stretch, and what the others could not see."""
    names = [source.name for source in incident.sources if source.lane is not Lane.NOTE]
    low, high = max(start, incident.window.start), min(end, incident.window.end)
    limits = incident.snapshot.coverage.limits(names, low, high)
    limited = {entry.source for entry in limits}
    unseen = tuple(dict.fromkeys(entry.sentence() for entry in limits))
    return tuple(name for name in names if name not in limited), unseen


def _matches(incident: Incident, claim: Claim, at: int, near: pl.Series) -> tuple[Match, ...]:
    """The records that share most with the row, the nearest of equals first."""
    keys = frozenset(incident.key_rules.in_text(claim.text))
    words = _words(claim.text)
    snapshot = incident.snapshot
    rows = snapshot.events[near][["timestamp", "source", "actor", "body"]].with_columns(
        near.alias("row"), apart=pl.col("timestamp") - at
    )
    rows = rows.sort(pl.col("apart").abs(), maintain_order=True).head(ROWS_READ)
    said = pl.concat_str(
        pl.col("source").cast(pl.String), pl.col("actor").cast(pl.String).fill_null(""),
        pl.col("body"), separator=" ",
    ).str.to_lowercase()  # fmt: skip
    shares = [said.str.contains(word, literal=True).cast(pl.UInt8) for word in words]
    total = pl.sum_horizontal(shares) if shares else pl.lit(0)
    scored = rows.with_columns(total.alias("shared"))
    if keys:
        keyed = snapshot.rows_with(sorted(keys)).to_list()
        scored = scored.with_columns(
            pl.when(pl.col("row").is_in(keyed)).then(pl.col("shared") + WORDS_READ)
            .otherwise(pl.col("shared")).alias("shared")
        )  # fmt: skip
    needed = min(WORDS_NEEDED, max(len(words), 1))
    best = scored.filter(pl.col("shared") >= needed).sort(
        [-pl.col("shared").cast(pl.Int64), pl.col("apart").abs()], maintain_order=True
    )
    chosen = best.head(MATCHES_SHOWN)
    events = snapshot.events_at(chosen["row"].to_list())
    return tuple(
        Match(event, _apart(event.timestamp, at, claim), _shared(event, words, keys))
        for event in events
    )


def _apart(recorded: int, at: int, claim: Claim) -> int:
    end = at + claim.precision.nanoseconds
    return recorded - at if recorded < at else max(recorded - end + 1, 0)


def _words(text: str) -> list[str]:
    """The words of a row that can be found again, each once."""
    found = (word.strip(".-").lower() for word in _WORD.findall(text))
    kept = (word for word in found if len(word) > 2 and word not in _COMMON)
    return list(dict.fromkeys(kept))[:WORDS_READ]


def _shared(event: Event, words: Sequence[str], keys: frozenset[str]) -> tuple[str, ...]:
    said = f"{event.source} {event.actor} {event.body}".lower()
    return (*sorted(keys.intersection(event.keys)), *(word for word in words if word in said))
