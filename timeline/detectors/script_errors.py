"""swallowed-error by a script: it met an error at one thing, and ended it like all the others.

Story: `pg_dump | gzip | aws s3 cp -` without `pipefail`. For some shops the dump fails before its
first row; the upload of twenty bytes succeeds, and the script says of each shop that it is done.

Predicate: a writer without levels works on things one after the other; between the first and the
last line about one of them stands an error, and its other lines are, in their form and order, those
of the things without an error. Likely from `SURE` such things on; that the error is the thing's is
read from its place, so never certain.

False positives: writers that work on several things at once, an error with which a thing ends, a
repetition or a word about it (its lines are then not the usual ones): all silent.

Reference: error masking; POSIX sh takes the exit status of a pipeline from its last command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.went_on import WentOn, went_on
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident

SURE = 2
MAX_CASES_SHOWN = 2


@dataclass(frozen=True, kw_only=True)
class WentOnRegardless(Finding):
    """Things that `caller` ended as usual although it had met an error at them, in time order."""

    term: ClassVar[str] = "swallowed-error"
    remedy: ClassVar[str] = (
        "Let a script stop at the first error (set -euo pipefail, or the exit status of each step) "
        "and check what was made before it is called done."
    )

    caller: str
    cases: tuple[WentOn, ...]
    error: str

    def sentence(self) -> str:
        names = listed([short(case.key) for case in self.cases], 3)
        return abridged(
            f"{self.caller} met an error at {counted(len(self.cases), 'thing')} and ended them as "
            f"it ended {self.cases[0].others} without one, from {instant(self.began)} to "
            f"{instant(self.ended)}: {names} (“{self.error}”)."
        )

    def clause(self) -> str:
        return f"{self.caller} went on after errors at {counted(len(self.cases), 'thing')}"


def went_on_regardless(incident: Incident) -> list[WentOnRegardless]:
    """One finding for each writer."""
    groups: dict[str, list[WentOn]] = {}
    for case in went_on(incident):
        groups.setdefault(case.actor, []).append(case)
    return [_finding(incident, actor, cases) for actor, cases in groups.items()]


def _finding(incident: Incident, actor: str, cases: Sequence[WentOn]) -> WentOnRegardless:
    error = incident.snapshot.event(cases[0].error_row)
    names = listed([short(case.key) for case in cases])
    link = "that the error is the thing's is read from its place between the lines about it"
    few = len(cases) < SURE
    return WentOnRegardless(
        verdict=Verdict.POSSIBLE if few else Verdict.LIKELY,
        weakest_link="it happened once; the error may be of something else" if few else link,
        began=cases[0].failed_at,
        ended=max(case.done_at for case in cases),
        steps=tuple(step for case in cases[:MAX_CASES_SHOWN] for step in _steps(incident, case)),
        keys=tuple(sorted({case.key for case in cases})),
        would_decide=(f"Look at what {actor} left behind for {names}.",),
        alternatives=(f"{actor} can do without what failed",),
        next_action=f"Do not trust that {actor} is done: check {names}.",
        caller=actor,
        cases=tuple(cases),
        error=error.body if len(error.body) <= 100 else f"{error.body[:99]}…",
    )


def _steps(incident: Incident, case: WentOn) -> list[Step]:
    told = (("began", "the work on it begins"), ("failed", "an error"), ("done", "ended as usual"))
    events = incident.snapshot.events_at([case.first_row, case.error_row, case.done_row])
    steps: list[Step] = []
    for event, (role, why) in zip(events, told, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, f"{short(case.key)}: {why}", order))
    return steps
