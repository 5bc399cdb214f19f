"""swallowed-error of an insert: the database refused it as already there, the service says created.

Story: an import catches whatever the database says and goes on. Some names are taken; their members
are reported as imported like all others, and what the import brought for them is gone.

Predicate: at least two values that a database refused for a unique constraint, each reported as
created within seconds by the one line that names it; the rows tell as well, as many successes left
none as were refused (`timeline.facts.refused_and_created`). Possible only: to a caller it may be
all one who created it.

False positives: a refusal that is passed on (409), that the service itself warns of, or where two
wanted the same value at once and one has it; tables that were not read in full (all silent).

Reference: error masking, as for `timeline.detectors.swallowed_error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.polite_errors import TERM
from timeline.facts.refused_and_created import LEAST, Balance, Refusal, reported_as_created
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 6


@dataclass(frozen=True, kw_only=True)
class RefusedAsCreated(Finding):
    """What `caller` says it created and `server` had refused; `cases` in time order. `balance` is
    what the rows tell of all it says it created."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Catch the one error that is expected, look at what the insert did, and report what was "
        "there already as such."
    )

    caller: str
    server: str
    cases: tuple[Refusal, ...]
    balance: Balance

    def sentence(self) -> str:
        number, told = counted(len(self.cases), "thing"), self.balance
        return abridged(
            f"{self.caller} says that it created {number} that {self.server} had refused as there "
            f"already, from {instant(self.began)} to {instant(self.ended)}; of {told.said} that it "
            f"says it created {counted(told.rows, 'row')} of {told.table} are there."
        )

    def clause(self) -> str:
        return (
            f"{self.caller} says it created {counted(len(self.cases), 'thing')} that {self.server} "
            "had refused"
        )


def refused_as_created(incident: Incident) -> list[RefusedAsCreated]:
    """One finding for each caller and table."""
    return [
        _finding(incident, cases, balance)
        for balance, cases in reported_as_created(incident)
        if len(cases) >= LEAST
    ]


def _finding(incident: Incident, cases: Sequence[Refusal], balance: Balance) -> RefusedAsCreated:
    rows = pl.Series([case.said_row for case in cases], dtype=pl.UInt32)
    keys = incident.snapshot.keys_of(rows).get_column("key").unique().sort().to_list()
    first = cases[0]
    names = listed([short(key) for key in keys]) or f"the rows of {first.table}"
    return RefusedAsCreated(
        verdict=Verdict.POSSIBLE,
        weakest_link="which refusal belongs to which success is read from the value of a column",
        began=first.refused_at,
        ended=max(case.said_at for case in cases),
        steps=_steps(incident, cases),
        keys=tuple(keys),
        would_decide=(f"Compare what {first.caller} was given with the rows of {first.table}.",),
        alternatives=(f"to {first.caller} it is all one who created it",),
        next_action=f"Compare {names} with what {first.caller} was given for them.",
        caller=first.caller,
        server=first.server,
        cases=tuple(cases),
        balance=balance,
    )


def _steps(incident: Incident, cases: Sequence[Refusal]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for case in cases[: MAX_STEPS // 2]:
        refused, said = incident.snapshot.events_at([case.error_row, case.said_row])
        steps.append(Step("refused", refused, f"{case.server} has it already"))
        order = before(refused, said, incident.clocks)
        steps.append(Step("called it a success", said, f"{case.caller} says created", order))
    return tuple(steps)
