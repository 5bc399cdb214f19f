"""When it began: the earliest evidence of a finding, else the first bucket that stands out.

An alert comes five to fifteen minutes late, so T is never taken for the onset.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.sight import read_until
from timeline.order import Verdict, at_least
from timeline.standing_out import first_standing_out

if TYPE_CHECKING:
    from timeline.finding import Finding
    from timeline.incident import Incident

BUCKET_NS = 30_000_000_000


def onset_of(incident: Incident, findings: Sequence[Finding]) -> int | None:
    """The instant (ns) at which the trouble began, or None when nothing stands out."""
    window = incident.window
    told = [
        finding.began
        for finding in findings
        if not finding.qualifier and _dated(finding) and window.contains(finding.began)
    ]
    if told:
        return min(told)
    return first_unusual(incident, incident.failures.get_column("timestamp"))


def _dated(finding: Finding) -> bool:
    """Whether the finding says when something happened, and not that something was never here."""
    return at_least(finding.verdict, Verdict.LIKELY) and bool(finding.steps)


def first_unusual(incident: Incident, stamps: pl.Series) -> int | None:
    """First of the sorted `stamps` (errors, ns) in the first bucket above all buckets before it."""
    start, until = incident.window.start, read_until(incident)
    edges = [*range(start, until, BUCKET_NS), until]
    places = stamps.search_sorted(pl.Series(edges, dtype=pl.Int64), "left").to_list()
    counts = [after - before for before, after in itertools.pairwise(places)]
    index = first_standing_out(counts)
    return None if index is None else int(stamps[places[index]])
