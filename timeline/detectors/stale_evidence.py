"""What surrounds lookups that missed their rows: replicas, caches, snapshots, and who asked.

Part of the detector `stale-read`. Collects; what it means is the detector's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from timeline.event import Event
from timeline.facts.missed_reads import MissedRead
from timeline.facts.replicas import CACHE_WORDS, Replicas, reads_told
from timeline.facts.still_readers import StillReader, still_readers
from timeline.facts.visibility import REPLICA_WORDS

if TYPE_CHECKING:
    from timeline.incident import Incident


@dataclass(frozen=True)
class Evidence:
    """What is known of replicas, caches and old snapshots, and the classes of the jobs."""

    replicas: Replicas
    named: Mapping[str, list[Event]]
    cached: Mapping[str, list[Event]]
    still: Mapping[int, StillReader]
    classes: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(incident: Incident, reads: Sequence[MissedRead]) -> Evidence:
        jobs = sorted({read.lookup.job for read in reads})
        classes = dict(incident.jobs.summary.select("job", "job_class").iter_rows())
        return Evidence(
            incident.replicas,
            reads_told(incident, jobs),
            reads_told(incident, jobs, CACHE_WORDS),
            still_readers(incident, [read.lookup for read in reads]),
            {job: str(classes.get(job) or "") for job in jobs},
        )

    def class_of(self, read: MissedRead) -> str:
        return self.classes.get(read.lookup.job, "")

    def replica_line(self, read: MissedRead) -> Event | None:
        """The line of the same run that names a replica, the lookup's own at best."""
        if re.search(REPLICA_WORDS, f"{read.event.body} {read.event.attributes or ''}"):
            return read.event
        return _inside(read, self.named.get(read.lookup.job, []))

    def cache_line(self, read: MissedRead) -> Event | None:
        return _inside(read, self.cached.get(read.lookup.job, []))


def _inside(read: MissedRead, lines: Sequence[Event]) -> Event | None:
    """The last of `lines` between the beginning of the run and the lookup."""
    begun = read.started.timestamp if read.started else read.shown.timestamp
    held = [line for line in lines if begun <= line.timestamp <= read.event.timestamp]
    return held[-1] if held else None
