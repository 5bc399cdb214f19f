"""Attempts of jobs that ended with their worker instead of with an answer, and what says so.

Five signs, strongest first: the queue declared the loss (a stall, a pruned worker, a dead child), a
worker stopped beating while it held the job, the job's lease is overdue now, a line says that the
very worker was killed, or a process on its host with which all its work stopped, or its host gives
no sign any more. Log text is read only around jobs that have no end. A loss is a stretch from the
last sign of life to its discovery; an instant between is never made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.jobs import ENDS
from timeline.facts.kills import Kill, is_on_host_of, is_same_worker, kill_lines
from timeline.facts.logged_starts import LoggedStarts
from timeline.facts.loss_signs import Told, declarations, is_line, told_of
from timeline.facts.lost_attempt import GAVE_UP, HEARTBEAT, LAST_LINE, SIGNS, LostAttempt
from timeline.facts.sight import read_until
from timeline.facts.starts import Start, starts_of
from timeline.facts.unended import (
    SAME_START_NS,
    Spoken,
    of_start,
    spoken_attempts,
    went_on,
)
from timeline.facts.vanished_hosts import vanished

if TYPE_CHECKING:
    from timeline.incident import Incident


def lost_attempts(incident: Incident) -> tuple[LostAttempt, ...]:
    """Every attempt that was lost with its worker, in the order in which that was noticed."""
    declared = declarations(incident)
    board = _Board.of(incident, {job for job, _ in declared})
    spoken = spoken_attempts(incident)
    by_job: dict[str, tuple[Spoken, ...]] = {}
    for one in spoken:
        by_job[one.start.job] = (*by_job.get(one.start.job, ()), one)
    logged = LoggedStarts.of(incident, [(job, one.row) for job, one in declared if is_line(one)])
    told = [*_declared(board, declared, logged), *_silent(board), *_overdue(board)]
    for job, names in incident.jobs.also_named(one.job for one in told).items():
        by_job[job] = tuple(one for name in (job, *names) for one in by_job.get(name, ()))
    found = [*_last_heard(incident, [*_with_logs(told, by_job)])]
    found += _killed(incident, board, found, spoken)
    found += vanished(incident, board.open, spoken, {one.job for one in found})
    return tuple(sorted(_once(found), key=lambda one: (one.noticed, one.job)))


@dataclass(frozen=True)
class _Board:
    """What the signs are judged by: the latest starts and ends of jobs, beats and depths."""

    starts: Mapping[str, tuple[Start, ...]]
    ends: Mapping[str, tuple[int, ...]]
    classes: Mapping[str, tuple[str, str]]
    beats: tuple[tuple[Told, tuple[str, ...]], ...]
    depths: tuple[Told, ...]
    open: tuple[Start, ...]

    @staticmethod
    def of(incident: Incident, declared: set[str]) -> _Board:
        """Only jobs that were started and lack an end, or that a record names as lost."""
        beats, depths = _present(incident)
        named = {job for _, jobs in beats for job in jobs}
        named |= {job for told in depths for job in _overdue_in(told)}
        moves = incident.jobs.transitions
        ended = pl.col("kind").is_in(ENDS)
        last = moves.group_by("job").agg(
            start=pl.col("timestamp").filter(pl.col("kind") == Kind.JOB_STARTED.value).max(),
            end=pl.col("timestamp").filter(ended).max(),
        )
        unended = pl.col("end").is_null() | (pl.col("start") > pl.col("end"))
        listed = pl.col("job").is_in(sorted(declared | named))
        wanted = last.filter((pl.col("start").is_not_null() & unended) | listed)
        if wanted.is_empty():
            return _Board({}, {}, {}, beats, depths, ())
        held = moves.filter(pl.col("job").is_in(wanted.get_column("job").implode()))
        starts = starts_of(incident, held)
        ends: dict[str, list[int]] = {}
        for job, stamp in held.filter(ended).select("job", "timestamp").iter_rows():
            ends.setdefault(job, []).append(stamp)
        told = held.group_by("job").agg(
            pl.col("job_class").drop_nulls().last(), pl.col("args").drop_nulls().last()
        )
        classes = {job: (kind or "", args or "") for job, kind, args in told.iter_rows()}
        frozen = {job: tuple(stamps) for job, stamps in ends.items()}
        unfinished = [
            latest[-1]
            for job, latest in starts.items()
            if not any(stamp >= latest[-1].timestamp for stamp in frozen.get(job, ()))
        ]
        return _Board(starts, frozen, classes, beats, depths, tuple(unfinished))

    def start_before(self, job: str, stamp: int) -> Start | None:
        """The last start of `job` before `stamp` (ns), or at it where there is none before.

        A queue may give a job out again in the very unit of time in which it took it away.
        """
        known = [start for start in self.starts.get(job, ()) if start.timestamp <= stamp]
        return next(
            (s for s in reversed(known) if s.timestamp < stamp), known[-1] if known else None
        )

    def ended_since(self, job: str, stamp: int) -> bool:
        return any(end >= stamp for end in self.ends.get(job, ()))

    def lost(
        self, job: str, told: Told, sign: str, logged: Start | None = None, **more: object
    ) -> LostAttempt:
        """The attempt of `job` that was running when `told` was told.

        It began at `logged`, by its worker's log, unless the queue knows of a later start.
        """
        start = self.start_before(job, told.timestamp)
        if logged is not None and (
            start is None or start.timestamp + SAME_START_NS < logged.timestamp
        ):
            start = logged
        job_class, args = self.classes.get(job, ("", ""))
        known: dict[str, object] = {
            "alive": start.timestamp if start else None,
            "alive_how": "its start",
            "noticed": told.timestamp,
            "worker": start.worker if start else _worker_of(told),
        }
        known.update((name, value) for name, value in more.items() if value not in (None, ""))
        return LostAttempt(
            job=job,
            job_class=job_class,
            args=args,
            source=told.source,
            start=start.timestamp if start else None,
            start_row=start.row if start else None,
            row=told.row,
            sign=sign,
            said=told.body,
            **known,  # type: ignore[arg-type]  # each value has its field's type
        )


def _present(
    incident: Incident,
) -> tuple[tuple[tuple[Told, tuple[str, ...]], ...], tuple[Told, ...]]:
    """Last heartbeats of silent workers with the jobs they name, and depths with overdue jobs."""
    events = incident.snapshot.events
    attributes = pl.col("attributes")
    queue = pl.col("lane") == Lane.QUEUE.value
    kind = pl.col("kind").cast(pl.String)
    rows = events.select((queue & kind.is_in(["change", "metric"])).arg_true()).to_series()
    some = events[rows].with_columns(row=rows)
    some = some.filter(
        ((kind == "change") & attributes.str.json_path_match("$.seen_at").is_not_null())
        | ((kind == "metric") & attributes.str.contains(r'"overdue": ?\["'))
    )
    told = [*told_of(some)]
    keys = dict(
        pairs_of_type(incident.snapshot.keys_of(some.get_column("row").cast(pl.UInt32)), "job")
        .group_by("row")
        .agg("key")
        .iter_rows()
    )
    beats = [(one, tuple(keys.get(one.row, ()))) for one in told if one.kind == "change"]
    return tuple(beats), tuple(one for one in told if one.kind == "metric")


def _declared(
    board: _Board, declared: Iterable[tuple[str, Told]], logged: LoggedStarts
) -> Iterator[LostAttempt]:
    """A declaration that only repeats the last one of its job is none."""
    seen: dict[str, int] = {}
    ended: dict[tuple[str, str], int] = {}
    for job, told in declared:
        renewed = _ns(told.attributes.get("lock_last_renewed_before"))
        lost_at = _ns(told.attributes.get("declared_lost_at"))
        if lost_at is None and GAVE_UP in told.body and job in seen:
            continue
        last, seen[job] = seen.get(job), told.timestamp
        begun = None
        if is_line(told):
            before = ended.get((job, told.actor), 0)
            begun = logged.taken(job, told.actor, before, told.timestamp)
            known = begun is not None or board.start_before(job, told.timestamp) is not None
            again = last is None or logged.spoken_of(job, last, told.timestamp)
            if not known and not again:
                continue
            if last is not None and begun is None and before:
                continue
            ended[job, told.actor] = told.timestamp
        lease_ns = None if lost_at is None or renewed is None else lost_at - renewed
        beat = _ns(told.attributes.get("last_heartbeat"))
        yield board.lost(
            job,
            told,
            "declared",
            begun,
            lease=lease_ns,
            alive=beat,
            alive_how=HEARTBEAT if beat is not None else None,
            worker=_worker_of(told) if not is_line(told) else begun.worker if begun else None,
        )


def _silent(board: _Board) -> Iterator[LostAttempt]:
    """What workers held that stopped beating: named by the record, or running on that worker."""
    for told, named in board.beats:
        held = named or [start.job for start in board.open if _is_part_of(start.worker, told.actor)]
        seen = _ns(told.attributes.get("seen_at"))
        for job in held:
            if seen is None or board.ended_since(job, told.timestamp):
                continue
            start = board.start_before(job, seen)
            yield board.lost(
                job,
                told,
                "silent",
                alive=max(told.timestamp, start.timestamp if start else told.timestamp),
                alive_how=HEARTBEAT,
                noticed=seen,
                worker=told.actor,
            )


def _overdue(board: _Board) -> Iterator[LostAttempt]:
    """Jobs whose lease has run out at the instant of looking."""
    for told in board.depths:
        for job in _overdue_in(told):
            start = board.start_before(job, told.timestamp)
            if start is not None and board.ended_since(job, start.timestamp):
                continue
            if start is not None or job in board.classes:
                yield board.lost(job, told, "overdue")


def _overdue_in(told: Told) -> list[str]:
    """Keys of the jobs that a depth calls overdue."""
    names = told.attributes.get("overdue")
    return [f"job:{name}" for name in names] if isinstance(names, list) else []


def _with_logs(
    found: Iterable[LostAttempt], spoken: Mapping[str, tuple[Spoken, ...]]
) -> Iterator[LostAttempt]:
    """`found` with the worker that its own log names, and whether that log went on."""
    for one in found:
        attempts = spoken.get(one.job, ())
        told = of_start(attempts, one.start) or _still_open(attempts, one)
        if told is None:
            yield one
            continue
        if one.start is None:
            start = told.start
            one = replace(one, start=start.timestamp, start_row=start.row, alive=start.timestamp)
        outlived = told.last > one.noticed and not one.named
        yield replace(
            one, worker=one.worker or told.host, host=one.host or told.host, outlived=outlived
        )


def _still_open(attempts: tuple[Spoken, ...], one: LostAttempt) -> Spoken | None:
    """What the log has of an attempt whose start the queue did not keep: the last one before."""
    if one.start is not None or one.alive is not None:
        return None  # else: whoever finds the loss writes of the job as well, just then
    earlier = [told for told in attempts if told.start.timestamp < one.noticed - SAME_START_NS]
    last = max(earlier, key=lambda told: told.start.timestamp, default=None)
    return last if last is not None and last.telling and not last.ended else None


def _last_heard(incident: Incident, found: Sequence[LostAttempt]) -> Iterator[LostAttempt]:
    """`found`, where only a lease ran out, with the last line of a worker's host that fell silent.

    A lease may end long after the worker did; its host wrote until then.
    """
    hosts = {one.host or one.worker for one in found if one.sign == "overdue"} - {""}
    lasts: dict[str, int] = {}
    if hosts:
        clock, logs = pl.col("clock"), pl.col("lane") == Lane.LOG.value
        lines = incident.snapshot.events.lazy().filter(logs & clock.is_in(sorted(hosts)))
        last = lines.group_by(clock.cast(pl.String)).agg(pl.col("timestamp").max()).collect()
        lasts = dict(last.iter_rows())
    for one in found:
        last_line = lasts.get(one.host or one.worker) if one.sign == "overdue" else None
        if last_line is not None and (one.alive or 0) < last_line <= one.noticed:
            yield replace(one, alive=last_line, alive_how=LAST_LINE)
        else:
            yield one


def _killed(
    incident: Incident,
    board: _Board,
    found: Sequence[LostAttempt],
    spoken: tuple[Spoken, ...],
) -> Iterator[LostAttempt]:
    """Unfinished attempts, by the queue or by logs alone, of workers that a later line calls dead.

    What was killed on the worker's host under another process id was this worker only if nothing
    that the worker had in hand at that moment ever went on.
    """
    names = incident.jobs.also_named([*(o.job for o in found), *(o.job for o in board.open)])
    known = {(job, one.start) for one in found for job in (one.job, *names.get(one.job, ()))}
    jobs = {job for job, _ in known} | {one.start.job for one in spoken}
    running = [
        Spoken(start, "", start.timestamp, ended=False)
        for start in board.open
        if start.worker and jobs.isdisjoint((start.job, *names.get(start.job, ())))
    ]
    running += [
        one
        for one in spoken
        if not one.ended
        and one.telling
        and not any(
            job == one.start.job and abs((at or 0) - one.start.timestamp) <= SAME_START_NS
            for job, at in known
        )
    ]
    if not running:
        return
    first = min(one.start.timestamp for one in running)
    kills: tuple[Kill, ...] = kill_lines(incident, [(first, read_until(incident))])
    near = {kill.row: not went_on(spoken, kill.host, kill.timestamp) for kill in kills}
    for one in running:
        start = one.start
        for kill in kills:
            here = near[kill.row] and is_on_host_of(kill, start.worker, one.host)
            if kill.timestamp >= one.last and (
                here or is_same_worker(kill, start.worker, one.host)
            ):
                job_class, args = board.classes.get(start.job, ("", ""))
                yield LostAttempt(
                    *(start.job, job_class, args, start.source, start.worker),
                    *(start.timestamp, start.row, one.last, "its start"),
                    *(kill.timestamp, kill.row, "killed", kill.body),
                    host=one.host,
                )
                break


def _once(found: Iterable[LostAttempt]) -> Iterator[LostAttempt]:
    """Of the signs of one attempt the strongest; of equals the queue's before a log's."""
    ranked = sorted(found, key=lambda one: (SIGNS.index(one.sign), one.noticed, one.row))
    seen: set[tuple[str, int | None, str | int]] = set()
    for one in ranked:
        attempt = (one.job, one.start, "" if one.start is not None else one.row)
        if attempt not in seen:
            seen.add(attempt)
            yield one


def _worker_of(told: Told) -> str:
    """Who ran it, by the event's actor; a queue's own name there names nobody."""
    queue = told.attributes.get("queue")
    return "" if told.actor == queue else told.actor


def _is_part_of(worker: str, process: str) -> bool:
    """Whether `worker` is `process`, or one of its threads (`host:pid thread 4x`)."""
    return bool(process) and (worker == process or worker.startswith(f"{process} "))


def _ns(text: object) -> int | None:
    """ns UTC of an ISO 8601 instant with a zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000


def host_of(incident: Incident, one: LostAttempt) -> str:
    """The host (or pod) whose clock stamped the start; empty when no record names it."""
    if one.host or one.start_row is None:
        return one.host
    clock = str(incident.snapshot.events.get_column("clock")[one.start_row] or "")
    return "" if clock.endswith("?") or clock == one.source else clock
