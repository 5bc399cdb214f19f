"""Values that a database refused as already there, and that a service says it created.

Whoever catches every error of an insert goes on to the line that reports it. Database and service
share no id then, but the server writes down column and value (`Key (name)=(m9) already exists`),
and the service its field of that name. Two callers may want the same value at once: one is refused,
the other has it and says so. So a value counts only where one line alone reports it, and only where
the rows tell as well: as many successes left none as were refused. Values are compared, never told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.lines import lines_where
from timeline.facts.outcome_words import CREATED, FAILED
from timeline.facts.sight import read_until
from timeline.facts.violations import MAX_HITS, UNIQUE
from timeline.order import before
from timeline.templates import template_of
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

WITHIN_NS = 5 * SECOND_NS
"""After the refusal the service reports within this."""
SLACK_NS = SECOND_NS
"""Two clocks, and a service that wrote its line after the row."""
LEAST = 2
"""Refused values, before one looks who reports them."""
LEAST_OTHERS = 10
"""Successes with a row of their own, before a row is what a success leaves."""
MOSTLY = 0.5
"""Of all its successes, how many must have left a row: else they are about something else."""
_REFUSED = re.compile(r"\(\"?(\w+)\"?\)=\(([^)]{1,200})\)")
"""As PostgreSQL tells it in any language: `Key (name)=(m9) already exists`,"""
_ENTRY = re.compile(r"Duplicate entry ['\"](.{1,200}?)['\"] for key ['\"`]?(\w+)\.(\w+)")
"""and MySQL, where an index is called as its column unless somebody named it otherwise."""
_INTO = re.compile(r"(?i)\binsert\s+(?:ignore\s+)?into\s+[\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)")
_FIELD = r"[\"']?\s*[=:]\s*[\"']?([^\s\"',;&}\])]+)"


class Refusal(NamedTuple):
    """A value refused in `table`, and who says all the same that it was created (ns UTC)."""

    caller: str
    form: str
    server: str
    table: str
    refused_at: int
    said_at: int
    error_row: int
    said_row: int


class Balance(NamedTuple):
    """Of `said` successes of one form of line, `rows` rows of `table` were left."""

    table: str
    said: int
    rows: int


def reported_as_created(incident: Incident) -> list[tuple[Balance, list[Refusal]]]:
    """By caller, table and form of line, each with what the rows tell; by the first refusal."""
    refused = _refused(incident)
    if refused.height < LEAST:
        return []
    told = _reports(incident, refused.get_column("column").unique().to_list())
    if told.is_empty():
        return []
    near = pl.col("at").is_between(pl.col("timestamp") - SLACK_NS, pl.col("timestamp") + WITHIN_NS)
    pairs = refused.join(told, on=["column", "value"]).filter(near)
    pairs = pairs.filter((pl.len().over("error_row") == 1) & (pl.len().over("said_row") == 1))
    pairs = pairs.filter(~pl.col("caller").is_in(_troubled(incident, pairs).implode()))
    events = incident.snapshot.event
    groups: dict[tuple[str, str, str], list[Refusal]] = {}
    for one in pairs.sort("timestamp", "error_row").iter_rows(named=True):
        case = Refusal(
            one["caller"],
            one["form"],
            one["server"],
            one["table"],
            one["timestamp"],
            one["at"],
            one["error_row"],
            one["said_row"],
        )
        order = before(events(case.error_row), events(case.said_row), incident.clocks)
        if order.verdict is not None:
            groups.setdefault((case.caller, case.table, case.form), []).append(case)
    judged = ((_balance(incident, told, cases), cases) for cases in groups.values())
    return [(balance, cases) for balance, cases in judged if balance is not None]


def _refused(incident: Incident) -> pl.DataFrame:
    """(error_row, timestamp, server, table, column, value) of what a server refused in its log."""
    hits = incident.errors.filter(
        (pl.col("error_class") == UNIQUE) & (pl.col("lane") == Lane.LOG.value)
    ).head(MAX_HITS)
    found = []
    for hit in hits.iter_rows(named=True):
        body = str(hit["body"])
        key, entry, into = _REFUSED.search(body), _ENTRY.search(body), _INTO.search(body)
        if key and into:
            parts = (into[1], key[1], key[2])
        elif entry:
            parts = (entry[2], entry[3], entry[1])
        else:
            continue
        found.append((hit["row"], hit["timestamp"], hit["actor"], *parts))
    schema = {"error_row": pl.UInt32, "timestamp": pl.Int64, "server": pl.String}
    named = {name: pl.String for name in ("table", "column", "value")}
    return pl.DataFrame(found, schema={**schema, **named}, orient="row")


def _reports(incident: Incident, columns: list[str]) -> pl.DataFrame:
    """(said_row, at, caller, source, form, column, value) of lines that tell of a creation."""
    body = pl.col("body")
    lines = lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("severity_number") < SEVERITY_WARN)
        & body.str.contains(CREATED)
        & ~body.str.contains(FAILED.pattern),
    )
    parts = [
        lines.select(
            "source",
            said_row="row",
            at="timestamp",
            caller="actor",
            form=template_of(body),
            column=pl.lit(column),
            value=body.str.extract(rf"(?:^|[^\w]){re.escape(column)}{_FIELD}", 1),
        )
        for column in columns
    ]
    return pl.concat(parts).drop_nulls("value").filter(pl.col("caller") != "")


def _troubled(incident: Incident, pairs: pl.DataFrame) -> pl.Series:
    """Callers that wrote of trouble themselves at the time of a refusal: they have not hidden it.

    A server that writes of the refusal is no caller.
    """
    loud = lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("severity_number") >= SEVERITY_WARN)
        & pl.col("actor").cast(pl.String).is_in(pairs.get_column("caller").unique().implode()),
    )
    since = pl.col("timestamp") - SLACK_NS
    held = pairs.select("caller", "timestamp", since=since).sort("since")
    next_loud = loud.select(caller="actor", since="timestamp", loud="timestamp").sort("since")
    held = held.join_asof(
        next_loud, on="since", by="caller", strategy="forward", check_sortedness=False
    )
    near = pl.col("loud") <= pl.col("timestamp") + WITHIN_NS
    return held.filter(near).get_column("caller").unique()


def _balance(incident: Incident, told: pl.DataFrame, cases: list[Refusal]) -> Balance | None:
    """What the rows tell of all successes of that form; None unless as many are missing as were
    refused, in a table that was read in full meanwhile."""
    one = cases[0]
    mine = told.filter((pl.col("caller") == one.caller) & (pl.col("form") == one.form))
    mine = mine.unique("said_row")
    since, until = _edges(mine.get_column("at"))
    since, until = since - SLACK_NS, min(until + SLACK_NS, read_until(incident))
    table = incident.records.summary.filter(pl.col("table").str.replace(r"^.*\.", "") == one.table)
    created = table.get_column("created")
    sources = table.get_column("source").unique().to_list()
    if incident.snapshot.coverage.limits(sources, since, until):
        return None
    said, rows = mine.height, int(created.is_between(since, until).sum())
    # Of what was said shortly before the end of what was read, the rows may be stamped behind it.
    late = int((mine.get_column("at") > until - SLACK_NS).sum())
    unsettled = max(0, late - int(created.is_between(until - SLACK_NS, until).sum()))
    enough = rows >= max(LEAST_OTHERS, MOSTLY * said)
    missing = said - rows - unsettled
    return Balance(one.table, said, rows) if enough and missing >= len(cases) else None


def _edges(stamps: pl.Series) -> tuple[int, int]:
    ordered = stamps.sort()
    return int(ordered[0]), int(ordered[-1])
