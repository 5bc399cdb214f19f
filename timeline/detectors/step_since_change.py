"""The third part of change-before: a curve that left its level right after a change.

Story: somebody turns a cache off, or drops an index. Nothing fails; a page takes seconds instead of
milliseconds from that minute on, and no log line says so.

Predicate: a configured curve stood at one level in all that was read before a change (or a
statement in the database's own log that changes the schema), and from within a minute and a half of
it at three times that level or a third of it, for as long as was read. The change names the service
that was measured, or no service at all. Possible: what coincides may be chance.

False positives: counters that grow, curves that crossed that level before, slow climbs (no step);
pauses of a queue and commits (silent); nights full of changes (the base rate).

Reference: Google SRE Workbook, results of postmortem analysis (configuration push 31 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.change_findings import TERM, Base, base_of, short_body
from timeline.detectors.new_since_change import RARE, SHOWN, unaimed
from timeline.facts.changes_seen import Change, What, is_about
from timeline.facts.level_steps import LevelStep, level_steps
from timeline.facts.rates import about
from timeline.facts.schema_statements import schema_changes
from timeline.facts.words import capital, counted, instant
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_CHANGES = 20
"""Where more were made, one more stands near everything."""


@dataclass(frozen=True, kw_only=True)
class StepSinceChange(Finding):
    """A curve that left its level `gap` ns after a change; `further` others left theirs as well."""

    term: ClassVar[str] = TERM
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Watch the curves of a service for some minutes after each change, and take back first "
        "what can be taken back."
    )

    what: str
    body: str
    who: str
    series: str
    level: float
    now: float
    further: int
    onset: int
    gap: int
    base: Base

    def sentence(self) -> str:
        further = counted(self.further, "further curve")
        more = f", and so did {further}" if self.further else ""
        return (
            f"{capital(about(self.gap))} after a {self.what} “{short_body(self.body, SHOWN)}” "
            f"{short_body(self.series, SHOWN)} left its level, from about {self.level:.3g} to "
            f"{self.now:.3g} since {instant(self.onset)}{more}."
        )

    def clause(self) -> str:
        return (
            f"{short_body(self.series, SHOWN)} left its level {about(self.gap)} after a {self.what}"
        )


def step_since_change(incident: Incident, changes: Sequence[Change]) -> list[StepSinceChange]:
    """At most one finding: the change after which most curves left their level."""
    if incident.points.is_empty():
        return []
    schema = schema_changes(incident)
    told = sorted({*changes, *schema}, key=lambda one: (one.timestamp, one.row))
    if not told or len(told) > MOST_CHANGES:
        return []
    free = {one.row for one in (*unaimed(incident, changes), *schema)}
    found = []
    for change in told:
        if change.failed or change.what in (What.COMMIT, What.PAUSE):
            continue
        steps = [
            step
            for step in level_steps(incident, change.timestamp)
            if change.row in free or is_about(change, [step.actor])
        ]
        finding = _finding(incident, change, steps, told) if steps else None
        found += [finding] if finding is not None else []
    return sorted(found, key=lambda one: (-one.further, one.gap, one.began))[:1]


def _finding(
    incident: Incident, change: Change, steps: Sequence[LevelStep], changes: Sequence[Change]
) -> StepSinceChange | None:
    first = steps[0]
    base = base_of(incident, changes, first.since - change.timestamp)
    made, point = incident.snapshot.events_at([change.row, first.row])
    order = before(made, point, incident.clocks)
    if base.share > RARE or order.verdict is None:
        return None
    whom = f" Ask {change.who}." if change.who else ""
    return StepSinceChange(
        verdict=Verdict.POSSIBLE,
        weakest_link=f"a curve does not say why; it is {base.words()}",
        began=change.timestamp,
        ended=first.last,
        steps=(
            Step("change", made, f"the {change.what.value}"),
            Step("new level", point, "the first point away from all before", order),
        ),
        would_decide=("Take the change back for a moment, and see whether the curve follows.",),
        alternatives=("the change is innocent and something else happened after it",),
        next_action=f"Find out whether the {change.what.value} can be taken back.{whom}",
        what=change.what.value,
        body=change.body,
        who=change.who,
        series=first.series,
        level=first.before,
        now=first.after,
        further=len(steps) - 1,
        onset=first.since,
        gap=max(first.since - change.timestamp, 0),
        base=base,
    )
