"""Jobs that were started twice with no failure and no new push between, by whoever tells it.

The queue's own starts count first; where it tells none, the workers' logs do
(`timeline.facts.handled`). It says neither why a job was given out again nor whether it did harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_ERROR, Kind, Lane
from timeline.facts.handled import START_WORDS
from timeline.facts.jobs import ENDS
from timeline.facts.lines import keyed_lines
from timeline.facts.lost_attempt import GAVE_UP, LostAttempt
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_PAIRS = 200
"""More second starts than this are counted from the earliest on; one finding names its class."""
MAX_LOG_PAIRS = 60
"""Of those that logs tell: what stands between two starts is looked up pair by pair."""
FAILURE_LINE = r"(?i)\b(?:fail(?:ed|ure)?|retr(?:y|ied|ies|ying)|rais(?:ed|es)|requeued|put back)\b"
"""What makes a second start an ordinary retry."""


class Begun(NamedTuple):
    """One start, told by the queue or by a worker's log line. `worker` is who took it, the host
    where every worker has the same name; empty when nobody says."""

    job: str
    timestamp: int
    row: int
    worker: str
    source: str


class Pair(NamedTuple):
    """Two starts of one job with no failure between; `finished` whether an end stood between.

    `last_row` is the last line of the first run where its log tells it, `over` whether that line
    ends it.
    """

    one: Begun
    two: Begun
    finished: bool = False
    last_row: int | None = None
    over: bool = False


def second_starts(incident: Incident, lost: Iterable[LostAttempt]) -> list[Pair]:
    """All of them, by the first start; `lost` attempts are no honest failures."""
    pairs = [*_told_by_queue(incident, lost), *_told_by_logs(incident)]
    return sorted(pairs, key=lambda pair: (pair.one.timestamp, pair.one.job))


def _told_by_queue(incident: Incident, lost: Iterable[LostAttempt]) -> Iterator[Pair]:
    """Consecutive starts of one job with no honest failure and no new push between."""
    moves = incident.jobs.transitions
    begun = pl.col("kind") == Kind.JOB_STARTED.value
    again = moves.filter(begun).group_by("job").len().filter(pl.col("len") > 1)
    if again.is_empty():
        return
    excused = [one.row for one in lost]
    events = incident.snapshot.events
    held = moves.filter(pl.col("job").is_in(again.get_column("job").implode()))
    # A job may be given out again in the very unit of time in which it was taken away.
    taken = pl.col("row").is_in(excused)
    held = held.sort("job", "timestamp", ~taken, "seq", maintain_order=True)
    rows = held.get_column("row")
    gave_up = events.get_column("body").gather(rows).str.contains(GAVE_UP, literal=True)
    finished = pl.col("kind") == Kind.JOB_FINISHED.value
    broken = (~begun & ~finished & ~taken).cast(pl.Int32)
    told = held.with_columns(
        events.get_column("actor").gather(rows).cast(pl.String).fill_null("").alias("actor"),
        gave_up=gave_up.fill_null(value=False) & ~rows.is_in(excused),
        breaks=broken.cum_sum().over("job"),
        ends=finished.cast(pl.Int32).cum_sum().over("job"),
    ).with_columns(pseudo=pl.col("gave_up").shift(-1).over("job").fill_null(value=False))
    starts = told.filter(begun)
    before_it = [
        pl.col(name).shift(1).over("job").alias(f"{name}_1")
        for name in ("timestamp", "row", "actor", "breaks", "ends")
    ]
    pairs = starts.with_columns(before_it).filter(
        (pl.col("breaks") == pl.col("breaks_1")) & ~pl.col("pseudo")
    )
    for one in pairs.iter_rows(named=True):
        job, source, queue = one["job"], one["source"], one["queue"]
        workers = [name if name != queue else "" for name in (one["actor_1"], one["actor"])]
        yield Pair(
            Begun(job, one["timestamp_1"], one["row_1"], workers[0], source),
            Begun(job, one["timestamp"], one["row"], workers[1], source),
            one["ends"] > one["ends_1"],
        )


def _told_by_logs(incident: Incident) -> Iterator[Pair]:
    """Two attempts of one job that workers of one service began with the same line.

    Jobs whose starts the queue tells twice are left to it.
    """
    if incident.jobs.named.is_empty():
        return
    starts = incident.jobs.transitions.filter(pl.col("kind") == Kind.JOB_STARTED.value)
    twice = starts.group_by("job").len().filter(pl.col("len") > 1)
    told = incident.handled.filter(pl.len().over("job") > 1)
    told = told.join(twice, on="job", how="anti").with_columns(service=service_of(pl.col("actor")))
    told = told.sort("job", "service", "start", "start_row").with_row_index("place")
    same = [pl.col(name) == pl.col(name).shift(1) for name in ("job", "service")]
    second = told.filter(pl.all_horizontal(same)).sort("start").head(MAX_LOG_PAIRS)
    first = told[second.get_column("place") - 1]
    spoken = keyed_lines(incident, second.get_column("job"))
    for one, two in zip(first.iter_rows(named=True), second.iter_rows(named=True), strict=True):
        over = one["outcome"] != "open" and one["end"] <= two["start"]
        if not _begin_alike(one, two) or (over and one["outcome"] == "failed"):
            continue
        pair = Pair(_begun(one), _begun(two), over, one["end_row"], one["outcome"] != "open")
        if not _failed_between(spoken.filter(pl.col("key") == pair.one.job), pair):
            yield pair


def _begin_alike(one: dict[str, object], two: dict[str, object]) -> bool:
    """Whether both begin with a line that usually begins, or that says so in the same words."""
    if one["usual"] and one["form"] == two["form"]:
        return True
    begins = pl.Series([str(two["text"])]).str.contains(START_WORDS)
    return one["text"] == two["text"] and bool(begins[0])


def _begun(told: dict[str, object]) -> Begun:
    worker = str(told["host"] or told["actor"])
    stamp, row = _whole(told["start"]), _whole(told["start_row"])
    return Begun(str(told["job"]), stamp, row, worker, str(told["source"]))


def _failed_between(lines: pl.DataFrame, pair: Pair) -> bool:
    """Whether a failure, or a new push, stands between the two starts in `lines` (LINE_SCHEMA)."""
    one, two = pair.one, pair.two
    lines = lines.filter(
        pl.col("timestamp").is_between(one.timestamp, two.timestamp)
        & ~pl.col("row").is_in([one.row, two.row])
    )
    kinds = [kind for kind in ENDS if kind != Kind.JOB_FINISHED.value]
    pushed = pl.col("kind") == Kind.JOB_ENQUEUED.value
    pushed &= pl.col("timestamp") > one.timestamp
    failed = (pl.col("severity_number") >= SEVERITY_ERROR) | pl.col("body").str.contains(
        FAILURE_LINE
    )
    spoken = pl.col("lane") == Lane.LOG.value
    return not lines.filter(pl.col("kind").is_in(kinds) | pushed | (spoken & failed)).is_empty()


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number was expected here, not {value!r}")
    return value
