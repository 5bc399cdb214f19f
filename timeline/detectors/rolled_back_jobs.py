"""swallowed-error without an error: the job's transaction was rolled back, and the job is done.

Story: `save` says false because the record is not valid, and nobody looks at what it returns. The
framework rolls back, notes so in a debug line, and the job goes on to its end.

Predicate: at least two runs that ended well and in which the last word on a transaction is a
rollback (`timeline.facts.rolled_back_runs`). Likely where rows tell: nearly all others of the class
left a row that these have not. Possible where no rows can tell and nearly all others committed.

False positives: libraries that roll back after every reading (the others do as well, and the rows
are there), a rollback that was tried again with success, savepoints, runs that told of any trouble
(all silent).

Reference: error masking, as for `timeline.detectors.swallowed_error`, where nothing was raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.polite_errors import TERM
from timeline.facts.failed_calls import LEAST_CALLS, FailedCall
from timeline.facts.polite_errors import Contrast
from timeline.facts.rolled_back_runs import contrast_with, others_commit, rolled_back_runs
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 6


@dataclass(frozen=True, kw_only=True)
class RolledBackJobs(Finding):
    """Jobs of `caller` that ended well after a rollback; `contrast` is what rows tell of it, or
    None where they do not. `cases` in time order."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Use the form that raises (save!, orFail, a checked result) inside a job, so that what was "
        "not written ends as a failure."
    )

    caller: str
    cases: tuple[FailedCall, ...]
    contrast: Contrast | None

    def sentence(self) -> str:
        names = listed(_harmed(self.cases), 3)
        told = (
            f"{counted(len(self.cases), 'job')} of {self.caller} ended as done after their last "
            f"transaction was rolled back, from {instant(self.began)} to {instant(self.ended)}: "
            f"{names}"
        )
        if self.contrast is not None:
            told += f"; {self.contrast.words}"
        return f"{abridged(told)}."

    def clause(self) -> str:
        return f"{counted(len(self.cases), 'job')} of {self.caller} rolled back and ended as done"


def rolled_back_jobs(incident: Incident) -> list[RolledBackJobs]:
    """One finding for each class; none where rows show the work done."""
    groups: dict[str, list[FailedCall]] = {}
    for call in rolled_back_runs(incident):
        groups.setdefault(call.caller, []).append(call)
    found = []
    for caller, calls in groups.items():
        if len(calls) < LEAST_CALLS:
            continue
        told = contrast_with(incident, calls)
        if told.missing if told is not None else others_commit(incident, calls):
            found.append(_finding(incident, caller, calls, told))
    return found


def _finding(
    incident: Incident, caller: str, calls: Sequence[FailedCall], told: Contrast | None
) -> RolledBackJobs:
    names = listed(_harmed(calls))
    verdict, link = Verdict.POSSIBLE, "whether the work was done in another way is not visible"
    if told is not None:
        verdict, link = Verdict.LIKELY, f"that nothing was done is read from {told.table}"
    return RolledBackJobs(
        verdict=verdict,
        weakest_link=link,
        began=calls[0].failed_at,
        ended=max(call.said_at for call in calls),
        steps=_steps(incident, calls),
        keys=tuple(sorted({key for call in calls for key in (call.job, *call.things)})),
        would_decide=(f"Look up what became of {names}, and why it was not written.",),
        alternatives=("the job means to write nothing for these, and rolls back to do so",),
        next_action=f"Do not trust that {caller} is done: check {names}.",
        caller=caller,
        cases=tuple(calls),
        contrast=told,
    )


def _harmed(calls: Sequence[FailedCall]) -> list[str]:
    keys = [call.things[0] if call.things else call.job for call in calls]
    return [short(key) for key in dict.fromkeys(keys)]


def _steps(incident: Incident, calls: Sequence[FailedCall]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for call in calls[: MAX_STEPS // 2]:
        back, said = incident.snapshot.events_at([call.error_row, call.said_row])
        steps.append(Step("rolled back", back, f"what {short(call.job)} wrote is gone"))
        order = before(back, said, incident.clocks)
        steps.append(Step("called it a success", said, "it is done all the same", order))
    return tuple(steps)
