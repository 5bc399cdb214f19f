"""Work that was queued more than once: jobs of one class with equal arguments and different ids.

Arguments that say nothing (none at all, a body nobody opened, a text that was cut) are equal by
accident and never compared. It decides nothing about whether it was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.late_answers import asked_again_late
from timeline.facts.lines import keyed_lines
from timeline.facts.logged_pushes import first_lines
from timeline.facts.repeated_runs import in_a_run

if TYPE_CHECKING:
    from timeline.incident import Incident

WITHIN_NS = 10_000_000_000
"""Two pushes of one piece of work by accident (a double click, a client's retry after its time-out
of five seconds: sidekiq/sidekiq#3303) come within ten seconds."""
SAYS_NOTHING = r"^[\s()\[\]{}]*$|not opened|too large|…"
RHYTHM_NS = 60_000_000_000
"""A chain of repetitions that lasts longer than a minute is a rhythm and no accident."""
STORY_NS = 300_000_000_000
"""Repetitions within five minutes are one story; what lies outside is the baseline."""
MIN_BASELINE = 20
"""Jobs of the class outside the story before "it never happens otherwise" means anything."""
ROUTINE_SHARE = 0.05
"""A class of which more than one job in twenty is a repetition repeats on purpose (D10)."""
BY_CHANCE = 1e-3
"""How likely a class that repeats itself as often as it does later may at most have begun with so
many jobs without a repetition, for its later ones to be no routine."""
MOST_WAITING = 3
"""Jobs of one call in the window of which a later one may be a second push of one that waits."""
MAX_GROUPS = 50
"""Pieces of work that are looked at one by one, the earliest."""


@dataclass(frozen=True, slots=True)
class SameWork:
    """Jobs (keys, in order of `pushed`, ns UTC) of one class with equal `args`.

    With `logged` only lines tell of them: `args` are the things that those name, `pushed` is when
    they were first spoken of. `late` is how long (ns) the requests took, at the least, after which
    the work was asked for again (`timeline.facts.late_answers`); 0 where that is not known.
    """

    job_class: str
    args: str
    jobs: tuple[str, ...]
    pushed: tuple[int, ...]
    logged: bool = False
    late: int = 0


@dataclass(frozen=True, slots=True)
class ClassHabit:
    """Of the jobs of a class outside the story: how many there are, how many are repetitions."""

    jobs: int
    repeated: int

    @property
    def routine(self) -> bool:
        return self.repeated > ROUTINE_SHARE * self.jobs


@dataclass(frozen=True, slots=True)
class Pushed:
    """By whom a job was pushed, as the producers' log tells: request keys, actors, event rows."""

    requests: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    rows: tuple[int, ...] = ()


def same_work(incident: Incident) -> tuple[list[SameWork], dict[str, ClassHabit]]:
    """Groups pushed within `WITHIN_NS` of each other, while the first one still waited, after a
    late answer, or as part of a stretch that was pushed again, by time, and the habit of their
    classes.

    Classes that repeat themselves as a routine are left out, and so are messages that put
    themselves back: each hop of a chain is meant to look like the one before it.
    """
    hops = [hop.id for chain in incident.chains for hop in chain.hops if hop.id]
    told = (
        incident.jobs.summary.drop_nulls(["enqueued", "args", "job_class"])
        .filter(~pl.col("args").str.contains(SAYS_NOTHING) & ~pl.col("job").is_in(hops))
        .select("job", "job_class", "args", "enqueued", "started", form=pl.lit(""))
    )
    told = _once_each(told, incident)
    groups, habits = _repeated(told, logged=False)
    # What a queue compared by all arguments is not compared again by what lines show of them.
    known = {job for group in groups for job in group.jobs}
    asked = set(told.get_column("job").to_list())
    rest = first_lines(incident).filter(~pl.col("job").is_in(hops))
    others, more = _repeated(rest, logged=True)
    news: dict[frozenset[str], SameWork] = {}  # who pushed both and who ran both tell the same
    for group in others:
        if not known.intersection(group.jobs) and not asked.issuperset(group.jobs):
            news.setdefault(frozenset(group.jobs), group)
    both = [*groups, *news.values()]
    for frame, logged in ((told, False), (rest, True)):
        both, more = _with_late(incident, frame, both, more | habits, logged=logged)
    both.sort(key=lambda group: (group.pushed[0], group.jobs))
    return both[:MAX_GROUPS], more | habits


def _with_late(
    incident: Incident,
    told: pl.DataFrame,
    groups: list[SameWork],
    habits: dict[str, ClassHabit],
    *,
    logged: bool,
) -> tuple[list[SameWork], dict[str, ClassHabit]]:
    """`groups` and `habits` with the work that was asked for again after a late answer, in place
    of the parts of it that were known."""
    late = asked_again_late(incident, told)
    kept, known = list(groups), {job for group in groups if not group.late for job in group.jobs}
    done = {job for group in groups if group.late for job in group.jobs}
    for job_class, args, jobs, pushed, waited, before in late.iter_rows():
        if done.intersection(jobs):
            continue
        whole = SameWork(job_class, args, tuple(jobs), tuple(pushed), logged, waited)
        if known.intersection(jobs):
            kept = [group for group in kept if group.late or not set(group.jobs) <= set(jobs)]
        kept.append(whole)
        habits = {job_class: ClassHabit(before, 0), **habits}
    return kept, habits


def _once_each(told: pl.DataFrame, incident: Incident) -> pl.DataFrame:
    """`told` without the later rows of a job that its framework knows by one id of its own.

    Solid Queue leaves retries to Active Job (rails/solid_queue, README "Failed jobs and retries"),
    which enqueues again: a new row of `solid_queue_jobs` under the same `active_job_id`.
    """
    moves = incident.jobs.transitions.select("row", "job")
    other = (
        incident.jobs.named.rename({"job": "own"})
        .join(moves, on="row")
        .filter(pl.col("own") != pl.col("job"))
        .group_by("job")
        .agg(pl.col("own").min())
    )
    if other.is_empty():
        return told
    known = told.join(other, on="job", how="left").with_columns(pl.coalesce("own", "job"))
    return known.sort("enqueued").unique("own", keep="first", maintain_order=True).drop("own")


def _repeated(told: pl.DataFrame, *, logged: bool) -> tuple[list[SameWork], dict[str, ClassHabit]]:
    """The unusual repetitions among `told` (job, job_class, args, enqueued, form)."""
    call = ("job_class", "form", "args")
    if told.is_empty():
        return [], {}
    told = told.sort(*call, "enqueued", "job")
    near = pl.col("enqueued").diff().over(call) <= WITHIN_NS
    told = told.with_columns(
        again=near.fill_null(value=False),
        waited=_while_it_waited(told, call),
        run=in_a_run(told, call),
    ).with_columns(again=pl.any_horizontal("again", "waited", "run"))
    if not told.get_column("again").any():
        return [], {}
    numbered = told.with_columns(group=(~pl.col("again")).cum_sum())
    lasted = pl.col("enqueued").max() - pl.col("enqueued").min()
    short = (lasted <= RHYTHM_NS) | pl.any_horizontal("waited", "run").any()
    repeated = numbered.filter((pl.len().over("group") > 1) & short.over("group"))
    grouped = repeated.group_by("group", maintain_order=True).agg(
        pl.col("job_class", "args").first(), pl.col("job"), pl.col("enqueued")
    )
    groups = [
        SameWork(job_class, args, tuple(jobs), tuple(pushed), logged)
        for _, job_class, args, jobs, pushed in grouped.iter_rows()
    ]
    groups.sort(key=lambda group: (group.pushed[0], group.jobs))
    habits = _habits(numbered, groups)
    return [group for group in groups if not habits[group.job_class].routine], habits


def _while_it_waited(told: pl.DataFrame, call: tuple[str, ...]) -> pl.Expr:
    """Whether the job before it, of the same call, had not begun when it was pushed: whoever pushed
    it did not know of that one. A call that comes again and again is a rhythm of its own, and in a
    class whose calls come again at other times as well people ask twice."""
    if "started" not in told.columns:
        return pl.lit(value=False)
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in call)
    begun_later = same & (pl.col("started").shift(1) > pl.col("enqueued"))
    begun_later = begun_later.fill_null(value=False)
    if not told.select(begun_later.any()).item():  # the usual case, without a look at all others
        return pl.lit(value=False)
    rare = pl.len().over(call) <= MOST_WAITING
    others = (pl.len().over(call) > 1) & ~begun_later.any().over(call)
    routine = others.sum().over("job_class") > ROUTINE_SHARE * pl.len().over("job_class")
    return begun_later & rare & ~routine


def _habits(jobs: pl.DataFrame, groups: Sequence[SameWork]) -> dict[str, ClassHabit]:
    """The habit of each class, without the story: the stretch with most repetitions."""
    habits: dict[str, ClassHabit] = {}
    for job_class in dict.fromkeys(group.job_class for group in groups):
        mine = [group for group in groups if group.job_class == job_class]
        start, end = _densest(mine)
        outside = jobs.filter(
            (pl.col("job_class") == job_class) & ~pl.col("enqueued").is_between(start, end)
        )
        habit = ClassHabit(outside.height, int(outside.get_column("again").sum()))
        own = jobs.filter(pl.col("job_class") == job_class)
        habits[job_class] = (_since_when(own) or habit) if habit.routine else habit
    return habits


def _since_when(jobs: pl.DataFrame) -> ClassHabit | None:
    """The habit of one class before its first repetition, if it repeats itself only since then.

    A fault that lasts to the end of the window fills what lies outside of its densest stretch.
    """
    first = jobs.filter("again").get_column("enqueued").min()
    before = jobs.filter(pl.col("enqueued") < first).height - 1  # the repeated one is not a habit
    since = jobs.filter(pl.col("enqueued") >= first)
    share = float(since.get_column("again").sum()) / since.height
    if before < MIN_BASELINE or (1 - share) ** before > BY_CHANCE:
        return None
    return ClassHabit(before, 0)


def _densest(groups: Sequence[SameWork]) -> tuple[int, int]:
    """The stretch of `STORY_NS` that holds most of the groups."""

    def held(start: int) -> int:
        return sum(start <= group.pushed[0] <= start + STORY_NS for group in groups)

    starts = [group.pushed[0] for group in groups[:MAX_GROUPS]]
    start = max(starts, key=held)
    last = max(g.pushed[-1] for g in groups if start <= g.pushed[0] <= start + STORY_NS)
    return start, last


def pushed_by(incident: Incident, jobs: Sequence[str]) -> dict[str, Pushed]:
    """Who pushed each job: actors that run no jobs, or spoke of it only before it began."""
    summary = incident.jobs.summary.select(key="job", begun="started")
    lines = keyed_lines(incident, jobs).filter(pl.col("lane") == Lane.LOG.value)
    lines = lines.join(summary, on="key", how="left", maintain_order="left")
    before = (pl.col("timestamp").max() < pl.col("begun").first()).over("key", "actor")
    other = ~pl.col("actor").is_in(list(incident.workers))
    lines = lines.filter(other | before.fill_null(value=False))
    requests = pairs_of_type(incident.snapshot.keys_of(lines.get_column("row")), "request")
    held = lines.join(requests.rename({"key": "request"}), on="row", how="left")
    told = held.group_by("key", maintain_order=True).agg(
        pl.col("request").drop_nulls().unique(),
        pl.col("actor").unique(),
        pl.col("row").unique(maintain_order=True),
    )
    return {
        job: Pushed(frozenset(requests), frozenset(actors), tuple(rows))
        for job, requests, actors, rows in told.iter_rows()
    }
