"""What is usual, judged while sources are still being read: from the stretches that are known.

A stretch that was not read is no quiet one. Known are the bins in which a source told a row, all
bins of a source that has answered, and those in which its engine counted warnings and worse, which
no kind of error can outnumber.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_BINS = 19
"""Bins that must be known before anything is called unusual, as with control windows: the highest
of 20 is so by chance in at most 1 of 20 cases. A shorter window must be known in full."""


LOUD_SHARE = 0.25
"""Trouble that fills more of what is known than this is not told from habit before all is read."""


def standing_out_so_far(
    incident: Incident, hits: pl.DataFrame, template: list[str], width: int, fold: int
) -> pl.DataFrame:
    """`hits` of bins (`width` ns) with at least `fold` times what is usual for their template.

    Usual is what is exceeded in `LOUD_SHARE` of the known bins of the same source.
    """
    bins = max(1, -(-(read_until(incident) - incident.window.start) // width))
    binned = hits.with_columns(bin=(pl.col("timestamp") - incident.window.start) // width)
    per = ["source", *template]
    counts = binned.group_by([*per, "bin"]).agg(n=pl.len())
    known = _known_bins(incident, hits.get_column("source").unique(), bins, width)
    expected = (
        counts.select(per)
        .unique()
        .join(known, on="source")
        .join(counts, on=[*per, "bin"], how="left", nulls_equal=True)
        .with_columns(n=pl.max_horizontal(pl.col("n").fill_null(0), pl.col("most").fill_null(0)))
    )
    ranked = expected.group_by(per).agg(
        known=pl.len(),
        usual=pl.col("n").sort(descending=True).get((LOUD_SHARE * (pl.len() - 1)).cast(pl.UInt32)),
    )
    judged = ranked.filter(pl.col("known") >= min(MIN_BINS, bins))
    rates = counts.join(judged, on=per, nulls_equal=True)
    standing = rates.filter(pl.col("n") >= fold * pl.col("usual"))
    kept = binned.join(standing, on=[*per, "bin"], how="semi", nulls_equal=True)
    return kept.drop("bin").sort("timestamp", maintain_order=True)


def _known_bins(incident: Incident, sources: pl.Series, bins: int, width: int) -> pl.DataFrame:
    """(source, bin, most) of what is known; `most` is what the engine counted there, or null."""
    parts = []
    for source in sources.to_list():
        counted = _counted(incident, source, width)
        if counted.height:
            told = counted
        elif source in incident.reading:
            told = _told(incident, source, width)
        else:
            told = pl.DataFrame({"bin": range(bins)}, schema={"bin": pl.Int64})
        most = pl.col("most") if "most" in told.columns else pl.lit(None, pl.Int64).alias("most")
        parts.append(told.select(pl.lit(source).alias("source"), "bin", most))
    known = pl.concat(parts)
    return known.filter(pl.col("bin").is_between(0, bins - 1))


def _told(incident: Incident, source: str, width: int) -> pl.DataFrame:
    """The bins that hold a row of `source`."""
    bin_of = (pl.col("timestamp") - incident.window.start) // width
    own = incident.snapshot.events.lazy().filter(pl.col("source") == source)
    return own.select(bin=bin_of).unique().collect()


def _counted(incident: Incident, source: str, width: int) -> pl.DataFrame:
    """(bin, most): warnings and worse, and records of no known severity, by the bars' starts."""
    severity = pl.col("severity_number")
    bars = incident.snapshot.counts.filter(pl.col("source") == source)
    grave = (severity >= SEVERITY_WARN) | (severity == 0)
    scale = pl.max_horizontal(pl.lit(1.0), pl.col("width") / width)
    return bars.group_by(bin=(pl.col("start") - incident.window.start) // width).agg(
        most=(pl.when(grave).then(pl.col("count")).otherwise(0) / scale).sum().ceil().cast(pl.Int64)
    )
