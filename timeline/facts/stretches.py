"""Whether a count stands out over a whole stretch: the trouble may be over before T, or last on.

A stretch is what lies around one loud (or quiet) block: all its neighbours that are nearly as far
from the ordinary, with one more block on either side, in which it begins and ends. Everything
outside it is placebo, on both sides. Pure, as `timeline.facts.placebo` is, whose law it follows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from statistics import median
from typing import NamedTuple

import polars as pl

from timeline.facts.placebo import (
    BIN_NS,
    BINS,
    MEDIANS,
    MIN_COUNT,
    MIN_FLOOR,
    MIN_TOLD,
    Outlier,
    block_extremes,
    factor_for,
)

MIN_OUTSIDE = 12
"""Placebo blocks outside a stretch. Fewer than one single block needs: a stretch that lasts to the
end takes half of half an hour, and the factor grows as they become fewer."""
MIN_BEFORE = 5
"""Placebo blocks before it: what began with the window is not seen to have changed."""
MIN_LASTING = 3
LASTING = 3.0
"""Where so many blocks in a row lie that far below all placebos, none of them need be empty: under
the same law each has that chance once in 1 + 3 n, n being the placebos."""
CHOICES = 2
"""Of each candidate block, a rise and a drop are tried."""


class _Block(NamedTuple):
    """One block's highest and lowest count, and the bins in which they begin."""

    high: int
    low: int
    high_bin: int
    low_bin: int


def stretches(
    counts: pl.DataFrame, origin: int, candidates: Collection[int], blocks: Sequence[int]
) -> list[Outlier]:
    """The strongest rise or drop of every series around one of `candidates`, strongest first.

    `counts` as `outliers` takes them; `blocks` are the numbers of all blocks that were read, in
    order and without a gap.
    """
    inside = [block for block in blocks if block in set(candidates)]
    if len(blocks) <= MIN_OUTSIDE or not inside or counts.is_empty():
        return []
    extremes = block_extremes(counts, list(blocks))
    if extremes.is_empty():
        return []
    told = extremes.group_by("series").agg(pl.len().alias("told"))
    compared = told.filter(pl.col("told") >= MIN_TOLD).height * len(inside) * CHOICES
    found: list[Outlier] = []
    for (series,), part in _worth_a_look(extremes, inside, compared, len(blocks)):
        held = {block: _Block(*rest) for block, *rest in part.iter_rows()}
        own = [held.get(at, _Block(0, 0, at * BINS, at * BINS)) for at in blocks]
        places = [place for place, block in enumerate(blocks) if block in set(inside)]
        for one in (_rise(own, places, compared), _drop(own, places, compared)):
            if one is not None:
                found.append(_outlier(int(str(series)), origin, blocks, *one))
    return sorted(found, key=lambda o: (-o.lead, o.series, o.block))


def _worth_a_look(
    extremes: pl.DataFrame, inside: Sequence[int], compared: int, blocks: int
) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
    """Series in which enough blocks lie far from the loudest (quietest) candidate: few of many."""
    factor = factor_for(max(compared, 1), blocks)
    candidate = pl.col("block").is_in(list(inside))
    peak = pl.col("high").filter(candidate).max().over("series")
    near = (pl.col("high") * factor > peak).sum().over("series")
    risen = (peak >= MIN_COUNT) & (near <= blocks - MIN_OUTSIDE)
    fallen = (pl.col("low") >= MIN_FLOOR).sum().over("series") >= MIN_OUTSIDE
    chosen = extremes.filter(risen | fallen).select(
        "series", "block", "high", "low", "high_bin", "low_bin"
    )
    for name, part in chosen.group_by("series", maintain_order=True):
        yield name, part.drop("series")


class _Found(NamedTuple):
    """Where a stretch lies (places), its extreme block, and what it was compared with."""

    drop: bool
    first: int
    last: int
    place: int
    factor: float
    controls: list[_Block]
    block: _Block
    since: _Block


def _rise(own: Sequence[_Block], places: Sequence[int], compared: int) -> _Found | None:
    place = max(places, key=lambda at: (own[at].high, -at))
    peak = own[place].high
    if peak < MIN_COUNT:
        return None
    told = sum(block.high > 0 for block in own)
    factor = factor_for(compared, max(told, MIN_TOLD))
    first, last = _grown(place, [block.high * factor > peak for block in own])
    controls = _outside(own, first, last)
    told = sum(block.high > 0 for block in controls)
    if first <= MIN_BEFORE or len(controls) < MIN_OUTSIDE or told < MIN_TOLD:
        return None
    highs = [block.high for block in controls]
    factor = factor_for(compared, sum(high > 0 for high in highs))
    if peak < factor * max(*highs, 1) or peak < MEDIANS * median(highs):
        return None
    return _Found(False, first, last, place, factor, controls, own[place], own[first])


def _drop(own: Sequence[_Block], places: Sequence[int], compared: int) -> _Found | None:
    place = min(places, key=lambda at: (own[at].low, at))
    floor = own[place].low
    factor = factor_for(compared, len(own)) ** 2
    first, last = _grown(
        place, [block.low < MIN_FLOOR or block.low <= floor * factor for block in own]
    )
    controls = _outside(own, first, last)
    if first <= MIN_BEFORE or len(controls) < MIN_OUTSIDE:
        return None
    least = min(block.low for block in controls)
    factor = factor_for(compared, len(controls))
    lasting = [block.low for block in own[first : last + 1]]
    lasts = len(lasting) >= MIN_LASTING and max(lasting) * LASTING <= least
    # The low end of a count is nearer: there the same chance asks for the factor twice.
    if least < MIN_FLOOR or not (lasts or floor * factor**2 <= least):
        return None
    return _Found(True, first, last, place, factor, controls, own[place], own[first])


def _grown(place: int, far: Sequence[bool]) -> tuple[int, int]:
    """The unbroken run of places that are `far` from the ordinary, as `place` is."""
    first = last = place
    while first > 0 and far[first - 1]:
        first -= 1
    while last < len(far) - 1 and far[last + 1]:
        last += 1
    return first, last


def _outside(own: Sequence[_Block], first: int, last: int) -> list[_Block]:
    """All blocks but the stretch and the two in which it begins and ends."""
    return [*own[: max(first - 1, 0)], *own[last + 2 :]]


def _outlier(
    series: int,
    origin: int,
    blocks: Sequence[int],
    drop: bool,
    first: int,
    last: int,
    place: int,
    factor: float,
    controls: Sequence[_Block],
    block: _Block,
    since: _Block,
) -> Outlier:
    bins = (block.low_bin, since.low_bin) if drop else (block.high_bin, since.high_bin)
    compared = [one.low if drop else one.high for one in controls]
    return Outlier(
        series=series,
        drop=drop,
        block=blocks[place],
        at=origin + bins[0] * BIN_NS,
        count=block.low if drop else block.high,
        usual=float(median(compared)),
        extreme=min(compared) if drop else max(compared),
        placebos=len(controls),
        factor=factor,
        stretch=(blocks[first], blocks[last]),
        since=origin + bins[1] * BIN_NS,
    )
