"""swallowed-error by a worker: somebody failed at its job and says so elsewhere; the job is done.

Story: a bare rescue around the last statement. The worker says nothing; the database server wrote
the refusal down with the job's id in the query's comment, or the proxy beside the worker has a 503
for the very call, or the search server warns about one document. The queue is green.

Or the one who is called refuses and says so under the id of the call, which the worker wrote beside
its job or its record as it sent it, and answers in some way that nobody looks at.

Predicate: at least two runs that ended well, in each of which one and the same teller's last word
was a failure, joined by the job's id, by the request that pushed it, or by the thing during the
run. Likely where rows tell: nearly all others of the class left a row that these have not. Possible
where no rows can tell, or where the worker's own lines were not read in full. A refusal under the
id of a call is told only where rows tell: its answer is a line of the callee, too.

False positives: a call that was repeated with success, a worker that said a word of trouble, work
that the rows show as done, the edge's refusal of the request that pushed the job (all silent).

Reference: error masking; the same as `timeline.detectors.swallowed_error`, seen from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.polite_errors import TERM
from timeline.facts.failed_calls import LEAST_CALLS, FailedCall, contrast_of, failed_calls
from timeline.facts.polite_errors import Contrast
from timeline.facts.refused_calls import BY_CALL, left_by_others, refused_calls
from timeline.facts.sight import absence
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 6
JOINED = {
    BY_CALL: "the failure is told under the id of a call that the job sent",
    "job": "the failure names the job itself",
    "request": "the failure is told under the request that pushed the job",
    "thing": "that the job caused the failure is read from the thing and the time",
}


@dataclass(frozen=True, kw_only=True)
class UnheardFailure(Finding):
    """Jobs that ended well although `callee` had failed at them; `contrast` is what rows tell of
    it, or None where they do not. `cases` in time order."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Let the worker look at the status and the body of every answer, and raise what it cannot "
        "handle: a job that did nothing must not end well."
    )

    caller: str
    callee: str
    cases: tuple[FailedCall, ...]
    contrast: Contrast | None

    def sentence(self) -> str:
        names = listed([short(key) for key in _harmed(self.cases)], 3)
        told = (
            f"{counted(len(self.cases), 'job')} of {self.caller} ended as done after {self.callee} "
            f"had failed at them, from {instant(self.began)} to {instant(self.ended)}: {names}; no "
            "line of the worker tells of it"
        )
        if self.contrast is not None:
            told += f"; {self.contrast.words}"
        return f"{abridged(told)}."

    def clause(self) -> str:
        return f"{counted(len(self.cases), 'job')} ended as done that {self.callee} had failed at"


def unheard(incident: Incident, known: Iterable[int]) -> Iterator[UnheardFailure]:
    """One finding for each caller and callee; none where rows show the work done.

    `known` are the event rows of failures that were told already.
    """
    told_rows = frozenset(known)
    found = failed_calls(incident, told_rows)
    told_rows |= {call.error_row for call in found}
    for (caller, callee), calls in _grouped(found).items():
        if len(calls) < LEAST_CALLS:
            continue
        told = contrast_of(incident, calls)
        if told is not None and not told.missing:
            continue
        yield _finding(incident, caller, callee, calls, told)
    for (caller, callee), calls in _grouped(refused_calls(incident, told_rows)).items():
        told = left_by_others(incident, calls)
        if told is not None and told.missing:  # only the rows tell that nobody made up for it
            yield _finding(incident, caller, callee, calls, told)


def _grouped(found: Iterable[FailedCall]) -> dict[tuple[str, str], list[FailedCall]]:
    """By caller and callee, in time order."""
    groups: dict[tuple[str, str], list[FailedCall]] = {}
    for call in found:
        groups.setdefault((call.caller, call.callee), []).append(call)
    return groups


def _finding(
    incident: Incident,
    caller: str,
    callee: str,
    calls: Sequence[FailedCall],
    told: Contrast | None,
) -> UnheardFailure:
    names = listed([short(key) for key in _harmed(calls)])
    joined = JOINED[next(kind for kind in reversed(JOINED) if any(c.joined == kind for c in calls))]
    if told is None:
        verdict, link = Verdict.POSSIBLE, f"{joined}; whether the work was done is not visible"
    else:
        verdict = Verdict.LIKELY
        link = f"{joined}; that nothing was done is read from {told.table}"
    sources = {source for call in calls for source in call.sources}
    silent = absence(incident, sorted(sources), calls[0].failed_at, calls[-1].said_at)
    if silent.reasons:
        verdict = Verdict.POSSIBLE
        link = f"the worker may have told of it unseen: {silent.reasons[0]}"
    keys = {key for call in calls for key in (call.job, *call.things)}
    return UnheardFailure(
        verdict=verdict,
        weakest_link=link,
        began=calls[0].failed_at,
        ended=max(call.said_at for call in calls),
        steps=_steps(incident, calls),
        keys=tuple(sorted(keys)),
        would_decide=(f"Look up what became of {names} where {callee} keeps it.",),
        alternatives=(f"{caller} can do without what {callee} failed at",),
        next_action=f"Do not trust that {caller} is done: check {names}.",
        caller=caller,
        callee=callee,
        cases=tuple(calls),
        contrast=told,
    )


def _harmed(calls: Sequence[FailedCall]) -> list[str]:
    keys = [call.things[0] if call.things else call.job for call in calls]
    return list(dict.fromkeys(keys))


def _steps(incident: Incident, calls: Sequence[FailedCall]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for call in calls[: MAX_STEPS // 2]:
        failed, said = incident.snapshot.events_at([call.error_row, call.said_row])
        name = short(call.job)
        steps.append(Step("failed", failed, f"{call.callee} fails at {name}"))
        order = before(failed, said, incident.clocks)
        steps.append(Step("called it a success", said, f"{name} is done all the same", order))
    return tuple(steps)
