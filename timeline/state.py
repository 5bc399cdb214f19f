"""Above all findings: does it still hurt, since when, and whom.

Says what the sources cover and nothing beyond: a stream that ended cannot have recovered.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import polars as pl

from timeline.analysis import Condition, State
from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.counted import counted_only
from timeline.facts.failures import victims_of
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

RECENT_NS = 120_000_000_000
"""Two minutes without an unusual error, while lines still arrive, is what recovered means."""
MINUTE_NS = 60_000_000_000
RATE_NS = 5 * MINUTE_NS
"""New victims are counted over the last five minutes that were seen, and after a recovery only
since then."""
STALE_NS = 60_000_000_000
"""A stream that ends this much before what was read has stopped telling."""
STREAK = 3
MIN_STREAK = 10
"""Requests without an error, after the last one, that tell recovery before two minutes are over:
this many, and `STREAK` times as many as one failure used to take."""
MIN_RECENT = 3
"""Errors that nobody in particular suffered from: fewer than this in two minutes (an idle link
dropped here and there) are no failing state."""
FOLD = 2
"""Failing is at least this multiple of the usual number of errors in two minutes."""


def state_of(incident: Incident) -> State:
    """Still failing, recovered, quiet or unknown; see `State`."""
    failures = incident.failures
    seen_until, telling = _seen_until(incident, failures)
    if failures.is_empty():
        condition = Condition.QUIET if telling else Condition.UNKNOWN
        return State(condition, None, 0.0, (), seen_until)
    victims = victims_of(incident, failures)
    condition, since = _condition(incident, failures, victims, seen_until, telling=telling)
    begin = max(incident.window.start, seen_until - RATE_NS)
    if condition is Condition.RECOVERED:
        begin = min(max(begin, since), seen_until)
    return State(
        condition=condition,
        since=since,
        new_per_minute=_new_per_minute(victims, begin, seen_until),
        victims=tuple(sorted(victims.get_column("key").unique().to_list())),
        seen_until=seen_until,
    )


def _seen_until(incident: Incident, failures: pl.DataFrame) -> tuple[int, bool]:
    """How far the error-bearing logs reach (ns), and whether that is up to now.

    Without an error all logs count. A source covered in full to the end has told everything, even
    when it had nothing to say. While any source is being read, nothing is known up to now.
    """
    until = read_until(incident)
    bearing = failures.get_column("source").unique().to_list()
    spoken = (pl.col("lane") == Lane.LOG.value) & (pl.col("timestamp") < until)
    if bearing:
        spoken &= pl.col("source").is_in(bearing)
    last_lines = (
        incident.snapshot.events.lazy()
        .filter(spoken)
        .group_by("source")
        .agg(pl.col("timestamp").max())
        .collect()
    )
    ends = {str(source): int(last) for source, last in last_lines.iter_rows()}
    coverage = incident.snapshot.coverage
    for source, last in ends.items():
        if not coverage.limits((source,), max(last, until - STALE_NS), until, SEVERITY_WARN):
            ends[source] = until
    reached = min(ends.values(), default=incident.window.start)
    told = bool(ends) and not incident.reading
    return reached, told and until - reached <= STALE_NS


def _condition(
    incident: Incident,
    failures: pl.DataFrame,
    victims: pl.DataFrame,
    seen_until: int,
    *,
    telling: bool,
) -> tuple[Condition, int]:
    """The condition and since when: the last error once recovered, the first unusual one before."""
    stamps = failures.get_column("timestamp")
    counts = _recent_counts(incident.window.start, seen_until, stamps)
    usual = sorted(counts)[len(counts) // 2] if counts else 0
    recent = int((stamps > seen_until - RECENT_NS).sum())
    last = int(stamps[-1])
    if not telling:
        return Condition.UNKNOWN, last
    hurt = bool((victims.get_column("timestamp") > seen_until - RECENT_NS).any())
    if recent > FOLD * usual and (hurt or recent >= MIN_RECENT):
        since = _unbroken_since(stamps, seen_until)
        if _succeeding_again(incident, failures, since):
            return Condition.RECOVERED, last
        return Condition.FAILING, since
    if usual == 0:
        return Condition.RECOVERED, last
    return Condition.RECOVERED, _last_unusual(stamps, usual)


def _succeeding_again(incident: Incident, failures: pl.DataFrame, since: int) -> bool:
    """Whether so many requests went well since the last error that more of it is unlikely.

    Counts requests of the failing actors. If they still failed at the rate of the run since
    `since`, a streak this long would be seen in one of twenty cases (`STREAK` = 3, e^-3).
    """
    last = int(failures["timestamp"][-1])
    if counted_only(incident, failures.get_column("source").unique().to_list(), since, last):
        return False  # the requests that went well between the errors were counted, not read
    failing = failures.filter(pl.col("timestamp") >= since)
    requests = incident.executions.frame.filter(
        (pl.col("kind") == "request")
        & pl.col("actor").is_in(failing.get_column("actor").unique().to_list())
        & (pl.col("end") >= since)
    )
    hurt = incident.executions.of_rows(failing.get_column("row")).get_column("execution").n_unique()
    during = requests.filter(pl.col("start") <= last).height
    if not hurt:
        return False
    needed = max(MIN_STREAK, STREAK * during / hurt)
    return requests.filter(pl.col("start") > last).height >= needed


def _recent_counts(start: int, until: int, stamps: pl.Series) -> list[int]:
    """Errors in each two-minute stretch of what was seen, counted back from its end."""
    edges = list(range(until, start, -RECENT_NS))[::-1]
    places = [int(stamps.search_sorted(edge, "right")) for edge in edges]
    return [after - before for before, after in itertools.pairwise(places)]


def _unbroken_since(stamps: pl.Series, seen_until: int) -> int:
    """First error of the last run of errors that no two quiet minutes interrupt."""
    recent = stamps.filter(stamps <= seen_until)
    breaks = (recent.diff() > RECENT_NS).arg_true()
    return int(recent[int(breaks[-1])]) if breaks.len() else int(recent[0])


def _last_unusual(stamps: pl.Series, usual: int) -> int:
    """Last error that stood in a two-minute stretch with an unusual number of them."""
    first = stamps.search_sorted(stamps - RECENT_NS, "right")
    own = pl.int_range(1, stamps.len() + 1, eager=True)
    crowded = stamps.filter((own - first.cast(pl.Int64)) > FOLD * usual)
    return int(crowded[-1]) if crowded.len() else int(stamps[-1])


def _new_per_minute(victims: pl.DataFrame, begin: int, seen_until: int) -> float:
    """Victims per minute whose first error lies in `(begin, seen_until]`."""
    first = victims.group_by("key").agg(pl.col("timestamp").min())
    new = first.filter(pl.col("timestamp").is_between(begin, seen_until, "right")).height
    return round(new * MINUTE_NS / max(seen_until - begin, MINUTE_NS), 1)
