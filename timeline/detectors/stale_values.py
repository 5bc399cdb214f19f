"""The other half of stale-read: somebody read a row, and found it as it had been before.

Story: the form was sent, the row says `submitted`, and two seconds later the job skips it because
it is "still draft": its copy was behind.

Predicate: a log line states for a thing the value that a column had before a change, after that
change; the line itself names a replica, or the lag that was measured then is at least as long as
the change was old. Likely at most, because a line tells what was read and never where; possible
where only the beginning of the write is on record, where the reader had begun before the change, or
where nothing but the existence of a replica speaks for it and several lines do the same.

False positives: the line that tells of the change (it has both values), readers that began before,
values that are words of everyday (believed only beside their column or a word like "still"), a line
that tells the past on purpose (one line without a replica or a lag is silent).

Reference: monotonic reads and read-your-writes (Terry et al., "Session Guarantees", 1994).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from timeline.event import Event, Meaning
from timeline.facts.told_values import stated_late
from timeline.facts.visibility import REPLICA_WORDS
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.facts.replicas import LagSample
    from timeline.incident import Incident

TERM = "stale-read"
REMEDY = (
    "Let who needs what was just written read from the primary, or hand the write position on "
    "and wait until the replica has reached it."
)
MAX_CASES = 300
"""Lines that are judged one by one, the earliest."""
SEVERAL = 3
"""Lines that must say the same of different things where no lag and no replica's name is told."""
MAX_STEPS = 6
RACE = "the change was committed only after it had been read"
ELSEWHERE = "a cache answered, or an object that had been loaded before"


@dataclass(frozen=True, slots=True)
class OldValue:
    """One line that gave `key` the value it had before its change; instants and lengths in ns."""

    key: str
    changed_at: int
    said_at: int
    lag: int | None
    change_row: int
    line_row: int
    verdict: Verdict
    because: str


@dataclass(frozen=True, kw_only=True)
class StaleValue(Finding):
    """Lines of one speaker that state an old value of one column. `replica` says why a replica is
    thought to have answered. `cases` in time order."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = REMEDY

    reader: str
    table: str
    column: str
    old: str
    new: str
    replica: str
    cases: tuple[OldValue, ...]

    def sentence(self) -> str:
        first = self.cases[0]
        names = listed([short(case.key) for case in self.cases], 3)
        at, gap = instant(first.said_at), length(first.said_at - first.changed_at)
        rows = counted(len(self.cases), "row")
        return abridged(
            f"{self.reader} read {rows} of {self.table} as {self.column}={self.old} that had "
            f"become {self.new}: {names} (first at {at}, {gap} after the change); {self.replica}."
        )

    def clause(self) -> str:
        return f"{self.reader} read {counted(len(self.cases), 'row')} of {self.table} as before"


def stale_values(incident: Incident) -> list[StaleValue]:
    """Findings over all lines that state an old value, strongest first."""
    told = stated_late(incident).head(MAX_CASES)
    if told.is_empty():
        return []
    began = _beginnings(incident, told.get_column("row"))
    groups: dict[tuple[str, ...], list[tuple[OldValue, str]]] = {}
    for line in told.iter_rows(named=True):
        judged = _judged(incident, line, began)
        if judged is not None:
            names = ("actor", "table", "column", "old", "new")
            key = (*(str(line[name] or "") for name in names), judged[0].verdict)
            groups.setdefault(key, []).append(judged)
    found = list(_findings(incident, groups))
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), -len(one.cases), one.began))
    return found


def _beginnings(incident: Incident, rows: pl.Series) -> dict[int, int]:
    """When the request or job began in which each line was written, ns."""
    pairs = incident.executions.of_rows(rows)
    held = pairs.join(incident.executions.frame.select("execution", "start"), on="execution")
    return dict(held.group_by("row").agg(pl.col("start").min()).iter_rows())


def _judged(
    incident: Incident, line: dict[str, Any], began: dict[int, int]
) -> tuple[OldValue, str] | None:
    """The case and why a replica is thought to have answered; None where nothing says so."""
    change, said = incident.snapshot.events_at([line["changed"], line["row"]])
    change = _as_known(change, line["committed"])
    changed_at = change.timestamp
    order = before(change, said, incident.clocks)
    if order.verdict is None:
        return None
    gap = said.timestamp - changed_at
    sample = incident.replicas.lag_at(said.timestamp)
    named = re.search(REPLICA_WORDS, said.body) is not None
    behind = sample is not None and sample.lag >= gap
    replica = _replica(incident, sample, named=named, behind=behind)
    if not replica or (not named and not behind and (sample or not line["by_name"])):
        return None
    if not named and began.get(line["row"], changed_at) < changed_at:
        return None
    grades = [
        (True, Verdict.LIKELY, "a line tells what was read, not where"),
        (
            line["committed"] is None and not (named and behind),
            Verdict.POSSIBLE,
            "when the change was committed is not on record",
        ),
        (order.verdict is Verdict.POSSIBLE, Verdict.POSSIBLE, order.because),
        (
            began.get(line["row"], changed_at) < changed_at,
            Verdict.POSSIBLE,
            "the reader had begun before the change",
        ),
        (not named and not behind, Verdict.POSSIBLE, "that a replica answered is not on record"),
    ]
    grade = weakest(verdict for holds, verdict, _ in grades if holds)
    because = next(words for holds, verdict, words in grades if holds and verdict is grade)
    case = OldValue(
        key=line["key"],
        changed_at=changed_at,
        said_at=said.timestamp,
        lag=sample.lag if sample else None,
        change_row=line["changed"],
        line_row=line["row"],
        verdict=grade,
        because=because,
    )
    return case, replica


def _as_known(change: Event, committed: int | None) -> Event:
    """The change at its commit, or, where that is not on record, when it was written."""
    if committed is None:
        return replace(change, meaning=Meaning.OCCURRED)
    return replace(change, timestamp=committed, meaning=Meaning.COMMITTED)


def _replica(incident: Incident, sample: LagSample | None, *, named: bool, behind: bool) -> str:
    late = f"a replica was {length(sample.lag)} behind" if sample is not None and behind else ""
    if named:
        return f"it says that it read from a replica{f', and {late}' if late else ''}"
    return late or incident.replicas.exists


def _findings(
    incident: Incident, groups: dict[tuple[str, ...], list[tuple[OldValue, str]]]
) -> Iterator[StaleValue]:
    for (actor, table, column, old, new, _), judged in groups.items():
        cases = [case for case, _ in judged]
        replica, things = judged[0][1], {case.key for case in cases}
        if replica == incident.replicas.exists and len(things) < SEVERAL:
            continue
        first = cases[0]
        names = listed([short(case.key) for case in cases])
        yield StaleValue(
            verdict=first.verdict,
            weakest_link=first.because,
            began=first.changed_at,
            ended=max(case.said_at for case in cases),
            steps=_steps(incident, cases, column),
            keys=tuple(sorted(things)),
            would_decide=(f"Look which endpoint {actor or 'the reader'} reads {table} from.",),
            alternatives=(RACE, ELSEWHERE),
            next_action=f"Do again what was decided on {names}: {table} said {column}={new}.",
            reader=actor or "a reader",
            table=table,
            column=column,
            old=old,
            new=new,
            replica=replica,
            cases=tuple(cases),
        )


def _steps(incident: Incident, cases: Sequence[OldValue], column: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for case in cases[: MAX_STEPS // 2]:
        change, said = incident.snapshot.events_at([case.change_row, case.line_row])
        steps.append(Step("change", change, f"{short(case.key)} changes its {column}"))
        order = before(change, said, incident.clocks)
        steps.append(Step("read", said, f"{short(case.key)} is told as it was", order))
    return tuple(steps)
