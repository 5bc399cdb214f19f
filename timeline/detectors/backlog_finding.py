"""What is said of a queue that filled: the finding of `backlog`, its evidence and its words.

Part of that detector. Decides nothing: depths, rates and verdicts are handed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from timeline.facts.backlogs import How
from timeline.facts.rates import Drain, Rate, plain
from timeline.facts.resume_plan import ResumePlan
from timeline.facts.words import capital, counted, instant, length
from timeline.finding import Finding, Stage

ARRIVALS, COMPLETIONS, BOTH, PAUSED, DESERTED, UNKNOWN = (
    "arrivals rose",
    "completions fell",
    "arrivals rose and completions fell",
    "paused",
    "no worker takes from it",
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
    `due_most` of them in one minute. `put_off` jobs had failed by `depth_at` and were to be tried
    again later, the last at `put_off_until`; they are no part of a counted depth. `waited_then` of
    those that wait now had waited for a minute or longer at T, where their stamps tell.
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
    waited_then: int = 0
    put_off: int = 0
    put_off_until: int = 0

    def sentence(self) -> str:
        return f"{capital(self._grew())}{self._state()}{self._flow()}."

    def clause(self) -> str:
        if self.how is How.NOT_KNOWN:
            told = f"{counted(self.depth_now or 0, 'job')} wait in {self.queue} now"
            return f"{told} and {self.changed}" if self.changed == DESERTED else told
        if self.worked_off:
            return f"{self.queue} backed up to {counted(self.peak or 0, 'job')} and was worked off"
        return f"{self.queue} backed up to {counted(self.depth or 0, 'job')}"

    def _grew(self) -> str:
        if self.how is How.NOT_KNOWN:
            told = f"{counted(self.depth_now or 0, 'job')} wait in {self.queue} now (not then)"
            told += f", the oldest since {instant(self.oldest)}" if self.oldest else ""
            return told + (f"; {self.waited_then} of them waited at T" if self.waited_then else "")
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
        elif self.changed in (ARRIVALS, COMPLETIONS, BOTH, DESERTED):
            told += f"; {self.changed}"
        return told

    def _flow(self) -> str:
        if self.arrivals is None or self.completions is None:
            return "; how fast it drains cannot be told"
        return f"; {self.drain.words()}" if self.drain is not None else ""


def with_figures(found: Backlog) -> Backlog:
    """`found` with what one needs to know before workers are let go again, and what it rests on."""
    if found.worked_off:
        return found
    return replace(found, figures=tuple(_figures(found)), assumes=tuple(_assumed(found)))


def _figures(found: Backlog) -> Iterator[str]:
    if found.depth_now is not None and found.now_at is not None:
        yield f"{capital(_waiting(found.depth_now))} at {instant(found.now_at)}, when it was read."
    elif found.depth is not None:
        yield f"{capital(_waiting(found.depth))} at {instant(found.depth_at)}."
    if found.arrivals is not None and found.completions is not None:
        yield f"{found.arrivals.words()} come in, {found.completions.words()} are done."
    else:
        yield "How fast it drains cannot be told: nobody kept what was finished."
    if found.drain is not None:
        yield f"{capital(found.drain.words())}."
    if found.due_soon:
        most = f"up to {found.due_most} in one minute"
        yield f"{counted(found.due_soon, 'retry', 'retries')} fall due within half an hour, {most}."
    if found.put_off and not found.due_soon:
        told = f"{counted(found.put_off, 'job')} put off for another try"
        yield f"Not counted: {told}, the last until {instant(found.put_off_until)}."
    if found.plan is not None:
        yield _pace(found.plan)


def _waiting(depth: int) -> str:
    return f"{counted(depth, 'job')} {'waits' if depth == 1 else 'wait'}"


def _pace(plan: ResumePlan) -> str:
    """How many workers reach the load of before, and how that was reckoned."""
    each = f"one begins {plain(plan.per_worker)}, for a job takes {length(plan.takes)}"
    most = f"the {counted(plan.highest, 'start')} a minute that were the most before"
    if plan.workers < 1:
        return f"A single worker exceeds {most} ({each})."
    verb = "reaches" if plan.workers == 1 else "reach"
    seen = f"; {plan.seen} were at work then" if plan.seen else ""
    return f"{counted(plan.workers, 'worker')} {verb} {most} ({each}{seen})."


def _assumed(found: Backlog) -> Iterator[str]:
    if found.drain is not None and found.arrivals is not None:
        yield f"jobs come and end as they did in the last {length(found.arrivals.span)} counted"
    if found.plan is not None:
        yield from found.plan.assumptions
