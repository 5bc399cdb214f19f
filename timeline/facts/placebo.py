"""Whether a count stands out from the same count at other times of the same series.

A stretch is cut into bins of ten seconds and blocks of a minute. The statistic of a block is its
highest (lowest) count of thirty seconds; that of the focus is compared with those of the other
blocks, the placebos. Pure: works on counts, knows nothing of what was counted.

Bursty streams are healthy too, so first rank among some dozen placebos is not enough: the focus
must lead the highest placebo by a factor that grows with the number of series that were compared.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import polars as pl

BIN_NS = 10_000_000_000
BINS = 6
"""Of a block: a minute."""
WIDTH = 3
"""Bins of one count: 30 seconds (detector catalogue, D30r)."""
BLOCK_NS = BINS * BIN_NS
MIN_CONTROLS = 19
"""Placebo blocks without which nothing is said: first of 20 by chance is 5 %."""
MIN_COUNT = 5
"""Lines in thirty seconds below which a rise is none (detector catalogue, D30r)."""
MIN_TOLD = 5
"""Placebo blocks that must hold a line: from fewer nobody learns how wild a series is."""
MIN_FLOOR = 10
"""What every placebo must hold before its absence is a drop."""
MEDIANS = 2.0
"""A rise is at least this multiple of the placebos' median (detector catalogue, D30r)."""
FALSE_ALARMS = 0.01
"""Of healthy windows, all series together, under the law of `factor_for`; streams that are wilder
than it come to twice that."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """One series whose focus block stands out. Counts are lines in thirty seconds.

    `count` is the focus' highest (of a drop its lowest) count, from `at` (ns) on; `usual` the
    median of the placebos, `extreme` their highest (lowest); `placebos` how many there were, and
    `factor` the lead over the highest that was asked for. `stretch` holds the first and the last
    block that stand out with it, from `since` (ns) on; None where the focus alone was judged.
    """

    series: int
    drop: bool
    block: int
    at: int
    count: int
    usual: float
    extreme: int
    placebos: int
    factor: float
    stretch: tuple[int, int] | None = None
    since: int | None = None

    @property
    def began(self) -> int:
        return self.at if self.since is None else self.since

    @property
    def lead(self) -> float:
        """By how much it leads the placebos; of a drop, they it."""
        if self.drop:
            return self.extreme / max(self.count, 1)
        return self.count / max(self.extreme, 1)


def block_of(timestamp: pl.Expr, origin: int) -> pl.Expr:
    """Number of the block a timestamp (ns) stands in; block 0 begins at `origin`."""
    return (timestamp - origin).floordiv(BLOCK_NS)


@cache
def factor_for(series: int, told: int) -> float:
    """By how much the highest of `told` placebos must be exceeded, with `series` compared.

    If counts followed an exponential law (as wild as their mean is high), one more count would
    exceed the highest of n by the factor c with probability G(n+1) G(1+c) / G(n+1+c), G being the
    gamma function; c is chosen so that this happens in `FALSE_ALARMS` of windows.
    """
    allowed = math.log(FALSE_ALARMS / max(series, 1))
    low, high = 1.0, 64.0
    while high - low > 0.01:
        middle = (low + high) / 2
        chance = math.lgamma(told + 1) + math.lgamma(1 + middle) - math.lgamma(told + 1 + middle)
        low, high = (middle, high) if chance > allowed else (low, middle)
    return high


def outliers(
    counts: pl.DataFrame, origin: int, focus: Collection[int], controls: Collection[int]
) -> list[Outlier]:
    """Rises and drops of the focus blocks, strongest first.

    `counts` has `series` (a number), `bin` (number of ten seconds since `origin`, a block's first
    instant) and `n`, without lines for what is zero. `focus` and `controls` are numbers of blocks.
    """
    if len(controls) < MIN_CONTROLS or not focus or counts.is_empty():
        return []
    peaks = block_extremes(counts, [*focus, *controls])
    if peaks.is_empty():
        return []
    control = pl.col("block").is_in(list(controls))
    quiet = len(controls) - pl.col("told")
    # The median counts the placebos without a line, which have no row here.
    rank = pl.lit((len(controls) - 1) // 2) - quiet
    stats = (
        peaks.group_by("series")
        .agg(
            told=control.sum().cast(pl.Int64),
            most=pl.col("high").filter(control).max().fill_null(0),
            least=pl.col("low").filter(control).min().fill_null(0),
            ordered=pl.col("high").filter(control).sort(),
            lows=pl.col("low").filter(control).median(),
        )
        .with_columns(
            usual=pl.when(rank >= 0)
            .then(pl.col("ordered").list.get(rank.clip(0), null_on_oob=True))
            .otherwise(0),
            least=pl.when(quiet > 0).then(0).otherwise("least"),
        )
        .drop("ordered")
    )
    compared = stats.filter(pl.col("told") >= MIN_TOLD).height * len(focus)
    blocks = pl.DataFrame({"block": sorted(focus)}, schema={"block": pl.Int64})
    judged = (
        stats.filter(pl.col("told") >= MIN_TOLD)
        .join(blocks, how="cross")
        .join(peaks, on=["series", "block"], how="left")
        .with_columns(pl.col("high", "low").fill_null(0))
        .with_columns(pl.col("high_bin", "low_bin").fill_null(pl.col("block") * BINS))
    )
    rising = (
        (pl.col("high") >= MIN_COUNT)
        & (pl.col("high") > pl.col("most"))
        & (pl.col("high") >= MEDIANS * pl.col("usual"))
    )
    falling = (pl.col("least") >= MIN_FLOOR) & (pl.col("low") * 2 < pl.col("least"))
    found: list[Outlier] = []
    for row in judged.filter(rising | falling).sort("series", "block").iter_rows(named=True):
        factor = factor_for(compared, row["told"])
        risen = row["high"] > row["most"]
        count, extreme = (row["high"], row["most"]) if risen else (row["low"], row["least"])
        if risen and count < factor * max(extreme, 1):
            continue
        # The low end of a count is nearer: there the same chance asks for the factor twice.
        if not risen and count * factor**2 > extreme:
            continue
        at = origin + (row["high_bin"] if risen else row["low_bin"]) * BIN_NS
        usual = row["usual"] if risen else row["lows"]
        found.append(
            Outlier(row["series"], not risen, row["block"], at, count, float(usual), extreme,
                    len(controls), factor)
        )  # fmt: skip
    best: dict[tuple[int, bool], Outlier] = {}
    for one in sorted(found, key=lambda o: (-o.lead, o.series, o.block)):
        best.setdefault((one.series, one.drop), one)
    return list(best.values())


def block_extremes(counts: pl.DataFrame, blocks: list[int]) -> pl.DataFrame:
    """(series, block, high, low, high_bin, low_bin) of every block with a line: its highest and
    lowest count of `WIDTH` bins that lie inside it, and where the counted bins begin."""
    inside = counts.with_columns(block=pl.col("bin").floordiv(BINS)).filter(
        pl.col("block").is_in(blocks)
    )
    shifted = [
        inside.select("series", "block", "n", first=pl.col("bin") - back) for back in range(WIDTH)
    ]
    place = pl.col("first") - pl.col("block") * BINS
    sums = (
        pl.concat(shifted)
        .filter((place >= 0) & (place <= BINS - WIDTH))
        .group_by("series", "block", "first")
        .agg(n=pl.col("n").sum())
        .sort("series", "block", "first")
    )
    windows = BINS - WIDTH + 1
    start = pl.col("block") * BINS
    gap = pl.len() < windows
    # Counts before the first that is missing: that one is empty.
    unbroken = (place == pl.int_range(pl.len())).cast(pl.Int64).cum_min().sum()
    return sums.group_by("series", "block", maintain_order=True).agg(
        high=pl.col("n").max(),
        low=pl.when(gap).then(0).otherwise(pl.col("n").min()),
        high_bin=pl.col("first").get(pl.col("n").arg_max()),
        low_bin=pl.when(gap).then(start.first() + unbroken).otherwise(
            pl.col("first").get(pl.col("n").arg_min())
        ),
    )  # fmt: skip
