"""Attempts: of jobs, as their queue tells them, and of calls, as lines with a number tell them.

An attempt of a job is a start, or an end that no start precedes (queues that stamp ends only). The
last failure of a job that was given up is one attempt, though River tells it twice at one instant:
among the errors and as the job's end. A job whose earlier attempts nobody kept counts as tried for
the first time, which makes retries look fewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.errors import JOB_FAILURES
from timeline.facts.hinted_lines import RETRY_HINT, hinted_lines
from timeline.facts.jobs import ENDS

if TYPE_CHECKING:
    from timeline.incident import Incident

ATTEMPT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "queue": pl.String,
    "job": pl.String,
    "first": pl.Boolean,
    "failed": pl.Boolean,  # null while it runs, or when its end is not told
    "error": pl.String,
}


NUMBERED = (
    r"(?i)\battempt(?:s made| no\.?| number|_number)?[\"']?\s*[=:#(]*\s*#?(\d{1,3})\b",
    r"(?i)\bretry(?:[_ ]count| no\.?| number|\s*#)[\"']?\s*[=:#]*\s*(\d{1,3})\b",
)
"""`attempt 3 of 5`, `attempt=3`, `(attempt #3)`, then `retry_count=2`, which is the third try. A
number of seconds or of the most attempts allowed is none of them."""
UNNUMBERED = (
    r"\bRetrying (?:\(Retry\(total=\d|request to \S+ in \d|"
    r"\S+ in \d+(?:\.\d+)? seconds as it (?:raised|returned) )"
)
"""As urllib3, OpenAI's client and tenacity tell of a repeated call. Which try it is they do not say
(urllib3 says how many are left), so it stands for the second."""
AHEAD = r"(?i)\b(?:max(?:imum)?|up to|remaining|left|after|most|in)[ _:=]*(?:attempt|retr)"
LINE_RETRY_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "number": pl.Int32,  # which attempt the line tells of, from 2 on
}


def spoken_retries(incident: Incident) -> pl.DataFrame:
    """Log lines that tell of a second or later attempt (LINE_RETRY_SCHEMA), time order."""
    lines = hinted_lines(incident, RETRY_HINT)
    if lines.is_empty():
        return pl.DataFrame(schema=LINE_RETRY_SCHEMA)
    body = pl.col("body")
    tries, again = (body.str.extract(pattern, 1).cast(pl.Int32) for pattern in NUMBERED)
    told = lines.filter(~body.str.contains(AHEAD)).with_columns(
        pl.col("source", "actor").cast(pl.String).fill_null(""),
        number=pl.coalesce(
            tries, again + 1, pl.when(body.str.contains(UNNUMBERED)).then(2).cast(pl.Int32)
        ),
    )
    retries = told.filter(pl.col("number") > 1)
    return retries.select(pl.col(name).cast(dtype) for name, dtype in LINE_RETRY_SCHEMA.items())


def attempts_in(incident: Incident) -> pl.DataFrame:
    """All attempts (ATTEMPT_SCHEMA), time order."""
    moves = (
        incident.jobs.transitions.filter(pl.col("kind") != Kind.JOB_ENQUEUED.value)
        .with_columns(pl.col("queue").fill_null(""))
        .sort("job", "timestamp", "seq", maintain_order=True)
    )
    started = pl.col("kind") == Kind.JOB_STARTED.value
    ended = pl.col("kind").is_in(ENDS)
    # Neighbours by shift over the whole sorted frame: windows per job cost ten times as much.
    same_before = pl.col("job") == pl.col("job").shift(1)
    same_behind = pl.col("job") == pl.col("job").shift(-1)
    begun_before = same_before.fill_null(value=False) & started.shift(1).fill_null(value=False)
    ends_behind = same_behind.fill_null(value=False) & ended.shift(-1).fill_null(value=False)
    fails = pl.col("kind").is_in(JOB_FAILURES)
    again = pl.col("timestamp") == pl.col("timestamp").shift(1)
    told = same_before.fill_null(value=False) & again & fails & fails.shift(1)
    twice = told & (pl.col("kind") != pl.col("kind").shift(1))
    attempts = moves.with_columns(
        attempt=started | (ended & ~begun_before & ~twice.fill_null(value=False)),
        failed=pl.when(ended)
        .then(fails)
        .when(ends_behind)
        .then(fails.shift(-1))
        .otherwise(pl.lit(None, dtype=pl.Boolean)),
        error=pl.when(ended).then("error").otherwise(pl.col("error").shift(-1)),
    ).filter("attempt")
    attempts = attempts.with_columns(
        first=(pl.col("job") != pl.col("job").shift(1)).fill_null(value=True)
    )
    typed = attempts.select(pl.col(name).cast(dtype) for name, dtype in ATTEMPT_SCHEMA.items())
    return typed.sort("timestamp", "row")
