"""lost-update: two writers read one row, both wrote it, and one of the two updates is gone.

Story: two requests load the same order. One approves it and saves; the other changes the plan and
saves the whole row as it had read it, so the order is pending again and nobody is told.

Where writers say which version they started from, or each change with the value before and after
it, their logs tell it as well (`timeline.detectors.lost_update_told`, `…lost_update_chain`).

Predicate: two recorded updates of one column of one row, by different writers, within a minute of
each other: both found the same old value (`same base`: the second had not seen the first), or the
second put the old value back while it changed something else (`put back`).

Certain where the records of both say what they had read, and either the same number was given to
both versions or the second writer had certainly begun before the first wrote. Likely where only the
values say so. A value that was put back may have been meant: at most likely, and only where the
writers overlapped; possible where they wrote within seconds and nothing tells when they began.

False positives: stamps, counter caches, places in a list (never compared), one transaction, request
or job that writes twice, both writing the same value, steps that follow one another in an order
that the clocks allow, somebody who changes only that column back, values that are not shown (all
silent).

Reference: lost update (Berenson et al., "A Critique of ANSI SQL Isolation Levels", 1995, P4);
prisma/orm#8612. The prevented form is `ActiveRecord::StaleObjectError`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.overwrites import (
    NEAR_NS,
    SAME_BASE,
    Overwrite,
    overlapped,
    overwrites,
)
from timeline.facts.versions import missing_versions
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Order, Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

SAME_STORY_NS = 1_000_000_000
"""Two tools that record one write stamp it within a second of each other."""
MAX_CASES_SHOWN = 3
MAX_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class LostWrite:
    """One update that was lost. Values are as recorded; instants in ns UTC.

    `first` and `second` are the values the two writers left, `base` the one both had started from;
    `writers` are the keys of the requests or jobs that wrote, where they are known.
    """

    key: str
    name: str
    column: str
    base: str
    first: str
    first_by: str
    first_at: int
    second: str
    second_by: str
    second_at: int
    others: tuple[str, ...]
    writers: tuple[str, ...]
    verdict: Verdict
    because: str


@dataclass(frozen=True, kw_only=True)
class LostUpdate(Finding):
    """Rows of one table in which one of two updates is gone, by one sign. `cases` hold the rows."""

    term: ClassVar[str] = "lost-update"
    remedy: ClassVar[str] = (
        "Write only what changed and only onto what was read (UPDATE … WHERE version = ?, a lock "
        "taken with the read, or an expression in SQL), so that the second writer must look again."
    )
    stage: ClassVar[Stage] = Stage.EFFECT

    sign: str
    table: str
    cases: tuple[LostWrite, ...]

    def sentence(self) -> str:
        number, more = counted(len(self.cases), "update"), len(self.cases) - 1
        was = "was" if len(self.cases) == 1 else "were"
        rest = f"; and {counted(more, 'more row')}" if more else ""
        told = f"{number} of {self.table} {was} lost: {self._told(self.cases[0])}{rest}."
        return abridged(told)

    def clause(self) -> str:
        names = listed([case.name for case in self.cases], MAX_CASES_SHOWN)
        was = "was" if len(self.cases) == 1 else "were"
        return f"{counted(len(self.cases), 'update')} of {names} {was} lost"

    def _told(self, case: LostWrite) -> str:
        later = length(case.second_at - case.first_at)
        first = f"{case.name} {case.column} was set to {case.first}{_by(case.first_by)} at "
        first += instant(case.first_at)
        if self.sign == SAME_BASE:
            return (
                f"{first} and to {case.second}{_by(case.second_by)} {later} later, and both had "
                f"read {case.base}"
            )
        return (
            f"{first} and put back to {case.second} {later} later{_by(case.second_by)} with a "
            f"change of {listed(case.others)}"
        )


class LostUpdateDetector:
    """Finds updates that another writer wrote over unseen; see the module."""

    term: ClassVar[str] = LostUpdate.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        from timeline.detectors.lost_update_chain import lost_by_chain
        from timeline.detectors.lost_update_read import lost_by_reading
        from timeline.detectors.lost_update_statements import lost_by_statements
        from timeline.detectors.lost_update_told import told_in

        told = _stronger(told_in(incident), lost_by_reading(incident))
        told = _stronger(told, lost_by_statements(incident))
        told = _stronger(told, lost_by_chain(incident))
        missing = missing_versions(incident)
        if missing:
            return told or NotEvaluated(self.term, missing)
        groups: dict[tuple[str, str, Verdict], list[tuple[Overwrite, LostWrite]]] = {}
        for one, case in _once(incident, overwrites(incident)):
            groups.setdefault((one.sign, one.table, case.verdict), []).append((one, case))
        recorded = [_finding(incident, cases) for cases in groups.values()]
        found = _stronger(recorded, told)
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began, one.sentence()))
        return found[:MAX_FINDINGS]


def _stronger(recorded: Sequence[Finding], told: Sequence[Finding]) -> list[Finding]:
    """What the versions and what the writers' logs tell, without the weaker where both tell of the
    same records."""
    ranks = list(Verdict)
    kept = [
        one
        for one in recorded
        if not any(
            set(one.keys) <= set(other.keys)
            and ranks.index(other.verdict) < ranks.index(one.verdict)
            for other in told
        )
    ]
    seen = {key for one in kept for key in one.keys}
    return [*kept, *(one for one in told if seen.isdisjoint(one.keys))]


def _once(incident: Incident, found: Sequence[Overwrite]) -> list[tuple[Overwrite, LostWrite]]:
    """Each lost update once, by its strongest sign: two columns or two tools may tell of it."""
    judged = [(one, case) for one in found if (case := _judged(one)) is not None]
    judged.sort(key=lambda pair: (list(Verdict).index(pair[1].verdict), pair[1].first_at))
    kept: list[tuple[Overwrite, LostWrite]] = []
    for one, case in judged:
        if not any(_same_story(case, other) for _, other in kept):
            kept.append((one, case))
    return sorted(kept, key=lambda pair: (pair[1].first_at, pair[1].key))


def _same_story(one: LostWrite, other: LostWrite) -> bool:
    apart = (abs(one.first_at - other.first_at), abs(one.second_at - other.second_at))
    return one.key == other.key and max(apart) <= SAME_STORY_NS


def _judged(one: Overwrite) -> LostWrite | None:
    graded = _same_base(one) if one.sign == SAME_BASE else _put_back(one)
    if graded is None:
        return None
    verdict, because = graded
    return LostWrite(
        key=one.thing,
        name=one.name,
        column=one.column,
        base=_shown(one.base),
        first=_shown(one.one.value),
        first_by=one.one.actor,
        first_at=one.one.at,
        second=_shown(one.two.value),
        second_by=one.two.actor,
        second_at=one.two.at,
        others=one.others,
        writers=tuple(writer.name for writer in one.writers),
        verdict=verdict,
        because=because,
    )


def _same_base(one: Overwrite) -> tuple[Verdict, str]:
    """Both records name the same old value. What is open is whether something that left no
    version had put it back between the two."""
    if one.one.lock and one.one.lock == one.two.lock:
        return Verdict.CERTAIN, f"both had read lock_version {one.one.lock}"
    if one.one.number and one.one.number == one.two.number:
        return Verdict.CERTAIN, f"both versions were given the number {one.one.number}"
    if one.back:
        return Verdict.POSSIBLE, (
            "the value was there more than once, and the clocks do not tell which write came first"
        )
    known = one.writers and not one.writers[1].inferred
    if known and one.overlap is Verdict.CERTAIN:
        return Verdict.CERTAIN, f"the second had begun before the first wrote: {one.because}"
    if overlapped(one):
        return Verdict.LIKELY, f"who wrote is inferred, or when: {one.because}"
    if one.writers and one.overlap is None:
        return Verdict.POSSIBLE, one.because
    if one.apart:
        return Verdict.LIKELY, f"the values say so, but {one.because}"
    return Verdict.POSSIBLE, "that two different writers wrote is not on record"


def _put_back(one: Overwrite) -> tuple[Verdict, str] | None:
    if one.writers:
        if one.overlap is None:
            return None  # it began afterwards and knew what it did
        if overlapped(one) and not one.writers[1].inferred:
            return Verdict.LIKELY, "that the old value was put back unknowingly is inferred"
        return Verdict.POSSIBLE, f"who wrote is inferred, or when: {one.because}"
    if one.gap > NEAR_NS or not one.apart:
        return None
    return Verdict.POSSIBLE, f"it may have been put back on purpose; {one.because}"


def _finding(incident: Incident, cases: Sequence[tuple[Overwrite, LostWrite]]) -> LostUpdate:
    first, told = cases[0]
    keys = {key for _, case in cases for key in (case.key, *case.writers)}
    names = listed([case.name for _, case in cases])
    return LostUpdate(
        verdict=told.verdict,
        weakest_link=told.because,
        began=min(case.first_at for _, case in cases),
        ended=max(case.second_at for _, case in cases),
        steps=tuple(step for one, _ in cases[:MAX_CASES_SHOWN] for step in _steps(incident, one)),
        keys=tuple(sorted(keys)),
        would_decide=_would_decide(first),
        alternatives=() if told.verdict is Verdict.CERTAIN else _alternatives(first),
        next_action=(
            f"Set {told.column} of {names} right by hand: the update that is gone is in the audit "
            "record."
        ),
        sign=first.sign,
        table=first.table,
        cases=tuple(case for _, case in cases),
    )


def _alternatives(one: Overwrite) -> tuple[str, ...]:
    if one.sign != SAME_BASE:
        return ("the second writer put the old value back on purpose",)
    told = ["something that leaves no version had put the old value back in between"]
    if one.writers and one.overlap is None:
        told.append("the second writer read an old copy: a replica, a cache, an object kept")
    return tuple(told)


def _would_decide(one: Overwrite) -> tuple[str, ...]:
    wanted = []
    if not one.writers:
        wanted.append("Find the request or job of each version: when did the second read the row?")
    wanted.append(f"Look whether the code that wrote {one.table} saves the row as it had read it.")
    return tuple(wanted)


def _steps(incident: Incident, one: Overwrite) -> list[Step]:
    """The second writer's beginning where it is known, then both writes."""
    rows = [one.one.row, one.two.row]
    first, second = incident.snapshot.events_at(rows)
    steps: list[Step] = []
    order: Order | None = None
    if one.writers and one.overlap is not None:
        begun = one.writers[1].began
        who = short(one.writers[1].name)
        steps.append(Step("second writer begins", begun, f"{who} was under way"))
        order = before(begun, first, incident.clocks)
    why = f"{one.column} from {_shown(one.base)} to {_shown(one.one.value)}"
    steps.append(Step("first write", first, why, order))
    if one.sign == SAME_BASE:
        why = f"{one.column} from {_shown(one.base)} again, to {_shown(one.two.value)}"
        order = before(first, second, incident.clocks)
    else:
        why = f"{one.column} back to {_shown(one.two.value)}, with {listed(one.others)}"
        order = Order(Verdict.CERTAIN, "its old value is the one that the first had written")
    steps.append(Step("second write", second, why, order))
    return steps


def _by(actor: str) -> str:
    return f" by {actor}" if actor else ""


def _shown(value: str) -> str:
    """A recorded value as people say it: text without its quotes."""
    try:
        told = json.loads(value)
    except ValueError:
        return value
    return told if isinstance(told, str) and told else value
