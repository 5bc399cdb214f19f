"""Pieces of work as logs tell of them, for queues that forget what went well.

The first line that each speaker wrote of a job tells when it was handed over or taken up, what it
is about and, by its form, what kind of work it is; the numbered part of it (`shard=3`, `page: 12`)
is told apart. Other arguments that are no key of the line are not known, so equal lines are weaker
than equal arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.handled import FORM
from timeline.facts.lines import lines_at
from timeline.facts.work_names import NAME
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_LINES = 20_000
"""Lines that are looked at, the latest: more of them are a queue that should be read itself."""
MOST_THINGS = 3
"""A line about more things than this is about a batch, not about one piece of work."""
PART = r"\b[A-Za-z]\w*[\"']?(?:=|: ?)[\"']?\d{1,4}(?:\b[^.\w-]|$)"
"""A field with a small number: of two jobs about one thing, each is given its own part."""
NO_PART = (
    r"(?i)^(?:n|(?:\w*_)?(?:ids?|jid|jobs?|tasks?|messages?|msg|tag|pid|tid|thread|worker|host|port|"
    r"attempts?|try|tries|retr(?:y|ies)|ms|secs?|seconds?|took|duration|elapsed|latency|lag|"
    r"wait(?:ed|ing)?|age|time|size|bytes|depth|counts?|total|len(?:gth)?|pending|load|rows|lines?|"
    r"seq|level|code|status|conns?|cpu|mem)(?:_\w*)?)\W"
)
"""Ids, and what is measured or counted, differ between two runs of one piece of work as well."""

FIRST_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job": pl.String,
    "job_class": pl.String,  # the first compound name on the line, else who wrote it
    "args": pl.String,  # the things that the line is about, sorted
    "enqueued": pl.Int64,  # stamp of the line
    "form": pl.String,  # who wrote it, its words without what differs between jobs, and its part
}


def first_lines(incident: Incident) -> pl.DataFrame:
    """FIRST_SCHEMA, one per job and speaker whose first line about it is mild and names a thing."""
    named = incident.jobs.named
    if named.is_empty():
        return pl.DataFrame(schema=FIRST_SCHEMA)
    shown = incident.snapshot.events.select(
        pl.col("timestamp", "lane", "actor").gather(named.get_column("row"))
    )
    logged = named.hstack(shown).filter(pl.col("lane") == Lane.LOG.value)
    logged = logged.filter(pl.len().over("row") == 1)  # two jobs on one line are a hand-over
    ordered = logged.sort("timestamp", "row")
    first = ordered.unique(["job", "actor"], keep="first", maintain_order=True)
    first = first.select("row", "job").tail(MOST_LINES)
    lines = lines_at(incident, first.get_column("row"))
    lines = lines.filter(pl.col("severity_number") < SEVERITY_WARN).join(first, on="row")
    things = entity_pairs(incident.snapshot.keys_of(lines.get_column("row")))
    things = things.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    told = things.join(lines.select("row", "job"), on="row")
    told = told.filter(_value("key") != _value("job"))
    about = told.group_by("row").agg(pl.col("key").unique().sort())
    about = about.filter(pl.col("key").list.len() <= MOST_THINGS)
    told = lines.join(about, on="row").with_columns(
        words=pl.col("body").str.replace_all(plain_form(lines.get_column("body"), FORM), "#"),
        args=pl.col("key").list.join(", "),
    )
    told = told.with_columns(
        form=pl.concat_str("actor", pl.lit(": "), "words", _part(told.get_column("body"))),
        job_class=pl.coalesce(_name(told), pl.concat_str("actor", pl.lit("'s"))),
        enqueued="timestamp",
    )
    return told.select(pl.col(name).cast(dtype) for name, dtype in FIRST_SCHEMA.items())


def _value(key: str) -> pl.Expr:
    return pl.col(key).str.replace("^[^:]*:", "")


def _part(bodies: pl.Series) -> pl.Expr:
    """Every ` name=3` of a line of `bodies` that numbers a part of the work, in order."""
    part, no_part = (plain_form(bodies, one) for one in (PART, NO_PART))
    snake = pl.col("body").str.replace_all(r"([a-z])([A-Z])", "${1}_${2}")
    fields = snake.str.extract_all(part)
    own = fields.list.eval(pl.element().filter(~pl.element().str.contains(no_part)))
    return own.list.join(" ")


def _name(lines: pl.DataFrame) -> pl.Expr:
    """The first compound name among the words of each form; forms are few."""
    forms = lines.get_column("words").unique().to_list()
    names = {form: match.group() if (match := NAME.search(form)) else None for form in forms}
    return pl.col("words").replace_strict(names, default=None, return_dtype=pl.String)
