"""The sixth part of stale-read: a standby was asked while it was far behind.

Story: replay is paused for a dump; until somebody notices, the nightly export of orders, which asks
the standby, lacks all orders of the last twenty minutes and says nothing.

Predicate: a standby is half a minute behind and more, by a curve or its own log, and was near at
another time; a line of somebody else names it and a table meanwhile, and rows of that table had
been written which it cannot have shown. Likely at most: what was answered is not on record.

False positives: lines that speak of the copying itself (silent), tables in which nothing was
written (silent), a reader that wants old rows only (named).

Reference: PostgreSQL documentation, "Hot Standby" (the standby's data is eventually consistent).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.stale_values import REMEDY
from timeline.facts.behind_standbys import StandbyRead, standby_reads
from timeline.facts.words import counted, instant, length
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_FINDINGS = 3
MAX_KEYS = 200


@dataclass(frozen=True, kw_only=True)
class AskedStandby(Finding):
    """Reads of one table by one reader from one standby, in time order."""

    term: ClassVar[str] = "stale-read"
    remedy: ClassVar[str] = REMEDY

    reads: tuple[StandbyRead, ...]

    def sentence(self) -> str:
        worst = max(self.reads, key=lambda read: read.at - read.replayed)
        return (
            f"{worst.reader} read {worst.table} from {worst.standby} while that was up to "
            f"{length(worst.at - worst.replayed)} behind "
            f"({counted(len(self.reads), 'read')} from {instant(self.reads[0].at)} on); "
            f"{counted(worst.unseen, 'row')} written by then could not be seen."
        )

    def clause(self) -> str:
        return f"{self.reads[0].reader} read {self.reads[0].table} from a standby far behind"


def asked_standbys(incident: Incident) -> list[AskedStandby]:
    """Findings by reader, standby and table, strongest first."""
    groups: dict[tuple[str, str, str], list[StandbyRead]] = {}
    for read in standby_reads(incident):
        groups.setdefault((read.reader, read.standby, read.table), []).append(read)
    found = [_finding(incident, reads) for reads in groups.values()]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return found[:MAX_FINDINGS]


def _finding(incident: Incident, reads: Sequence[StandbyRead]) -> AskedStandby:
    first, last = reads[0], reads[-1]
    lag, said = incident.snapshot.events_at([first.lag_row, first.row])
    return AskedStandby(
        verdict=Verdict.LIKELY,
        weakest_link="what the standby answered is not on record",
        began=min(read.replayed for read in reads),
        ended=last.at,
        steps=(
            Step("lag", lag, f"{first.standby} had replayed up to {instant(first.replayed)}"),
            Step("read", said, f"{first.reader} asks it", before(lag, said, incident.clocks)),
        ),
        keys=_keys(incident, reads),
        would_decide=(f"Run what {first.reader} asked again on the primary, and compare.",),
        alternatives=(f"{first.reader} wanted rows that are older than that",),
        next_action=f"Run {first.reader} again from the primary for {first.table}.",
        reads=tuple(reads),
    )


def _keys(incident: Incident, reads: Sequence[StandbyRead]) -> tuple[str, ...]:
    """Names of the rows that could not be seen, the earliest."""
    low, high = min(read.replayed for read in reads), max(read.at for read in reads)
    rows = incident.records.versions.filter(
        (pl.col("table") == reads[0].table) & pl.col("timestamp").is_between(low, high)
    )
    owners = rows.head(MAX_KEYS).join(incident.records.owners, on="record")
    return tuple(owners.get_column("key").unique().sort())
