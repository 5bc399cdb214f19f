"""swallowed-error: a service failed at a piece of work, and the one that called it says success.

Story: the batch says that it finished. The work was really done in a second service, whose log is
full of errors; the first one never asked how it went, so a few in a hundred are missing and nobody
was told.

Predicate: under one request or trace id the callee's last word is an error, the caller began before
it, told of success after the error, and logged nothing at WARN or above: certain. A finished job
during which another service failed for the job's entity, without an id in common: likely at most.
What only a server or a proxy tells of a job that ended well: `timeline.detectors.unheard_failures`.
Where nothing failed but the transaction was rolled back: `timeline.detectors.rolled_back_jobs`.
What a database refused and a service says it created: `timeline.detectors.refused_as_created`.

False positives: errors after which the callee went on (a retry, a fallback), callers that logged a
warning, callers that had answered before the error came (fire and forget), an error of the caller
itself (all silent).

Reference: error masking; Yuan et al. (OSDI 2014): wrong handling of errors that were explicitly
signalled is behind most catastrophic failures; watt-mind/coach#416.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.polite_errors import TERM, PoliteError, polite
from timeline.detectors.refused_as_created import RefusedAsCreated, refused_as_created
from timeline.detectors.rolled_back_jobs import RolledBackJobs, rolled_back_jobs
from timeline.detectors.script_errors import WentOnRegardless, went_on_regardless
from timeline.detectors.unheard_failures import UnheardFailure, unheard
from timeline.event import Lane
from timeline.facts.outcomes import (
    MAX_CASES,
    Swallowed,
    errors_told,
    failed_work,
    swallowed_by_id,
    swallowed_by_jobs,
)
from timeline.facts.sight import heard
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 6
MAX_FINDINGS = 5


@dataclass(frozen=True, kw_only=True)
class SwallowedError(Finding):
    """What one caller called a success and one callee had failed at. `cases` in time order.

    `errors` counts the callee's lines at ERROR or above in the window, whoever called. With `cut`
    there were more than are examined, and the earliest are told.
    """

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Hand the callee's result back per item and let the caller fail or report it; compare what "
        "was asked for with what was done."
    )

    caller: str
    callee: str
    joined: str
    cases: tuple[Swallowed, ...]
    errors: int
    cut: bool = False

    def sentence(self) -> str:
        ids = listed([short(key) for key in self._harmed], 3)
        return abridged(
            f"Success was reported by {self.caller} for {self._number} that {self.callee} had "
            f"failed at, from {instant(self.began)} to {instant(self.ended)}: {ids}; nothing that "
            f"{self.caller} said tells of it."
        )

    def clause(self) -> str:
        return f"{self.caller} reported success for {self._number} that {self.callee} failed at"

    @property
    def _number(self) -> str:
        noun = "job" if self.joined != "id" else "request"
        told = counted(len(self.cases), noun)
        return f"at least {told}" if self.cut else told

    @property
    def _harmed(self) -> list[str]:
        """What a person would look up: the things concerned, else the ids of the work."""
        keys = [case.entities[0] if case.entities else case.key for case in self.cases]
        return list(dict.fromkeys(keys))


class SwallowedErrorDetector:
    """Finds callers that hide the errors of whom they call; see the module."""

    term: ClassVar[str] = SwallowedError.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "the logs of both services, or a queue and a log")
        errors = errors_told(incident)
        held = failed_work(incident, errors)
        cases = [*swallowed_by_id(incident, held), *swallowed_by_jobs(incident, errors)]
        groups: dict[tuple[str, str, str, Verdict], list[Swallowed]] = {}
        for case in cases:
            group = (case.caller, case.callee, case.joined, case.verdict)
            groups.setdefault(group, []).append(case)
        cut = len(cases) >= MAX_CASES
        told = errors.group_by("actor").len()
        numbers = dict(told.iter_rows())
        found: list[
            SwallowedError
            | PoliteError
            | UnheardFailure
            | WentOnRegardless
            | RolledBackJobs
            | RefusedAsCreated
        ] = [_finding(incident, mine, numbers, cut=cut) for mine in groups.values()]
        hidden = {case.error_row for case in cases}
        found += [
            one
            for one in polite(incident, held)
            if hidden.isdisjoint(case.error_row for case in one.cases)
        ]
        hidden |= {case.error_row for one in found for case in one.cases}
        found += unheard(incident, hidden)
        found += went_on_regardless(incident)
        found += rolled_back_jobs(incident)
        found += refused_as_created(incident)
        rank = list(Verdict).index
        found.sort(key=lambda one: (rank(one.verdict), -len(one.cases), one.began))
        return found[:MAX_FINDINGS]


def _finding(
    incident: Incident, cases: list[Swallowed], numbers: dict[str, int], *, cut: bool
) -> SwallowedError:
    cases = sorted(cases, key=lambda case: (case.failed_at, case.key))
    first = cases[0]
    keys = {key for case in cases for key in (case.key, *case.entities)}
    harmed = list(dict.fromkeys(case.entities[0] if case.entities else case.key for case in cases))
    names = listed([short(key) for key in harmed])
    return SwallowedError(
        verdict=weakest(case.verdict for case in cases),
        weakest_link=first.because,
        began=first.failed_at,
        ended=max(case.said_at for case in cases),
        steps=_steps(incident, cases),
        keys=tuple(sorted(keys)),
        would_decide=(f"Look up in {first.callee} what was done for {names}.",),
        alternatives=(
            f"{first.callee} recovered and logs nothing of that",
            f"{first.caller} can do without it and says so nowhere",
        ),
        next_action=f"Do not trust the success of {first.caller}: check {names} in {first.callee}.",
        caller=first.caller,
        callee=first.callee,
        joined=first.joined,
        cases=tuple(cases),
        errors=numbers.get(first.callee, 0),
        cut=cut,
    )


def _steps(incident: Incident, cases: Sequence[Swallowed]) -> tuple[Step, ...]:
    told: list[tuple[int, str, str]] = []
    for case in cases:
        name = short(case.key)
        if case.called_row is not None:
            told.append((case.called_row, "called", f"{case.caller} works on {name}"))
        told.append((case.error_row, "failed", f"the last word of {case.callee} on {name}"))
        told.append((case.said_row, "called it a success", f"{case.caller} hides the error"))
        if len(told) >= MAX_STEPS:
            break
    steps: list[Step] = []
    events = incident.snapshot.events_at([row for row, _, _ in told])
    for (_, role, why), event in zip(told, events, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
