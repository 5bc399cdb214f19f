"""lost-update, as the database's own log of statements tells it: read, read, write, write.

Beside `timeline.detectors.lost_update`. Story: two sessions select one account, both add to what
they had read, and both write the sum as a parameter; the server notes every statement.

Predicate: `timeline.facts.told_statements`: two sessions read one row, the first wrote a column of
it to a number, the second wrote another one afterwards without having read it again, and neither
rolled back. Likely: the order is the server's own; that the sum came from the reading is not told.

False positives: reads with a lock, conditions that name a version, `SET n = n + 1`, a second look
before the write, stamps, states and equal values, transactions that were rolled back (all silent).

Reference: PostgreSQL 16 documentation, 13.2.1 (Read Committed); Berenson et al., 1995, P4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.lost_update import LostUpdate
from timeline.facts.told_statements import UnseenWrite, unseen_writes
from timeline.facts.words import counted, instant, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident

MAX_CASES_SHOWN = 3
ROLES = ("second reads", "first writes", "second writes")


@dataclass(frozen=True, kw_only=True)
class LostUpdateStatements(Finding):
    """Rows of one table of which one session wrote over what another had written meanwhile."""

    term: ClassVar[str] = "lost-update"
    remedy: ClassVar[str] = LostUpdate.remedy
    stage: ClassVar[Stage] = Stage.EFFECT

    table: str
    column: str
    cases: tuple[UnseenWrite, ...]

    def sentence(self) -> str:
        case, more = self.cases[0], len(self.cases) - 1
        rest = f"; and {counted(more, 'more row')} likewise" if more else ""
        return (
            f"{counted(len(self.cases), 'update')} of {self.table}.{self.column} "
            f"{'was' if not more else 'were'} written over unseen: session {case.second} had read "
            f"row {case.pk} at {instant(case.read_at)}, session {case.first} then wrote it, and "
            f"{case.second} wrote it at {instant(case.second_at)} without another look{rest}."
        )

    def clause(self) -> str:
        names = listed([case.pk for case in self.cases], MAX_CASES_SHOWN)
        return f"{counted(len(self.cases), 'update')} of {self.table} {names} written over"


def lost_by_statements(incident: Incident) -> list[Finding]:
    """One finding for each table and column."""
    groups: dict[tuple[str, str], list[UnseenWrite]] = {}
    for case in unseen_writes(incident):
        groups.setdefault((case.table, case.column), []).append(case)
    return [_finding(incident, *of, cases) for of, cases in groups.items()]


def _finding(
    incident: Incident, table: str, column: str, cases: Sequence[UnseenWrite]
) -> LostUpdateStatements:
    names = listed([case.pk for case in cases], MAX_CASES_SHOWN)
    keys = {key for case in cases for key in incident.key_rules.row_keys(table, case.pk)}
    return LostUpdateStatements(
        verdict=Verdict.LIKELY,
        weakest_link="that the written value was made from what had been read is not told",
        began=min(case.read_at for case in cases),
        ended=max(case.second_at for case in cases),
        steps=tuple(step for case in cases[:MAX_CASES_SHOWN] for step in _steps(incident, case)),
        keys=tuple(sorted(keys)),
        would_decide=(f"Look whether the code sets {column} from what it had selected.",),
        alternatives=("the second session meant to set it, whatever it was",),
        next_action=f"Work out {column} of {table} {names} anew from what was booked.",
        table=table,
        column=column,
        cases=tuple(cases),
    )


def _steps(incident: Incident, case: UnseenWrite) -> list[Step]:
    events = incident.snapshot.events_at([case.read_row, case.first_row, case.second_row])
    who = (case.second, case.first, case.second)
    steps: list[Step] = []
    for event, role, session in zip(events, ROLES, who, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, f"session {session}, row {case.pk}", order))
    return steps
