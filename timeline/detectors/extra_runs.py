"""extra-runs: one due instant, date or item was worked on more than once.

Story: some nights there were two or three backups instead of one, because a second scheduler was
alive, or because the message that carries the schedule was delivered twice and forked.

Predicate: several runs with different ids for one turn of a schedule (configured or learnt);
several jobs of one class with equal arguments that name one date; one task sent by two schedulers
within `SAME_INSTANT_NS`; lines at an even pace that a second host tells as well from some turn on,
or rows that come twice from then on; an item of an expected set worked on more often than it should
be; or a chain one of whose hops has several successors (`timeline.facts.chains`).

Certain where ids tell the runs apart and the schedule or the set is configured; likely where the
schedule is learnt or the date stands in arguments. That it is one too many is graded, the cause
apart.

False positives: retries (one id, silent), a repeat after a failure (silent), work that starts in
several parts every time (silent), runs that make up for missed ones (a qualifier).

Reference: split-brain scheduler, duplicate trigger; celery/celery#2856, celery/celery#4041,
celery/django-celery-beat#459 (catching up), mozilla/telemetry-analysis-service#417.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.chain_findings import forked_chains
from timeline.event import Lane
from timeline.facts.paced_lines import doubled_lines
from timeline.facts.paced_rows import doubled_rows
from timeline.facts.schedules import Planned, turns_due
from timeline.facts.sight import heard
from timeline.facts.spoken import SCHEDULER_MARKS, spoken_with
from timeline.facts.words import abridged, capital, counted, instant, length, listed, often, short
from timeline.facts.work import RUN_KEY, Run, job_runs, runs_from
from timeline.finding import Finding, NotEvaluated, Repair, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

SAME_INSTANT_NS = 2_000_000_000
"""Two schedulers that are both alive send one task within the error of their clocks."""
CATCH_UP_NS = 10_000_000_000
"""Runs that make up for missed ones are set off together, within seconds of each other."""
SENT_BY_BEAT = r"Sending due task (\S+)"
"""Celery beat as it sends a task (celery/beat.py, apply_entry)."""
ALWAYS = 0.8
"""When so many turns have several runs, that is how the work is meant."""
MAX_TURNS_SHOWN = 3
MAX_STEPS = 8
MAX_FINDINGS = 10
MAX_GROUPS = 200


@dataclass(frozen=True, slots=True)
class Doubled:
    """One turn with more than one run. `turn` names it: a due instant, a date or an item; `at` is
    when the first run was set off (ns UTC), `runs` are ids (keys, or empty), `actors` who ran or
    sent them."""

    turn: str
    at: int
    times: int
    runs: tuple[str, ...]
    actors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ExtraRuns(Finding):
    """Turns of one piece of work that have more runs than they should.

    `cause`: `two schedulers`, `catching up`, `clock change` or `unknown`. `each` is how many runs
    a turn should have.
    """

    term: ClassVar[str] = "extra-runs"
    stage: ClassVar[Stage] = Stage.EFFECT
    remedy: ClassVar[str] = (
        "Let a unique key of schedule and instant in a database decide who may run, and keep one "
        "scheduler alive by a lock that a second one cannot hold."
    )

    work: str
    each: int
    cause: str
    turns: tuple[Doubled, ...]

    def sentence(self) -> str:
        first, more = self.turns[0], len(self.turns) - 1
        rest = f", and so had {counted(more, 'other')}" if more else ""
        return abridged(
            f"{capital(self.work)} ran {often(first.times)} instead of {often(self.each)} for "
            f"{first.turn}"
            f"{self._who}{rest}{self._why}."
        )

    def clause(self) -> str:
        first = self.turns[0]
        if len(self.turns) == 1:
            return f"{self.work} ran {often(first.times)} for {first.turn}"
        return f"{self.work} ran more than once for each of {len(self.turns)} turns"

    def repairs(self) -> list[Repair]:
        """The runs turn by turn, the first of each before the extra ones; then single items."""
        told = [
            Repair(run, "extra run" if place >= self.each else "first run", f"for {turn.turn}")
            for turn in self.turns
            for place, run in enumerate(turn.runs)
            if run
        ]
        times = {turn.turn: turn.times for turn in self.turns}
        named = {repair.key for repair in told}
        told += [
            Repair(
                key, f"worked on {often(times[short(key)])}" if short(key) in times else "doubled"
            )
            for key in self.keys
            if key not in named
        ]
        return told

    @property
    def _who(self) -> str:
        first = self.turns[0]
        names = [short(run) for run in first.runs if run]
        actors = f" on {listed(first.actors)}" if len(first.actors) > 1 else ""
        return f" ({listed(names)}{actors})" if names else actors

    @property
    def _why(self) -> str:
        return {
            "two schedulers": "; two schedulers set it off",
            "catching up": "; it made up for runs that were missed before",
            "clock change": "; the clocks of its zone changed within hours of it",
        }.get(self.cause, "")


class ExtraRunsDetector:
    """Finds work that was set off more often than it should be; see the module."""

    term: ClassVar[str] = ExtraRuns.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue, or logs of the work that is repeated")
        found: list[Finding] = []
        used: set[str] = set()
        for planned in incident.planned:
            for finding in _of_schedule(incident, planned):
                found.append(finding)
                used |= set(finding.keys)
        found.extend(_of_habits(incident))
        found.extend(_of_schedulers(incident))
        found.extend(one for one in _of_dates(incident) if used.isdisjoint(one.keys))
        found.extend(_of_sets(incident))
        found.extend(forked_chains(incident))
        found.sort(key=lambda one: (one.qualifier, list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


def _of_schedule(incident: Incident, planned: Planned) -> Iterator[ExtraRuns]:
    """Turns of a schedule with several runs that are not one another's repeats after a failure."""
    if planned.unusable or not planned.runs:
        return
    turns = turns_due(incident, planned)
    answered = [turn for turn in turns if turn.runs]
    cases = [(turn, extra) for turn in answered if len(extra := _apart(turn.runs)) > 1]
    if not cases or (len(cases) > ALWAYS * len(answered) and planned.learnt):
        return
    near = any(turn.near_change for turn, _ in cases)
    doubled = [_doubled(f"the run due at {instant(turn.due)}", runs) for turn, runs in cases]
    runs = [run for _, extra in cases for run in extra]
    missed_before = [turn for turn in turns if not turn.runs and turn.due < cases[0][0].due]
    cause = _cause(runs, doubled, near=near, missed=len(missed_before))
    verdict, link = Verdict.CERTAIN, "the runs have ids of their own, and only one was due"
    if planned.learnt:
        verdict, link = Verdict.LIKELY, f"the schedule is learnt from {planned.learnt} runs"
    elif not all(run.name for run in runs):
        verdict, link = Verdict.LIKELY, "the runs have no ids: each is known by its first line"
    if near:
        verdict, link = Verdict.LIKELY, "the clocks of its zone changed within hours of it"
    yield _finding(incident, planned.name, doubled, runs, (verdict, link), cause)


def _of_habits(incident: Incident) -> Iterator[ExtraRuns]:
    """Lines at an even pace that a second host tells as well from some turn on, or rows."""
    for planned in (*doubled_lines(incident), *doubled_rows(incident)):
        for one in _of_schedule(incident, planned):
            if len(one.turns) > 1:
                yield one
                continue
            link = "only one turn was told twice: it may have been set off by hand"
            yield replace(one, verdict=Verdict.POSSIBLE, weakest_link=link)


def _apart(runs: Sequence[Run]) -> list[Run]:
    """Runs that are no repeat of one that had failed before they were set off."""
    kept: list[Run] = []
    for run in sorted(runs, key=lambda one: one.at):
        failed = [one for one in kept if one.outcome in ("failed", "dead")]
        repeat = any(one.end is not None and one.end <= run.at for one in failed)
        if not repeat and run.name not in {one.name for one in kept if one.name}:
            kept.append(run)
    return kept


def _doubled(turn: str, runs: Sequence[Run]) -> Doubled:
    actors = tuple(dict.fromkeys(run.actor for run in runs if run.actor))
    names = tuple(run.name for run in runs)
    return Doubled(turn, min(run.at for run in runs), len(runs), names, actors)


def _cause(runs: Sequence[Run], doubled: Sequence[Doubled], *, near: bool, missed: int) -> str:
    if near:
        return "clock change"
    extra = sum(one.times - 1 for one in doubled)
    together = all(two.at - one.at <= CATCH_UP_NS for one, two in pairwise(runs))
    return "catching up" if len(doubled) == 1 and together and 0 < extra <= missed else "unknown"


def _finding(
    incident: Incident,
    work: str,
    doubled: Sequence[Doubled],
    runs: Sequence[Run],
    grade: tuple[Verdict, str],
    cause: str,
    each: int = 1,
) -> ExtraRuns:
    names = sorted({run.name for run in runs if run.name})
    return ExtraRuns(
        verdict=grade[0],
        weakest_link=grade[1],
        began=min(one.at for one in doubled),
        ended=max(run.end or run.at for run in runs),
        steps=_steps(incident, runs),
        keys=tuple(names),
        would_decide=(
            f"Count the schedulers that are alive and have {work} on their list.",
            "Look for a delivered-again finding about the same keys.",
        ),
        alternatives=_alternatives(cause),
        next_action=(
            f"Check {listed([short(name) for name in names])} for double effects."
            if names
            else f"Check what {work} did twice for {listed([one.turn for one in doubled])}."
        ),
        qualifier=cause == "catching up",
        work=work,
        each=each,
        cause=cause,
        turns=tuple(doubled),
    )


def _alternatives(cause: str) -> tuple[str, ...]:
    if cause != "unknown":
        return ()
    return ("somebody ran it by hand", "two schedulers are alive", "its message was redelivered")


def _steps(incident: Incident, runs: Sequence[Run]) -> tuple[Step, ...]:
    steps: list[Step] = []
    shown = sorted(runs, key=lambda run: run.at)[:MAX_STEPS]
    for run, event in zip(shown, incident.snapshot.events_at([r.row for r in shown]), strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        gap = f"{length(max(run.at - shown[0].at, 0))} after the first" if steps else "the first"
        steps.append(Step("run", event, f"{short(run.name) or 'a run'} was set off, {gap}", order))
    return tuple(steps)


def _of_schedulers(incident: Incident) -> Iterator[ExtraRuns]:
    """One task that two schedulers sent at one instant, by their own lines."""
    lines = spoken_with(incident, SCHEDULER_MARKS)
    sent = lines.with_columns(task=pl.col("body").str.extract(SENT_BY_BEAT, 1)).filter(
        pl.col("task").is_not_null() & (pl.col("timestamp") >= incident.window.start)
    )
    if sent.is_empty():
        return
    by = ["task"]
    near = sent.sort("task", "timestamp", "row").with_columns(
        gap=(pl.col("timestamp") - pl.col("timestamp").shift(1)).over(by),
        other=pl.concat_str("actor", "source").shift(1).over(by)
        != pl.concat_str("actor", "source"),
    )
    pairs = near.filter((pl.col("gap") <= SAME_INSTANT_NS) & pl.col("other"))
    for (task,), part in pairs.group_by("task", maintain_order=True):
        own = near.filter(pl.col("task") == task)
        speakers = own.select("actor", "source", "clock").unique(maintain_order=True)
        if speakers.get_column("actor").n_unique() < 2 and speakers["clock"].n_unique() < 2:
            continue  # one line, shipped twice
        actors = tuple(dict.fromkeys(own["actor"].to_list()))
        first = part.row(0, named=True)
        last = part["timestamp"][-1]
        rows = own.filter(
            (pl.col("timestamp") - first["timestamp"]).abs() <= SAME_INSTANT_NS
        ).get_column("row")
        events = incident.snapshot.events_at(rows.to_list()[:MAX_STEPS])
        turns = tuple(
            Doubled(f"the instant {instant(at)}", at, 2, (), actors)
            for at in part["timestamp"].head(100).to_list()
        )
        yield ExtraRuns(
            verdict=Verdict.CERTAIN,
            weakest_link="each scheduler's own line says that it sent the task",
            began=turns[0].at,
            ended=last,
            steps=tuple(
                Step(
                    "sent",
                    event,
                    f"{event.actor} sent it",
                    None if not place else before(events[place - 1], event, incident.clocks),
                )
                for place, event in enumerate(events)
            ),
            keys=(),
            would_decide=("Compare the schedules that the two have loaded.",),
            next_action=f"Stop one of {listed(actors)}.",
            work=str(task),
            each=1,
            cause="two schedulers",
            turns=turns,
        )


def _of_dates(incident: Incident) -> Iterator[ExtraRuns]:
    """Jobs of one class with equal arguments that name one date, under different ids."""
    jobs = incident.jobs.summary
    hops = [hop.id for chain in incident.chains for hop in chain.hops if hop.id]
    dated = jobs.filter(
        pl.col("args").str.contains(RUN_KEY) & ~pl.col("job").is_in(hops)
    ).with_columns(pl.col("job_class").fill_null(""))
    again = dated.filter(pl.len().over("job_class", "args") > 1)
    if again.is_empty():
        return
    usual = dated.group_by("job_class").agg(calls=pl.col("args").n_unique())
    often = again.group_by("job_class").agg(twice=pl.col("args").n_unique())
    meant = usual.join(often, on="job_class").filter(
        (pl.col("calls") > 2) & (pl.col("twice") > ALWAYS * pl.col("calls"))
    )
    again = again.join(meant, on="job_class", how="anti")
    for (job_class,), part in again.group_by("job_class", maintain_order=True):
        doubled: list[Doubled] = []
        runs: list[Run] = []
        for (args,), same in list(part.group_by("args", maintain_order=True))[:MAX_GROUPS]:
            extra = _apart(runs_from(job_runs(incident, same)))
            if len(extra) > 1:
                doubled.append(_doubled(f"{args}", extra))
                runs += extra
        if doubled:
            name = str(job_class).rpartition(".")[2] or "a job"
            grade = (
                Verdict.LIKELY,
                "that one date is to be worked on once is read from the arguments",
            )
            yield _finding(incident, name, doubled, runs, grade, "unknown")


def _of_sets(incident: Incident) -> Iterator[ExtraRuns]:
    """Items of an expected set that were worked on more often than they should be.

    Of a batch that left others undone, partial-batch tells both.
    """
    for batch in incident.batches:
        more = {key: times for key, times in batch.times.items() if times > batch.each}
        if not more or not batch.each or len(batch.times) < batch.items.height:
            continue
        turns = tuple(
            Doubled(short(key), batch.began, times, (), ())
            for key, times in sorted(more.items(), key=lambda pair: (-pair[1], pair[0]))
        )
        yield ExtraRuns(
            verdict=Verdict.LIKELY if batch.inferred else Verdict.CERTAIN,
            weakest_link=batch.inferred or "each item is named by a key in each of its runs",
            began=batch.began,
            ended=batch.ended,
            keys=tuple(sorted(more)),
            would_decide=("Look for a forked chain or a second press over the same items.",),
            alternatives=("the batch was started again", "two schedulers are alive"),
            next_action=f"Check {listed([turn.turn for turn in turns])} for double effects.",
            work=batch.name,
            each=batch.each,
            cause="unknown",
            turns=turns,
        )
