"""Services that said they started in another version, and whose requests failed from then on.

Whether errors are many is told by the minutes before them; here the requests tell, one by one: one
and the same instance answered some dozens well in the version it named before, and fails at most of
them in the version it names now. A restart in the same version is none, nor is one amid trouble:
then the start may be what the trouble led to. Says nothing of what the version changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.lines import lines_where
from timeline.templates import template_of
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

STARTS = r"(?i)\b(?:start(?:ed|ing)|boot(?:ed|ing)|launch(?:ed|ing)|listening)\b"
STARTS_HINT = r"[sS]tart|START|[bB]oot|BOOT|[lL]aunch|LAUNCH|[lL]istening|LISTENING"
"""What stands in every line of a start in the usual capitals: read in half the time."""
VERSION = (
    r"(?:^|[\s(\[=\"'@:/-])v?(\d{1,4}\.\d{1,5}(?:\.\d{1,7})?(?:[-+][\w.]{1,20})?)(?:$|[\s)\],;\"'])"
)
"""`1.9.0`, `v2026.11`, `2.0.1-rc.1`; an address has one part more, a duration a unit behind it."""
LEAST_BEFORE = 30
"""Requests in the version before: so many that a service in order is known to be in order."""
USUAL = 0.02
"""Share of those that may have failed,"""
MOSTLY = 0.5
"""and of the requests after it that must."""
MANY = 10
"""Failing requests after it."""
PROMPT_NS = 90 * SECOND_NS
"""What a release breaks for most requests shows with the first ones."""
JUDGED_NS = 10 * MINUTE_NS
"""How long after the start its requests are counted."""
CALM_NS = MINUTE_NS
FEW = 2
"""Failures of anybody in the minute before, since it started in the version before: more, and the
start may be their consequence."""


class Turned(NamedTuple):
    """The start (event row `row`, ns UTC) of `actor` in `version`, in `earlier` before; `good` of
    `before` requests went well then, `failed` of `after` failed since, the first at `first`."""

    actor: str
    version: str
    earlier: str
    at: int
    row: int
    body: str
    good: int
    before: int
    failed: int
    after: int
    first: int
    first_row: int


def turned_releases(incident: Incident) -> list[Turned]:
    """By the start; and only where the requests of one and the same instance tell."""
    asked = _requests(incident)
    counts = asked.group_by("actor", "clock").agg(pl.col("bad").sum(), n=pl.len())
    hurt = counts.filter((pl.col("bad") >= MANY) & (pl.col("n") >= LEAST_BEFORE + MANY))
    if hurt.is_empty():
        return []
    starts = started_versions(incident, hurt.get_column("actor").unique().to_list())
    found = []
    for one in starts.drop_nulls("earlier").iter_rows(named=True):
        mine = asked.filter(
            (pl.col("actor") == one["actor"])
            & (pl.col("clock") == one["clock"])
            & pl.col("start").is_between(one["since"], one["until"], "left")
        )
        turned = _turned(incident, one, mine)
        found += [turned] if turned is not None else []
    return found


def started_versions(incident: Incident, actors: Iterable[str]) -> pl.DataFrame:
    """(row, timestamp, actor, clock, body, version, earlier, since, until) of the lines in which an
    instance of `actors` states a version other than it stated before, by time. `since` and `until`
    (ns) are when it stated the one before and the one after; `earlier` is null for the first.

    Lines of one form are compared: a server of requests has a version of its own.
    """
    lines = lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("severity_number") < SEVERITY_WARN)
        & pl.col("actor").cast(pl.String).is_in(sorted(set(actors)))
        & pl.col("body").str.contains(STARTS_HINT),
    )
    lines = lines.filter(pl.col("body").str.contains(STARTS))
    lines = lines.filter(pl.col("body").str.contains(VERSION))
    by = ("actor", "clock", "form")
    body = pl.col("body")
    told = lines.with_columns(version=body.str.extract(VERSION, 1), form=template_of(body)).sort(
        "timestamp", "row"
    )
    version = pl.col("version")
    changed = told.filter((version != version.shift(1).over(by)).fill_null(value=True))
    stamp = pl.col("timestamp")
    return changed.with_columns(
        earlier=version.shift(1).over(by),
        since=stamp.shift(1).over(by),
        until=stamp.shift(-1)
        .over(by)
        .fill_null(stamp + JUDGED_NS)
        .clip(upper_bound=stamp + JUDGED_NS),
    )


def _requests(incident: Incident) -> pl.DataFrame:
    """(actor, clock, start, bad) of every request of those with many that failed, by start."""
    executions = incident.executions
    bad = executions.of_rows(incident.failures.get_column("row")).get_column("execution").unique()
    frame = executions.frame.lazy().filter(pl.col("kind") == "request")
    failed = frame.filter(pl.col("execution").is_in(bad.implode())).group_by("actor").len()
    many = failed.filter(pl.col("len") >= MANY).select("actor").collect().to_series()
    return (
        frame.filter(pl.col("actor").is_in(many.implode()))
        .select(
            pl.col("actor", "clock").cast(pl.String),
            "start",
            bad=pl.col("execution").is_in(bad.implode()),
        )
        .collect()
    )


def _turned(incident: Incident, one: dict[str, object], mine: pl.DataFrame) -> Turned | None:
    """The start `one`, if the requests of its instance tell so."""
    at = int(str(one["timestamp"]))
    before, after = mine.filter(pl.col("start") < at), mine.filter(pl.col("start") >= at)
    failed_before, failed = int(before["bad"].sum()), int(after["bad"].sum())
    if before.height < LEAST_BEFORE or failed_before > USUAL * before.height:
        return None
    if failed < MANY or failed < MOSTLY * after.height:
        return None
    stamp = pl.col("timestamp")
    calm_from = max(at - CALM_NS, int(str(one["since"])))
    trouble = incident.failures.filter(stamp.is_between(calm_from, at, "left"))
    own = pl.col("actor") == str(one["actor"])
    first = incident.failures.filter(own & (stamp >= at)).sort("timestamp", "row")
    if trouble.height > FEW or first.is_empty() or first["timestamp"][0] - at > PROMPT_NS:
        return None
    return Turned(
        actor=str(one["actor"]),
        version=str(one["version"]),
        earlier=str(one["earlier"]),
        at=at,
        row=int(str(one["row"])),
        body=str(one["body"]),
        good=before.height - failed_before,
        before=before.height,
        failed=failed,
        after=after.height,
        first=int(first["timestamp"][0]),
        first_row=int(first["row"][0]),
    )
