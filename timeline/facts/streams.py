"""What was written of one thing after another: rows of a table, jobs of a class, lines of a form.

A batch leaves one sign for each of its items, whatever it writes. Rows count that refer to another
thing; jobs by the things in their arguments; lines of writers that serve no requests and do not
write so much that a person could not have read it. Only what lies inside the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.sight import read_until
from timeline.facts.spoken import form
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_ITEMS = 20
"""Fewer items are a person's work of a night, not a batch's."""
MOST_ROWS = 50_000
"""Rows, or jobs, that are looked at, the latest."""
MOST_LINES = 20_000
"""A writer of more lines is a service at work, not a batch, and dear to read."""

PASS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "at": pl.Int64,
    "row": pl.UInt32,
    "source": pl.String,
}
FIELD = r"\b([a-z][a-z_]{2,30})=['\"]?([\w.-]{3,})['\"]?(?:[ ,;)]|$)"
"""A field of a line: whatever a shop calls its things."""
LONGEST_NAME = 60
"""Characters of a field's value; asked of what was found, as a regex that counts so far is slow."""
MEASURES = r"""(?x)^(?:rows|lines|items|count|total|size|bytes|took|elapsed|duration|status|code
    |level|port|pid|thread|attempts?|retry|retries|version|host|worker|msg|method|path|queue|batch
    |run|step|page|offset|progress)$"""
"""Fields that say how much, how long or by whom, and no thing."""
LINE_STREAM = {**PASS_SCHEMA, "by": pl.String, "form": pl.String}


@dataclass(frozen=True)
class Stream:
    """Signs of the work that `name` says, about things of one `kind` (PASS_SCHEMA, time order)."""

    name: str
    kind: str
    rows: pl.DataFrame


def streams_in(incident: Incident) -> tuple[Stream, ...]:
    """Everything that was written about many things of one kind."""
    parts = (
        ("the work that writes {}", _rows(incident)),
        ("the work of {} jobs", _jobs(incident)),
        ("the work of {}", _lines(incident)),
    )
    return tuple(one for words, told in parts for one in _streams(words, told))


def _streams(words: str, told: pl.DataFrame) -> Iterator[Stream]:
    if told.is_empty():
        return
    told = told.with_columns(kind=pl.col("key").str.extract(r"^([^:]+):", 1))
    group = ("by", "form", "kind")
    told = told.filter(pl.col("key").n_unique().over(group) >= LEAST_ITEMS)
    told = told.unique(["key", "row"], keep="first").sort("at", "row", "key")
    for (by, _, kind), part in told.group_by(*group, maintain_order=True):
        shown = part.select(pl.col(name).cast(dtype) for name, dtype in PASS_SCHEMA.items())
        yield Stream(words.format(str(by).rpartition(".")[2]), str(kind), shown)


def _rows(incident: Incident) -> pl.DataFrame:
    records = incident.records
    made = records.summary.filter(
        pl.col("created").is_between(incident.window.start, read_until(incident))
    ).select(
        "record",
        "source",
        by="table",
        at="created",
        row=pl.coalesce("created_row", "any_row"),
        form=pl.lit(""),
    )
    made = made.filter(pl.len().over("by") >= LEAST_ITEMS).tail(MOST_ROWS)
    return made.join(records.references, on="record")


def _jobs(incident: Incident) -> pl.DataFrame:
    jobs = incident.jobs.summary.drop_nulls(["job_class", "enqueued"]).filter(
        pl.col("enqueued") >= incident.window.start
    )
    jobs = jobs.filter(pl.len().over("job_class") >= LEAST_ITEMS).tail(MOST_ROWS)
    firsts = incident.jobs.transitions.unique("job", keep="first", maintain_order=True)
    told = jobs.select("job", by="job_class", at="enqueued", form=pl.lit(""))
    told = told.join(firsts.select("job", "row", "source"), on="job")
    return told.join(incident.jobs.entities.select("job", "key"), on="job")


def _named_in(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    """(row, key): the thing that the first field of each line names, for lines without any key."""
    told = incident.snapshot.told(pl.col("row").is_in(rows.tail(MOST_LINES).implode()), "body")
    field, body = plain_form(told.get_column("body"), FIELD), pl.col("body")
    found = told.select(
        "row", name=body.str.extract(field, 1), value=body.str.extract(field, 2)
    ).drop_nulls()
    short = pl.col("value").str.len_chars() <= LONGEST_NAME
    things = found.filter(short & ~pl.col("name").str.contains(MEASURES))
    return things.select("row", key=pl.concat_str("name", "value", separator=":"))


def _lines(incident: Incident) -> pl.DataFrame:
    events = incident.snapshot.events
    log = pl.col("lane") == Lane.LOG.value
    writers = events.select(pl.col("actor").filter(log)).group_by("actor").len()
    few = writers.filter(pl.col("len").is_between(LEAST_ITEMS, MOST_LINES)).get_column("actor")
    if few.is_empty():
        return pl.DataFrame(schema=LINE_STREAM)
    mine = log & pl.col("actor").is_in(few.implode())
    rows = events.select(mine.fill_null(value=False).arg_true().cast(pl.UInt32)).to_series()
    keys = incident.snapshot.keys_of(rows)
    served = keys.filter(pl.col("key").str.contains(r"^(?:request|trace|correlation):"))
    things = entity_pairs(keys).join(served.select("row").unique(), on="row", how="anti")
    things = pl.concat(
        [things, _named_in(incident, rows.filter(~rows.is_in(keys["row"].implode())))]
    )
    if things.is_empty():
        return pl.DataFrame(schema=LINE_STREAM)
    told = things.get_column("row").unique().sort().tail(MOST_LINES)
    lines = incident.snapshot.told(pl.col("row").is_in(told.implode()), "source", "actor", "body")
    lines = lines.filter(pl.col("timestamp") >= incident.window.start)
    lines = lines.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
    shaped = lines.select(
        "row",
        pl.col("source").cast(pl.String),
        at="timestamp",
        by=pl.col("actor").cast(pl.String).fill_null(""),
        form=form("body", lines.get_column("body")),
    )
    return things.join(shaped, on="row")
