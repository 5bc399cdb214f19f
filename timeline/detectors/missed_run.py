"""missed-run: something was due and did not run, or a baton was dropped and nothing runs again.

Story: a nightly backup is due at 02:00 and nothing starts; or its message, which puts itself back
on the queue until it is due, is lost, and no later night has a backup either.

Predicate: a due instant (a configured cron expression, a configured period, or a period learnt
from at least `MIN_RUNS` regular runs) without a push, start or end of the work within its
tolerance; the scheduler's own word that it missed one; log lines or rows at an even pace that came
no more (possible); a gauge of the last success that is read and stands still; or a chain of hops
whose last hop has no successor (`timeline.facts.chains`).

Certain when the schedule is configured, other runs of it were seen, and every source that would
show this one was read in full; likely when the schedule is learnt, the work was never seen at all
or the clocks changed that night; possible where a source could not tell.

False positives: a run skipped because the one before it still ran (told as a qualifier), a run that
is late but came (told as late), an instant whose tolerance is not over (silent), traffic that is
not regular or jobs with arguments of their own (never learnt), a message that still waits in its
queue, jobs that put themselves back until they are done (silent).

Reference: dead man's switch, missed fire (misfire); fleetyards/fleetyards#4335,
taskforcesh/bullmq#1046, Kubernetes documentation (CronJob limitations).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.coverage import Sight
from timeline.detectors.chain_findings import broken_chains
from timeline.detectors.missed_run_findings import Missed, MissedRun, ToldMissed
from timeline.event import Lane
from timeline.facts.paced_lines import MIN_SILENT, stopped_lines
from timeline.facts.paced_rows import stopped_rows
from timeline.facts.schedules import EARLY_NS, MIN_RUNS, Planned, Turn, turns_due
from timeline.facts.sight import absence, heard, read_until
from timeline.facts.spoken import BATON_MARKS, SCHEDULER_MARKS, spoken_with
from timeline.facts.tellers import unheard
from timeline.facts.told_ages import stopped_ages
from timeline.facts.words import counted, instant, length, listed
from timeline.facts.work import RUN_KEY, Run
from timeline.finding import Finding, NotEvaluated, Step
from timeline.knowledge import Overlap
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_GRADED = 20
"""Missed instants whose absence is graded one by one; the rest have the same sources."""
MAX_FINDINGS = 10
SCHEDULERS_WORD = (
    r"Run time of job \"(.+?) \(trigger|\(CronJob ([^)]+)\)|job[= ]\"?([\w./-]+)\"? .*was missed by"
)
"""Whose run a scheduler says it missed: APScheduler, Kubernetes' CronJob, anybody."""
OWN_MISS = r"(?i)was missed by|missed scheduled time|too many missed start time"


class MissedRunDetector:
    """Finds due runs that are not there; see the module."""

    term: ClassVar[str] = MissedRun.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue, or logs of the work that is due")
        plans = incident.planned
        found: list[Finding] = []
        judged = 0
        for planned in plans:
            if planned.unusable or not planned.sources:
                continue
            turns = [
                turn for turn in turns_due(incident, planned) if _judged(incident, planned, turn)
            ]
            judged += len(turns)
            found.extend(_findings(incident, planned, turns))
        chains, looked = broken_chains(incident)
        found.extend(chains)
        told = _told_by_schedulers(incident)
        found.extend(_habits(incident))
        names = {one.schedule for one in found if isinstance(one, MissedRun)}
        found.extend(one for one in told if one.schedule not in names)
        if not found and not judged and not looked:
            return NotEvaluated(self.term, _needs(incident, plans))
        found.sort(key=lambda one: (one.qualifier, list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


def _habits(incident: Incident) -> Iterator[Finding]:
    """Lines or rows that came at an even pace and then no more: nobody promised them, so possible.
    A gauge that is read as ever and tells of no run is a word of its own."""
    ages = [*stopped_ages(incident)]
    for planned in (*stopped_lines(incident), *stopped_rows(incident), *ages):
        turns = turns_due(incident, planned)
        after = _longest_gap(turns)
        if len(after) < MIN_SILENT or not all(_judged(incident, planned, turn) for turn in after):
            continue
        ran = [turn for turn in turns if turn.runs]
        cases = [(turn, Missed(turn.due, "never")) for turn in after]
        told = _finding(incident, planned, "never", cases, len(ran) + len(after), len(ran))
        if planned in ages:
            yield told
            continue
        link = f"it was only ever a habit: {planned.basis}, configured nowhere"
        if told.verdict is Verdict.POSSIBLE:
            link = told.weakest_link
        yield replace(told, verdict=Verdict.POSSIBLE, weakest_link=link)


def _longest_gap(turns: Sequence[Turn]) -> list[Turn]:
    """The longest row of turns in which nothing came, the latest of equal ones."""
    longest: list[Turn] = []
    for empty, part in groupby(turns, key=lambda turn: not turn.runs and not turn.late):
        gap = list(part)
        longest = gap if empty and len(gap) >= len(longest) else longest
    return longest


def _judged(incident: Incident, planned: Planned, turn: Turn) -> bool:
    """Whether a run of `turn` would have been seen: no word about what is forgotten or unread.

    Rows are read as they are now; where rows of earlier turns still stand, this one's would too.
    """
    if turn.runs or turn.late:
        return True
    end = turn.due + planned.tolerance
    limits = incident.snapshot.coverage.limits(planned.sources, turn.due - EARLY_NS, end)
    seen = {Sight.PARTIAL}
    if sum(run.at < turn.due for run in planned.runs) >= MIN_RUNS:
        rows = incident.speakers[Lane.DATABASE]
        seen |= {Sight.NOW_ONLY} if rows.issuperset(planned.sources) else set()
    return all(limit.sight in seen for limit in limits)


def _needs(incident: Incident, plans: Sequence[Planned]) -> str:
    for planned in plans:
        if planned.unusable:
            return f"a schedule that can be read: of {planned.name}, {planned.unusable}"
        if not planned.sources:
            return f"a source that shows runs of {planned.name}"
        if planned.dues:
            return f"a source that remembers runs of {planned.name} around its due instants"
        if planned.last_due_before is not None:
            at = instant(planned.last_due_before)
            return f"a window that holds a due instant of {planned.name}: the last was at {at}"
    if few := _few_hops(incident):
        return f"a wider window: {few} are too few to tell a chain that broke"
    return f"a configured schedule, or {MIN_RUNS} regular runs within the window"


def _few_hops(incident: Incident) -> str:
    """Lines that put something back for one date or instant, in words; empty when there is none."""
    lines = spoken_with(incident, BATON_MARKS).filter(pl.col("body").str.contains(RUN_KEY))
    if lines.is_empty():
        return ""
    return f"{counted(lines.height, 'hop')} that {lines['actor'][-1] or 'somebody'} put back"


def _findings(incident: Incident, planned: Planned, turns: Sequence[Turn]) -> Iterator[Finding]:
    """One finding per state, so that the late do not hide the lost."""
    starts_told = any(run.start is not None for run in planned.runs)
    by_state: dict[str, list[tuple[Turn, Missed]]] = {}
    for turn in turns:
        missed = _missed(planned, turn, starts_told)
        if missed is not None:
            by_state.setdefault(missed.state, []).append((turn, missed))
    timely = sum(1 for turn in turns if turn.runs and _missed(planned, turn, starts_told) is None)
    for state, cases in by_state.items():
        yield _finding(incident, planned, state, cases, len(turns), timely)


def _missed(planned: Planned, turn: Turn, starts_told: bool) -> Missed | None:
    if turn.runs:
        waiting = starts_told and all(run.outcome == "waiting" for run in turn.runs)
        return Missed(turn.due, "waiting", pushed=turn.runs[0].at) if waiting else None
    if planned.overlap is not Overlap.ALLOW and _still_ran(planned, turn.due):
        return Missed(turn.due, "skipped")
    if turn.late:
        return Missed(turn.due, "late", began=turn.late[0].at)
    return Missed(turn.due, "never")


def _still_ran(planned: Planned, due: int) -> bool:
    """Whether a run that was set off before still went on at `due`, as far as its end is known."""
    earlier = [run for run in planned.runs if run.start is not None and run.at < due]
    return bool(earlier) and (earlier[-1].end or 0) > due


def _finding(
    incident: Incident,
    planned: Planned,
    state: str,
    cases: Sequence[tuple[Turn, Missed]],
    due: int,
    ran: int,
) -> MissedRun:
    missed = tuple(one for _, one in cases)
    verdict, link = _verdict(incident, planned, state, cases)
    last_due = missed[-1].due
    after = [run for run in planned.runs if run.at > last_due and run.outcome != "waiting"]
    return MissedRun(
        verdict=verdict,
        weakest_link=link,
        began=missed[0].due,
        ended=last_due + planned.tolerance,
        steps=_steps(incident, planned, missed),
        keys=tuple(sorted({run.name for turn, _ in cases for run in turn.runs if run.name})),
        would_decide=_would_decide(planned, state),
        alternatives=_alternatives(incident, planned, cases),
        next_action=_next_action(planned, state, missed),
        qualifier=state in ("late", "skipped"),
        schedule=planned.name,
        basis=planned.basis,
        due=due,
        ran=ran,
        missed=missed,
        again=after[0].at if after and state == "never" else None,
    )


def _verdict(
    incident: Incident, planned: Planned, state: str, cases: Sequence[tuple[Turn, Missed]]
) -> tuple[Verdict, str]:
    grades: list[tuple[Verdict, str]] = []
    if state in ("never", "waiting"):
        for turn, _ in cases[:MAX_GRADED]:
            start, end = turn.due - EARLY_NS, turn.due + planned.tolerance
            gone = absence(incident, planned.sources, start, end)
            if gone.reasons:
                why = f"a run at {instant(turn.due)} may not have been seen: {gone.reasons[0]}"
                grades.append((gone.verdict, why))
        if state == "never":
            dues = [turn.due for turn, _ in cases[:MAX_GRADED]]
            grades += [(Verdict.POSSIBLE, why) for why in unheard(incident, planned, dues)]
    if not planned.runs:
        why = "no run of it was ever seen in what was read: it may be called something else there"
        queued = set(planned.sources) & set(heard(incident, Lane.QUEUE))
        grades.append((Verdict.LIKELY if queued else Verdict.POSSIBLE, why))
    if (
        planned.learnt
        and state == "never"
        and len(cases) == 1
        and _is_last(incident, planned, cases)
    ):
        grades.append((Verdict.POSSIBLE, "only the last one is missing: it may still have come"))
    if planned.learnt:
        why = f"the schedule is learnt from {planned.learnt} runs and configured nowhere"
        grades.append((Verdict.LIKELY, why))
    if any(turn.near_change for turn, _ in cases):
        grades.append((Verdict.LIKELY, "the clocks of that zone changed within hours of it"))
    verdict = weakest(grade for grade, _ in grades)
    link = next((why for grade, why in grades if grade is verdict), "")
    return verdict, link or f"{listed(planned.sources)} was read in full around every due instant"


def _is_last(incident: Incident, planned: Planned, cases: Sequence[tuple[Turn, Missed]]) -> bool:
    """Whether the next turn would be due after what was read."""
    return cases[-1][1].due + 2 * planned.period > read_until(incident)


def _alternatives(
    incident: Incident, planned: Planned, cases: Sequence[tuple[Turn, Missed]]
) -> tuple[str, ...]:
    due = cases[0][1].due
    told = []
    if any(turn.near_change for turn, _ in cases):
        told.append("its scheduler skipped it because the clocks changed")
    previous = max((run.at for run in planned.runs if run.at < due), default=incident.window.start)
    changes = incident.snapshot.told(
        (pl.col("lane") == Lane.CHANGE.value)
        & (pl.col("timestamp") > previous)
        & (pl.col("timestamp") < due),
        "body",
    )
    if changes.height:
        told.append(f"it was taken off the schedule: {changes['body'][-1]}")
    if planned.learnt and cases[-1][1].state == "never":
        told.append("it was stopped on purpose")
    return tuple(told)


def _would_decide(planned: Planned, state: str) -> tuple[str, ...]:
    if state == "waiting":
        return ("Look whether any worker consumes its queue.",)
    wanted = [f"Look in the scheduler's own log for {planned.name}."]
    if planned.learnt:
        wanted.append(f"Declare the schedule of {planned.name}, so that it need not be learnt.")
    return tuple(wanted)


def _next_action(planned: Planned, state: str, missed: Sequence[Missed]) -> str:
    if state == "skipped":
        return ""
    if state == "late":
        return f"Check what {planned.name} found missing before it ran."
    times = listed([instant(one.due) for one in missed])
    if state == "waiting":
        return f"Find out why {planned.name} of {times} is not taken from its queue."
    return f"Run {planned.name} for {times} by hand, and check that its next run is scheduled."


def _steps(incident: Incident, planned: Planned, missed: Sequence[Missed]) -> tuple[Step, ...]:
    due = missed[0].due
    told: dict[int, tuple[str, str]] = {}
    for run in _last_before(planned.runs, due):
        told[run.row] = ("last run", f"{length(due - run.at)} before the instant that was missed")
    pushed = [run for run in planned.runs if run.at >= due and run.outcome == "waiting"]
    for run in pushed[:1]:
        told[run.row] = ("pushed", f"never started by {instant(read_until(incident))}")
    for run in [run for run in planned.runs if run.at > missed[-1].due and run not in pushed][:1]:
        told.setdefault(run.row, ("next run", "the first one after it"))
    steps: list[Step] = []
    for event in incident.snapshot.events_at(list(told)):
        role, why = told[list(told)[len(steps)]]
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _last_before(runs: Sequence[Run], due: int) -> Sequence[Run]:
    return [run for run in runs if run.at < due][-1:]


def _told_by_schedulers(incident: Incident) -> Iterator[ToldMissed]:
    """Runs that a scheduler itself says it missed, by the name it gives."""
    lines = spoken_with(incident, SCHEDULER_MARKS)
    if lines.is_empty():
        return
    lines = lines.filter(pl.col("body").str.contains(OWN_MISS))
    names = [pl.col("body").str.extract(SCHEDULERS_WORD, group) for group in (1, 2, 3)]
    named = lines.with_columns(name=pl.coalesce(*names, pl.col("actor")))
    inside = named.filter(pl.col("timestamp") >= incident.window.start)
    for (name,), part in inside.group_by("name", maintain_order=True):
        events = incident.snapshot.events_at(part.get_column("row").head(2).to_list())
        yield ToldMissed(
            verdict=Verdict.CERTAIN,
            weakest_link="it is the scheduler's own line",
            began=part["timestamp"][0],
            ended=part["timestamp"][-1],
            steps=tuple(
                Step(
                    "missed",
                    event,
                    "the scheduler's own word",
                    None if place == 0 else before(events[0], event, incident.clocks),
                )
                for place, event in enumerate(events)
            ),
            would_decide=("Look what kept the scheduler from its turn just before.",),
            next_action=f"Check whether {name} must be run by hand.",
            schedule=str(name),
            times=part.height,
            words=part["body"][0],
        )
