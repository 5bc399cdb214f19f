"""What is said of due runs that did not come: the findings of `missed-run` and their words.

Part of that detector. Decides nothing: what was due, what came and the verdict are handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from timeline.facts.words import capital, counted, instant, length, often
from timeline.finding import Finding, Stage


@dataclass(frozen=True, slots=True)
class Missed:
    """One due instant without a timely run (ns UTC).

    `state`: `never` set off, `waiting` (pushed at `pushed`, never started), `late` (began at
    `began`), `skipped` (the run before it still went on).
    """

    due: int
    state: str
    pushed: int | None = None
    began: int | None = None


@dataclass(frozen=True, kw_only=True)
class MissedRun(Finding):
    """Due instants of one schedule that have no timely run.

    `basis` is where the schedule comes from, in words; `due` and `ran` count the instants that
    could be judged and those with a timely run; `again` is when it ran next (ns UTC), or None.
    """

    term: ClassVar[str] = "missed-run"
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Watch the age of the last success rather than errors, since what does not run reports "
        "none, and keep the schedule in a timer outside the work itself."
    )

    schedule: str
    basis: str
    due: int
    ran: int
    missed: tuple[Missed, ...]
    again: int | None

    def sentence(self) -> str:
        return f"{capital(self._what)} ({self.basis}; {self._share}).{self._next}"

    def clause(self) -> str:
        state = self.missed[0].state
        if len(self.missed) > 1:
            verb = {"late": "began late", "skipped": "was skipped"}.get(state, "did not run")
            return f"{self.schedule} {verb} {often(len(self.missed))}"
        return self._what

    @property
    def _what(self) -> str:
        first, last = self.missed[0], self.missed[-1]
        if len(self.missed) > 1:
            span = f"{instant(first.due)} to {instant(last.due)}"
            verb = {
                "late": "began late every time",
                "skipped": "was skipped every time, as the run before it still went on",
                "waiting": "was pushed but never started",
            }.get(first.state, "did not run")
            return f"{self.schedule} was due {often(len(self.missed))} from {span} and {verb}"
        told = f"{self.schedule} was due at {instant(first.due)} and "
        if first.state == "late" and first.began is not None:
            return told + f"began {length(first.began - first.due)} late"
        if first.state == "waiting" and first.pushed is not None:
            return told + f"was pushed at {instant(first.pushed)} but not started"
        if first.state == "skipped":
            return told + "was skipped: the run before it still went on"
        return told + "did not run"

    @property
    def _share(self) -> str:
        return f"{self.ran} of {counted(self.due, 'due run')} began in time"

    @property
    def _next(self) -> str:
        if self.again is None:
            return ""
        return f" It ran again at {instant(self.again)}."


@dataclass(frozen=True, kw_only=True)
class ToldMissed(Finding):
    """A scheduler's own word that it missed runs of `schedule`, its first line in `words`."""

    term: ClassVar[str] = MissedRun.term
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = MissedRun.remedy

    schedule: str
    times: int
    words: str

    def sentence(self) -> str:
        again = "" if self.times == 1 else f", {often(self.times)} from then on"
        return (
            f"The scheduler says at {instant(self.began)} that it missed a run of "
            f"{self.schedule}{again}."
        )

    def clause(self) -> str:
        return f"the scheduler missed {counted(self.times, 'run')} of {self.schedule}"
