"""Signs that somebody who wrote nothing for a while was at work all the same.

The queue shows its jobs, others speak of it without complaint, its own figures go on, or its
siblings do. Owns no judgement of whether the silence is out of the ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.counted import counted_bars
from timeline.facts.series import points_of
from timeline.facts.witnessed_kinds import missed_kinds
from timeline.facts.words import counted
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

EDGE_NS = 5_000_000_000
"""A job that ends with the last line or begins with the first is not what ran in between: queue
and worker write the two in either order, each by its own clock."""
MIN_JOBS = 5
NAMES_JOBS = 0.8
"""Share of the jobs run at other times that such a one names in its lines."""
BY_CHANCE = 0.05
"""How seldom a teller would name none of so many jobs of one kind, if it spoke of that kind."""
AS_BEFORE = 0.5
"""Part of its former pace at which others must go on speaking of it, or its figures go on rising,
for its work to be as before: traffic swings by less within one length of a pause."""
LEAST_WORDS = 5
"""Lines of others below which "as often as before" means nothing."""
INSTANCE = r"(?:-[0-9a-f]{8,10}-[0-9a-z]{5}|-[0-9a-z]{5}|[-_]\d{1,3})?"
"""What an orchestrator adds to the name of a service for one instance of it."""
DOING = r"(?i)request|http|rpc|handled|processed|served|received|messages|jobs|queries|calls|rps\b"
"""Names of figures that count work."""
NO_COUNT = r"(?i)second|latency|duration|bytes|_info\b|error|fail|queue|pending|depth|lag|in_flight"
"""And of those that stand still, or go on without any."""

PORT = r":\d{1,5}$"
INSTANCES = ("instance", "pod", "host", "hostname", "node", "server")
"""Labels by which metric systems name one instance."""
SHORTEST_HOST = 5
"""Characters of a host's name below which it stands in many a text by chance."""
NOT_BY_CHANCE = 1e-8
"""How often as many requests in a row may miss somebody by chance. Everybody's longest pause is
tried, and a night has some thousand requests at which one may begin."""
FEW_ERRORS = 3
"""More errors of others than before that say nothing yet."""

Proof = tuple[Verdict, str, int | None]
"""How sure it is that it was at work, why in words, and the event that shows it best."""


def jobs_meanwhile(
    incident: Incident, actor: str, start: int, end: int, workers: frozenset[str]
) -> Proof | None:
    """Jobs that ran in the gap, by name or because no other actor runs jobs.

    A kind of job that the actor passes over at other times, while it names jobs of other kinds,
    proves no silence: those run without a line from it.
    """
    stamp = pl.col("timestamp")
    inside = stamp.is_between(start + EDGE_NS, end - EDGE_NS)
    named = _moves_of(incident, actor, workers, inside)
    if not named.is_empty():
        elsewhere = ~stamp.is_between(start - EDGE_NS, end + EDGE_NS)
        usual = _moves_of(incident, actor, workers, elsewhere)
        named = named.join(_untold_kinds(incident, actor, usual), on="job_class", how="anti")
    if named.is_empty():
        return None
    jobs = named.get_column("job").n_unique()
    return Verdict.CERTAIN, f"the queue shows {counted(jobs, 'job')} run meanwhile", named["row"][0]


def _moves_of(
    incident: Incident, actor: str, workers: frozenset[str], when: pl.Expr
) -> pl.DataFrame:
    """Transitions of jobs that `actor` ran, by name or because no other actor runs jobs."""
    moves = incident.jobs.transitions.filter((pl.col("kind") != "job.enqueued") & when)
    named = moves.filter(pl.col("worker") == actor)
    return moves if named.is_empty() and workers == {actor} else named


def jobs_unnamed(
    incident: Incident, actor: str, start: int, end: int, workers: frozenset[str]
) -> bool:
    """Whether some jobs ran in the gap, while the actor names nearly all that it runs elsewhere."""
    stamp = pl.col("timestamp")
    inside = _moves_of(incident, actor, workers, stamp.is_between(start + EDGE_NS, end - EDGE_NS))
    outside = _moves_of(incident, actor, workers, ~stamp.is_between(start - EDGE_NS, end + EDGE_NS))
    jobs = outside.get_column("job").unique()
    if inside.get_column("job").n_unique() < MIN_JOBS or jobs.len() < MIN_JOBS:
        return False
    return _told_by(incident, actor, jobs).len() >= NAMES_JOBS * jobs.len()


def _told_by(incident: Incident, actor: str, jobs: pl.Series) -> pl.Series:
    """Those of `jobs` (keys) that the actor's own log lines name."""
    told = incident.jobs.named.filter(pl.col("job").is_in(jobs.implode()))
    lane, by = (
        incident.snapshot.events.get_column(name).gather(told.get_column("row"))
        for name in ("lane", "actor")
    )
    own = told.filter((lane == Lane.LOG.value) & (by.cast(pl.String) == actor))
    return own.get_column("job").unique()


def _untold_kinds(incident: Incident, actor: str, moves: pl.DataFrame) -> pl.DataFrame:
    """(job_class) of the jobs in `moves` that the actor never names, against its habit with the
    kinds that it does name: too many to be passed over by chance."""
    jobs = moves.select("job", "job_class").drop_nulls().unique()
    own = _told_by(incident, actor, jobs.get_column("job").unique())
    told = jobs.with_columns(told=pl.col("job").is_in(own.implode()))
    kinds = told.group_by("job_class").agg(pl.len().alias("runs"), pl.col("told").sum())
    spoken = kinds.filter(pl.col("told") > 0)
    named, runs = (int(spoken.get_column(name).sum()) for name in ("told", "runs"))
    missed = 1 - named / max(runs, 1)
    passed_over = (pl.col("told") == 0) & (missed ** pl.col("runs") <= BY_CHANCE)
    return kinds.filter(passed_over).select("job_class")


def named_by_others(incident: Incident, actor: str, start: int, end: int) -> Proof | None:
    """Lines of other actors in the gap that speak of this one without complaint."""
    speaking = _speaking_of(incident, actor, start, end)
    if speaking.is_empty():
        return None
    words = f"{counted(speaking.height, 'line')} of others speak of it meanwhile"
    return Verdict.LIKELY, words, speaking["row"][0]


def named_as_before(incident: Incident, actor: str, start: int, end: int) -> Proof | None:
    """The same where they do so about as often as in as long a stretch before the gap."""
    return _as_before(incident, partial(_speaking_of, incident, actor), start, end)


def host_named_as_before(incident: Incident, host: str, start: int, end: int) -> Proof | None:
    """Lines of other hosts that name `host` in full, about as often as before the gap."""
    if len(host) < SHORTEST_HOST:
        return None
    return _as_before(incident, partial(_naming_host, incident, host), start, end)


def _naming_host(incident: Incident, host: str, start: int, end: int) -> pl.DataFrame:
    """Mild log lines of other hosts inside `(start, end)` that name `host`."""
    lines = mild_lines(incident, start, end)
    named = lines.filter(pl.col("body").str.contains(host, literal=True))
    word = rf"(?:^|[^\w.-]){re.escape(host)}(?:[^\w-]|$)"
    return named.filter((pl.col("clock") != host) & pl.col("body").str.contains(word))


def _as_before(
    incident: Incident, speaking_in: Callable[[int, int], pl.DataFrame], start: int, end: int
) -> Proof | None:
    speaking = speaking_in(start, end)
    if speaking.height < LEAST_WORDS:
        return None
    since = max(incident.window.start, start - (end - start))
    before = speaking_in(since, start).height
    usual = before * (end - start) / max(start - since, 1)
    if before < LEAST_WORDS or speaking.height < AS_BEFORE * usual:
        return None
    words = f"{counted(speaking.height, 'line')} of others speak of it meanwhile, as before"
    return Verdict.LIKELY, words, speaking["row"][0]


def _speaking_of(incident: Incident, actor: str, start: int, end: int) -> pl.DataFrame:
    """Mild log lines of others inside `(start, end)` that name `actor` or an instance of it.

    `search`, `http://search/` and `pod/search-7f` do; the path `/search` or `/v1/search` does not.
    """
    spelt = re.sub(r"(?:\\-|_)", "[-_]", re.escape(actor))
    begun = r"(?:^|[^\w./-])"
    name = rf"(?i)(?:{begun}|//|{begun}\w[\w.:-]*/){spelt}{INSTANCE}(?:[^\w-]|$)"
    lines = mild_lines(incident, start, end)
    speaking = lines.filter((pl.col("actor") != actor) & pl.col("body").str.contains(name))
    return speaking.join(incident.errors.select("row"), on="row", how="anti")


def mild_lines(incident: Incident, start: int, end: int) -> pl.DataFrame:
    """(row, actor, clock, body) of log lines below a warning inside `(start, end)` ns."""
    snapshot = incident.snapshot
    first, last = snapshot.position_at(start + 1), snapshot.position_at(end)
    rows = snapshot.order.slice(first, last - first)
    events = snapshot.events
    lane, severity = (events.get_column(name).gather(rows) for name in ("lane", "severity_number"))
    mild = rows.filter((lane == Lane.LOG.value) & (severity < SEVERITY_WARN))
    names = pl.col("actor", "clock").gather(mild).cast(pl.String).fill_null("")
    return events.select(names, pl.col("body").gather(mild)).with_columns(row=mild)


def requests_meanwhile(incident: Incident, actor: str, start: int, end: int) -> Proof | None:
    """Requests of others that went on in the gap, a known share of whose kinds this one serves.

    Nothing is said where those who call it had more errors than before: then it may be gone.
    """
    frame = incident.executions.frame.lazy().filter(pl.col("kind") == "request")
    own = pl.col("actor").cast(pl.String) == actor
    same = pl.col("id").str.strip_prefix("request:").str.strip_prefix("trace:")  # as each calls it
    other = pl.col("execution").filter(~own)
    asked = frame.group_by(same.hash()).agg(
        at=pl.col("start").filter(~own).min(),
        execution=other.get(pl.col("start").filter(~own).arg_min()),
        mine=own.any(),
        others=(~own).any(),
    )
    asked = asked.filter("others")
    inside = asked.filter(pl.col("at").is_between(start + EDGE_NS, end - EDGE_NS))
    outside = asked.filter(~pl.col("at").is_between(start - EDGE_NS, end + EDGE_NS))
    now, usual = pl.collect_all([inside, outside])
    named = usual.get_column("mine").sum()
    if now.get_column("mine").any() or named < LEAST_WORDS:
        return None
    if (1 - named / usual.height) ** now.height > NOT_BY_CHANCE:
        return None
    missed = missed_kinds(incident, now.sort("at"), usual.sort("at"))
    if missed.by_chance > NOT_BY_CHANCE or more_errors(incident, actor, start, end):
        return None
    words = (
        f"it names none of {missed.requests} requests of others meanwhile, and {missed.share:.0%} "
        "of their like at other times"
    )
    return Verdict.LIKELY, words, None


def more_errors(incident: Incident, actor: str, start: int, end: int) -> bool:
    """Whether others had more errors in `[start, end)` than as long before."""
    errors = incident.errors.filter(pl.col("actor") != actor).get_column("timestamp")
    since = max(incident.window.start, start - (end - start))
    inside = errors.is_between(start - EDGE_NS, end).sum()
    before = errors.is_between(since, start - EDGE_NS).sum() * (end - start) / max(start - since, 1)
    return bool(inside > 2 * before + FEW_ERRORS)


def measured_as_before(incident: Incident, actor: str, start: int, end: int) -> Proof | None:
    """Figures of its own work that went on in the gap about as fast as they did before."""
    points = points_of(incident, DOING, NO_COUNT)
    if points.is_empty():
        return None
    labels = pl.col("labels")
    named = pl.any_horizontal(
        labels.str.json_path_match(f"$.{label}") == actor
        for label in ("service", "service_name", "app", "job", "container", "deployment")
    ) | pl.any_horizontal(
        labels.str.json_path_match(f"$.{label}").str.replace(PORT, "") == actor
        for label in INSTANCES
    )
    since = start - (end - start)
    mine = points.filter(
        ((pl.col("actor") == actor) | named) & pl.col("timestamp").is_between(since, end)
    )
    for series in mine.partition_by("series", maintain_order=True):
        before, during = (
            series.filter(pl.col("timestamp").is_between(low, high))
            for low, high in ((since, start), (start, end))
        )
        usual, now = _pace(before), _pace(during)
        if usual > 0 and now >= AS_BEFORE * usual:
            name = series["measure"][0]
            return Verdict.LIKELY, f"its {name} went on as before meanwhile", during["row"][-1]
    return None


def _pace(points: pl.DataFrame) -> float:
    """How fast a counter rises per ns, or the level of a rate; 0 where too little is told."""
    if points.height < 3:
        return 0.0
    stamps = points.get_column("timestamp").to_list()
    values: list[float] = points.get_column("value").to_list()
    if values[-1] > values[0] and values == sorted(values):
        return float((values[-1] - values[0]) / max(stamps[-1] - stamps[0], 1))
    return float(max(median(values), 0.0))


def siblings_meanwhile(incident: Incident, actor: str, start: int, end: int) -> Proof | None:
    """Actors of the same name but for a trailing number that went on."""
    stem = re.sub(r"[-_.]?\d+$", "", actor)
    if stem == actor:
        return None
    events = incident.snapshot.events
    bars = counted_bars(incident)
    names = {str(name) for name in events.get_column("actor").unique() if name}
    names.update(bars.get_column("actor").to_list())
    others = sorted(
        name for name in names if name != actor and re.sub(r"[-_.]?\d+$", "", name) == stem
    )
    spoke = events.select(
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("timestamp").is_between(start, end, "none")
        & pl.col("actor").is_in(others)
    )
    among = bars.filter(
        pl.col("actor").is_in(others) & (pl.col("first") > start) & (pl.col("last") < end)
    )
    if not spoke.to_series().any() and among.is_empty():
        return None
    return Verdict.POSSIBLE, f"{others[0]} went on meanwhile; it is quiet or gone", None
