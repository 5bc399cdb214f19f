"""Hosts that were taken away with work in hand: what stops, and what stays open.

A machine that disappears says nothing of its own end, and a queue in tables goes on showing its
jobs as begun. The loss is where three things meet on one host: attempts that have no end long after
their like are over; no sign of life of that host, of whatever kind, from an instant on, where it
used to speak many times in such a stretch; and its siblings of the same service at their pace, so
that it is neither a lack of work nor a gap in what was collected. Where work of hosts that speak is
left open as well, logs or queue just tell no ends.

What others say about a host, a cluster of its node, is no sign of its life.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.lifecycle import STOP_LINE
from timeline.facts.lost_attempt import LAST_LINE, VANISHED, LostAttempt
from timeline.facts.rates import MINUTE_NS, SECOND_NS
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.facts.starts import Start
    from timeline.facts.unended import Spoken
    from timeline.incident import Incident

LONG_OVER = 5
"""Multiple of the time that nearly all attempts take, after which one without an end is left."""
LEAST_NS = MINUTE_NS
"""Such attempts are at least so old, and their host so long without a sign."""
EXPECTED = 12.0
"""Signs that the host would have given at its own pace in that time."""
BEYOND = 1.5
"""Multiple of its own longest pause: a host that works in bouts is not gone between two of them."""
SIBLINGS = 0.5
"""Part of their own pace at which the other hosts of the service go on, at least."""
LAST_WORDS_NS = 2 * MINUTE_NS
"""A host that announced its stop so shortly before its last sign was stopped, and not lost."""
OTHERS = 3
"""Work that is left open on other hosts as well, one of so many, and the ends are not told."""
MAX_HOSTS = 5


class _Open(NamedTuple):
    """An attempt without an end, on `host`; `held` says whether the queue itself holds it as begun,
    or gave the job out again to another host, and not the worker's log alone leaves it open."""

    start: Start
    host: str
    held: bool


class _Life(NamedTuple):
    """Signs of life of one host: how many, the first and the last (ns)."""

    signs: int
    first: int
    last: int


def vanished(
    incident: Incident,
    opened: Sequence[Start],
    spoken: Sequence[Spoken],
    known: Iterable[str],
) -> Iterator[LostAttempt]:
    """Attempts that were lost with their host.

    `opened` are the starts without an end by the queue, `spoken` the attempts by workers' logs;
    jobs that are `known` as lost by another sign are left out.
    """
    until = read_until(incident)
    usual = LONG_OVER * _usually(spoken, until)
    old = until - max(LEAST_NS, usual)
    left = [
        one
        for one in _left_open(incident, opened, spoken)
        if one.start.timestamp <= old and one.start.job not in set(known)
    ]
    if not left:
        return
    lives = _lives(incident)
    by_host: dict[str, list[_Open]] = {}
    for one in left:
        host = one.host or _host_in(one.start.worker, lives)
        if host in lives:
            by_host.setdefault(host, []).append(one)
    alive = sum(len(mine) for host, mine in by_host.items() if lives[host].last > old)
    for host, mine in sorted(by_host.items(), key=lambda pair: -len(pair[1]))[:MAX_HOSTS]:
        if lives[host].last > old or OTHERS * alive > len(mine):
            continue
        last = _last_sign(incident, host, lives[host])
        if last is None or not _is_gone(incident, host, lives[host], last, until):
            continue
        doubt = _doubt(incident, host, mine, last)
        if doubt is not None:
            yield from _lost(incident, host, mine, last, doubt)


def _usually(spoken: Sequence[Spoken], until: int) -> int:
    """How long nearly all attempts take that have ended, ns; 0 where none tells."""
    took = sorted(one.last - one.start.timestamp for one in spoken if one.ended)
    return took[len(took) * 19 // 20] if took else 0


def _left_open(
    incident: Incident, opened: Sequence[Start], spoken: Sequence[Spoken]
) -> list[_Open]:
    """Every attempt without an end once: by the queue where that shows it, else by the log.

    A job may have one name in the queue's table and another in the log.
    """
    by_job: dict[str, list[Spoken]] = {}
    for one in spoken:
        by_job.setdefault(one.start.job, []).append(one)
    names = incident.jobs.also_named([start.job for start in opened])
    found = []
    told: set[str] = set()
    for start in opened:
        own = (start.job, *names.get(start.job, ()))
        told.update(own)
        log = next((by_job[name][-1] for name in own if name in by_job), None)
        if log is None or not log.ended:
            found.append(_Open(start, "" if log is None else log.host, held=True))
    shown = set(incident.jobs.transitions.get_column("job").unique().to_list())
    for one in spoken:
        if one.ended or not one.telling or one.start.job in told:
            continue
        last = by_job[one.start.job][-1]
        again = last.start.timestamp > one.start.timestamp and last.host != one.host
        if again or one.start.job not in shown:
            found.append(_Open(one.start, one.host, held=again))
    return found


def _lives(incident: Incident) -> dict[str, _Life]:
    """Signs of life of everybody whose clock stamped lines: lines, and steps of jobs."""
    lane, kind = pl.col("lane"), pl.col("kind").cast(pl.String)
    line = (lane == Lane.LOG.value) & (kind == Kind.LOG.value)
    stamp = pl.col("timestamp")
    told = (
        incident.snapshot.events.lazy()
        .filter(line & (stamp >= incident.window.start))
        .group_by(host=pl.col("clock").cast(pl.String))
        .agg(pl.len(), stamp.min().alias("first"), stamp.max().alias("last"))
        .collect()
    )
    sources = {source.name for source in incident.sources}
    return {
        host: _Life(signs, first, last)
        for host, signs, first, last in told.iter_rows()
        if host and host not in sources
    }


def _host_in(worker: str, lives: Mapping[str, _Life]) -> str:
    """The host that the name of a worker holds: `mailer-3.fra:1887`, `worker-7f@mailer-3.fra`."""
    named = [host for host in lives if _names(worker, host)]
    return max(named, key=len, default="")


def _names(text: str, host: str) -> bool:
    if host not in text:
        return False
    return re.search(rf"(?<![\w-]){re.escape(host)}(?![\w-])", text) is not None


def _last_sign(incident: Incident, host: str, life: _Life) -> int | None:
    """The last line of the host or step of its workers (ns); None where it announced its stop."""
    log, clock = pl.col("lane") == Lane.LOG.value, pl.col("clock").cast(pl.String) == host
    stops = log & clock & pl.col("timestamp").is_between(life.last - LAST_WORDS_NS, life.last)
    lines = incident.snapshot.told(stops, "body").get_column("body")
    if lines.str.contains(STOP_LINE).any():
        return None
    named = pl.col("actor").cast(pl.String)
    queue = pl.col("lane") == Lane.QUEUE.value
    beats = incident.snapshot.told(queue & named.str.contains(host, literal=True), "actor")
    later = [int(at) for _, at, who in beats.iter_rows() if _names(who, host)]
    return max([life.last, *later])


def _doubt(incident: Incident, host: str, mine: Sequence[_Open], last: int) -> str | None:
    """Why the host may still be there; empty for no reason, None where there is more than one."""
    points = incident.points.filter(pl.col("timestamp") > last).get_column("labels")
    measured = any(_names(labels, host) for labels in points.unique())
    logged = not all(one.held for one in mine)
    if logged and (measured or len(mine) == 1):
        return None
    if measured:
        return "figures of its host go on, so that it may hang or be cut off"
    return "only its worker's log tells of what is open, and may have been lost" if logged else ""


def _is_gone(incident: Incident, host: str, life: _Life, last: int, until: int) -> bool:
    """Whether so long a silence is not the host's way, and its siblings went on meanwhile."""
    silence, spoke = until - last, max(life.last - life.first, 1)
    if silence < LEAST_NS or life.signs * silence / spoke < EXPECTED:
        return False
    log = (pl.col("lane") == Lane.LOG.value) & (pl.col("kind").cast(pl.String) == Kind.LOG.value)
    mine = incident.snapshot.told(log & (pl.col("clock").cast(pl.String) == host), "actor")
    stamps = mine.get_column("timestamp").to_list()
    pause = max((after - at for at, after in pairwise(stamps)), default=0)
    if silence < BEYOND * pause:
        return False
    actor = mine.get_column("actor").cast(pl.String).mode().sort()[0]
    others = incident.snapshot.told(
        log
        & (pl.col("actor").cast(pl.String) == actor)
        & (pl.col("clock").cast(pl.String) != host)
        & (pl.col("timestamp") >= life.first),
        "clock",
    ).get_column("timestamp")
    during = int((others > last).sum())
    before = (others.len() - during) * silence / max(last - life.first, 1)
    return bool(during >= EXPECTED and during >= SIBLINGS * before)


def _lost(
    incident: Incident, host: str, mine: Sequence[_Open], last: int, doubt: str
) -> Iterator[LostAttempt]:
    """What `host` had in hand, noticed when it should have spoken again at the latest."""
    clock = pl.col("clock").cast(pl.String) == host
    log = (pl.col("lane") == Lane.LOG.value) & clock
    lines = incident.snapshot.told(log, "actor").sort("timestamp")
    stamps = lines.get_column("timestamp").to_list()
    pause = max((after - at for at, after in pairwise(stamps)), default=SECOND_NS)
    workers = {one.start.worker for one in mine}
    worker = workers.pop() if len(workers) == 1 else host
    moves = incident.jobs.transitions
    for one in mine:
        own = moves.filter(pl.col("job") == one.start.job)
        classes = own.get_column("job_class").drop_nulls()
        args = own.get_column("args").drop_nulls()
        yield LostAttempt(
            job=one.start.job,
            job_class=str(classes[-1]) if classes.len() else "",
            args=str(args[-1]) if args.len() else "",
            source=one.start.source,
            worker=worker or host,
            start=one.start.timestamp,
            start_row=one.start.row,
            alive=max(last, one.start.timestamp),
            alive_how=LAST_LINE,
            noticed=max(last, one.start.timestamp) + pause,
            row=int(lines.get_column("row")[-1]),
            sign=VANISHED,
            said="",
            host=host,
            doubt=doubt,
        )
