"""What a team knows about its own systems: schedules, expected sets, promises, sanity queries.

All of it is optional. What is asked of a system is asked by others before a detector runs: the
answers stand here beside the question. It never reads a source itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from timeline.window import MINUTE_NS, SECOND_NS


class Overlap(StrEnum):
    """What a team wants when a run is still going at the next due instant (Kubernetes' words)."""

    FORBID = "forbid"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Work:
    """How a piece of work is recognised: any part that is not empty must fit.

    `job_class` and `queue` are those of a queue; `log` is a text that stands in the line that
    tells of it; `table` is where it leaves a row.
    """

    job_class: str = ""
    queue: str = ""
    log: str = ""
    table: str = ""

    def words(self) -> str:
        """For example `backup job` or `row in mails`."""
        if self.job_class:
            return f"{self.job_class} job"
        if self.table:
            return f"row in {self.table}"
        return f"line with “{self.log}”" if self.log else f"job on {self.queue}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that is due at known instants: `cron` (five fields, in `zone`) or every `every` ns.

    `tolerance` (ns) is how late a run may begin and still be the one that was due.
    """

    name: str
    work: Work
    cron: str = ""
    every: int | None = None
    zone: str = "UTC"
    tolerance: int = MINUTE_NS
    overlap: Overlap = Overlap.FORBID


@dataclass(frozen=True, slots=True)
class ExpectedSet:
    """The things that must each be worked on once: "apps that must have one backup tonight".

    `keys` are typed (`app:12`), in the order of the answer, which is the order of processing where
    `ordered`. With `problem` the query did not answer and nothing is known; `complete` is False
    when more would have come than was read. `asked_at` is ns UTC: a present answer about a past
    night. With `run`, a type of key (`night`), the set is expected once for every value of it that
    the work names.
    """

    name: str
    work: Work
    keys: tuple[str, ...] = ()
    ordered: bool = False
    times: int = 1
    complete: bool = True
    asked_at: int = 0
    problem: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A promise: a row of `table` (while `column` is `value`, when given) has `needs` in time.

    "A pending user has a mail job within 60 s": table `users`, column `state`, value `pending`,
    needs a job, within 60 s of the row's creation.
    """

    name: str
    table: str
    needs: Work
    within: int = 60 * SECOND_NS
    column: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class SanityAnswer:
    """What a query that looks for bad data found when the incident was opened.

    `rows` is how many it found (at least, where not `complete`), `keys` those that could be typed,
    `sample` the first few in words. With `problem` it did not answer.
    """

    name: str
    means: str
    source: str
    rows: int = 0
    complete: bool = True
    keys: tuple[str, ...] = ()
    sample: tuple[str, ...] = ()
    asked_at: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything configured about an environment beyond its sources."""

    schedules: tuple[Schedule, ...] = ()
    expected: tuple[ExpectedSet, ...] = ()
    contracts: tuple[Contract, ...] = ()
    sanity: tuple[SanityAnswer, ...] = ()
    regions: tuple[str, ...] = ()
    """Regions or zones that must speak: a region whose logs are not collected is a blind spot."""
