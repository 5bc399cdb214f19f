"""How much waited when, per queue source: a curve where samples tell it, else one look at now.

A sample is an event of kind `metric` in the queue lane whose attributes hold `depth`. Between two
samples the earlier one stands; before the first and after the last nothing is known and nothing is
drawn. A source that was looked at only once has no curve: that look is "now, not then".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from timeline.event import Kind, Lane
from timeline.words import grouped
from tui.bars import bar_row
from tui.pieces import right

if TYPE_CHECKING:
    from timeline.store import Snapshot
    from tui.density import Columns
    from tui.glyphs import Glyphs
    from tui.pieces import Piece
    from tui.theme import Role

MOST_SAMPLES = 20_000
"""Samples looked at; a broker's hour of a hundred queues. More are thinned, the newest kept."""


class Due(NamedTuple):
    """Jobs and retries that come due after a look at a queue, in its source's own count."""

    jobs: int
    minutes: int
    """Within how many minutes of the look."""
    most: int
    """Most of them in one minute."""


class Sample(NamedTuple):
    """What one queue held at one instant (ns UTC)."""

    at: int
    queue: str
    depth: int


Depths = Mapping[str, list[Sample]]
"""By source, in time order."""


def depths_of(snapshot: Snapshot) -> Depths:
    """Every sample of every queue; counted where snapshots are made, never while drawing."""
    import polars as pl  # never before the first frame

    is_sample = (pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value)
    attributes = pl.col("attributes")
    told = (
        snapshot.events.lazy()
        .filter(is_sample & attributes.is_not_null())
        .sort("timestamp")
        .tail(MOST_SAMPLES)
        .select(
            pl.col("source").cast(pl.String),
            "timestamp",
            attributes.str.json_path_match("$.queue").fill_null("").alias("queue"),
            attributes.str.json_path_match("$.depth").cast(pl.Int64, strict=False).alias("depth"),
        )
        .drop_nulls("depth")
        .collect()
    )
    depths: dict[str, list[Sample]] = {}
    for source, *sample in told.iter_rows():
        depths.setdefault(source, []).append(Sample(*sample))
    return depths


def dues_of(snapshot: Snapshot) -> Mapping[str, Due]:
    """What comes due next, by source: the newest look at each queue, all queues together."""
    import json

    import polars as pl  # never before the first frame

    attributes = pl.col("attributes")
    looks = (
        snapshot.events.lazy()
        .filter((pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value))
        .filter(attributes.str.contains(r'"due_by_minute": ?\{"'))
        .sort("timestamp")
        .select(pl.col("source").cast(pl.String), pl.col("actor").cast(pl.String), "attributes")
        .unique(["source", "actor"], keep="last", maintain_order=True)
        .collect()
    )
    minutes: dict[str, Counter[int]] = {}
    for source, _, told in looks.iter_rows():
        for minute, count in json.loads(told)["due_by_minute"].items():
            minutes.setdefault(source, Counter())[int(minute)] += int(count)
    return {
        source: Due(due.total(), max(due) + 1, max(due.values())) for source, due in minutes.items()
    }


def due_words(due: Due, room: int) -> str:
    """`17 due in 10 min, 12 in one`, in as many words as fit `room` cells; else nothing."""
    whole = f"{grouped(due.jobs)} due in {due.minutes} min"
    if due.most < due.jobs and len(longer := f"{whole}, {grouped(due.most)} in one") <= room:
        return longer
    return whole if len(whole) <= room else ""


def depth_cells(
    samples: list[Sample], columns: Columns, room: int, glyphs: Glyphs, due: Due | None = None
) -> tuple[list[Piece], Piece]:
    """Cells without T, and the words to their right in `room` cells; what is due stands in both.

    After one look nothing is known of the cells, which leaves them to the words.
    """
    width = columns.before + columns.after
    looks = {sample.at for sample in samples}
    if len(looks) == 1:
        waiting = grouped(sum(sample.depth for sample in samples))
        said = f"{waiting} now, not then"
        words = said if len(said) <= room else f"{waiting} now"
        hatched: list[Piece] = [(glyphs.unseen, "faint") for _ in range(width)]
        if due is not None and (told := due_words(due, columns.before - 2)):
            first = columns.before - len(told) - 2
            hatched[first : columns.before] = [(letter, "info") for letter in f" {told} "]
        return hatched, (right(words, room), "dim")
    curve = curve_of(samples, columns)
    roles: list[Role] = ["text" for _ in curve]
    drawn = bar_row([count or 0 for count in curve], roles, glyphs)
    shaded: list[Piece] = [
        (glyphs.unseen, "faint") if count is None else cell
        for count, cell in zip(curve, drawn, strict=True)
    ]
    peak = max((count for count in curve if count is not None), default=0)
    words = f"max {grouped(peak)}"
    if due is not None and len(longer := f"{words}, {grouped(due.jobs)} due") <= room:
        words = longer
    return shaded, (right(words, room), "dim")


def curve_of(samples: list[Sample], columns: Columns) -> list[int | None]:
    """The largest depth of every column, all queues together; None where no sample tells."""
    width = columns.before + columns.after
    total: list[int | None] = [None] * width
    by_queue: dict[str, list[Sample]] = {}
    for sample in samples:
        by_queue.setdefault(sample.queue, []).append(sample)
    for own in by_queue.values():
        for column, depth in enumerate(_steps(own, columns, width)):
            if depth is not None:
                total[column] = (total[column] or 0) + depth
    return total


def _steps(samples: list[Sample], columns: Columns, width: int) -> list[int | None]:
    """One queue's largest depth in each column, from its first to its last sample."""
    held: list[int | None] = [None] * width
    for place, sample in enumerate(samples):
        column = columns.column(sample.at)
        following = samples[place + 1].at if place + 1 < len(samples) else sample.at
        for index in range(max(column, 0), min(columns.column(following), width - 1) + 1):
            held[index] = max(held[index] or 0, sample.depth) if index == column else sample.depth
    return held
