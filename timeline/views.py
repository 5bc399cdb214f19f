"""Which rows of a snapshot pass a filter: pure functions that may run in any thread.

A million rows take tens of milliseconds, ten million ten times that, so the work is done in
slices and stops between two of them when the caller no longer wants the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from timeline.event import Lane
from timeline.store import Snapshot

SLICE_ROWS = 500_000
"""Rows looked at between two questions whether the answer is still wanted: about 20 ms."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a row must have; every part that is set must hold.

    `text` is searched in the body, as a literal or as a regular expression, and ignores case
    unless it contains a capital letter. `keys` asks for any of them.
    """

    text: str = ""
    regex: bool = False
    least_severity: int = 0
    lanes: frozenset[Lane] = frozenset()
    sources: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    def pattern(self) -> str:
        """The Rust regular expression that `text` stands for."""
        pattern = self.text if self.regex else re.escape(self.text)
        capital = any(character.isupper() for character in self.text)
        return pattern if capital else f"(?i){pattern}"


def rows_matching(
    snapshot: Snapshot, wanted: Filter, cancelled: Callable[[], bool] = lambda: False
) -> pl.Series | None:
    """Row numbers (u32, time order) that pass `wanted`; None once `cancelled()` is true.

    Raises ValueError with one sentence when the regular expression cannot be used.
    """
    masks = []
    try:
        for part in snapshot.events.iter_slices(SLICE_ROWS):
            if cancelled():
                return None
            masks.append(_mask(part, wanted))
    except pl.exceptions.ComputeError:
        raise ValueError(f"{wanted.text!r} is not a regular expression") from None
    if not masks:
        return snapshot.order
    rows = snapshot.order.filter(pl.concat(masks).gather(snapshot.order))
    if not wanted.keys:
        return rows
    return rows.filter(rows.is_in(snapshot.rows_with(wanted.keys).implode()))


def _mask(part: pl.DataFrame, wanted: Filter) -> pl.Series:
    """Which rows of one slice pass; bodies are read only where everything else passed."""
    mask = pl.repeat(value=True, n=part.height, dtype=pl.Boolean, eager=True)
    if conditions := list(_cheap(wanted)):
        mask = part.select(pl.all_horizontal(conditions)).to_series()
    if not wanted.text or not mask.any():
        return mask
    candidates = mask.arg_true()
    bodies = part.get_column("body")
    bodies = bodies if candidates.len() == part.height else bodies.gather(candidates)
    found = candidates.filter(bodies.str.contains(wanted.pattern()))
    empty = pl.repeat(value=False, n=part.height, dtype=pl.Boolean, eager=True)
    return empty.scatter(found, values=True)


def _cheap(wanted: Filter) -> Iterator[pl.Expr]:
    if wanted.least_severity:
        yield pl.col("severity_number") >= wanted.least_severity
    if wanted.lanes:
        yield pl.col("lane").is_in([lane.value for lane in wanted.lanes])
    if wanted.sources:
        yield pl.col("source").is_in(sorted(wanted.sources))
