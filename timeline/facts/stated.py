"""Numbers of items that log lines state: how many there are to do, and how many were done so far.

`processing 4711 items`, `1,204 of 5,000 done`. Only plain counts with a thing that is counted are
believed; lengths of time, sizes and attempts are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.batches import entity_keys
from timeline.facts.sight import read_until
from timeline.facts.spoken import BATCH_MARKS, lines_with, spoken_with
from timeline.facts.wordings import may_hold
from timeline.facts.work import END_LINE, FAIL_LINE
from timeline.plain_texts import plain_form
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_STATED = 20
"""Fewer items are pages, attempts or steps."""
MAX_STATED = 5
"""Statements of one window that are followed up, those with progress first; each costs a scan."""
MIN_PROGRESS = 3
"""Lines that say how far it is, each further than the last: fewer may be a level, not progress."""
RESTART_SHARE = 0.5
"""Progress that falls below this share of what it was began anew; a smaller fall is a level that
goes up and down."""
IDLE_NS = 60 * SECOND_NS
"""Without a further line for so long, work that says how far it is stands still."""
_NUMBER = r"(\d{1,3}(?:[,.' ]\d{3})+|\d+)"
TOTAL = (
    r"(?i)\b(?:processing|selected|importing|exporting|sending|starting with|found|loaded|batch of"
    rf"|working on|import of|export of)\s+(?:all\s+|the\s+)?{_NUMBER}\s+(?:[a-z-]{{2,20}}\s)?"
    r"([a-z]{3,20}s)\b"
)
PROGRESS = rf"(?i)(?:^|[^\w.:/-]){_NUMBER} of {_NUMBER}(?:$|[^\w.:/%\s-]|\s(?:$|[^%\s]))"
NOT_ITEMS = (
    r"(?i)\b(?:attempts?|retr(?:y|ies)|try|tries|pages?|steps?|parts?|chunks?|workers?|threads?"
    r"|seconds?|secs?|minutes?|hours?|days?|ms|bytes|connections?|times|replicas?|percent|shards?)\b"
)
"""What is counted without being an item of the work."""


@dataclass(frozen=True, slots=True)
class StatedBatch:
    """One piece of work whose size a line states. `things` is the counted noun, `actor` the writer.

    `done` and `failed` are counted as `how` says; `began`, `last` are ns UTC; `closed` is whether
    a line says that it is over. `rows` show the statement and the last that was heard. `doubt` is
    why it may be meant to be so, empty for no reason.
    """

    actor: str
    source: str
    things: str
    total: int
    done: int
    failed: int
    how: str
    began: int
    last: int
    closed: bool
    rows: tuple[int, ...]
    doubt: str = ""


def stated_batches(incident: Incident) -> Iterator[StatedBatch]:
    """Work whose size was stated, with how far it came; only what stands still or is closed."""
    lines = spoken_with(incident, BATCH_MARKS).filter(pl.col("timestamp") >= incident.window.start)
    if lines.is_empty():
        return
    if not may_hold(lines.get_column("body"), PROGRESS, TOTAL):
        return
    progress, total = (plain_form(lines.get_column("body"), one) for one in (PROGRESS, TOTAL))
    told = lines.with_columns(
        so_far=_count(progress, 1), whole=_count(progress, 2), total=_count(total, 1)
    )
    told = told.filter(pl.coalesce("whole", "total").fill_null(0) >= MIN_STATED)
    if told.is_empty():
        return
    told = told.filter(~pl.col("body").str.contains(NOT_ITEMS)).with_columns(
        things=pl.col("body").str.extract(total, 2).str.to_lowercase()
    )
    opened = told.with_columns(size=pl.coalesce("whole", "total"))
    groups = [part for _, part in opened.group_by("actor", "source", "size", maintain_order=True)]
    groups.sort(key=lambda part: -part.get_column("so_far").count())
    for part in groups[:MAX_STATED]:
        found = _followed(incident, part)
        if found is not None:
            yield found


def _count(pattern: str, group: int) -> pl.Expr:
    text = pl.col("body").str.extract(pattern, group).str.replace_all(r"[,.' ]", "")
    return text.cast(pl.Int64, strict=False)


def _followed(incident: Incident, part: pl.DataFrame) -> StatedBatch | None:
    """What became of one statement, by its own progress lines or by the items named after it."""
    first = part.row(0, named=True)
    size, began = int(first["size"]), int(first["timestamp"])
    progress = part.drop_nulls("so_far").filter(pl.col("so_far") <= size)
    if progress.height and (progress := _last_ascent(progress)).is_empty():
        return None
    mine = (pl.col("actor") == first["actor"]) & (pl.col("source") == first["source"])
    later = lines_with(incident, mine & (pl.col("timestamp") >= began))
    over = later.filter(
        pl.col("body").str.contains(END_LINE) & pl.col("body").str.contains(_whole_word(size))
    )
    if progress.height:
        done, failed, how = int(progress["so_far"][-1]), 0, "by its own progress lines"
        last_row, last = progress.row(-1, named=True), int(progress["timestamp"][-1])
        row = int(last_row["row"])
        over = later.filter(
            (pl.col("timestamp") > last) & pl.col("body").str.contains(END_LINE)
        ).head(1)
        idle = read_until(incident) - last > max(IDLE_NS, _patience(progress))
    else:
        counted = _by_items(incident, later, first["things"] or "")
        if counted is None:
            return None
        done, failed, last, row = counted
        how, idle = f"by the {first['things']} that its lines name", False
        idle = read_until(incident) - last > IDLE_NS
    closed = not over.is_empty()
    if not idle and not closed:
        return None
    return StatedBatch(
        actor=first["actor"],
        source=first["source"],
        things=first["things"] or "items",
        total=size,
        done=done,
        failed=failed,
        how=how,
        began=began,
        last=last,
        closed=closed,
        rows=tuple(dict.fromkeys((int(first["row"]), row))),
    )


def _last_ascent(progress: pl.DataFrame) -> pl.DataFrame:
    """The lines since it last began anew; none when they are a level and no progress."""
    so_far = progress.get_column("so_far")
    fell = (so_far.diff() < 0).fill_null(value=False)
    anew = fell & (so_far < so_far.shift(1) * RESTART_SHARE).fill_null(value=False)
    if (fell & ~anew).any():
        return progress.clear()
    rising = progress.filter(anew.cum_sum() == anew.sum())
    grown = rising.get_column("so_far").n_unique() >= MIN_PROGRESS
    return rising if grown else progress.clear()


def _whole_word(size: int) -> str:
    return rf"\b{size}\b"


def _patience(progress: pl.DataFrame) -> int:
    gaps = progress.get_column("timestamp").diff().drop_nulls()
    return 5 * int(gaps.quantile(0.95, "higher") or 0) if gaps.len() else 0


def _by_items(
    incident: Incident, later: pl.DataFrame, things: str
) -> tuple[int, int, int, int] | None:
    """(done, failed, last stamp, last row) by the entities of the counted kind in later lines."""
    kind = things.removesuffix("s")
    pairs = entity_keys(incident, later.get_column("row"))
    pairs = pairs.filter(pl.col("key").str.starts_with(f"{kind}:"))
    if pairs.height < 2:
        return None
    lines = pairs.join(later, on="row").with_columns(
        failed=pl.col("body").str.contains(FAIL_LINE) | (pl.col("severity_number") >= 17)
    )
    outcome = lines.group_by("key").agg(failed=pl.col("failed").all())
    failed = int(outcome.get_column("failed").sum())
    ended = lines.sort("timestamp", "row").row(-1, named=True)
    return outcome.height - failed, failed, int(ended["timestamp"]), int(ended["row"])
