"""One call to a database that two sessions made at once, as its log of slow statements tells it.

Such a line is written when a statement is over and says how long it took, so it tells a span. Where
calls of one form (equal but for their numbers) have always been for another number each time, one
that is made twice with the same, by two sessions whose spans meet, is the same work done twice at
once. A statement that never names what it is about says nothing. All stamps are the server's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

SERVERS = (
    r"(?i)postgres|^pg|mysql|mariadb|(?:^|[-_.])db(?:$|[-_.])|sqlserver|mssql|oracle|cockroach"
)
"""What sources, or who writes in them, are called where a database's own log is kept."""
MARKS = ("duration: ", "query_time: ")
SPAN = r"(?is)(?:duration: |query_time: )([\d.]+)(?: ?(ms|s)\b)?"
"""How long a statement took: PostgreSQL's `log_min_duration_statement` (ms), MySQL's and MariaDB's
slow query log (seconds)."""
TEXT = "(.*)"
"""The statement, behind `SPAN`; read of those alone that took long: to copy it is what costs."""
SESSION = r"\[(\d+)\]|(?i:pid|thread_id|Id)[=: ]+(\d+)"
NOISE = r"(?i)^\s*(?:statement|execute [^:]*|plan)?:?\s*|(?:rows_\w+|lock_time|thread_id): ?[\d.]+"
LEAST_NS = 2 * SECOND_NS
"""Shorter statements meet by chance."""
TOGETHER_NS = SECOND_NS
OTHERS = 4
"""Calls of one form, each for a number of its own, before a second one with the same is odd."""
MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class CalledTwice:
    """`statement` was run twice at once, from `since` to `until` (ns); `others` calls of its form
    were made once each, and `alone` is whether none of those met another. Rows are the two lines,
    by their ends."""

    statement: str
    sessions: tuple[str, str]
    since: int
    until: int
    others: int
    alone: bool
    rows: tuple[int, int]


def called_twice(incident: Incident) -> list[CalledTwice]:
    """By the time at which the second session began."""
    spans = _spans(incident)
    if spans.is_empty():
        return []
    found = []
    per = ["source", "form"]
    sized = spans.filter(pl.col("text").n_unique().over(per) > OTHERS)
    for _, part in sized.group_by(per, maintain_order=True):
        again = part.filter(pl.len().over("text") > 1)
        once = part.join(again, on="text", how="anti")
        if once.height < OTHERS or again.get_column("text").n_unique() > once.height // OTHERS:
            continue
        alone = _in_turn(once.sort("begun"))
        for _, pair in again.group_by("text", maintain_order=True):
            one = _met(pair.sort("begun"), once.height, alone=alone)
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: (one.since, one.statement))


def _spans(incident: Incident) -> pl.DataFrame:
    """(source, row, begun, ended, session, text, form) of statements that took long."""
    events = incident.snapshot.events
    names = events.lazy().filter(pl.col("lane") == Lane.LOG.value).select("source", "actor")
    known = names.unique().collect().with_columns(pl.all().cast(pl.String).fill_null(""))
    own = known.filter(pl.any_horizontal(pl.all().str.contains(SERVERS)))
    chosen = (
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("source").cast(pl.String).is_in(own.get_column("source").implode())
        & pl.col("actor").cast(pl.String).is_in(own.get_column("actor").implode())
    )
    if own.is_empty():
        return pl.DataFrame()
    lines = incident.snapshot.told(chosen, "source", "body").tail(MOST_LINES)
    lines = lines.filter(pl.col("body").str.contains_any(list(MARKS), ascii_case_insensitive=True))
    if lines.is_empty():  # the server tells no statement's length
        return lines
    body = pl.col("body")
    span = body.str.extract_groups(SPAN).struct
    took, unit = span[0].cast(pl.Float64, strict=False), span[1].fill_null("s")
    length = pl.when(unit == "ms").then(took * 1e6).otherwise(took * 1e9).cast(pl.Int64)
    lines = lines.with_columns(length=length).filter(pl.col("length") >= LEAST_NS)
    told = lines.with_columns(
        text=body.str.extract(f"{SPAN}{TEXT}", 3).str.replace_all(NOISE, " ").str.strip_chars(),
        session=pl.coalesce(body.str.extract(SESSION, 1), body.str.extract(SESSION, 2)),
    ).filter(pl.col("text").str.contains(r"\d"))
    return told.select(
        pl.col("source").cast(pl.String),
        "row",
        "text",
        pl.col("session").fill_null(""),
        begun=pl.col("timestamp") - pl.col("length"),
        ended="timestamp",
        form=pl.col("text").str.replace_all(r"\d+", "#"),
    )


def _in_turn(calls: pl.DataFrame) -> bool:
    ended = calls.get_column("ended").cum_max().shift(1)
    return not (calls.get_column("begun") < ended).fill_null(value=False).any()


def _met(pair: pl.DataFrame, others: int, *, alone: bool) -> CalledTwice | None:
    """The first two neighbours that two sessions ran at once, or None."""
    calls = pair.select("begun", "ended", "session", "row", "text").iter_rows(named=True)
    for one, two in pairwise(calls):
        until = min(one["ended"], two["ended"])
        apart = one["session"] != two["session"] or not one["session"]
        if apart and until - two["begun"] >= TOGETHER_NS:
            rows = (one["row"], two["row"])
            names = (one["session"], two["session"])
            return CalledTwice(one["text"], names, two["begun"], until, others, alone, rows)
    return None
