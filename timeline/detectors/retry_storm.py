"""retry-storm: failing work is tried again so often that the retries are the load.

Story: the database had been slow for a minute. Since then every job fails and comes back, and the
database is busy with work that fails; it stays so although what began it is over.

Predicate: in buckets of ten seconds at least `AMPLIFIED` attempts stand against one first attempt
and at least half of those that ended failed; at least `MIN_BUCKETS` such buckets with no longer
pause than `GAP_NS`, of at least `MIN_JOBS` jobs, at more attempts a minute than the queue began
before; or, where only log lines number the attempts, as many retries as requests begin
(`retried_calls`); or, where requests keep their ids, arrivals that multiply from service to service
(`retried_layers`). Metastable: it goes on for `METASTABLE_NS` after what began it is over.

False positives: a batch that failed once and heals when retried (its retries succeed), one job
that is tried again and again (too few jobs), retries far below the usual load (silent).

Reference: Bronson et al., HotOS 2021, and Huang et al., OSDI 2022 (metastable failures);
PostHog/posthog#71361, JSONbored/metagraphed#6451.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.retried_calls import retried_calls
from timeline.detectors.retried_layers import parts_of, retried_layers
from timeline.detectors.retry_finding import (
    AMPLIFIED,
    BUCKET_NS,
    ERROR_RATIO,
    GAP_NS,
    LEAD_NS,
    MIN_ATTEMPTS,
    MIN_BUCKETS,
    MIN_IN_BUCKET,
    MIN_JOBS,
    RetryStorm,
    retry_steps,
    trigger_of,
)
from timeline.event import Lane
from timeline.facts.attempts import attempts_in
from timeline.facts.bursts import clusters
from timeline.facts.rates import MINUTE_NS
from timeline.facts.sight import absence, heard, read_until
from timeline.facts.words import short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_FINDINGS = 3


class RetryStormDetector:
    """Finds stretches in which retries are the load; see the module."""

    term: ClassVar[str] = RetryStorm.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue that tells every attempt, or logs that do")
        attempts = attempts_in(incident)
        window = incident.window
        inside = attempts.filter(pl.col("timestamp").is_between(window.start, window.end, "left"))
        found: list[RetryStorm] = []
        for hot in _hot(inside):
            finding = _judge(incident, inside, hot)
            found += [finding] if finding is not None else []
        layers = retried_layers(incident)
        found += [one for one in retried_calls(incident) if not parts_of(layers, one)] + layers
        return sorted(found, key=lambda one: (-one.attempts, one.began))[:MAX_FINDINGS]


def _hot(attempts: pl.DataFrame) -> list[pl.DataFrame]:
    """The attempts of every stretch of hot buckets, one frame a stretch, by queue."""
    if attempts.is_empty():
        return []
    placed = attempts.with_columns(bucket=pl.col("timestamp") // BUCKET_NS)
    per = ["source", "queue", "bucket"]
    buckets = placed.group_by(per).agg(
        n=pl.len(),
        firsts=pl.col("first").sum(),
        ended=pl.col("failed").count(),
        failed=pl.col("failed").sum(),
    )
    hot = buckets.filter(
        (pl.col("n") >= MIN_IN_BUCKET)
        & (pl.col("n") >= AMPLIFIED * pl.col("firsts"))
        & (pl.col("ended") > 0)
        & (pl.col("failed") >= ERROR_RATIO * pl.col("ended"))
    )
    found = []
    for _, part in hot.group_by(["source", "queue"], maintain_order=True):
        at = part.with_columns(timestamp=pl.col("bucket") * BUCKET_NS).sort("timestamp")
        for stretch in clusters(at, GAP_NS, MIN_BUCKETS):
            held = placed.join(stretch.select(per), on=per, how="semi").sort("timestamp", "row")
            again = held.filter(~pl.col("first")).get_column("job").n_unique()
            if held.height >= MIN_ATTEMPTS and again >= MIN_JOBS:
                found.append(held)
    return found


def _judge(incident: Incident, attempts: pl.DataFrame, hot: pl.DataFrame) -> RetryStorm | None:
    source, queue = str(hot["source"][0]), str(hot["queue"][0])
    began, ended = hot["timestamp"][0], hot["timestamp"][-1]
    own = attempts.filter((pl.col("source") == source) & (pl.col("queue") == queue))
    # The first failures are no retries yet, so the minute before it is not what is usual.
    calm = max(began - incident.window.start - LEAD_NS, MINUTE_NS)
    earlier = own.filter(pl.col("timestamp") < incident.window.start + calm).height
    usual = earlier / (calm / MINUTE_NS)
    if _most_a_minute(hot) < usual * AMPLIFIED:
        return None  # less than what the queue begins anyway
    trigger, over = trigger_of(incident, began, ended)
    verdict, weakest_link = _verdict(incident, source, ended)
    told = own.filter(pl.col("timestamp").is_between(began, ended))  # the pauses in it as well
    firsts, failed = int(told["first"].sum()), int(told["failed"].sum())
    again = hot.filter(~pl.col("first")).get_column("job").unique().sort().to_list()
    cap = f"{max(1, round(usual))} starts a minute" if usual else "a few starts a minute"
    return RetryStorm(
        verdict=verdict,
        weakest_link=weakest_link,
        began=began,
        ended=ended,
        steps=_most_tried(incident, hot),
        keys=tuple(again),
        would_decide=("Look whether first attempts succeed once retries are held back.",),
        alternatives=("what is below is still broken, and the retries are only a symptom",),
        next_action=(
            f"Hold back the retries of {queue or source} (pause it, or cap it at {cap}) until "
            "first attempts succeed; do not add workers."
        ),
        source=source,
        queue=queue,
        service="",
        attempts=told.height,
        firsts=firsts,
        jobs=told["job"].n_unique(),
        ended_attempts=told["failed"].count(),
        failed=failed,
        usual=usual,
        busiest=_most_a_minute(told),
        error=_commonest(hot),
        trigger=trigger,
        trigger_over=over,
        lasting=ended - over if over is not None else 0,
        ongoing=ended >= read_until(incident) - GAP_NS,
    )


def _most_a_minute(attempts: pl.DataFrame) -> int:
    minutes = (attempts.get_column("timestamp") // MINUTE_NS).value_counts()
    counts: list[int] = minutes.get_column("count").to_list()
    return max(counts)


def _commonest(hot: pl.DataFrame) -> str:
    errors = hot.filter("failed").get_column("error").drop_nulls().value_counts()
    ranked = errors.sort(["count", "error"], descending=[True, False])
    return str(ranked["error"][0]) if ranked.height else ""


def _verdict(incident: Incident, source: str, ended: int) -> tuple[Verdict, str]:
    """That retries were the load: a first attempt that was not seen would make them look more."""
    seen = absence(incident, (source,), incident.window.start, ended)
    if seen.verdict is Verdict.CERTAIN:
        return Verdict.CERTAIN, "every attempt is told under its job's own id"
    return Verdict.LIKELY, f"first attempts may be missing: {seen.reasons[0]}"


def _most_tried(incident: Incident, hot: pl.DataFrame) -> tuple[Step, ...]:
    """The attempts of the job that was tried most, first to last."""
    counts = hot.group_by("job").len().sort(["len", "job"], descending=[True, False])
    most = str(counts["job"][0])
    rows = hot.filter(pl.col("job") == most).get_column("row").to_list()
    return retry_steps(incident, rows, short(most))
