"""Scripts that go through things one after the other and do not stop at an error.

A script's output has no levels and its errors no ids: `pg_dump: error: …` stands between the first
and the last line about one shop, and whose it is shows in its place. That the script did not mind
shows in what follows: the very lines that stand there for every other shop. Words are asked only
for whether a line tells of an error; that the work is called done is read from the form of lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.lines import lines_at
from timeline.facts.run_signs import RUN_IDS
from timeline.facts.spoken import form

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_LINES = 20_000
"""Lines without a level of one writer: a script's output, not a service's."""
LEAST_THINGS = 6
"""Things that were worked on without an error, in the same lines."""
IN_TURN = 0.95
"""Share of the stretches about one thing that have more than one line: who works on several at
once speaks of them in turns."""
ERROR = (
    r"(?i)(?:^|[\s:\[(])(?:error|fatal|panic|failed|failure|fehler|erreur|errore?|błąd|ошибка)\b"
    r"|\b(?:cannot|can't|could not|couldn't|unable to|permission denied|no such file|not found"
    r"|traceback|exception|broken pipe|segmentation fault|killed|i/o error|timed out)\b"
)
NO_ERROR = r"(?i)\b(?:no|0|without) (?:errors?|failures?)\b|\b(?:errors?|failed|failures?)[=: ]+0\b"


@dataclass(frozen=True, slots=True)
class WentOn:
    """One thing (`key`) of `actor`: an error at `error_row` between the first line about it and the
    last, which are those of `others` things without one. Instants in ns UTC."""

    actor: str
    source: str
    key: str
    failed_at: int
    done_at: int
    first_row: int
    error_row: int
    done_row: int
    others: int


def went_on(incident: Incident) -> list[WentOn]:
    """In time order."""
    lines = _plain_lines(incident)
    if lines.is_empty():
        return []
    keys = entity_pairs(incident.snapshot.keys_of(lines.get_column("row"))).unique()
    keys = keys.filter(~pl.col("key").str.contains(RUN_IDS))
    found: list[WentOn] = []
    for _, part in lines.group_by("source", "actor", "clock", maintain_order=True):
        spans = _in_turn(part, keys)
        if spans.height > LEAST_THINGS:
            found += _errors_inside(incident, part, spans)
    return sorted(found, key=lambda one: (one.failed_at, one.error_row))


def _plain_lines(incident: Incident) -> pl.DataFrame:
    """Lines of writers who write few and give none a level (`lines_at`)."""
    events = incident.snapshot.events
    plain = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number").fill_null(0) == 0)
    rows = events.select(plain.arg_true().cast(pl.UInt32)).to_series()
    if rows.is_empty():
        return lines_at(incident, rows)
    writers = events.select(pl.col("source", "actor").gather(rows)).with_columns(row=rows)
    few = writers.filter(pl.len().over("source", "actor").is_between(LEAST_THINGS, MOST_LINES))
    return lines_at(incident, few.get_column("row"))


def _in_turn(part: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """(key, first, last) of things that one writer took one after the other, by places (`place`)
    among its lines; a thing that comes again later is worked on again. Empty where it did not."""
    named = keys.sort("row", "key").group_by("row", maintain_order=True).agg(pl.col("key").first())
    numbered = part.select("row").with_row_index("place").join(named, on="row").sort("place")
    turns = (
        numbered.with_columns(turn=pl.col("key").rle_id())
        .group_by("turn", maintain_order=True)
        .agg(
            key=pl.col("key").first(),
            first=pl.col("place").min(),
            last=pl.col("place").max(),
            n=pl.len(),
        )
    )
    whole = turns.filter(pl.col("n") > 1).select("key", "first", "last")
    return whole if whole.height >= IN_TURN * turns.height else whole.clear()


def _errors_inside(incident: Incident, part: pl.DataFrame, spans: pl.DataFrame) -> list[WentOn]:
    body = pl.col("body")
    known = incident.errors.get_column("row").implode()
    told = part.with_row_index("place").with_columns(
        form=form(),
        error=(body.str.contains(ERROR) & ~body.str.contains(NO_ERROR))
        | pl.col("row").is_in(known),
    )
    held = told.sort("place").join_asof(
        spans.select("key", "first", "last"), left_on="place", right_on="first"
    )
    held = held.filter(pl.col("place") <= pl.col("last"))
    things = held.group_by("key", "first", maintain_order=True).agg(
        said=pl.col("form").filter(~pl.col("error")).str.join("\n"),
        errors=pl.col("error").sum(),
        error_row=pl.col("row").filter("error").last(),
        failed_at=pl.col("timestamp").filter("error").last(),
        ends_so=pl.col("error").last() | pl.col("error").first(),
        first_row=pl.col("row").first(),
        done_row=pl.col("row").last(),
        done_at=pl.col("timestamp").last(),
    )
    usual = things.filter(pl.col("errors") == 0).get_column("said").value_counts(sort=True)
    if usual.is_empty() or usual["count"][0] < LEAST_THINGS:
        return []
    same = things.filter(
        (pl.col("errors") > 0) & ~pl.col("ends_so") & (pl.col("said") == usual["said"][0])
    )
    return [
        WentOn(
            actor=part["actor"][0] or part["source"][0],
            source=part["source"][0],
            key=thing["key"],
            failed_at=thing["failed_at"],
            done_at=thing["done_at"],
            first_row=thing["first_row"],
            error_row=thing["error_row"],
            done_row=thing["done_row"],
            others=int(usual["count"][0]),
        )
        for thing in same.iter_rows(named=True)
    ]
