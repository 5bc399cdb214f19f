"""Every queue's depth over time, what flowed in and out of it, and what it is like now.

Depths are taken from samples where a system kept them (RabbitMQ, SQS, a configured curve); else
they are counted from the jobs' own transitions, but only as far as their queue keeps all of them:
where a queue forgets what it finished, the jobs left over would look like a growing backlog, and
where it overwrites a job's first start, so would every job that is tried again.
A present count is never passed off as one of then. Decides nothing about what is too deep.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.first_tries import first_tries, with_tries
from timeline.facts.jobs import ENDS
from timeline.facts.rates import SECOND_NS, Rate, rate_of
from timeline.facts.series import points_of
from timeline.facts.sight import covered_until, read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

BIN_NS = 10 * SECOND_NS
"""Width of the bins in which a depth is counted from transitions."""
MAX_BINS = 200
"""A longer window has wider bins: a curve of more points tells a person no more."""
ALL_QUEUES = "all queues"
"""Name under which connectors sum up the queues of one installation."""
DEPTH_MEASURES = (
    r"(?i)backlog|queue[a-z]*[_.: -]?(?:depth|size|length|len|waiting|ready|jobs|messages)"
    r"|(?:jobs|messages|tasks|items)[_.: -]?(?:waiting|ready|pending|enqueued|queued|visible)"
    r"|(?:waiting|pending|enqueued|queued|visible)[_.: -]?(?:jobs|messages|tasks|items)"
)
"""How exporters of queues call a depth: rabbitmq_queue_messages_ready, sidekiq_queue_size,
celery_queue_length, ApproximateNumberOfMessagesVisible, rq_jobs{status="queued"}."""
NO_DEPTH = (
    r"(?i)(?:^|[^a-z])(?:total|rate|latency|seconds|duration|age|limit|capacity|max|bytes|delayed"
    r"|unack\w*)(?:[^a-z]|$)|ageof|not_?visible"
)
"""Counters, ages, limits and what is being worked on are no depth."""
QUEUE_LABELS = ("queue", "queue_name", "QueueName", "name", "destination", "topic")

SAMPLE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "queue": pl.String,
    "depth": pl.Int64,
    "now": pl.Boolean,
    "oldest": pl.Int64,  # stamp (ns UTC) of the job that has waited longest
    "arrived": pl.Int64,  # counted by the system since the sample before
    "completed": pl.Int64,
}
_ARRIVED, _COMPLETED = ("published", "sent"), ("acked", "deleted", "completed", "processed")


class How(StrEnum):
    """Where a depth over time comes from."""

    SAMPLED = "sampled by the system itself"
    COUNTED = "counted from the jobs' own transitions"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Present:
    """What a queue was like when it was looked at, after the fact (ns UTC)."""

    row: int
    seen: int
    depth: int
    oldest: int | None
    words: str
    due_by_minute: tuple[tuple[int, int], ...]
    """(whole minutes after `seen`, jobs and retries that come due in that minute)."""
    takers: int | None = None
    """Workers or consumers that took from it then; None where the queue does not tell."""


@dataclass(frozen=True)
class QueueHistory:
    """One queue of one source. `depths` is (timestamp, depth, row), time order; `row` may be null.

    `moves` are its transitions (TRANSITION_SCHEMA) with `waits_from`: their stamp, or the later
    instant (ns) at which a job put off comes due, and what `first_tries.with_tries` adds.
    `counters` are its samples that count flows. Every transition within `[kept_from, kept_until)`
    (ns) is known to be kept.
    """

    source: str
    queue: str
    how: How
    depths: pl.DataFrame
    moves: pl.DataFrame
    counters: pl.DataFrame
    kept_from: int
    kept_until: int
    present: Present | None = None

    def arrivals(self, start: int, end: int) -> Rate | None:
        """Jobs that came in within `[start, end)`; None where nobody counted them all."""
        return self._rate("arrived", (Kind.JOB_ENQUEUED.value,), start, end)

    def completions(self, start: int, end: int) -> Rate | None:
        """Jobs that left for good within `[start, end)`; a failure that is retried is none."""
        gone = tuple(kind for kind in ENDS if kind != Kind.JOB_RETRIED.value)
        return self._rate("completed", gone, start, end)

    def starts(self, start: int, end: int) -> pl.Series:
        """Stamps (ns, ascending) of the attempts that began within `[start, end)`."""
        stamps = self.moves.filter(
            (pl.col("kind") == Kind.JOB_STARTED.value)
            & pl.col("timestamp").is_between(start, end, "left")
        ).get_column("timestamp")
        return stamps.sort()

    def _rate(self, column: str, kinds: tuple[str, ...], start: int, end: int) -> Rate | None:
        if end <= start:
            return None
        told = self.counters.drop_nulls(column)
        if told.height:
            inside = told.filter(pl.col("timestamp").is_between(start, end, "right"))
            return rate_of(int(inside.get_column(column).sum()), end - start)
        if start < self.kept_from or end > self.kept_until or self.moves.is_empty():
            return None
        moved = self.moves.filter(
            pl.col("kind").is_in(kinds) & pl.col("waits_from").is_between(start, end, "left")
        )
        return rate_of(moved.get_column("job").n_unique(), end - start)


def histories(incident: Incident) -> tuple[QueueHistory, ...]:
    """Every queue anybody told of, by source and name. The sum of all queues comes last."""
    samples, curves = _samples(incident), depth_curves(incident)
    moves = _moves(incident)
    nothing = moves.clear()
    parts = {
        (str(source), str(queue)): part
        for (source, queue), part in moves.group_by(["source", "queue"], maintain_order=True)
    }
    names = {*parts, *samples.select("source", "queue").unique().iter_rows()}
    by_curve: dict[str, pl.DataFrame] = {}
    for (queue, _), part in curves.group_by(["queue", "series"], maintain_order=True):
        held = by_curve.get(str(queue))
        if held is None or max(part["depth"].to_list()) > max(held["depth"].to_list()):
            by_curve[str(queue)] = part  # several nodes export one queue; the fullest tells most
    found = []
    for source, queue in sorted(names, key=lambda name: (name[1] == ALL_QUEUES, *name)):
        own = samples.filter((pl.col("source") == source) & (pl.col("queue") == queue))
        known = [name for name in names if name[1] == queue]
        curve = by_curve.pop(queue, None) if len(known) == 1 else None
        part = parts.get((source, queue), nothing)
        found.append(_history(incident, source, queue, own, part, curve))
    empty = samples.clear()
    for queue, curve in by_curve.items():
        if not any(name[1] == queue for name in names):
            found.append(_history(incident, curve["source"][0], queue, empty, nothing, curve))
    return tuple(found)


def _history(
    incident: Incident,
    source: str,
    queue: str,
    own: pl.DataFrame,
    moves: pl.DataFrame,
    curve: pl.DataFrame | None,
) -> QueueHistory:
    start, kept = _kept(incident, source)
    dated = own.filter(~pl.col("now"))
    sampled = dated.drop_nulls("depth").select("timestamp", "depth", "row")
    if curve is not None and curve.height > sampled.height:
        sampled = curve.select("timestamp", "depth", "row")
    how = How.SAMPLED if sampled.height else How.NOT_KNOWN
    if not sampled.height and moves.height and kept > start:
        sampled, how = _counted(moves, start, kept), How.COUNTED
    return QueueHistory(
        source,
        queue,
        how,
        sampled.sort("timestamp"),
        moves,
        dated.filter(pl.col("arrived").is_not_null() | pl.col("completed").is_not_null()),
        start,
        kept,
        _present(incident, own.filter("now")),
    )


def _kept(incident: Incident, source: str) -> tuple[int, int]:
    """The longest stretch of the window, ns, in which nothing of the source is missing.

    What waits at its beginning is still known then: a job that had not ended is kept longer.
    """
    window, until = incident.window, read_until(incident)
    entries = incident.snapshot.coverage.of(source)
    turns = {entry.end for entry in entries} | {entry.start for entry in entries}
    starts = [window.start, *(turn for turn in turns if window.start < turn < until)]
    spans = [
        (start, min(covered_until(incident, (source,), start), until)) for start in sorted(starts)
    ]
    return max(spans, key=lambda span: (span[1] - span[0], -span[0]))


def _moves(incident: Incident) -> pl.DataFrame:
    """All transitions with `waits_from`: a job put off until later is no backlog until then."""
    moves = incident.jobs.transitions.with_columns(pl.col("queue").fill_null(""))
    moves = with_tries(incident, moves)
    put_off = incident.snapshot.told(
        (pl.col("kind") == Kind.JOB_ENQUEUED.value)
        & pl.col("attributes").str.contains('"due_at"', literal=True),
        "attributes",
    )
    if put_off.is_empty():
        return moves.with_columns(waits_from="timestamp")
    stamp = pl.col("attributes").str.json_path_match("$.due_at")
    due = put_off.select(
        pl.col("row").cast(pl.UInt32),
        due=stamp.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False).cast(pl.Int64),
    )
    joined = moves.join(due, on="row", how="left", maintain_order="left")
    return joined.with_columns(waits_from=pl.max_horizontal("timestamp", "due")).drop("due")


def _counted(moves: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    """(timestamp, depth, row): jobs that had come and not begun, at the end of every bin.

    Only of jobs whose first start is known: how long the others waited for theirs is not.
    """
    width = -(-(end - start) // (MAX_BINS * BIN_NS)) * BIN_NS
    jobs = first_tries(moves).drop_nulls("came").filter("timed")
    jobs = jobs.filter(pl.col("left").is_null() | (pl.col("left") >= pl.col("came")))
    ends = pl.int_range(start + width, end + 1, width, eager=True, dtype=pl.Int64)
    came = jobs.get_column("came").sort().search_sorted(ends, side="right").cast(pl.Int64)
    gone = jobs.get_column("left").drop_nulls().sort()
    depth = came - gone.search_sorted(ends, side="right").cast(pl.Int64)
    counted = pl.DataFrame({"timestamp": ends, "depth": depth})
    return counted.with_columns(row=pl.lit(None, dtype=pl.UInt32))


def _samples(incident: Incident) -> pl.DataFrame:
    """What queues and brokers told of their depth and flow (SAMPLE_SCHEMA), time order."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value),
        "source",
        "attributes",
    )
    if told.is_empty():
        return pl.DataFrame(schema=SAMPLE_SCHEMA)

    def number(*names: str) -> pl.Expr:
        found = (pl.col("attributes").str.json_path_match(f"$.{name}") for name in names)
        return pl.coalesce(*found).cast(pl.Int64, strict=False)

    queue = pl.col("attributes").str.json_path_match("$.queue")
    since = pl.col("attributes").str.json_path_match("$.oldest_waits_since")
    whole = pl.col("attributes").str.json_path_match("$.by_class").is_not_null()
    samples = told.with_columns(
        queue=pl.when(queue.is_null() & whole).then(pl.lit(ALL_QUEUES)).otherwise(queue),
        depth=number("depth"),
        now=pl.col("attributes").str.json_path_match("$.now") == "true",
        oldest=pl.coalesce(
            since.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False).cast(pl.Int64),
            pl.col("timestamp") - number("oldest_s") * SECOND_NS,
        ),
        arrived=number(*_ARRIVED),
        completed=number(*_COMPLETED, "failed"),
    )
    kept = samples.drop_nulls("queue").with_columns(pl.col("now").fill_null(value=False))
    return kept.select(pl.col(name).cast(dtype) for name, dtype in SAMPLE_SCHEMA.items())


def depth_curves(incident: Incident) -> pl.DataFrame:
    """(timestamp, depth, row, source, series, queue) of curves that are depths of a queue."""
    points = points_of(incident, DEPTH_MEASURES, NO_DEPTH)
    label = pl.coalesce(
        *(pl.col("labels").str.json_path_match(f"$.{name}") for name in QUEUE_LABELS),
        pl.col("series"),
    )
    return points.select(
        "timestamp",
        pl.col("value").round().cast(pl.Int64).alias("depth"),
        "row",
        "source",
        "series",
        label.alias("queue"),
    )


def _present(incident: Incident, own: pl.DataFrame) -> Present | None:
    told = own.drop_nulls("depth").sort("timestamp").tail(1)
    if told.is_empty():
        return None
    sample = told.row(0, named=True)
    event = incident.snapshot.event(sample["row"])
    due = tuple(sorted(_due(event.attributes or "{}")))
    return Present(
        sample["row"],
        sample["timestamp"],
        sample["depth"],
        sample["oldest"],
        event.body,
        due,
        _takers(event.attributes or "{}"),
    )


def _takers(attributes: str) -> int | None:
    """RabbitMQ calls them consumers."""
    told = json.loads(attributes)
    found = told.get("takers", told.get("consumers"))
    return found if isinstance(found, int) else None


def _due(attributes: str) -> Iterator[tuple[int, int]]:
    for minute, count in dict(json.loads(attributes).get("due_by_minute") or {}).items():
        yield int(minute), int(count)
