"""How sure it is that a job did nothing: whether those who would tell of it were looking.

An effect shows in the log of the worker or in the rows it wrote. Both must have been read; a
worker that logs nothing under the job's id, or that died, may have done anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.contracts import unseen_rows
from timeline.facts.effects import Attempts, spoken_by_jobs
from timeline.facts.lines import keyed_lines
from timeline.facts.sight import absence, heard
from timeline.order import Verdict, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident


class EffectSight:
    """What could have been seen of the effects of some jobs; read once for all of them."""

    def __init__(self, incident: Incident, attempts: Mapping[str, Attempts]) -> None:
        self._incident = incident
        self._attempts = attempts
        self._databases = heard(incident, Lane.DATABASE)
        lines = keyed_lines(incident, attempts)
        spoken = spoken_by_jobs(incident, lines, attempts)
        told = spoken.group_by("key").agg(pl.col("source").unique().sort())
        self._logs = {job: tuple(sources) for job, sources in told.iter_rows()}
        self._lost = frozenset(one.job for one in incident.lost_attempts)

    def nothing_done(self, job: str) -> tuple[Verdict, str]:
        """The grade of "no attempt of this job had any effect", and why it is no better."""
        attempts = self._attempts[job]
        spans = attempts.spans()
        if job in self._lost:
            return Verdict.POSSIBLE, "an attempt was lost with its worker and told nothing more"
        if not spans or len(spans) < max(len(attempts.starts), len(attempts.ends)):
            return Verdict.POSSIBLE, "the queue does not tell when each of its attempts began"
        if not self._databases:
            return Verdict.POSSIBLE, "no database was read, so what it wrote is not known"
        if job not in self._logs:
            return Verdict.POSSIBLE, "no worker's log tells of it"
        start, end = min(s for s, _ in spans), max(e for _, e in spans)
        logs = absence(self._incident, self._logs[job], start, end)
        rows, limits = unseen_rows(self._incident, self._databases, start, end)
        verdict = weakest((logs.verdict, rows))
        if verdict is Verdict.POSSIBLE:
            reason = next(iter((*logs.reasons, *limits)))
            return verdict, f"nothing seen, which is not nothing: {reason}"
        return verdict, "it failed before it did anything that its log or a row would show"
