"""Work that is due at known instants: configured, or learnt from its own regular runs.

Owns which instants were due inside the window, by which rule, and how late a run may be. A cron
expression is read by `cronsim` in the zone it was written for; a period has no instants of its
own, so it is measured from run to run. It never decides that a run is missing.

The rule of Debian's cron is taken for nights on which the clocks change; other schedulers skip or
repeat such a run, so an instant near a change is marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.sight import read_until
from timeline.facts.words import length
from timeline.facts.work import Run, job_runs, lineage, runs_from, runs_of, sources_of
from timeline.knowledge import Overlap, Schedule
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from timeline.incident import Incident

MIN_RUNS = 8
"""Regular runs before a period is believed: seven equal gaps are no coincidence."""
MAX_SPREAD = 0.1
"""Median deviation of the gaps, as a share of the median gap, up to which they are regular."""
EVEN_SHARE = 0.9
"""Of the gaps, how many must be one period or a whole number of them: a median alone would take
two even gaps and an odd one for a schedule."""
MIN_PERIOD_NS = 10 * SECOND_NS
"""What comes more often is a poll or a heartbeat, not a schedule."""
SAME_TURN = 0.2
"""Two runs closer than this share of the period were set off for one turn."""
LATE_SHARE = 0.5
"""Of a period: how late a run may be where nobody configured it."""
MAX_DUE = 1_000
"""Due instants looked at in one window; a schedule that fires more often is a poll."""
EARLY_NS = 2 * SECOND_NS
"""How far before its due instant a run's own stamp may stand: clocks differ by so much."""
CHANGE_HOURS = 3
"""A change of the clocks this near may have moved, skipped or repeated a run."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One schedule with its runs. `dues` are ns UTC inside the window, empty for a period.

    `period` is ns between two turns: the configured one, the learnt one, or the least distance of
    two due instants. `basis` says in words where the rule comes from; `learnt` counts the runs it
    was learnt from, 0 when it was configured. `unusable` says why the rule could not be read.
    """

    name: str
    basis: str
    runs: tuple[Run, ...]
    sources: tuple[str, ...]
    period: int
    tolerance: int
    dues: tuple[int, ...] = ()
    overlap: Overlap | None = None
    learnt: int = 0
    last_due_before: int | None = None
    near_change: frozenset[int] = field(default_factory=frozenset)
    is_cron: bool = False
    unusable: str = ""


def planned_works(incident: Incident) -> tuple[Planned, ...]:
    """All schedules of the incident, the configured ones first. Work that puts itself back on its
    queue has none: it is a chain."""
    configured = [_configured(incident, schedule) for schedule in incident.knowledge.schedules]
    taken = {run.name for one in configured for run in one.runs if run.name}
    taken |= {hop.id for chain in incident.chains for hop in chain.hops if hop.id}
    return (*configured, *_learnt(incident, taken))


def _configured(incident: Incident, schedule: Schedule) -> Planned:
    runs = runs_of(incident, schedule.work)
    sources = sources_of(incident, schedule.work, runs)
    known = Planned(
        schedule.name,
        "",
        runs,
        sources,
        schedule.every or 0,
        schedule.tolerance,
        overlap=schedule.overlap,
    )
    if schedule.every:
        return replace(known, basis=f"due every {length(schedule.every)}")
    try:
        return _with_dues(incident, known, schedule)
    except (ValueError, KeyError) as error:
        return replace(known, unusable=f"its schedule cannot be read: {error}")


def _with_dues(incident: Incident, known: Planned, schedule: Schedule) -> Planned:
    from zoneinfo import ZoneInfo

    from cronsim import CronSim, CronSimError

    zone = ZoneInfo(schedule.zone)
    window = incident.window
    start = _moment(window.start, zone) - timedelta(microseconds=1)
    dues: list[int] = []
    try:
        for due in CronSim(schedule.cron, start):
            at = _nanoseconds(due)
            if at >= window.end or len(dues) > MAX_DUE:
                break
            if at >= window.start:
                dues.append(at)
        before = next(iter(CronSim(schedule.cron, start, reverse=True)), None)
        upcoming = CronSim(schedule.cron, _moment(window.end, zone))
        following = [_nanoseconds(due) for due, _ in zip(upcoming, range(2), strict=False)]
    except CronSimError as error:
        raise ValueError(f"{schedule.cron!r}: {error}") from None
    last = None if before is None else _nanoseconds(before)
    around = [at for at in (last, *dues, *following) if at is not None]
    period = min((two - one for one, two in pairwise(around) if two > one), default=0)
    return replace(
        known,
        basis=f"due at {schedule.cron} in {schedule.zone}",
        period=period,
        tolerance=min(known.tolerance, period // 2) if period else known.tolerance,
        dues=tuple(dues),
        last_due_before=last,
        near_change=frozenset(at for at in dues if _near_change(at, zone)),
        is_cron=True,
    )


def _moment(at: int, zone: ZoneInfo) -> datetime:
    whole = datetime.fromtimestamp(at // SECOND_NS, UTC)
    return whole.replace(microsecond=at % SECOND_NS // 1_000).astimezone(zone)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp()) * SECOND_NS


def _near_change(at: int, zone: ZoneInfo) -> bool:
    """Whether the zone's offset differs a few hours before and after."""
    around = CHANGE_HOURS * 60 * MINUTE_NS
    return _moment(at - around, zone).utcoffset() != _moment(at + around, zone).utcoffset()


def _learnt(incident: Incident, taken: set[str]) -> Iterator[Planned]:
    """Jobs of one class and equal arguments (but for dates) that come at an even pace."""
    jobs = incident.jobs.summary
    if taken:
        jobs = jobs.filter(~pl.col("job").is_in(list(taken)))
    if jobs.is_empty():
        return
    alike = jobs.with_columns(lineage=lineage()).filter(
        (pl.len().over("job_class", "lineage") >= MIN_RUNS)
        & (pl.len().over("job_class", "lineage") <= 2 * MAX_DUE)
    )
    for (job_class, _), part in alike.group_by("job_class", "lineage", maintain_order=True):
        runs = runs_from(job_runs(incident, part))
        turns = turns_of(runs)
        period = period_of(turns)
        if period is None:
            continue
        count = len(turns)
        yield Planned(
            name=str(job_class or "").rpartition(".")[2] or "a job",
            basis=f"every {length(period)}, learnt from {count} runs",
            runs=runs,
            sources=tuple(sorted({run.source for run in runs})),
            period=period,
            tolerance=round(LATE_SHARE * period),
            learnt=count,
        )


def turns_of(runs: Sequence[Run], period: int = 0) -> list[list[Run]]:
    """Runs in time order, those set off for one turn together.

    Without a `period` the upper quartile of the gaps stands for it.
    """
    gaps = sorted(two.at - one.at for one, two in pairwise(runs))
    limit = SAME_TURN * (period or (gaps[len(gaps) * 3 // 4] if gaps else 0))
    turns: list[list[Run]] = []
    for run in runs:
        if turns and run.at - turns[-1][0].at < limit:
            turns[-1].append(run)
        else:
            turns.append([run])
    return turns


def period_of(turns: Sequence[Sequence[Run]]) -> int | None:
    """The median gap (ns) of turns that come evenly; None when they do not."""
    if len(turns) < MIN_RUNS:
        return None
    gaps = [two[0].at - one[0].at for one, two in pairwise(turns)]
    middle = int(median(gaps))
    spread = median(abs(gap - middle) for gap in gaps)
    if middle < MIN_PERIOD_NS or spread >= MAX_SPREAD * middle:
        return None
    whole = [abs(gap - max(1, round(gap / middle)) * middle) < MAX_SPREAD * middle for gap in gaps]
    return middle if sum(whole) >= EVEN_SHARE * len(whole) else None


@dataclass(frozen=True, slots=True)
class Turn:
    """One due instant (ns UTC) and the runs that answer it; `late` runs came after the tolerance
    and before the next instant."""

    due: int
    runs: tuple[Run, ...]
    late: tuple[Run, ...] = ()
    near_change: bool = False


def turns_due(incident: Incident, planned: Planned) -> tuple[Turn, ...]:
    """What was due inside the part of the window that was read, each with its runs."""
    until = read_until(incident)
    if planned.is_cron:
        return tuple(_at_instants(planned, incident.window.start, until))
    return tuple(_by_period(incident, planned, until))


def _at_instants(planned: Planned, start: int, until: int) -> Iterator[Turn]:
    early = min(EARLY_NS, planned.period // 4) if planned.period else EARLY_NS
    for number, due in enumerate(planned.dues):
        if due - early < start:
            continue  # its run may have begun right before the window
        if due + planned.tolerance > until:
            return  # it may still come
        following = planned.dues[number + 1 : number + 2]
        end = following[0] - early if following else until + 1
        inside = [run for run in planned.runs if due - early <= run.at < end]
        timely = tuple(run for run in inside if run.at <= due + planned.tolerance)
        late = tuple(run for run in inside if run.at > due + planned.tolerance)
        yield Turn(due, timely, late, due in planned.near_change)


def _by_period(incident: Incident, planned: Planned, until: int) -> Iterator[Turn]:
    """From turn to turn; in a long gap, the instants inside it were due and nothing came."""
    start, period = incident.window.start, planned.period
    inside = [run for run in planned.runs if run.at >= start]
    turns = turns_of(inside, period)
    if not turns:
        yield from (Turn(due, ()) for due in _steps(start, until - planned.tolerance, period))
        return
    tolerance = min(planned.tolerance, period // 2)
    if not planned.learnt:
        first = turns[0][0].at
        missing = (first - step * period for step in range(1, MAX_DUE))
        before = takewhile(lambda due: due > start + tolerance, missing)
        yield from reversed([Turn(due, ()) for due in before])
    for number, turn in enumerate(turns):
        yield Turn(turn[0].at, tuple(turn))
        is_last = number + 1 == len(turns)
        last = until - tolerance if is_last else turns[number + 1][0].at - period + tolerance
        yield from (Turn(due, ()) for due in _steps(turn[0].at, last, period))


def _steps(start: int, last: int, period: int) -> Iterator[int]:
    """`start + period`, `start + 2 * period`, … while no later than `last`, at most `MAX_DUE`."""
    due = (start + step * period for step in range(1, MAX_DUE))
    return takewhile(lambda at: at <= last, due)
