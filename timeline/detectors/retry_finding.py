"""What is said of retries that became the load: the finding of `retry-storm` and its evidence.

Part of that detector. Owns its thresholds, its words and what is looked up about what began it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.bursts import clusters
from timeline.facts.errors import network_errors
from timeline.facts.pauses import Act, marks_in
from timeline.facts.rates import MINUTE_NS, SECOND_NS, plain
from timeline.facts.words import capital, counted, instant, length
from timeline.finding import Finding, Step
from timeline.order import before

if TYPE_CHECKING:
    from timeline.incident import Incident

BUCKET_NS = 10 * SECOND_NS
AMPLIFIED = 2
"""Attempts per first attempt: from here on retries are half of the load (catalogue, D21)."""
ERROR_RATIO = 0.5
"""Share of the ended attempts that failed; below it retries mostly heal."""
MIN_IN_BUCKET = 5
MIN_BUCKETS = 3
"""Half a minute: one wave of retries is the backoff at work."""
MIN_ATTEMPTS = 30
MIN_JOBS = 5
"""Jobs that were tried again; fewer are a story about those jobs."""
GAP_NS = 30 * SECOND_NS
METASTABLE_NS = 5 * MINUTE_NS
"""Well beyond the first backoffs: what still goes on then feeds itself (catalogue, D21)."""
LEAD_NS = MINUTE_NS
"""What began it stands at most this long before the first hot bucket."""
MAX_STEPS = 6


@dataclass(frozen=True, kw_only=True)
class RetryStorm(Finding):
    """One stretch in which retries were the load of one queue, or of the calls of one `service`.

    Times are ns UTC. Of a service, `firsts` and `jobs` are the requests that began meanwhile.

    `attempts`, of them `firsts` first ones, of `jobs` jobs; `failed` of the `ended` ones failed.
    `usual` and `busiest` are attempts a minute before it and in its busiest minute. `trigger` is
    what began it, in words, and `trigger_over` when that was over; empty and None where not known.
    `lasting` is ns that it went on after that. `ongoing` says it reached the end of what was read.
    """

    term: ClassVar[str] = "retry-storm"
    remedy: ClassVar[str] = (
        "Give retries a budget, exponential backoff with jitter and a circuit breaker, so that "
        "they cannot outgrow the work itself."
    )

    source: str
    queue: str
    service: str
    attempts: int
    firsts: int
    jobs: int
    ended_attempts: int
    failed: int
    usual: float
    busiest: int
    error: str
    trigger: str
    trigger_over: int | None
    lasting: int
    ongoing: bool

    @property
    def metastable(self) -> bool:
        """Whether it outlived what began it by far."""
        return self.lasting >= METASTABLE_NS

    def sentence(self) -> str:
        told = self._of_service() if self.service else self._of_queue()
        if self.metastable and self.trigger_over is not None:
            told += (
                f"; it has gone on for {length(self.lasting)} since {self.trigger} was over at "
                f"{instant(self.trigger_over)}: the retries keep it going"
            )
        return f"{told}."

    def clause(self) -> str:
        whose = self.service or self.queue or self.source
        return f"retries made up most of the load of {whose}"

    def _of_queue(self) -> str:
        return (
            f"The queue {self.queue or self.source} tried {counted(self.jobs, 'job')} "
            f"{self.attempts} times from {instant(self.began)} to {instant(self.ended)}, "
            f"{self.firsts} of them for the first time; {self.failed} of {self.ended_attempts} "
            f"attempts failed, at up to {self.busiest} a minute where {plain(self.usual)} are usual"
        )

    def _of_service(self) -> str:
        return (
            f"{capital(self.service)} tried again {counted(self.ended_attempts, 'time')} from "
            f"{instant(self.began)} to {instant(self.ended)} while {counted(self.jobs, 'request')} "
            f"began: up to {self.busiest} retries a minute where {plain(self.usual)} requests are "
            "usual"
        )


def trigger_of(incident: Incident, began: int, ended: int) -> tuple[str, int | None]:
    """What was broken when it began, and when that was over by its own record (ns)."""
    for mark in marks_in(incident, Act.RECOVERY):
        if began - LEAD_NS <= mark.timestamp < ended:
            return f"the trouble that ended with “{mark.body}”", mark.timestamp
    lines = network_errors(incident.errors).filter(pl.col("lane") == Lane.LOG.value)
    for burst in clusters(lines, GAP_NS, 3):
        first, last = burst["timestamp"][0], burst["timestamp"][-1]
        if first <= began + GAP_NS and began - LEAD_NS <= last < ended:
            peers = burst.get_column("peer").drop_nulls().unique().sort().to_list()
            name = peers[0] if len(peers) == 1 else "the network"
            return f"the trouble with {name}", last
    return "", None


def retry_steps(incident: Incident, rows: Sequence[int], what: str) -> tuple[Step, ...]:
    """The first attempts among `rows` (time order) and the last, of `what`."""
    shown = [*rows[: MAX_STEPS - 1], *rows[MAX_STEPS - 1 :][-1:]]
    steps: list[Step] = []
    for number, event in enumerate(incident.snapshot.events_at(shown), 1):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        role = "attempt" if number == 1 else "tried again"
        steps.append(Step(role, event, f"one of {len(rows)} attempts of {what} here", order))
    return tuple(steps)
