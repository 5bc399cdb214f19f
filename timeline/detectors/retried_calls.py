"""Retries of calls that only log lines number: the second half of the detector `retry-storm`.

The lines tell the retries, the requests of the same service tell the work: where retries are as
many as requests begin, they are half of the load. That it is out of the ordinary is told by other
windows as long, or, where too little was read for one, by the requests that began before: of so
many hardly one was tried again. Owns no term of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.detectors.retry_finding import (
    BUCKET_NS,
    GAP_NS,
    MIN_ATTEMPTS,
    MIN_BUCKETS,
    MIN_IN_BUCKET,
    RetryStorm,
    retry_steps,
    trigger_of,
)
from timeline.facts.attempts import spoken_retries
from timeline.facts.bursts import FOLD, Placebo, clusters, placebo
from timeline.facts.failures import victims_of
from timeline.facts.rates import MINUTE_NS
from timeline.facts.sight import read_until
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

CALM_REQUESTS = 30
"""Requests before it, so many that what is usual for one of them is known,"""
CALM_SHARE = 0.05
"""and retries for each of those, at most."""


def retried_calls(incident: Incident) -> list[RetryStorm]:
    """One finding for every stretch in which a service's retries outnumbered its requests."""
    retries = spoken_retries(incident)
    # What workers log about attempts of jobs their queue tells better.
    workers = sorted(incident.workers) if retries.height else []
    retries = retries.filter(
        pl.col("timestamp").is_between(incident.window.start, incident.window.end, "left")
        & ~pl.col("actor").is_in(workers)
    )
    found: list[RetryStorm] = []
    if retries.height < MIN_ATTEMPTS:
        return found
    requests = incident.executions.frame.filter(pl.col("kind") == "request").select(
        pl.col("actor").cast(pl.String), timestamp="start"
    )
    for (actor,), own in retries.group_by(["actor"], maintain_order=True):
        begun = requests.filter(pl.col("actor") == actor).get_column("timestamp").sort()
        if begun.is_empty():
            continue  # without requests nobody can say how much of the load the retries are
        for hot in _hot(own, begun):
            finding = _judge(incident, hot, own, begun)
            found += [finding] if finding is not None else []
    return found


def _hot(retries: pl.DataFrame, begun: pl.Series) -> list[pl.DataFrame]:
    """The retries of every stretch of buckets in which they are as many as requests begin."""
    placed = retries.with_columns(bucket=pl.col("timestamp") // BUCKET_NS)
    work = pl.DataFrame({"bucket": begun // BUCKET_NS}).group_by("bucket").agg(requests=pl.len())
    buckets = placed.group_by("bucket").agg(n=pl.len()).join(work, on="bucket", how="left")
    hot = buckets.filter(
        (pl.col("n") >= MIN_IN_BUCKET) & (pl.col("n") >= pl.col("requests").fill_null(0))
    )
    at = hot.with_columns(timestamp=pl.col("bucket") * BUCKET_NS).sort("timestamp")
    stretches = clusters(at, GAP_NS, MIN_BUCKETS)
    held = [placed.join(one.select("bucket"), on="bucket", how="semi") for one in stretches]
    return [one.sort("timestamp", "row") for one in held if one.height >= MIN_ATTEMPTS]


def _judge(
    incident: Incident, hot: pl.DataFrame, own: pl.DataFrame, begun: pl.Series
) -> RetryStorm | None:
    began, ended = hot["timestamp"][0], hot["timestamp"][-1]
    stamps = own.get_column("timestamp").sort()
    sources = hot.get_column("source").unique()
    control = placebo(incident, stamps, sources, began, ended)
    if control.highest * FOLD > hot.height:
        return None  # as many elsewhere in this stream: usual for it
    requests = begun.filter(begun.is_between(began, ended)).len()
    calm = max(began - incident.window.start, MINUTE_NS)
    usual = begun.filter(begun < began).len() / (calm / MINUTE_NS)
    trigger, over = trigger_of(incident, began, ended)
    victims = victims_of(incident, hot.select("row", "timestamp", "source", "actor")).get_column(
        "key"
    )
    actor = str(hot["actor"][0])
    per_minute = (hot.get_column("timestamp") // MINUTE_NS).value_counts()["count"].to_list()
    since = _first_of(stamps, began)
    earlier, tried_before = int((begun < since).sum()), int((stamps < since).sum())
    unusual, link = _unusual(control, earlier, tried_before)
    return RetryStorm(
        verdict=Verdict.LIKELY if unusual else Verdict.POSSIBLE,
        weakest_link=link,
        began=began,
        ended=ended,
        steps=retry_steps(incident, hot.get_column("row").to_list(), actor),
        keys=tuple(sorted(set(victims.to_list()))),
        would_decide=(f"Count the calls that arrive at what {actor} calls.",),
        alternatives=("what it calls is still broken, and the retries are only a symptom",),
        qualifier=not unusual,
        next_action=f"Switch off or slow down the retries of {actor}, then look at what it calls.",
        source=str(hot["source"][0]),
        queue="",
        service=actor,
        attempts=hot.height + requests,
        firsts=requests,
        jobs=requests,
        ended_attempts=hot.height,
        failed=hot.height,
        usual=usual,
        busiest=max(per_minute),
        error="",
        trigger=trigger,
        trigger_over=over,
        lasting=ended - over if over is not None else 0,
        ongoing=ended >= read_until(incident) - GAP_NS,
    )


def _first_of(stamps: pl.Series, began: int) -> int:
    """The first of the retries that lead up to `began` (ns) with no longer pause than `GAP_NS`."""
    before = stamps.filter(stamps <= began)
    breaks = (before.diff() > GAP_NS).fill_null(value=True).arg_true()
    return int(before[int(breaks[-1])])


def _unusual(control: Placebo, earlier: int, tried_before: int) -> tuple[bool, str]:
    """Whether anything tells that so many retries are none of its habits, and what."""
    if control.windows:
        return True, (
            f"the lines number the attempts; against at most {control.highest} in "
            f"{control.windows} other windows of the same length"
        )
    if earlier >= CALM_REQUESTS and tried_before <= CALM_SHARE * earlier:
        return True, f"of {earlier} requests before it {tried_before or 'none'} were tried again"
    return False, "it fills what was read, so nothing tells whether it is unusual"
