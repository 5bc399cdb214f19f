"""Errors that came close together, and whether that is unusual for this very stream.

Statistics here are placebo tests: the same count, on other windows of the same length. A textbook
Poisson test raises a false alarm in a quarter to three quarters of healthy bursty windows; ranking
against placebo windows does not. Owns no opinion on causes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.facts.read_so_far import standing_out_so_far
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

BIN_NS = 30_000_000_000
"""Width in which a template's rate is compared with its own rate elsewhere."""
ROUTINE_QUANTILE = 0.25
"""A template's routine rate: it is exceeded in three quarters of all bins, so that even an outage
that fills most of the window does not pass for routine."""
FOLD = 2
"""What stands out is at least this multiple of what is usual."""
MIN_PLACEBOS = 19
"""Rank 1 among 19 control windows is a false alarm rate of at most 1 in 20."""
MAX_PLACEBOS = 120


class Placebo(NamedTuple):
    """The same count on other windows: how many could be read, and the highest of them."""

    windows: int
    highest: int

    def rank_one(self, count: int) -> bool:
        """Whether `count` is at least `FOLD` times the highest of enough control windows."""
        return self.windows >= MIN_PLACEBOS and count >= FOLD * max(self.highest, 1)


def without_routine(incident: Incident, hits: pl.DataFrame, width: int = BIN_NS) -> pl.DataFrame:
    """`hits` less those whose template occurs at a similar rate in most of the window.

    Rates are compared in bins of `width` ns; what recurs seldom needs wider ones to be routine.
    While sources are being read, less those too of which that cannot be told yet.
    """
    if hits.is_empty():
        return hits
    template = ["actor", "fragment", "peer"]
    if incident.reading:
        return standing_out_so_far(incident, hits, template, width, FOLD)
    start, until = incident.window.start, read_until(incident)
    bins = max(1, -(-(until - start) // width))
    binned = hits.with_columns(bin=(pl.col("timestamp") - start) // width)
    counts = binned.group_by([*template, "bin"]).agg(n=pl.len())
    rank = int((1 - ROUTINE_QUANTILE) * (bins - 1))
    routine = counts.group_by(template).agg(
        usual=pl.col("n").sort(descending=True).get(rank, null_on_oob=True).fill_null(0)
    )
    rates = counts.join(routine, on=template, nulls_equal=True)
    standing = rates.filter(pl.col("n") >= FOLD * pl.col("usual"))
    kept = binned.join(standing, on=[*template, "bin"], how="semi", nulls_equal=True)
    return kept.drop("bin").sort("timestamp", maintain_order=True)


def clusters(hits: pl.DataFrame, gap: int, least: int) -> list[pl.DataFrame]:
    """`hits` (time order) cut where more than `gap` ns pass, groups of at least `least` kept."""
    if hits.is_empty():
        return []
    number = (pl.col("timestamp").diff().fill_null(0) > gap).cum_sum().alias("cluster")
    grouped = hits.with_columns(number)
    large = grouped.filter(pl.len().over("cluster") >= least)
    return [part.drop("cluster") for part in large.partition_by("cluster", maintain_order=True)]


def placebo(
    incident: Incident,
    stamps: pl.Series,
    sources: Iterable[str],
    first: int,
    last: int,
    severity: int = 0,
) -> Placebo:
    """How often `stamps` (ns, ascending) fall into other windows as long as `[first, last]`.

    Only windows that all `sources` cover in full count as controls: nothing seen where nobody
    looked proves nothing. When nothing that is counted is milder than `severity`, it is enough
    that they were read in full from there on.
    """
    width = max(last - first, BIN_NS)
    names = tuple(sources)
    begin, until = incident.window.start, read_until(incident)
    limits = incident.snapshot.coverage.limits(
        names, min(begin, last + 1), max(until, first), severity
    )
    before = range(first - width, begin - 1, -width)
    after = range(last + 1, until - width + 1, width)
    covered = (
        at
        for at in chain(before, after)
        if not any(limit.start < at + width and limit.end > at for limit in limits)
    )
    starts = list(islice(covered, MAX_PLACEBOS))
    if not starts or not names:
        return Placebo(0, 0)
    edges = pl.Series(starts, dtype=pl.Int64)
    counts = stamps.search_sorted(edges + width, "left") - stamps.search_sorted(edges, "left")
    return Placebo(len(starts), max(counts.to_list()))
