"""The stretch in which a depth rose for good, by rank and by size; a single jump is none.

Pure: works on the (timestamp, depth, row) frames of `timeline.facts.backlogs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from timeline.facts.rates import SECOND_NS
from timeline.facts.series import trend_of

if TYPE_CHECKING:
    import polars as pl

MIN_DEPTH = 20
"""Fewer waiting jobs are daily life: one slow job in front of them explains it."""
FOLD = 3
"""Against the calm level of the same queue (detector catalogue, D18)."""
MIN_POINTS = 10
"""Points that a rank test needs before it says anything (detector catalogue, D18)."""
MIN_STEPS = 3
"""Of them, how many must rise from what is calm: two are a jump that a sample fell into. Systems
that count once a minute show a rise of three minutes in so many."""
MIN_RISE_NS = 100 * SECOND_NS
"""Ten bins of ten seconds; a push of many jobs at once is no rise."""
HABIT = 0.5
"""A queue that was this deep twice, as a share of the peak, fills and drains as a habit."""
CALM_QUANTILE = 0.25
"""The calm level: it holds even where the rise fills most of the window."""


@dataclass(frozen=True, slots=True)
class Rise:
    """The stretch in which the depth rose, and what it was before and at the end."""

    calm: int
    began: int
    peaked: int
    peak: int
    last: int
    last_at: int
    rows: tuple[int, ...]
    usual: bool
    """Whether it became about as deep more than once and came down in between."""
    over_at: int | None
    """When it was worked off down to the level at which a rise begins, for good; None if not."""

    @property
    def over(self) -> bool:
        return self.over_at is not None


def _floor(calm: int) -> int:
    return max(2 * calm, MIN_DEPTH // 2)


def rise_of(depths: pl.DataFrame) -> Rise | None:
    """The rise to the deepest point of (timestamp, depth, row), time order; None for none."""
    return _to_the_top(depths, gradual=True)


def jump_of(depths: pl.DataFrame) -> Rise | None:
    """A rise to the deepest point that a single push may explain; None for none."""
    return _to_the_top(depths, gradual=False)


def _to_the_top(depths: pl.DataFrame, *, gradual: bool) -> Rise | None:
    """The stretch up to the deepest point; a `gradual` one passed the rank test on its way."""
    if depths.height < MIN_POINTS:
        return None
    depth, stamps = depths.get_column("depth"), depths.get_column("timestamp")
    calm = int(depth.quantile(CALM_QUANTILE, "lower") or 0)
    top = depth.arg_max() or 0
    peak = int(depth[top])
    if peak < MIN_DEPTH or peak < FOLD * max(calm, 1):
        return None
    low = (depth.head(top + 1) <= _floor(calm)).arg_true()
    first = int(low[-1]) if low.len() else 0
    if gradual and not _climbs(depths, first, top):
        return None
    rows = [row for row in depths.get_column("row").gather([first, top, -1]).to_list() if row]
    deep = int((depth > _floor(calm)).arg_true()[-1])
    return Rise(
        calm,
        stamps[first],
        stamps[top],
        peak,
        int(depth[-1]),
        stamps[-1],
        tuple(dict.fromkeys(rows)),
        usual=_excursions(depth, HABIT * peak, _floor(calm)) > 1,
        over_at=stamps[deep + 1] if deep + 1 < depths.height else None,
    )


def _climbs(depths: pl.DataFrame, first: int, top: int) -> bool:
    """Whether the depth rose step by step from point `first` to point `top`."""
    stamps = depths.get_column("timestamp")
    if top - first < MIN_STEPS or stamps[top] - stamps[first] < MIN_RISE_NS:
        return False
    tested = min(first, max(0, top + 1 - MIN_POINTS))  # a short rise is held against its calm
    part = depths.slice(tested, top - tested + 1)
    if part.height < MIN_POINTS:
        return False
    return trend_of(part.get_column("timestamp"), part.get_column("depth")).rises


def _excursions(depth: pl.Series, high: float, low: float) -> int:
    """How often the depth reached `high` after it had been at `low`."""
    marks = [value >= high for value in depth.to_list() if value >= high or value <= low]
    return sum(now and not then for then, now in pairwise([False, *marks]))
