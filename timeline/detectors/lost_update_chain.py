"""lost-update, where each change is told with the value before and after it: two began at one.

Beside `timeline.detectors.lost_update`, for writers that log one line at the end and nothing of
what they read. Story: two reservations a few milliseconds apart say `on_hand 14 -> 11` and
`on_hand 14 -> 12`; the next one begins at 12, and three pieces are sold twice.

Predicate: `timeline.facts.forked_values`. Likely where a later line goes on from one of the two and
the logs were read without a gap between them; else possible. Never certain: a log says what was
meant to be written.

False positives: runs that were refused or warned, one run or host that says the same twice, both
leaving the same value, a value that was brought back in between, values that others change without
a word (all silent).

Reference: lost update (Berenson et al., 1995, P4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.lost_update import LostUpdate
from timeline.facts.forked_values import Fork, forked_values
from timeline.facts.sight import absence
from timeline.facts.words import abridged, counted, instant, length, listed, services, short
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_CASES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class LostUpdateChain(Finding):
    """Things of which two writers changed `column` from the same value. `cases` in time order."""

    term: ClassVar[str] = "lost-update"
    remedy: ClassVar[str] = LostUpdate.remedy
    stage: ClassVar[Stage] = Stage.EFFECT

    actors: tuple[str, ...]
    column: str
    cases: tuple[Fork, ...]

    def sentence(self) -> str:
        case, more = self.cases[0], len(self.cases) - 1
        rest = f"; and {counted(more, 'more time')} likewise" if more else ""
        return abridged(
            f"{counted(len(self.cases), 'update')} by {self._who} "
            f"{'was' if not more else 'were'} written over unseen: {short(case.subject)} went from "
            f"{case.column} {case.base} to {case.left[0]} at {instant(case.stamps[0])}"
            f"{_by(case.first)} and from {case.base} again to {case.left[1]} "
            f"{length(case.stamps[1] - case.stamps[0])} later{_by(case.second)}{rest}."
        )

    def clause(self) -> str:
        names = listed(list(dict.fromkeys(short(one.subject) for one in self.cases)))
        return f"{counted(len(self.cases), 'update')} of {names} by {self._who} lost"

    @property
    def _who(self) -> str:
        return services(self.actors)


def lost_by_chain(incident: Incident) -> list[Finding]:
    """One finding for each service, column and verdict."""
    groups: dict[tuple[tuple[str, ...], str, Verdict], list[tuple[Fork, str]]] = {}
    for case in forked_values(incident):
        verdict, link = _graded(incident, case)
        groups.setdefault((case.actors, case.column, verdict), []).append((case, link))
    return [_finding(incident, *of, cases) for of, cases in groups.items()]


def _graded(incident: Incident, case: Fork) -> tuple[Verdict, str]:
    between = absence(incident, case.sources, case.stamps[0], case.stamps[1])
    if between.reasons:
        return Verdict.POSSIBLE, f"a change between the two may be missing: {between.reasons[0]}"
    if not case.followed:
        return Verdict.POSSIBLE, "no later change shows which of the two values stayed"
    return Verdict.LIKELY, "a log says what was meant to be written, not what the database kept"


def _finding(
    incident: Incident,
    actors: tuple[str, ...],
    column: str,
    verdict: Verdict,
    told: Sequence[tuple[Fork, str]],
) -> LostUpdateChain:
    cases = tuple(case for case, _ in told)
    names = listed(list(dict.fromkeys(short(case.subject) for case in cases)))
    keys = {key for case in cases for key in (*case.keys, case.first, case.second) if key}
    return LostUpdateChain(
        verdict=verdict,
        weakest_link=told[0][1],
        began=min(case.stamps[0] for case in cases),
        ended=max(case.stamps[1] for case in cases),
        steps=tuple(step for case in cases[:MAX_CASES_SHOWN] for step in _steps(incident, case)),
        keys=tuple(sorted(keys)),
        would_decide=(f"Compare {column} of {names} with the sum of its changes.",),
        alternatives=("somebody who logs nothing brought the value back in between",),
        next_action=f"Reckon {column} of {names} anew: one of two changes is missing from it.",
        actors=actors,
        column=column,
        cases=cases,
    )


def _steps(incident: Incident, case: Fork) -> list[Step]:
    first, second = incident.snapshot.events_at(list(case.rows))
    of = f"{case.column} of {short(case.subject)}"
    order = before(first, second, incident.clocks)
    return [
        Step("first write", first, f"{of} from {case.base} to {case.left[0]}"),
        Step("second write", second, f"{of} from {case.base} again, to {case.left[1]}", order),
    ]


def _by(run: str) -> str:
    return f" ({short(run)})" if run else ""
