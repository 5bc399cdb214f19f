"""Jobs that failed in the same way at every attempt while others of their kind went well.

Owns what is to be seen of them: the attempts, the error, and how many others were done meanwhile.
A missing row, a broken path and a full pool are no fault of the job, and are left to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.errors import NETWORK_CLASSES, NOT_FOUND

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_FAILURES = 3
"""Two failures of one job are an ordinary retry that had bad luck."""
MIN_OTHERS = 4
"""Other jobs that were done between its failures: one or two may just have been lucky."""
NEAR_NS = 60_000_000_000
"""What was done within a minute of its failures was done by the same code."""
MOST_SHARE = 0.1
"""Of the jobs that ended meanwhile, how many may fail like this: beyond it the work itself is
broken, not some messages of it."""
MOST_JOBS = 20
NOT_ITS_OWN = (*NETWORK_CLASSES, NOT_FOUND, "pool", "server_state")
"""Classes of error that say nothing about the job: the same job would go well an hour later."""
OUTSIDE = (
    r"(?i)tim(?:ed|e)[ _-]?out|unavailable|try again|rate.?limit|too many requests|overloaded|"
    r"out of memory|no space left|connection|\b(?:status|code|replied|returned|http|error)"
    r"\D{0,20}(?:5\d\d|429)\b"
)
"""The same in the words of clients that nobody has listed."""


@dataclass(frozen=True, slots=True)
class FailingJob:
    """One job (key) with its failures, oldest first: (instant ns, worker or "", event row)."""

    job: str
    job_class: str
    source: str
    error: str
    same: str
    """The error without what differs each time."""
    failures: tuple[tuple[int, str, int], ...]
    others: int
    """Different jobs of its class, or of one that nobody tells, done about the same time."""

    @property
    def workers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(worker for _, worker, _ in self.failures if worker))


def failing_jobs(incident: Incident) -> tuple[FailingJob, ...]:
    """All of them, by first failure; none where so many fail alike that the work is broken."""
    tries = incident.tries
    failed, at = pl.col("failed"), pl.col("at")
    jobs = tries.group_by("job", maintain_order=True).agg(
        pl.col("job_class", "source").first(),
        pl.col("error").last(),
        tries=pl.len(),
        all_failed=failed.all(),
        ways=pl.col("same").n_unique(),
        same=pl.col("same").first(),
        first=at.min(),
        last=at.max(),
    )
    known = incident.errors.filter(pl.col("error_class").is_in(NOT_ITS_OWN)).get_column("row")
    excused = tries.filter(pl.col("row").is_in(known.implode())).get_column("job").unique()
    suspects = jobs.filter(
        (pl.col("tries") >= MIN_FAILURES)
        & pl.col("all_failed")
        & (pl.col("ways") == 1)
        & (pl.col("same") != "")
        & ~pl.col("job").is_in(excused.implode())
    )
    if suspects.height:
        suspects = suspects.filter(~pl.col("error").str.contains(OUTSIDE))
    if suspects.is_empty():
        return ()
    found = []
    for told in suspects.head(MOST_JOBS).iter_rows(named=True):
        meanwhile = tries.filter(at.is_between(told["first"] - NEAR_NS, told["last"] + NEAR_NS))
        # A queue may have forgotten those that went well; logs do not tell their class.
        meanwhile = meanwhile.filter(pl.col("job_class").is_in([told["job_class"], ""]))
        done = meanwhile.filter(~failed).get_column("job").n_unique()
        alike = meanwhile.filter(failed & (pl.col("same") == told["same"]))
        ended = meanwhile.get_column("job").n_unique()
        if done < MIN_OTHERS or alike.get_column("job").n_unique() > max(1, MOST_SHARE * ended):
            continue
        own = tries.filter(pl.col("job") == told["job"]).select("at", "worker", "row").rows()
        kept = (told["job"], told["job_class"], told["source"], told["error"], told["same"])
        found.append(FailingJob(*kept, tuple(own), done))
    return tuple(found)
