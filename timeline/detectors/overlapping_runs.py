"""overlapping-runs: two jobs worked on one thing at the same time, and nothing kept them apart.

Story: one job recalculates the totals of an order while another books a credit on it; each reads,
thinks and writes, and what the first one wrote is gone, or the state machine is where it must not
be.

Predicate: runs of two different jobs that concern the same entity overlap, and either an error by
which programs notice such company (a stale object, an illegal transition, a duplicate) falls into
the overlap, or the entity's own row was written while both ran and again until the last of them
ended. Certain where the clocks order both starts and ends and a guard's own word (a stale object)
under one of the two job ids proves the other writer; at most likely where who wrote is inferred
from the time. One write alone is no harm and at most a qualifier; two jobs of one class that were
given the same and went on together for seconds, or of which one met a duplicate, are possible. So
are rows about the thing, one of each run, where a run alone leaves one; likely where one warned.

Two hands that no queue tells of are found by `timeline.detectors.worked_twice`.

False positives: kinds of jobs that meet all the time, as they did before (silent, unless an error
falls into it; where such errors are the habit, too, a qualifier), several parts of one whole that
write rows of their own, jobs that read, schedules that may overlap (silent); a run without an end
counts to its last sign of life only. One job that was started twice is `delivered-again`, an update
that was written over `lost-update`.

Reference: atomicity violation (Lu et al., ASPLOS 2008; Leesatapornwongsa et al., "TaxDC", 2016).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.worked_twice import worked_twice
from timeline.event import Event, Lane
from timeline.facts.both_created import created_by_both, warned
from timeline.facts.collisions import Trouble, troubles_in
from timeline.facts.overlaps import Written, edges_of, pairs_in, runs_of, writes_in
from timeline.facts.overwrites import overwrites
from timeline.facts.sight import heard
from timeline.facts.words import instant, length, listed, short
from timeline.facts.work import is_class
from timeline.finding import Finding, NotEvaluated, Step
from timeline.knowledge import Overlap
from timeline.order import Order, Verdict, at_least, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

COLLIDED, BOTH_WROTE, ONE_WROTE = "collided", "written twice", "written once"
BOTH_LEFT, SAME_WORK = "a row of each", "same work"
SAME_WORK_NS = 5_000_000_000
"""Two runs of one class with equal arguments that are both under way for so long: shorter ones are
what every queue that delivers at least once has now and then."""
BASELINE_NS = 900_000_000_000
"""What happened a quarter of an hour before T or earlier is how the night usually goes."""
ROUTINE = 3
"""Things on which two kinds of jobs met (or failed so) in the baseline before it is their habit."""
ONE_WRITE_NS = 50_000_000
"""A save and its audit record are one write."""
MAX_PAIRS = 500
"""Overlaps with a write or an error that are examined one by one, the earliest first."""
MAX_CASES_SHOWN = 3
ERROR_SHOWN = 160
"""Characters of an error that a sentence bears; all of it is in the evidence."""
MAX_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Together:
    """Two jobs (keys) on one thing. Instants in ns UTC: `since` the second start, `until` the end
    of the one that ended first. `written` are writes of the thing's row while either ran;
    `error` is the error that fell into it, or empty."""

    key: str
    first: str
    second: str
    since: int
    until: int
    written: tuple[int, ...]
    error: str
    error_of: str
    verdict: Verdict
    because: str


@dataclass(frozen=True, kw_only=True)
class OverlappingRuns(Finding):
    """Two kinds of jobs that were at the same things at once, by one sign. `before` counts the
    things on which they met in the baseline."""

    term: ClassVar[str] = "overlapping-runs"
    remedy: ClassVar[str] = (
        "Let jobs on one thing take turns (a lock, or a unique job by its id), or guard each write "
        "with the state it expects (UPDATE … WHERE state = ?)."
    )

    classes: tuple[str, str]
    sign: str
    cases: tuple[Together, ...]
    before: int

    def sentence(self) -> str:
        first = self.cases[0]
        pair = f"{short(first.first)} and {short(first.second)}"
        told = (
            f"{self._kinds} worked on {_thing(first.key)} at once from {instant(first.since)} for "
            f"{length(first.until - first.since)} ({pair}), {self._harm(first)}"
        )
        more = sorted({case.key for case in self.cases[1:]} - {first.key})
        if more:
            told += f"; likewise on {listed([_thing(key) for key in more])}"
        return f"{told[:1].upper()}{told[1:]}."

    def clause(self) -> str:
        things = listed(list(dict.fromkeys(_thing(case.key) for case in self.cases)), 2)
        return f"{self._kinds} worked on {things} at once"

    @property
    def _kinds(self) -> str:
        one, two = (name.rpartition(".")[2] for name in self.classes)
        if one == two:
            return f"two {one} jobs" if one else "two jobs"
        return f"{one or 'a job'} and {two or 'a job'}"

    def _harm(self, case: Together) -> str:
        if self.sign == COLLIDED:
            who = f"{short(case.error_of)} failed" if case.error_of else "an error fell into it"
            return f"and {who}: {case.error[:ERROR_SHOWN].rstrip('. ')}"
        if self.sign == SAME_WORK:
            return "and both were given the same"
        times = listed([instant(at) for at in case.written])
        if self.sign == BOTH_LEFT:
            return f"and each left a row about it, at {times}"
        return f"and its row was written at {times}"


class OverlappingRunsDetector:
    """Finds jobs that were at one thing at the same time; see the module."""

    term: ClassVar[str] = OverlappingRuns.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        twice = worked_twice(incident)
        if runs_of(incident).is_empty():
            needs = "starts and ends of jobs (a queue, or workers' logs)"
            return twice or NotEvaluated(self.term, needs)
        pairs = _unplanned(incident, pairs_in(incident))
        if pairs.is_empty():
            return twice
        writes, troubles = writes_in(incident, pairs), troubles_in(incident, pairs)
        failed = pl.col("pair").is_in(list(troubles))
        habits, failing = _habits(incident, pairs), _habits(incident, pairs.filter(failed))
        left = created_by_both(incident, pairs.filter(~_is_habit(habits)))
        loud = warned(incident, pairs.filter(pl.col("pair").is_in(list(left))))
        harmed = pl.col("pair").is_in([*writes, *left]) | _same_work(incident, pairs)
        told = failed | (harmed & ~_is_habit(habits))
        touched = pairs.filter(told).head(MAX_PAIRS)
        quiet = touched.filter(~failed).height
        overwritten = {one.thing for one in overwrites(incident)} if quiet else set()
        groups: dict[tuple[str, str, str, Verdict], list[_Case]] = {}
        events = edges_of(incident, touched)
        for pair in touched.iter_rows(named=True):
            trouble = troubles.get(pair["pair"])
            if trouble is None and pair["key"] in overwritten:
                continue
            number = pair["pair"]
            own, rows = writes.get(number, ()), left.get(number, ())
            case = _case(incident, events, pair, own, rows, trouble, loud.get(number))
            if case is not None:
                key = (*_kinds(pair), case.sign, case.told.verdict)
                groups.setdefault(key, []).append(case)
        found: list[Finding] = [
            _finding(incident, key, cases, habits, failing) for key, cases in groups.items()
        ]
        found += twice
        if not found and not heard(incident, Lane.DATABASE):
            return NotEvaluated(self.term, "the rows that jobs write (a database)")
        found.sort(key=lambda one: (one.qualifier, list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


def _unplanned(incident: Incident, pairs: pl.DataFrame) -> pl.DataFrame:
    """`pairs` without those of two runs of a schedule that may overlap."""
    for schedule in incident.knowledge.schedules:
        if schedule.overlap is Overlap.ALLOW and schedule.work.job_class:
            allowed = is_class("class_one", schedule.work.job_class) & is_class(
                "class_two", schedule.work.job_class
            )
            pairs = pairs.filter(~allowed)
    return pairs


def _same_work(incident: Incident, pairs: pl.DataFrame) -> pl.Expr:
    """Whether both runs are of one class and were given the same, and went on together."""
    args = incident.jobs.summary.select("job", "args").filter(pl.col("args").str.len_chars() > 0)
    both = pairs.join(args, left_on="one", right_on="job").join(
        args, left_on="two", right_on="job", suffix="_two"
    )
    together = pl.min_horizontal("end_one", "end_two") - pl.col("start_two")
    same = both.filter(
        (pl.col("args") == pl.col("args_two"))
        & (pl.col("class_one") == pl.col("class_two"))
        & (together >= SAME_WORK_NS)
    )
    return pl.col("pair").is_in(same.get_column("pair").implode())


def _habits(incident: Incident, pairs: pl.DataFrame) -> Mapping[tuple[str, str], int]:
    """By two kinds of jobs: on how many things they met in the baseline."""
    usual = pairs.filter(pl.col("start_two") < incident.window.pin - BASELINE_NS)
    kinds = usual.with_columns(
        lower=pl.min_horizontal("class_one", "class_two"),
        upper=pl.max_horizontal("class_one", "class_two"),
    )
    told = kinds.group_by("lower", "upper").agg(pl.col("key").n_unique())
    return {(lower, upper): number for lower, upper, number in told.iter_rows()}


def _is_habit(habits: Mapping[tuple[str, str], int]) -> pl.Expr:
    """Whether the two kinds of a pair meet all the time."""
    usual = [f"{one}\0{two}" for (one, two), number in habits.items() if number >= ROUTINE]
    lower, upper = (
        horizontal("class_one", "class_two")
        for horizontal in (pl.min_horizontal, pl.max_horizontal)
    )
    return pl.concat_str(lower, upper, separator="\0").is_in(usual)


def _kinds(pair: Mapping[str, object]) -> tuple[str, str]:
    one, two = sorted((str(pair["class_one"]), str(pair["class_two"])))
    return one, two


@dataclass(frozen=True, slots=True)
class _Case:
    told: Together
    classes: tuple[str, str]
    """Of the run that began first, and of the other."""
    sign: str
    starts: tuple[Event, Event]
    end: Event | None
    rows: tuple[tuple[int, str, str], ...]
    """Further evidence: (event row, role, why)."""


def _case(
    incident: Incident,
    events: Mapping[int, Event],
    pair: Mapping[str, object],
    writes: Sequence[Written],
    left: Sequence[Written],
    trouble: Trouble | None,
    warning: int | None,
) -> _Case | None:
    numbers = {name: value for name, value in pair.items() if isinstance(value, int)}
    first, second = events[numbers["start_row_one"]], events[numbers["start_row_two"]]
    end = events.get(numbers.get("end_row_one", -1))
    order = _overlap(incident, second, end)
    if order.verdict is None:
        return None
    until = min(numbers["end_one"], numbers["end_two"])
    apart = _apart(writes)
    sign = COLLIDED if trouble else _written(apart, until)
    if left and sign in ("", ONE_WROTE):
        sign, apart = BOTH_LEFT, tuple(left)
    if not sign and (str(pair["class_one"]) != str(pair["class_two"]) or writes):
        return None
    sign = sign or SAME_WORK
    verdict, because = _graded(order, sign, trouble, apart, until, loud=warning is not None)
    told = Together(
        key=str(pair["key"]),
        first=str(pair["one"]),
        second=str(pair["two"]),
        since=second.timestamp,
        until=until,
        written=tuple(write.at for write in apart),
        error=trouble.words if trouble else "",
        error_of=trouble.job if trouble else "",
        verdict=verdict,
        because=because,
    )
    more = [(write.row, "write", f"{write.name} was written") for write in apart]
    if trouble is not None:
        more.append((trouble.row, "error", "somebody else was at it, by its own word"))
    elif sign == BOTH_LEFT and warning is not None:
        more.append((warning, "warning", "one of the two warned meanwhile"))
    classes = (str(pair["class_one"]), str(pair["class_two"]))
    return _Case(told, classes, sign, (first, second), end, tuple(more))


def _overlap(incident: Incident, second: Event, end: Event | None) -> Order:
    """How sure it is that the second run began before the first one ended."""
    if end is None:
        return Order(Verdict.LIKELY, "the first run has no end; it was alive after that")
    return before(second, end, incident.clocks)


def _apart(writes: Sequence[Written]) -> tuple[Written, ...]:
    """`writes` without those that record the same write again."""
    kept: list[Written] = []
    for write in writes:
        if not kept or write.at - kept[-1].at > ONE_WRITE_NS:
            kept.append(write)
    return tuple(kept)


def _written(writes: Sequence[Written], until: int) -> str:
    """Which sign the writes are: the first must fall into the time in which both ran."""
    if not writes or writes[0].at > until:
        return ""
    return BOTH_WROTE if len(writes) > 1 else ONE_WROTE


def _graded(
    order: Order,
    sign: str,
    trouble: Trouble | None,
    writes: Sequence[Written],
    until: int,
    *,
    loud: bool,
) -> tuple[Verdict, str]:
    overlap = order.verdict or Verdict.POSSIBLE
    if not at_least(overlap, Verdict.LIKELY):
        return overlap, order.because
    if trouble is not None:
        if trouble.proves and trouble.job:
            return overlap, f"the error proves another writer; {order.because}"
        sure, words = trouble.inferred
        return weakest((overlap, sure)), words
    if sign == BOTH_WROTE and writes[-1].at > until:
        return weakest((overlap, Verdict.LIKELY)), "who wrote is inferred from the time"
    if sign == BOTH_LEFT:
        words = "that one of the two rows is too many is inferred"
        return weakest((overlap, Verdict.LIKELY if loud else Verdict.POSSIBLE)), words
    if sign == SAME_WORK:
        return Verdict.POSSIBLE, "what either of them wrote is not on record"
    return Verdict.POSSIBLE, "one of the two may have made all writes"


def _finding(
    incident: Incident,
    group: tuple[str, str, str, Verdict],
    cases: Sequence[_Case],
    habits: Mapping[tuple[str, str], int],
    failing: Mapping[tuple[str, str], int],
) -> OverlappingRuns:
    one, two, sign, verdict = group
    told = tuple(case.told for case in cases)
    keys = {key for case in told for key in (case.key, case.first, case.second)}
    things = list(dict.fromkeys(_thing(case.key) for case in told))
    return OverlappingRuns(
        verdict=verdict,
        weakest_link=told[0].because,
        began=min(case.since for case in told),
        ended=max((*(case.until for case in told), *(at for case in told for at in case.written))),
        steps=tuple(step for case in cases[:MAX_CASES_SHOWN] for step in _steps(incident, case)),
        keys=tuple(sorted(keys)),
        would_decide=(
            f"Ask whether {_names(one, two)} may be at one thing together, and which of them "
            "writes it.",
        ),
        alternatives=()
        if verdict is Verdict.CERTAIN
        else ("the two jobs touch different parts of it, as designed",),
        next_action=f"Check {listed(things)} for what one of the two undid.",
        qualifier=sign == ONE_WROTE or failing.get((one, two), 0) >= ROUTINE,
        classes=cases[0].classes,
        sign=sign,
        cases=told,
        before=habits.get((one, two), 0),
    )


def _names(one: str, two: str) -> str:
    return f"two jobs of {one or 'this kind'}" if one == two else f"{one} and {two}"


def _steps(incident: Incident, case: _Case) -> Iterator[Step]:
    """Both starts, then what was written or failed and the end of the first run, by time."""
    first, second = case.starts
    told = case.told
    words = f"{short(told.second)} began on the same {told.key.partition(':')[0]}"
    events = incident.snapshot.events_at([row for row, _, _ in case.rows])
    later = [(event, role, why) for event, (_, role, why) in zip(events, case.rows, strict=True)]
    if case.end is not None:
        later.append((case.end, "first run ends", f"{short(told.first)} was over only then"))
    later.sort(key=lambda step: step[0].timestamp)
    yield Step("first run", first, f"{short(told.first)} began")
    last = first
    for event, role, why in ((second, "second run", words), *later):
        yield Step(role, event, why, before(last, event, incident.clocks))
        last = event


def _thing(key: str) -> str:
    """`order 77` of `order:77`."""
    return key.replace(":", " ", 1)
