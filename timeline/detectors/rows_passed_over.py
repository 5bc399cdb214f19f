"""orphaned-record: rows that became visible behind the position of who reads their table.

Story: a relay asks every second for outbox rows with a number above the last one it had. A slow
transaction drew its number early and commits five seconds later; the position has gone past it,
and its message is never sent.

Predicate: one speaker names nearly all rows of a table by their keys; rows with a number that it
never named were committed after it had named a higher one, and hardly any row that was committed
so late was named. Likely, since the rule is learnt; possible where its log was not read in full.

False positives: readers that look back (they name late rows after all), rows that were committed
just now, numbers without commits (all silent).

Reference: gaps of sequences seen by pollers; "transactional outbox", PostgreSQL's `pg_snapshot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.passed_over import PassedOver, passed_over
from timeline.facts.sight import absence, read_until
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class RowsPassedOver(Finding):
    """Rows of one table that its reader left behind, by their commits."""

    term: ClassVar[str] = "orphaned-record"
    remedy: ClassVar[str] = (
        "Let the reader mark what it took, or read only below the oldest running transaction "
        "(pg_snapshot_xmin): a number is no order of commits."
    )
    stage: ClassVar[Stage] = Stage.EFFECT

    told: PassedOver

    def sentence(self) -> str:
        _, _, commit, passed, _, _ = self.told.rows[0]
        names = listed([short(row[0]) for row in self.told.rows], 3)
        return abridged(
            f"{counted(len(self.told.rows), 'row')} of {self.told.table} {self._were} never taken "
            f"by {self.told.reader}, which took {self.told.named} others: {names}; the first was "
            f"committed at {instant(commit)}, {length(commit - passed)} after a higher number had "
            "been taken."
        )

    def clause(self) -> str:
        number = counted(len(self.told.rows), "row")
        return f"{self.told.reader} left {number} of {self.told.table} behind its position"

    @property
    def _were(self) -> str:
        return "was" if len(self.told.rows) == 1 else "were"


def rows_passed_over(incident: Incident) -> list[Finding]:
    """One finding for each table and reader."""
    return [_finding(incident, told) for told in passed_over(incident)]


def _finding(incident: Incident, told: PassedOver) -> RowsPassedOver:
    began = min(passed for _, _, _, passed, _, _ in told.rows)
    silent = absence(incident, [told.source], began, read_until(incident))
    names = listed([short(row[0]) for row in told.rows])
    return RowsPassedOver(
        verdict=weakest((silent.verdict, Verdict.LIKELY)),
        weakest_link=(
            silent.reasons[0] if silent.reasons else "the rule is learnt from the other rows"
        ),
        began=began,
        ended=max(commit for _, _, commit, _, _, _ in told.rows),
        steps=tuple(step for row in told.rows[:MAX_STEPS] for step in _steps(incident, *row[4:])),
        keys=tuple(sorted({name for row in told.rows for name in row[:2]})),
        would_decide=(f"Look whether {told.reader} asks for numbers above its last one.",),
        alternatives=(f"{told.reader} takes them in a way that it does not log",),
        next_action=f"Send {names} of {told.table} by hand; {told.reader} will not come back.",
        told=told,
    )


def _steps(incident: Incident, row: int, by: int) -> list[Step]:
    written, taken = incident.snapshot.events_at([row, by])
    return [
        Step("written", written, "its number is drawn"),
        Step("passed", taken, "a higher number is taken", before(written, taken, incident.clocks)),
    ]
