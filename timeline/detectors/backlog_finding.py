"""What is said of a queue that filled: the finding of `backlog`, its evidence and its words.

Part of that detector. Decides nothing: depths, rates and verdicts are handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from timeline.facts.backlogs import How
from timeline.facts.rates import Drain, Rate
from timeline.facts.resume_plan import ResumePlan
from timeline.facts.words import capital, counted, instant
from timeline.finding import Finding, Stage

ARRIVALS, COMPLETIONS, BOTH, PAUSED, UNKNOWN = (
    "arrivals rose",
    "completions fell",
    "arrivals rose and completions fell",
    "paused",
    "not known",
)
"""What changed when the depth rose."""


@dataclass(frozen=True, kw_only=True)
class Backlog(Finding):
    """One queue that filled. Times are ns UTC, depths jobs, rates per minute.

    `depth_from` is the calm level, `peak` the deepest point and `depth` the last one, as of
    `depth_at`; `worked_off` says that little was left then, `how` who counted. `depth_now` is the
    present depth where the queue told it, `now_at` when. Rates are None where nobody counted all of
    them. `drain` is None without rates. `due_soon` jobs come due within half an hour of `now_at`,
    `due_most` of them in one minute.
    """

    term: ClassVar[str] = "backlog"
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Resume a few workers at a time under a cap on starts, give slow and urgent work queues of "
        "their own, and watch the age of the oldest job instead of throughput."
    )

    source: str
    queue: str
    how: How
    depth_from: int | None
    peak: int | None
    depth: int | None
    depth_at: int
    depth_now: int | None
    now_at: int | None
    oldest: int | None
    worked_off: bool
    changed: str
    arrivals: Rate | None
    completions: Rate | None
    drain: Drain | None
    due_soon: int
    due_most: int
    paused_at: int | None
    resumed_at: int | None
    plan: ResumePlan | None

    def sentence(self) -> str:
        return f"{capital(self._grew())}{self._state()}{self._flow()}{self._due()}."

    def clause(self) -> str:
        if self.how is How.NOT_KNOWN:
            return f"{counted(self.depth_now or 0, 'job')} wait in {self.queue} now"
        if self.worked_off:
            return f"{self.queue} backed up to {counted(self.peak or 0, 'job')} and was worked off"
        return f"{self.queue} backed up to {counted(self.depth or 0, 'job')}"

    def _grew(self) -> str:
        if self.how is How.NOT_KNOWN:
            told = f"{counted(self.depth_now or 0, 'job')} wait in {self.queue} now (not then)"
            return told + (f", the oldest since {instant(self.oldest)}" if self.oldest else "")
        told = f"the queue {self.queue} grew from {self.depth_from} to "
        told += f"{counted(self.peak or 0, 'waiting job')} from {instant(self.began)} on"
        if self.depth != self.peak:
            told += f"; {self.depth} were left at {instant(self.depth_at)}"
        return told

    def _state(self) -> str:
        told = ""
        if self.paused_at is not None:
            told += f"; it was paused at {instant(self.paused_at)}"
            told += f" and resumed at {instant(self.resumed_at)}" if self.resumed_at else ""
        elif self.changed in (ARRIVALS, COMPLETIONS, BOTH):
            told += f"; {self.changed}"
        return told

    def _flow(self) -> str:
        if self.arrivals is None or self.completions is None:
            return "; how fast it drains cannot be told, for nobody kept what was finished"
        told = f"; {self.arrivals.words()} come and {self.completions.words()} are done"
        return told + (f", so {self.drain.words()}" if self.drain is not None else "")

    def _due(self) -> str:
        if not self.due_soon:
            return ""
        return (
            f"; {counted(self.due_soon, 'more job')} come due within half an hour, up to "
            f"{self.due_most} in one minute"
        )
