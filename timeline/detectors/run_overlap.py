"""run-overlap: a run of a schedule began while the one before it still went on.

Story: a job that is due every five minutes takes six; the next one starts over the same rows, both
are slower for it, and the pile grows.

Predicate: two runs of one schedule (configured or learnt) set off for different turns, the second
one's start before the first one's end; or the scheduler's own word that it held a run back because
the one before still went on. Where nobody tells the first run's end, what it still wrote under its
own id after the second one's start is as good. Certain when the clocks order start and end for
certain; at most likely when the schedule is learnt, since nobody said that its runs must not
overlap, and when only later lines of the first run say that it went on.

A schedule whose runs take most of its period, and longer each time, will overlap soon: that is told
as a qualifier.

False positives: overlap that is allowed by configuration, several runs for one turn (extra-runs),
a run whose end nobody recorded (all silent).

Reference: Kubernetes documentation (CronJob `concurrencyPolicy`, Allow by default), APScheduler
(`max_instances`), restarone/violet_rails#478.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.schedules import MIN_RUNS, Planned, turns_of
from timeline.facts.sight import heard
from timeline.facts.spoken import SCHEDULER_MARKS, spoken_with
from timeline.facts.words import capital, counted, instant, length, listed, often, short
from timeline.facts.work import Run
from timeline.finding import Finding, NotEvaluated, Step
from timeline.knowledge import Overlap
from timeline.order import Order, Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

NEARLY = 0.8
"""Of the period: from here on a run that gets longer will meet the next one."""
RISING_PAIRS = 0.85
"""Of all pairs of the last runs, how many must rise: by chance, eight lengths do so less than once
in a hundred times (Kendall)."""
MAX_PAIRS_SHOWN = 3
MAX_FINDINGS = 5
HELD_BACK = (
    r"Execution of job \"(.+?) \(trigger.* skipped: maximum number of running instances"
    r"|prior execution is running.*\(CronJob ([^)]+)\)"
)
"""APScheduler 3 (schedulers/base.py) and Kubernetes' CronJob controller (`JobAlreadyActive`)."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two runs (keys, or empty) that were under way at once. Instants in ns UTC; `ended` is None
    while the first one still ran."""

    first: str
    first_began: int
    ended: int
    second: str
    second_began: int
    verdict: Verdict
    at_least: bool = False
    """Whether `ended` is only the last that was heard of the first run."""

    @property
    def together(self) -> int:
        """How long both ran, in ns."""
        return self.ended - self.second_began


@dataclass(frozen=True, kw_only=True)
class RunOverlap(Finding):
    """Runs of one schedule that were under way at once. `period` and `usual` (how long a run
    takes, the median) are ns; `shared` are entity keys that both runs of some pair concern."""

    term: ClassVar[str] = "run-overlap"
    remedy: ClassVar[str] = (
        "Forbid a run while the one before it goes on (concurrencyPolicy Forbid, max_instances 1, "
        "a lock), and make each run's work smaller than its period."
    )

    schedule: str
    basis: str
    period: int
    usual: int
    meetings: tuple[Meeting, ...]
    shared: tuple[str, ...]

    def sentence(self) -> str:
        first = self.meetings[0]
        more = len(self.meetings) - 1
        again = f", and {counted(more, 'later run')} likewise" if more else ""
        until = f"{'at least ' if first.at_least else ''}until {instant(first.ended)}"
        usual = f"; a run takes {length(self.usual)}" if self.usual else ""
        return (
            f"{capital(self.schedule)} ({self.basis}) began at {instant(first.second_began)} while "
            f"the run of {instant(first.first_began)} still went on {until}"
            f"{again}{usual}."
        )

    def clause(self) -> str:
        return f"{self.schedule} overtook itself {often(len(self.meetings))}"


@dataclass(frozen=True, kw_only=True)
class HeldBack(Finding):
    """A scheduler's own word that it held runs of `schedule` back because one still went on."""

    term: ClassVar[str] = RunOverlap.term
    remedy: ClassVar[str] = RunOverlap.remedy

    schedule: str
    times: int

    def sentence(self) -> str:
        held = "a run" if self.times == 1 else f"{self.times} runs"
        return (
            f"The scheduler held back {held} of {self.schedule} from {instant(self.began)} on, "
            "because the one before still went on."
        )

    def clause(self) -> str:
        return f"runs of {self.schedule} were held back by a run that did not end"


@dataclass(frozen=True, kw_only=True)
class WillOverlap(Finding):
    """Runs of one schedule that take most of its period, and longer each time.

    `first_length` and `last_length` (ns) are those of the first and the last of `runs` runs.
    """

    term: ClassVar[str] = RunOverlap.term
    remedy: ClassVar[str] = RunOverlap.remedy

    schedule: str
    period: int
    runs: int
    first_length: int
    last_length: int

    def sentence(self) -> str:
        return (
            f"{capital(self.schedule)} takes longer from run to run ({length(self.first_length)} "
            f"to {length(self.last_length)} over {self.runs} runs) and has {length(self.period)}: "
            "it will overtake itself."
        )


class RunOverlapDetector:
    """Finds schedules whose runs meet; see the module."""

    term: ClassVar[str] = RunOverlap.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue, or logs of the work that is due")
        plans = [planned for planned in incident.planned if planned.runs]
        found: list[Finding] = [*_held_back(incident)]
        timed = 0
        for planned in plans:
            timed += any(run.start is not None and _until(run) is not None for run in planned.runs)
            if planned.overlap is not Overlap.ALLOW:
                found.extend(_met(incident, planned))
        if not found and not timed:
            return NotEvaluated(self.term, _needs(plans))
        found.sort(key=lambda one: (one.qualifier, list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


def _needs(plans: Sequence[Planned]) -> str:
    if plans:
        return f"beginnings and ends of {listed([planned.name for planned in plans])}"
    return f"a configured schedule, or {MIN_RUNS} regular runs within the window"


def _met(incident: Incident, planned: Planned) -> Iterator[Finding]:
    runs = [run for run in planned.runs if run.start is not None]
    turns = turns_of(runs, planned.period)
    pairs = [(one[0], two[0]) for one, two in pairwise(turns)]
    met = [
        (one, two, order)
        for one, two in pairs
        if (order := _order(incident, one, two)).verdict is not None
    ]
    if met:
        yield _finding(incident, planned, met)
    elif (trend := _trend(planned, runs)) is not None:
        yield trend


def _order(incident: Incident, one: Run, two: Run) -> Order:
    """How sure it is that `two` started before `one` ended; refused where the stamps say no."""
    until, row = _until(one), one.last_row if one.end_row is None else one.end_row
    if row is None or two.start_row is None or until is None or two.start is None:
        return Order(None, "the end of the first run is not on record")
    if two.start >= until:
        return Order(None, "the first run was over")
    start, end = incident.snapshot.events_at([two.start_row, row])
    order = before(start, end, incident.clocks)
    if one.end is None and order.verdict is Verdict.CERTAIN:
        return Order(Verdict.LIKELY, "no line tells the first run's end, only that it still wrote")
    return order


def _until(run: Run) -> int | None:
    """When the run ended, or was last heard of (ns)."""
    return run.last if run.end is None else run.end


def _finding(
    incident: Incident, planned: Planned, met: Sequence[tuple[Run, Run, Order]]
) -> RunOverlap:
    verdicts = [order.verdict or Verdict.POSSIBLE for _, _, order in met]
    best = min(verdicts, key=list(Verdict).index)
    first = next(place for place, verdict in enumerate(verdicts) if verdict is best)
    verdict, link = best, met[first][2].because
    if planned.learnt and verdict is Verdict.CERTAIN:
        verdict = Verdict.LIKELY
        link = f"the schedule is learnt from {planned.learnt} runs; overlap may be meant"
    lengths = [run.end - run.start for run in planned.runs if run.end and run.start]
    meetings = tuple(
        Meeting(
            one.name,
            one.start or one.at,
            _until(one) or one.at,
            two.name,
            two.start or two.at,
            v,
            one.end is None,
        )
        for (one, two, _), v in zip(met, verdicts, strict=True)
    )
    shared = _shared(incident, met)
    names = {name for one, two, _ in met for name in (one.name, two.name) if name}
    return RunOverlap(
        verdict=verdict,
        weakest_link=link,
        began=meetings[0].second_began,
        ended=max(meeting.ended for meeting in meetings),
        steps=_steps(incident, met),
        keys=tuple(sorted(names)),
        would_decide=(f"Ask whether runs of {planned.name} may go on side by side.",),
        alternatives=("the runs divide the work between them on purpose",)
        if planned.learnt
        else (),
        next_action=f"Check what {listed([short(name) for name in sorted(names)])} did at once."
        if names
        else f"Check what both runs of {planned.name} did at once.",
        schedule=planned.name,
        basis=planned.basis,
        period=planned.period,
        usual=int(median(lengths)) if lengths else 0,
        meetings=meetings,
        shared=shared,
    )


def _shared(incident: Incident, met: Sequence[tuple[Run, Run, Order]]) -> tuple[str, ...]:
    """Entities that both runs of a pair concern: what they may have harmed together."""
    found: set[str] = set()
    for one, two, _ in met[:MAX_PAIRS_SHOWN]:
        if one.name and two.name:
            mine = set(incident.jobs.entities_of(one.name))
            found |= mine & set(incident.jobs.entities_of(two.name))
    return tuple(sorted(found))


def _steps(incident: Incident, met: Sequence[tuple[Run, Run, Order]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for one, two, order in met[:MAX_PAIRS_SHOWN]:
        last_row = one.last_row if one.end_row is None else one.end_row
        rows = [row for row in (one.start_row, two.start_row, last_row) if row is not None]
        begun, again, ended = incident.snapshot.events_at(rows)
        together = length((_until(one) or 0) - (two.start or 0))
        ending = "first run still at work" if one.end is None else "first run ends"
        steps += [
            Step("first run", begun, "it began"),
            Step("second run", again, "it began, too", before(begun, again, incident.clocks)),
            Step(ending, ended, f"both ran for {together}", order),
        ]
    return tuple(steps)


def _trend(planned: Planned, runs: Sequence[Run]) -> WillOverlap | None:
    """Lengths that rise to most of the period, pair by pair (after Theil, Sen and Kendall)."""
    timed = [(run.at, run.end - run.start) for run in runs if run.end and run.start][-MIN_RUNS:]
    if len(timed) < MIN_RUNS or not planned.period:
        return None
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(timed, 2) if j > i]
    rising = sum(slope > 0 for slope in slopes) >= RISING_PAIRS * len(slopes)
    if not slopes or not rising or timed[-1][1] < NEARLY * planned.period:
        return None
    return WillOverlap(
        verdict=Verdict.LIKELY,
        weakest_link=f"read from the last {len(timed)} runs; it may level off",
        began=timed[0][0],
        ended=timed[-1][0] + timed[-1][1],
        next_action=f"Make a run of {planned.name} smaller, or its period longer.",
        qualifier=True,
        schedule=planned.name,
        period=planned.period,
        runs=len(timed),
        first_length=timed[0][1],
        last_length=timed[-1][1],
    )


def _held_back(incident: Incident) -> Iterator[HeldBack]:
    """Runs that a scheduler itself says it held back."""
    lines = spoken_with(incident, SCHEDULER_MARKS)
    if lines.is_empty():
        return
    names = [pl.col("body").str.extract(HELD_BACK, group) for group in (1, 2)]
    told = lines.with_columns(name=pl.coalesce(names)).filter(
        pl.col("name").is_not_null() & (pl.col("timestamp") >= incident.window.start)
    )
    for (name,), part in told.group_by("name", maintain_order=True):
        (event,) = incident.snapshot.events_at(part.get_column("row").head(1).to_list())
        yield HeldBack(
            verdict=Verdict.CERTAIN,
            weakest_link="it is the scheduler's own line",
            began=part["timestamp"][0],
            ended=part["timestamp"][-1],
            steps=(Step("held back", event, "the scheduler's own word"),),
            would_decide=(f"Look why the run of {name} that was under way did not end.",),
            next_action=f"Find the run of {name} that does not end.",
            schedule=str(name),
            times=part.height,
        )
