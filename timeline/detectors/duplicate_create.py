"""duplicate-create: the same thing was created twice, or a constraint stopped the second one.

Story: two requests both look whether the account exists, both see that it does not, and both create
it (check-then-act). Or a sign-up times out, the person tries again and is told that the address is
taken: the first attempt had worked.

Predicate, three forms. `two rows`: rows of one table, equal in all but id, times and state, created
within five seconds and not in one transaction. `written after all`: a unique violation about the
same thing as an earlier error that left its outcome open; it proves that the row of the first
attempt is there, and nothing about what else that attempt was to do. `stopped`: a unique violation
shortly after the row it ran into: the constraint held, which is health and only a qualifier.

Likely at most where nobody configured what identifies a row; possible where rows far apart are
equal as well, so often that two may stand close by chance.

False positives: rows of one transaction, tables whose rows repeat each other all the time, rows
that jobs wrote (their repetitions are told by the queue's own findings), violations at a routine
rate (all silent); an upsert that relies on the violation (a qualifier).

Reference: check-then-act race; PostgreSQL 23505, MySQL 1062, `ActiveRecord::RecordNotUnique`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.bursts import without_routine
from timeline.facts.roles import RUN_SLACK_NS
from timeline.facts.same_rows import MIN_ROWS, SameRows, same_rows
from timeline.facts.sight import heard
from timeline.facts.violations import MAX_PROOFS, UNIQUE, Proof, Rejection, proofs, rejections
from timeline.facts.words import capital, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

TWO_ROWS, WRITTEN, STOPPED = "two rows", "written after all", "stopped"
BY_CHANCE = 0.01
"""From this chance on equal neighbours are no surprise: a column with a hundred values, filled in
by many, is equal in two rows that have nothing to do with each other."""
STOPPED_WITHIN_NS = 60_000_000_000
"""A violation up to a minute after the row it ran into belongs to the same rush (D04)."""
MAX_STEPS = 6


@dataclass(frozen=True, slots=True)
class Created:
    """One thing that was created, or nearly created, twice. Instants in ns UTC.

    `rows` are the rows that are there (`row:table/pk`); `first` and `second` the two attempts.
    """

    key: str
    rows: tuple[str, ...]
    first: int
    second: int
    first_error: str
    verdict: Verdict
    because: str


@dataclass(frozen=True, kw_only=True)
class DuplicateCreate(Finding):
    """What was created twice in one table, or under one constraint, in one of the three forms.

    With `cut` there was more than is examined, and the earliest is told.
    """

    term: ClassVar[str] = "duplicate-create"
    remedy: ClassVar[str] = (
        "Let a unique constraint decide and write with an upsert; give each attempt an idempotency "
        "key, so that a second one is answered with the first one's result."
    )
    stage: ClassVar[Stage] = Stage.EFFECT

    form: str
    table: str
    constraint: str
    cases: tuple[Created, ...]
    cut: bool = False

    def sentence(self) -> str:
        first = self.cases[0]
        names = listed([short(case.key) or "one value" for case in self.cases])
        number = counted(len(self.cases), "row")
        if self.form == TWO_ROWS:
            rows = listed([row.removeprefix("row:") for row in first.rows])
            more = f" and {len(self.cases) - 1} more" if len(self.cases) > 1 else ""
            return (
                f"{number} of {self.table} {_was(self.cases)} created twice, "
                f"{length(first.second - first.first)} apart at {instant(first.first)}: "
                f"{rows}{more}."
            )
        if self.form == WRITTEN:
            return (
                f"{self._least}{counted(len(self.cases), 'attempt')} that ended in an error "
                f"({first.first_error.replace('_', ' ')} at {instant(first.first)}) had "
                f"written {self._rows} after all: a later one hit {self._constraint} at "
                f"{instant(first.second)} ({names})."
            )
        return (
            f"{capital(self._constraint)} stopped {counted(len(self.cases), 'duplicate')} from "
            f"{instant(self.began)} on: {names}."
        )

    def clause(self) -> str:
        if self.form == TWO_ROWS:
            rows = counted(len(self.cases), "row")
            return f"{rows} of {self.table} {_was(self.cases)} created twice"
        if self.form == WRITTEN:
            attempts = counted(len(self.cases), "failed attempt")
            return f"{attempts} had written {self._rows} after all"
        return f"a constraint stopped {counted(len(self.cases), 'duplicate')}"

    @property
    def _least(self) -> str:
        return "At least " if self.cut else ""

    @property
    def _rows(self) -> str:
        return "its row" if len(self.cases) == 1 else "their rows"

    @property
    def _constraint(self) -> str:
        return f"the constraint {self.constraint}" if self.constraint else "a unique constraint"


def _was(cases: Sequence[Created]) -> str:
    return "was" if len(cases) == 1 else "were"


class DuplicateCreateDetector:
    """Finds what was created twice; see the module."""

    term: ClassVar[str] = DuplicateCreate.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.DATABASE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "the rows of a database, or the log of who writes them")
        rejected = rejections(incident)
        settled = proofs(incident, rejected)
        rest = {proof.violation_row for proof in settled}
        others = [one for one in rejected if one.event_row not in rest]
        found = [
            *_two_rows(incident),
            *_written(incident, settled),
            *_stopped(incident, others),
        ]
        rank = list(Verdict).index
        return sorted(found, key=lambda one: (one.qualifier, rank(one.verdict), one.began))


def _two_rows(incident: Incident) -> list[DuplicateCreate]:
    """One finding per table."""
    groups: dict[tuple[str, Verdict], list[SameRows]] = {}
    for group in same_rows(incident):
        if not _by_jobs(incident, group):
            groups.setdefault((group.table, _grade(group)[0]), []).append(group)
    found = []
    for (table, verdict), mine in groups.items():
        cases = tuple(
            Created(g.keys[0], g.records, g.created[0], g.created[-1], "", *_grade(g)) for g in mine
        )
        told = [
            (row, "created", f"{record.removeprefix('row:')} says the same as the other")
            for group in mine
            for row, record in zip(group.event_rows, group.records, strict=True)
        ]
        names = listed([row.removeprefix("row:") for case in cases for row in case.rows])
        found.append(
            DuplicateCreate(
                verdict=verdict,
                weakest_link=cases[0].because,
                began=min(case.first for case in cases),
                ended=max(case.second for case in cases),
                steps=_steps(incident, told),
                keys=_keys(mine),
                would_decide=("Name the column that identifies such a row as its public id.",),
                alternatives=("the two are different things that look alike here",),
                next_action=f"Compare {names} and merge them before more work is done on both.",
                form=TWO_ROWS,
                table=table,
                constraint="",
                cases=cases,
            )
        )
    return found


def _keys(groups: Sequence[SameRows]) -> tuple[str, ...]:
    return tuple(sorted({key for group in groups for key in (*group.keys, *group.records)}))


def _by_jobs(incident: Incident, group: SameRows) -> bool:
    """Whether each row was written while a job about the same entity ran, as the queue or the
    job's own lines tell."""
    pairs = incident.records.references.filter(pl.col("record").is_in(list(group.records)))
    jobs = incident.jobs.entities.join(pairs.select("key").unique(), on="key").select(id="job")
    runs = incident.executions.frame.filter(pl.col("kind") == "job").join(jobs.unique(), on="id")
    spans = runs.drop_nulls("end").select("start", "end").rows()
    return bool(spans) and all(
        any(start - RUN_SLACK_NS <= created <= end + RUN_SLACK_NS for start, end in spans)
        for created in group.created
    )


def _grade(group: SameRows) -> tuple[Verdict, str]:
    if group.named:
        return Verdict.CERTAIN, "the configured public id of both rows is equal"
    if group.others < MIN_ROWS:
        few = counted(group.others, "other row")
        return Verdict.POSSIBLE, f"{few} of {group.table} cannot tell whether its rows repeat"
    if group.chance > BY_CHANCE:
        return Verdict.POSSIBLE, (
            f"rows of {group.table} created minutes apart say the same as well: in "
            f"{group.chance:.0%} of windows like this some do so close together by chance"
        )
    return (
        Verdict.LIKELY,
        f"equality is read from the columns that were carried; of {group.others} other rows "
        f"{group.alike} repeat one",
    )


def _written(incident: Incident, settled: Sequence[Proof]) -> list[DuplicateCreate]:
    """One finding per constraint and certainty."""
    groups: dict[tuple[str, Verdict], list[Proof]] = {}
    for proof in settled:
        groups.setdefault((proof.constraint, proof.verdict), []).append(proof)
    found = []
    for (constraint, verdict), mine in groups.items():
        cases = tuple(
            Created(
                proof.key,
                (proof.record,) if proof.record else (),
                proof.open_at,
                proof.violated_at,
                proof.open_error,
                proof.verdict,
                proof.because,
            )
            for proof in mine
        )
        told = [
            step
            for proof in mine
            for step in (
                (proof.open_row, "outcome open", "this error does not say whether it was done"),
                (proof.violation_row, "already there", f"so it was done: {proof.because}"),
            )
        ]
        named = [short(case.key) for case in cases if case.key]
        found.append(
            DuplicateCreate(
                verdict=verdict,
                weakest_link=cases[0].because,
                began=min(case.first for case in cases),
                ended=max(case.second for case in cases),
                steps=_steps(incident, told),
                keys=tuple(
                    sorted({key for case in cases for key in (case.key, *case.rows) if key})
                ),
                would_decide=("Read the creation stamp of the row that is there.",),
                alternatives=("somebody else had created it before the first attempt",),
                next_action=(
                    f"Take {listed(named) or 'it'} as created: continue after the insert instead "
                    "of trying again."
                ),
                cut=len(settled) >= MAX_PROOFS,
                form=WRITTEN,
                table=constraint.partition(".")[0] if "." in constraint else "",
                constraint=constraint,
                cases=cases,
            )
        )
    return found


def _stopped(incident: Incident, others: Sequence[Rejection]) -> list[DuplicateCreate]:
    """A qualifier per constraint for duplicates that were stopped right after the first row."""
    hits = incident.errors.filter(pl.col("error_class") == UNIQUE)
    unusual = set(without_routine(incident, hits).get_column("row").to_list())
    suspects = [one for one in others if one.constraint and one.event_row in unusual]
    records = incident.records.of_entities([key for one in suspects for key in one.keys])
    groups: dict[str, list[tuple[Rejection, Created]]] = {}
    for one in suspects:
        case = _ran_into(one, records)
        if case is not None:
            groups.setdefault(one.constraint, []).append((one, case))
    return [_held(incident, constraint, mine) for constraint, mine in groups.items()]


def _held(
    incident: Incident, constraint: str, pairs: Sequence[tuple[Rejection, Created]]
) -> DuplicateCreate:
    cases = tuple(case for _, case in pairs)
    told = [(one.event_row, "stopped", "the constraint kept the data good") for one, _ in pairs]
    return DuplicateCreate(
        verdict=weakest(case.verdict for case in cases),
        weakest_link=cases[0].because,
        began=min(case.first for case in cases),
        ended=max(case.second for case in cases),
        steps=_steps(incident, told),
        keys=tuple(sorted({key for case in cases for key in (case.key, *case.rows)})),
        qualifier=True,
        form=STOPPED,
        table="",
        constraint=constraint,
        cases=cases,
    )


def _ran_into(one: Rejection, records: Mapping[str, Record]) -> Created | None:
    """The row of the violated table that stands in the way, if it is hardly older."""
    for key, record in ((key, records[key]) for key in one.keys if key in records):
        inside = record.created is not None and 0 <= one.at - record.created <= STOPPED_WITHIN_NS
        if inside and record.table.rpartition(".")[2] in one.constraint:
            because = "the row it ran into was created shortly before"
            first = record.created or one.at
            return Created(key, (record.record,), first, one.at, "", Verdict.LIKELY, because)
    return None


def _steps(incident: Incident, told: Sequence[tuple[int, str, str]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    few = told[:MAX_STEPS]
    events = incident.snapshot.events_at([row for row, _, _ in few])
    for (_, role, why), event in zip(few, events, strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
