"""What a connector hands over: a quick preview, then batches of columns with their coverage.

`Preview` needs no Polars, so the first rows reach the screen before it is imported. A `Batch`
is immutable and serialisable (Arrow), so that a collector may move to a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from timeline.coverage import Asked, Coverage
from timeline.preview import PREVIEW_ROWS as PREVIEW_ROWS  # what else a connector hands over
from timeline.preview import Preview as Preview

if TYPE_CHECKING:
    import polars as pl

    from timeline.event import Event

LOSS_TOPICS = frozenset(("cut", "damaged", "truncated", "command-failed"))
"""Topics of remarks that say records of the window are missing: the answer is partial."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the person must know about how a source was read.

    `topic` is a stable word for tests and filters: `zone-assumed`, `year-guessed`,
    `out-of-order`, `undated`, `cut`, `counted` (by the engine, milder records not read),
    `broken-line`, `format-unknown`, `clock`, `replica`, ...
    `count` is how many records it concerns, 0 when it concerns the whole source.
    """

    source: str
    topic: str
    sentence: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A piece of one source's answer: EVENT_SCHEMA and KEY_SCHEMA frames of `timeline.columns`.

    `bytes_read` counts what travelled for this batch (file bytes, or bytes off the network).
    `counts` (COUNT_SCHEMA) is what the engine that holds the data counted in the whole window, for
    a source too large to be read in full; None says nothing. It replaces what the source counted
    of the same stretch before. `asked` are keys whose look-up was answered in full.
    """

    source: str
    events: pl.DataFrame
    keys: pl.DataFrame
    coverage: tuple[Coverage, ...] = ()
    remarks: tuple[Remark, ...] = ()
    undated: pl.DataFrame | None = None
    counts: pl.DataFrame | None = None
    asked: tuple[Asked, ...] = ()
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class BatchExtras:
    """The parts of a `Batch` that are not rows; a convenience for small answers."""

    coverage: tuple[Coverage, ...] = ()
    remarks: tuple[Remark, ...] = field(default=())
    bytes_read: int = 0
    counts: pl.DataFrame | None = None
    asked: tuple[Asked, ...] = ()


def batch_of(source: str, events: Iterable[Event], extras: BatchExtras | None = None) -> Batch:
    """A `Batch` from plain events (a page of at most some thousand)."""
    from timeline.columns import frame_from  # Polars only when there are rows to hold

    extras = extras or BatchExtras()
    frame, keys = frame_from(events)
    return Batch(
        source,
        frame,
        keys,
        coverage=extras.coverage,
        remarks=extras.remarks,
        bytes_read=extras.bytes_read,
        counts=extras.counts,
        asked=extras.asked,
    )
