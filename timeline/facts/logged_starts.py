"""When a worker's own log says that it took a job, for attempts whose start no queue keeps.

A queue that keeps only the last attempt of a job knows no start of those before it; the worker
wrote of the job each time. Where an attempt began is read from places, not from words: it is the
first quiet line about the job since the last one that told of its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.starts import Start

if TYPE_CHECKING:
    from timeline.incident import Incident


@dataclass(frozen=True)
class LoggedStarts:
    """Quiet lines about some jobs, each as if it were a start, in time order by job."""

    lines: Mapping[str, tuple[Start, ...]]

    @staticmethod
    def of(incident: Incident, deaths: Iterable[tuple[str, int]]) -> LoggedStarts:
        """Of the jobs among `deaths` (job, row of the line); such a line itself is no start."""
        ends = [*deaths]
        if not ends:
            return LoggedStarts({})
        named = incident.jobs.named.filter(pl.col("job").is_in(sorted({job for job, _ in ends})))
        named = named.filter(~pl.col("row").is_in([row for _, row in ends]))
        shown = ("timestamp", "lane", "severity_number", "actor", "source")
        told = named.hstack(
            [incident.snapshot.events.get_column(one).gather(named["row"]) for one in shown]
        )
        quiet = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") < SEVERITY_WARN)
        told = told.filter(quiet).sort("timestamp", "row")
        told = told.with_columns(pl.col("actor", "source").cast(pl.String).fill_null(""))
        found: dict[str, list[Start]] = {}
        for values in told.select("job", "timestamp", "row", "actor", "source").iter_rows():
            found.setdefault(values[0], []).append(Start(*values))
        return LoggedStarts({job: tuple(lines) for job, lines in found.items()})

    def taken(self, job: str, actor: str, since: int, until: int) -> Start | None:
        """The first line of `actor` about `job` in `(since, until]` (ns): it took it then."""
        inside = (one for one in self.lines.get(job, ()) if since < one.timestamp <= until)
        return next((one for one in inside if one.worker == actor), None)

    def spoken_of(self, job: str, since: int, until: int) -> bool:
        """Whether anybody wrote of `job` in `(since, until]` (ns) without complaint."""
        return any(since < one.timestamp <= until for one in self.lines.get(job, ()))
