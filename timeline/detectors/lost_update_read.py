"""lost-update, where runs say what they found and what they left: both found the same number.

Beside `timeline.detectors.lost_update`, for writers that keep no versions and name none. Story: two
requests reserve one article within the same tenths of a second; both say that 120 are there, one
leaves 118 and the other 117, and two pieces are sold twice.

Predicate: `timeline.facts.crossed_writes`. Likely where runs that did not cross find what the one
before left, and the second reading came at least likely before the first write; possible where the
number is seen too seldom to know that, or the clocks leave the order open. Never certain: a log
says what a service meant to write.

False positives: figures that are no state (durations, sizes, attempts), fields that runs do not
hand on, runs that were refused or warned, one run after the other (all silent).

Reference: lost update (Berenson et al., 1995, P4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.lost_update import LostUpdate
from timeline.facts.crossed_writes import CrossedWrites, crossed_writes
from timeline.facts.words import abridged, counted, instant, length, listed, services, short
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, at_least, before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident

MAX_CASES_SHOWN = 3
ROLES = ("first reads", "second reads", "first writes", "second writes")


@dataclass(frozen=True, kw_only=True)
class LostUpdateRead(Finding):
    """Things of which two runs wrote one field from the same reading."""

    term: ClassVar[str] = "lost-update"
    remedy: ClassVar[str] = LostUpdate.remedy
    stage: ClassVar[Stage] = Stage.EFFECT

    actors: tuple[str, ...]
    field: str
    cases: tuple[CrossedWrites, ...]

    def sentence(self) -> str:
        case, more = self.cases[0], len(self.cases) - 1
        rest = f"; and {counted(more, 'more thing')} likewise" if more else ""
        return abridged(
            f"{counted(len(self.cases), 'update')} by {self._who} "
            f"{'was' if not more else 'were'} written over unseen: {short(case.first)} and "
            f"{short(case.second)} both found {self.field} {case.found} of {short(case.key)}, one "
            f"left {case.left[0]} at {instant(case.stamps[2])}, the other {case.left[1]} "
            f"{length(case.stamps[3] - case.stamps[2])} later{rest}."
        )

    def clause(self) -> str:
        names = listed([short(case.key) for case in self.cases], MAX_CASES_SHOWN)
        return f"{counted(len(self.cases), 'update')} of {names} by {self._who} lost"

    @property
    def _who(self) -> str:
        return services(self.actors)


def lost_by_reading(incident: Incident) -> list[Finding]:
    """One finding for each service, field and verdict."""
    groups: dict[tuple[tuple[str, ...], str, Verdict], list[CrossedWrites]] = {}
    for case in crossed_writes(incident):
        verdict = _verdict(incident, case)
        if verdict is not None:
            groups.setdefault((case.actors, case.field, verdict), []).append(case)
    return [_finding(incident, *of, cases) for of, cases in groups.items()]


def _verdict(incident: Incident, case: CrossedWrites) -> Verdict | None:
    """None where the clocks say that the second read after the first had written."""
    read, wrote = incident.snapshot.events_at([case.rows[1], case.rows[2]])
    order = before(read, wrote, incident.clocks).verdict
    if order is None:
        return None
    sure = case.carried and at_least(order, Verdict.LIKELY)
    return Verdict.LIKELY if sure else Verdict.POSSIBLE


def _finding(
    incident: Incident,
    actors: tuple[str, ...],
    field: str,
    verdict: Verdict,
    cases: Sequence[CrossedWrites],
) -> LostUpdateRead:
    first = cases[0]
    names = listed([short(case.key) for case in cases], MAX_CASES_SHOWN)
    link = "a log says what was meant to be written, not what the database kept"
    if verdict is Verdict.POSSIBLE:
        link = "whether the second read before the first wrote is open by the clocks"
        if not first.carried:
            link = f"that {field} is what runs hand on to each other is seen too seldom"
    keys = {key for case in cases for key in (case.key, case.first, case.second)}
    return LostUpdateRead(
        verdict=verdict,
        weakest_link=link,
        began=min(case.stamps[0] for case in cases),
        ended=max(case.stamps[3] for case in cases),
        steps=tuple(step for case in cases[:MAX_CASES_SHOWN] for step in _steps(incident, case)),
        keys=tuple(sorted(keys)),
        would_decide=(f"Compare {field} of {names} with what each of the two runs took.",),
        alternatives=("the second was put right by a write that says nothing",),
        next_action=f"Count {field} of {names} anew: one of two changes is missing from it.",
        actors=actors,
        field=field,
        cases=tuple(cases),
    )


def _steps(incident: Incident, case: CrossedWrites) -> list[Step]:
    told = (case.found, case.found, *case.left)
    events = incident.snapshot.events_at(list(case.rows))
    steps: list[Step] = []
    for event, role, value in zip(events, ROLES, told, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, f"{case.field} {value} of {short(case.key)}", order))
    return steps
