"""lost-worker: a worker died, froze or was cut off while it held jobs.

Story: the last heartbeat is of 03:13:58, the queue declares the worker lost at 03:14:28, and the
jobs it held have no end; whether anybody runs them again depends on the queue.

Predicate: an attempt was lost with its worker (`timeline.facts.lost_work`). Two independent signs
(the queue's, and a line about a kill of that very worker, or a queue that names the death) in a
certain order make it certain; one sign alone also fits a frozen or cut-off worker: likely. A lease
that is no heartbeat, or whose worker went on with other jobs under its name, a kill without the
queue's word where something was not read, and a host that is gone (`timeline.facts.vanished_hosts`)
with a single job or one that only its log knows: possible.

False positives: a rolling restart that announced itself (kept as a qualifier), a worker that is
replaced while it holds nothing and a long job that still beats (silent), a heartbeat thread starved
of processor time (the alternative that is named).

Reference: worker heartbeat loss, orphaned in-progress job; sidekiq/sidekiq#6829,
sidekiq/sidekiq#3196, rails/solid_queue#159.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.lost_worker_words import RECOVERY, ROLES, SIGN_WORDS
from timeline.event import Kind, Lane
from timeline.facts.announced_stop import announced_stop
from timeline.facts.kills import Kill, is_on_host_of, is_same_worker, kill_lines
from timeline.facts.lease_doubt import lease_doubt
from timeline.facts.lifecycle import changes
from timeline.facts.lost_attempt import VANISHED, LostAttempt, once_each
from timeline.facts.lost_work import host_of
from timeline.facts.restarted import before_restarts
from timeline.facts.sight import absence, heard
from timeline.facts.unended import spoken_attempts, went_on
from timeline.facts.words import abridged, capital, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

ONE_DEATH_NS = 30_000_000_000
"""Jobs of one worker are declared lost within a sweep of the queue's reaper, not minutes apart."""
NOTICED_LATE_NS = 5_000_000_000
"""A kernel or kubelet stamps a kill that late, by its own clock."""
MAX_JOBS_SHOWN = 3
MAX_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job (key) that was lost with its worker: when it had started and what became of it.

    Instants in ns UTC, None when not visible. `became` are words; empty when nothing is visible.
    """

    job: str
    job_class: str
    started: int | None
    again: int | None
    became: str


@dataclass(frozen=True, kw_only=True)
class LostWorker(Finding):
    """One worker that was lost with what it held, at some instant in `[alive, noticed]` (ns UTC).

    `alive` is None when no sign of life is on record. `worker` is empty when no record names it;
    `child` says that only the process of one job died. `killed_by` is the line that says how, with
    its stamp in `killed_at`. `recovery` is what the queue does by default.
    """

    term: ClassVar[str] = "lost-worker"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Give every job a lease and a reaper, let a worker finish what it holds before it stops, "
        "and make jobs safe to run twice."
    )

    worker: str
    child: bool
    source: str
    alive: int | None
    alive_how: str
    noticed: int
    sign: str
    killed_at: int | None
    killed_by: str
    jobs: tuple[HeldJob, ...]
    recovery: str

    def sentence(self) -> str:
        since = "" if self.alive is None else f"after {instant(self.alive)} ({self.alive_how}) and "
        how = ""
        if self.killed_by:
            at = f" at {instant(self.killed_at)}" if self.killed_at is not None else ""
            how = f"; it was killed{at}"
        return abridged(
            f"{capital(self._subject)} was lost {since}before {instant(self.noticed)} "
            f"({SIGN_WORDS[self.sign]}), holding {counted(len(self.jobs), 'job')}: "
            f"{_names(self.jobs)}{how}."
        )

    def clause(self) -> str:
        return f"{self._subject} was lost holding {counted(len(self.jobs), 'job')}"

    @property
    def _subject(self) -> str:
        if not self.worker:
            return f"a worker of {self.source} that no record names"
        return f"a process of {self.worker}" if self.child else f"worker {self.worker}"


def _names(jobs: Sequence[HeldJob]) -> str:
    """The jobs by name; what became of several is said once where nobody can see it."""
    unknown = sum(not job.became for job in jobs)
    if unknown < 2:
        return listed([_told(job) for job in jobs], MAX_JOBS_SHOWN)
    which = "them" if unknown == len(jobs) else f"{unknown} of them"
    names = listed([short(job.job) for job in jobs], 2)
    return f"{names} (what became of {which} is not visible)"


def _told(job: HeldJob) -> str:
    return f"{short(job.job)} ({job.became or 'what became of it is not visible'})"


class LostWorkerDetector:
    """Finds workers that were lost with their jobs; see the module."""

    term: ClassVar[str] = LostWorker.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and incident.jobs.transitions.is_empty():
            return NotEvaluated(self.term, "a job queue")
        died = once_each([one for one in incident.lost_attempts if not one.outlived])
        groups = sorted(_by_worker(before_restarts(incident, died)), key=len)[-MAX_FINDINGS:]
        spans = [(_since(group), group[-1].noticed + NOTICED_LATE_NS) for group in groups]
        kills = kill_lines(incident, spans)
        found = [_finding(incident, group, kills) for group in groups]
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), -len(one.jobs), one.began))
        return found


def _by_worker(lost: Iterable[LostAttempt]) -> list[list[LostAttempt]]:
    """Attempts of one worker, or of unnamed workers of one queue, that were missed together."""
    groups: list[list[LostAttempt]] = []
    for one in sorted(lost, key=lambda one: (one.source, one.worker, one.noticed, one.job)):
        if groups and _died_together(groups[-1], one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _died_together(group: Sequence[LostAttempt], one: LostAttempt) -> bool:
    """Whether one death explains all: what started after it was noticed is another one's."""
    first, last = group[0], group[-1]
    return (
        (last.source, last.worker) == (one.source, one.worker)
        and one.noticed - last.noticed <= ONE_DEATH_NS
        and (one.alive is None or one.alive < first.noticed)
        and one.job not in {other.job for other in group}
    )


def _since(group: Sequence[LostAttempt]) -> int:
    """The last sign of life of any attempt of the group, ns."""
    return max((one.alive for one in group if one.alive is not None), default=group[0].noticed)


def _finding(incident: Incident, group: Sequence[LostAttempt], kills: Sequence[Kill]) -> LostWorker:
    first = min(group, key=lambda one: (one.sign != "declared", one.noticed))
    alive = max((one for one in group if one.alive is not None), key=_alive, default=first)
    noticed = min(one.noticed for one in group)
    kill = _kill(incident, first, _since(group), noticed, kills)
    planned = "" if kill is not None and kill.by_memory else announced_stop(incident, first)
    steps = _steps(incident, group, kill)
    verdict, link = _verdict(incident, group, kill, steps)
    jobs = tuple(_held(incident, group))
    recovery = RECOVERY.get(_system(incident, first.source), "")
    since = alive.alive if alive.alive is not None else noticed
    return LostWorker(
        verdict=verdict,
        weakest_link=planned or link,
        began=kill.timestamp if kill else min(one.lost_from for one in group),
        ended=max(one.noticed for one in group),
        steps=steps,
        keys=incident.jobs.all_names({one.job for one in group}),
        would_decide=_would_decide(first, since, noticed, kill, recovery),
        alternatives=_alternatives(incident, first, kill, planned, since, noticed),
        next_action=_next(jobs, recovery),
        qualifier=bool(planned),
        worker=first.worker,
        child=first.child,
        source=first.source,
        alive=alive.alive,
        alive_how=alive.alive_how,
        noticed=noticed,
        sign=first.sign,
        killed_at=kill.timestamp if kill else None,
        killed_by=kill.body if kill else first.said if first.named else "",
        jobs=jobs,
        recovery=recovery,
    )


def _alive(one: LostAttempt) -> int:
    return one.alive or 0


def _system(incident: Incident, source: str) -> str:
    """The connector's name of a source, `bullmq`; empty when it is not configured."""
    named = (one.system for one in incident.sources if one.name == source)
    return next(named, "").partition(" ")[0].lower()


def _kill(
    incident: Incident, one: LostAttempt, since: int, noticed: int, kills: Sequence[Kill]
) -> Kill | None:
    """The last line about a kill of that very worker in the stretch in which it was lost."""
    host = host_of(incident, one)
    spoken = spoken_attempts(incident)
    mine = [
        kill
        for kill in kills
        if since <= kill.timestamp <= noticed + NOTICED_LATE_NS
        and kill.row != one.row
        and (
            is_same_worker(kill, one.worker, host)
            or (is_on_host_of(kill, one.worker, host) and not went_on(spoken, host, kill.timestamp))
        )
    ]
    if one.sign == "killed":
        return Kill(one.row, one.noticed, one.worker, one.said)
    return mine[-1] if mine else None


def _steps(incident: Incident, group: Sequence[LostAttempt], kill: Kill | None) -> tuple[Step, ...]:
    """The start of the first jobs, the kill, and how the loss was noticed, in time order."""
    told: dict[int, tuple[str, str]] = {}
    for one in group[:MAX_JOBS_SHOWN]:
        if one.start_row is not None:
            told[one.start_row] = ("started", f"{short(one.job)} has no end after this")
    if kill is not None:
        told[kill.row] = ("killed", "the line is about this very worker")
    for one in group[:MAX_JOBS_SHOWN]:
        told.setdefault(one.row, (ROLES.get(one.sign, "declared lost"), SIGN_WORDS[one.sign]))
    events = sorted(
        zip(incident.snapshot.events_at(list(told)), told.values(), strict=True),
        key=lambda pair: (pair[0].timestamp, pair[0].seq),
    )
    steps: list[Step] = []
    for event, (role, why) in events:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _verdict(
    incident: Incident, group: Sequence[LostAttempt], kill: Kill | None, steps: Sequence[Step]
) -> tuple[Verdict, str]:
    one = min(group, key=lambda lost: (lost.sign != "declared", lost.noticed))
    if one.named:
        return Verdict.CERTAIN, "the queue itself filed that the process died"
    if kill is not None:
        started = [step.event for step in steps if step.role == "started"]
        (struck,) = (step.event for step in steps if step.role == "killed")
        orders = [before(event, struck, incident.clocks) for event in started]
        order = max(orders, key=lambda o: _weight(o.verdict), default=None)
        graded = Verdict.CERTAIN if order is None else order.verdict or Verdict.POSSIBLE
        because = "" if order is None else f": {order.because}"
        if one.sign != "killed":
            return graded, f"two signs, of the queue and of the kill{because}"
        unseen = [
            absence(incident, [lost.source], _alive(lost), kill.timestamp, lost.job)
            for lost in group
        ]
        reasons = [reason for gap in unseen for reason in gap.reasons]
        verdict = weakest([graded, Verdict.LIKELY, *(gap.verdict for gap in unseen)])
        words = "the queue does not say yet that it was lost; that the job has no end is all"
        return verdict, "; ".join([words, *reasons[:1]])
    if one.sign == VANISHED:
        words = "its host says nothing more, its siblings went on; what it did meanwhile is unseen"
        alone = len(group) == 1 or bool(one.doubt)
        return (Verdict.POSSIBLE if alone else Verdict.LIKELY), one.doubt or words
    overdue = one.sign == "overdue"
    doubt = lease_doubt(incident, one, _system(incident, one.source)) if overdue else ""
    if doubt:
        return Verdict.POSSIBLE, doubt
    return (
        Verdict.LIKELY,
        "one sign only, of the queue; a worker that froze or lost its network looks the same",
    )


def _weight(verdict: Verdict | None) -> int:
    return len(Verdict) if verdict is None else list(Verdict).index(verdict)


def _held(incident: Incident, group: Sequence[LostAttempt]) -> Iterator[HeldJob]:
    """The jobs with what their later transitions, or that which declared them lost, tell."""
    names = [one.job for one in group]
    moves = incident.jobs.transitions.filter(pl.col("job").is_in(names))
    later: dict[str, list[tuple[int, str]]] = {}
    for job, at, kind in moves.select("job", "timestamp", "kind").iter_rows():
        later.setdefault(job, []).append((at, kind))
    silent = set(names) - set(later)
    for spoken in spoken_attempts(incident) if silent else ():
        if spoken.start.job in silent:
            move = (spoken.start.timestamp, Kind.JOB_STARTED.value)
            later.setdefault(spoken.start.job, []).append(move)
    for one in group:
        own = (one.start, Kind.JOB_STARTED.value)  # whole seconds: it may be noticed in the same
        told = [move for move in later.get(one.job, ()) if move[0] >= one.noticed and move != own]
        yield _with_fate(one, told)


def _with_fate(one: LostAttempt, told: Sequence[tuple[int, str]]) -> HeldJob:
    again = next((at for at, kind in told if kind == Kind.JOB_STARTED.value), None)
    kinds = [kind for _, kind in told]
    if again is not None:
        became = f"started again at {instant(again)}"
    elif Kind.JOB_FAILED.value in kinds or Kind.JOB_DEAD.value in kinds:
        became = "filed as failed"
    elif Kind.JOB_FINISHED.value in kinds:
        became = "finished later"
    elif Kind.JOB_RETRIED.value in kinds or Kind.JOB_ENQUEUED.value in kinds:
        became = "waits to run again"
    else:
        became = ""
    return HeldJob(one.job, one.job_class, one.start, again, became)


def _would_decide(
    one: LostAttempt, since: int, noticed: int, kill: Kill | None, recovery: str
) -> tuple[str, ...]:
    wanted = []
    if kill is None and not one.named:
        who = one.worker or f"the workers of {one.source}"
        wanted.append(
            f"Look for an exit code, an out-of-memory kill or the last lines of {who} between "
            f"{instant(since)} and {instant(noticed)}."
        )
    if not recovery:
        wanted.append(f"Find out what {one.source} does with a job whose worker is gone.")
    return tuple(wanted)


def _alternatives(
    incident: Incident,
    one: LostAttempt,
    kill: Kill | None,
    planned: str,
    since: int,
    noticed: int,
) -> tuple[str, ...]:
    found = [f"a planned stop: {planned}"] if planned else []
    if kill is None and not one.named:
        lease = f" for more than {length(one.lease)}" if one.lease else ""
        found.append(f"it lives, but was starved of processor time or cut off{lease}")
    bodies = changes(incident, since, noticed).get_column("body").to_list()
    return (*found, *(f"a change at the same time: {body}" for body in bodies[:2]))


def _next(jobs: Sequence[HeldJob], recovery: str) -> str:
    left = [short(job.job) for job in jobs if job.again is None]
    if left:
        rule = f": {recovery}" if recovery else ""
        return f"Look up what {listed(left)} already did before it runs again{rule}."
    names = listed([short(job.job) for job in jobs])
    return f"Check {names} for effects of the lost run: it was started again from the beginning."
