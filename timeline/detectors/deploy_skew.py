"""deploy-skew: after a deploy, jobs and workers of different versions met and did not fit.

Story: the web servers run the new version and push `welcome_mail(user_id, locale)`; three workers
still run the old code, which takes one argument. Every job they take fails with a wrong number of
arguments, and those that the restarted workers take succeed.

Predicate: jobs of one class fail because of their arguments, an unknown class or an unreadable
payload (`timeline.facts.mismatches`), or for any one error that their workers no longer had after
a restart; none did before the change, and a deploy (or starts of workers) stands before the first.
`old-worker`: pushed after the change and failed on workers that did not start since. `old-job`:
pushed before it and failed on workers that did. Likely when the same class succeeded on workers
that started since, or a later attempt of the same job finished; possible when nobody names the
workers. Without any known deploy only an unknown class is told, as possible.

False positives: a plain bug in a caller (no deploy, or it failed before as well: silent), a class
that fails on every worker, started or not (possible: the new code itself), a missing record that
Active Job words as a deserialization error (silent).

Instances that serve requests are judged in `timeline.detectors.skewed_instances` by their errors
and in `timeline.detectors.skewed_paths` by what they have.

Reference: Sidekiq wiki, Best Practices (deploys and job arguments); Celery documentation, Calling
Tasks (unregistered tasks); rolling-upgrade compatibility (N-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.skewed_instances import skewed_instances
from timeline.detectors.skewed_paths import skewed_paths
from timeline.event import Lane
from timeline.facts.boots import Boot, start_unseen
from timeline.facts.changes_seen import Change, What, changes_in
from timeline.facts.mismatches import MIN_JOBS, Misfit, misfits_in, named_by
from timeline.facts.sight import heard
from timeline.facts.words import capital, counted, instant, listed, short
from timeline.facts.worker_starts import worker_starts
from timeline.finding import Finding, NotEvaluated, Repair, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

LOOK_BACK_NS = 60 * 60_000_000_000
"""A deploy that is older is done; workers that still run what was before it are a finding of
their own."""
MAX_STEPS = 6
MAX_FINDINGS = 4

OLD_WORKER, OLD_JOB, UNDECIDED = "old-worker", "old-job", "undecided"
"""Which side is older: the worker's code, the job, or nobody can tell."""


@dataclass(frozen=True, kw_only=True)
class DeploySkew(Finding):
    """Jobs of one class that failed for one kind of misfit. Times are ns UTC.

    `side` is one of the names above; `stale` are workers that failed and were not seen to start
    since `changed_at` (None without a known change), `fresh` failed although they did; `healed`
    jobs finished later, `succeeded` jobs of the class finished on workers that started since.
    """

    term: ClassVar[str] = "deploy-skew"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Give a job new arguments in two deploys: first workers that take both forms, then callers "
        "that use the new one; restart all workers before the first new job is pushed."
    )

    job_class: str
    misfit: str
    side: str
    jobs: tuple[str, ...]
    open_jobs: tuple[str, ...]
    healed: int
    succeeded: int
    stale: tuple[str, ...]
    fresh: tuple[str, ...]
    changed_at: int | None
    change: str
    error: str

    def sentence(self) -> str:
        kind = f"{self._title} job".strip()
        number = counted(len(self.jobs), kind) if self.jobs else capital(f"{kind}s")
        when = (
            f"after the {self.change} at {instant(self.changed_at)}"
            if self.changed_at is not None
            else "with no deploy on record before"
        )
        where = f" on {listed(self.stale or self.fresh)}" if self.stale or self.fresh else ""
        side = {
            OLD_WORKER: ", which did not start since,",
            OLD_JOB: ", pushed before it,",
        }.get(self.side, "")
        return (
            f"{number} failed{where}{side} for {self.misfit} from {instant(self.began)} on, "
            f"{when}{self._after}."
        )

    def clause(self) -> str:
        who = "workers of an old version" if self.side == OLD_WORKER else "workers"
        kind = f"{self._title} jobs".strip()
        if self.side == OLD_JOB:
            return f"{kind} of the old version fail in the new one ({self.misfit})"
        return f"{kind} fail on {who} for {self.misfit}"

    def repairs(self) -> Sequence[Repair]:
        waiting = set(self.open_jobs)
        return [Repair(key, "failed" if key in waiting else "finished later") for key in self.jobs]

    @property
    def _title(self) -> str:
        return self.job_class.rpartition(".")[2].rpartition("::")[2]

    @property
    def _after(self) -> str:
        told = []
        if self.succeeded:
            told.append(
                f"{counted(self.succeeded, 'job')} of the class succeeded on restarted workers"
            )
        if self.healed:
            told.append(f"{counted(self.healed, 'later attempt')} finished")
        return f"; {' and '.join(told)}" if told else ""


class DeploySkewDetector:
    """Finds jobs and workers whose versions do not fit; see the module."""

    term: ClassVar[str] = DeploySkew.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue, or the logs of the workers")
        of_instances = [*skewed_instances(incident), *skewed_paths(incident)]
        misfits = misfits_in(incident)
        if misfits.is_empty():
            return of_instances
        misfits = _classed(misfits)
        changes = [
            one
            for one in changes_in(incident)
            if one.what in (What.DEPLOY, What.OTHER, What.RESTART) and not one.failed
        ]
        found = []
        for _, part in misfits.group_by(["job_class", "misfit"], maintain_order=True):
            finding = _finding(incident, part, changes)
            found += [finding] if finding is not None else []
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), -len(one.jobs), one.began))
        return [*found[:MAX_FINDINGS], *of_instances]


def _classed(misfits: pl.DataFrame) -> pl.DataFrame:
    """`misfits` with the class that the error names, where the queue does not tell it."""
    named = [
        job_class or named_by(error)
        for job_class, error in misfits.select("job_class", "error").iter_rows()
    ]
    return misfits.with_columns(pl.Series("job_class", named, dtype=pl.String))


@dataclass(frozen=True, slots=True)
class _Deploy:
    """What stands before the first misfit: a change on record, or starts of workers."""

    at: int
    row: int
    words: str
    inferred: bool = False


def _finding(
    incident: Incident, part: pl.DataFrame, changes: Sequence[Change]
) -> DeploySkew | None:
    first = int(part["timestamp"][0])
    workers = tuple(sorted({name for name in part["worker"].to_list() if name}))
    job_class, misfit = str(part["job_class"][0]), str(part["misfit"][0])
    jobs = tuple(dict.fromkeys(key for key in part["job"].to_list() if key))
    finished = _finished(incident, job_class, jobs)
    named = {*workers, *finished["worker"].drop_nulls().to_list()} - {""}
    boots = worker_starts(incident, named, changes, first - LOOK_BACK_NS)
    deploy = _deploy(first, changes, boots)
    since = deploy.at if deploy else None
    restarted = {boot.actor for boot in boots if since is not None and boot.timestamp >= since}
    failures = part.filter(pl.col("worker") != "").select("worker", "timestamp").rows()
    after = {name for name, at in failures if since is not None and _began(boots, name, since, at)}
    fresh = tuple(name for name in workers if name in after)
    stale = tuple(name for name in workers if name not in after)
    done = set(finished.filter(pl.col("job").is_in(list(jobs)))["job"].to_list())
    elsewhere = _succeeded_on(finished, restarted - {*workers}, since)
    renewed = {
        job
        for job, name, at in finished.filter(pl.col("job").is_in(list(done))).iter_rows()
        if since is not None and _began(boots, name, since, at)
    }
    side = _side(incident, jobs, since, stale, fresh)
    verdict, link = _verdict(deploy, side, stale, fresh, len(done), elsewhere)
    if verdict is Verdict.LIKELY and stale and since is not None:
        unseen = "" if renewed else start_unseen(incident, stale, since, first)
        verdict, link = (Verdict.POSSIBLE, unseen) if unseen else (verdict, link)
    unsure = deploy is None or deploy.inferred
    if verdict is Verdict.POSSIBLE and unsure and misfit != Misfit.UNKNOWN.value:
        return None
    if misfit == Misfit.OTHER.value and not (
        verdict is Verdict.LIKELY and side == OLD_WORKER and len(renewed) >= MIN_JOBS
    ):
        return None  # no wording speaks of versions: only the restarted workers can
    waiting = tuple(key for key in jobs if key not in done)
    return DeploySkew(
        verdict=verdict,
        weakest_link=link,
        began=first,
        ended=int(part["timestamp"][-1]),
        steps=_steps(incident, part, deploy, boots),
        keys=jobs,
        would_decide=("Read on each worker which version it runs, and when it was started.",),
        alternatives=("a bug in the new code itself: then every worker fails",),
        next_action=_next(side, stale, waiting, job_class),
        job_class=job_class,
        misfit=misfit,
        side=side,
        jobs=jobs,
        open_jobs=waiting,
        healed=len(done),
        succeeded=elsewhere,
        stale=stale,
        fresh=fresh,
        changed_at=since,
        change=deploy.words if deploy else "",
        error=str(part["error"][0])[:200],
    )


def _finished(incident: Incident, job_class: str, jobs: Sequence[str]) -> pl.DataFrame:
    """(job, timestamp, worker) of every finished attempt of the class, and of these `jobs`."""
    done = incident.tries.filter(~pl.col("failed"))
    alike = pl.col("job").is_in(list(jobs))
    if job_class:
        alike |= pl.col("job_class") == job_class
    return done.filter(alike).select("job", "worker", timestamp="at")


def _began(boots: Sequence[Boot], worker: str, since: int, at: int) -> bool:
    """Whether `worker` was seen to start in `[since, at]` (ns)."""
    return any(boot.actor == worker and since <= boot.timestamp <= at for boot in boots)


def _deploy(first: int, changes: Sequence[Change], boots: Sequence[Boot]) -> _Deploy | None:
    """The latest deploy before the first misfit; without one the first start of a worker."""
    near = [one for one in changes if 0 <= first - one.timestamp <= LOOK_BACK_NS]
    if near:
        last = near[-1]
        of = f" of {last.service}" if last.service else ""
        return _Deploy(last.timestamp, last.row, f"{last.what.value}{of}")
    early = [boot for boot in boots if boot.said and boot.timestamp <= first]
    if early:
        return _Deploy(early[0].timestamp, early[0].row, f"start of {early[0].actor}", True)
    return None


def _succeeded_on(finished: pl.DataFrame, workers: set[str], since: int | None) -> int:
    """Jobs of the class that finished on `workers` since the change."""
    told = finished.filter(pl.col("worker").is_in(sorted(workers)))
    if since is not None:
        told = told.filter(pl.col("timestamp") >= since)
    return told.get_column("job").n_unique()


def _side(
    incident: Incident,
    jobs: Sequence[str],
    since: int | None,
    stale: Sequence[str],
    fresh: Sequence[str],
) -> str:
    """Which side is older, by when the jobs were pushed and whether their workers started since."""
    if since is None:
        return UNDECIDED
    pushed = _pushed(incident, jobs)
    early = pushed.filter(pl.col("enqueued") < since).height
    late = pushed.height - early
    if fresh and not stale and early and not late:
        return OLD_JOB
    if stale and not fresh and late and not early:
        return OLD_WORKER
    return UNDECIDED


def _pushed(incident: Incident, jobs: Sequence[str]) -> pl.DataFrame:
    """(job, enqueued): when each of `jobs` was pushed, or first spoken of where no queue tells."""
    told = incident.jobs.summary.filter(pl.col("job").is_in(list(jobs))).drop_nulls("enqueued")
    told = told.select("job", "enqueued")
    named = incident.jobs.named.filter(pl.col("job").is_in(list(jobs)))
    stamp = incident.snapshot.events.get_column("timestamp").gather(named.get_column("row"))
    spoken = named.with_columns(enqueued=stamp).group_by("job").agg(pl.col("enqueued").min())
    return pl.concat([told, spoken.join(told, on="job", how="anti")])


def _verdict(
    deploy: _Deploy | None,
    side: str,
    stale: Sequence[str],
    fresh: Sequence[str],
    healed: int,
    elsewhere: int,
) -> tuple[Verdict, str]:
    if deploy is None:
        return Verdict.POSSIBLE, "no deploy was read before it"
    if stale and fresh:
        return Verdict.POSSIBLE, "workers fail whether they started since or not"
    if not stale and not fresh:
        return Verdict.POSSIBLE, "nobody names the workers, so their versions are not known"
    if side == OLD_WORKER and (elsewhere or healed):
        return (
            Verdict.LIKELY,
            "that these workers run the old version is read from their not starting",
        )
    if side == OLD_JOB:
        return Verdict.LIKELY, "that the version matters is read from when jobs and workers began"
    return Verdict.POSSIBLE, "no job of the class was seen to succeed on another version"


def _steps(
    incident: Incident, part: pl.DataFrame, deploy: _Deploy | None, boots: Sequence[Boot]
) -> tuple[Step, ...]:
    told: dict[int, tuple[str, str]] = {}
    if deploy is not None:
        told[deploy.row] = ("change", f"the {deploy.words}")
    for boot in boots[:2]:
        told.setdefault(boot.row, ("start", f"{boot.actor} runs a version of this time or later"))
    for row, worker in part.select("row", "worker").head(MAX_STEPS).iter_rows():
        told[row] = ("failed", f"{worker or 'a worker'} and the job do not fit")
    rows = sorted(told)
    events = incident.snapshot.events_at(rows)
    ordered = sorted(zip(rows, events, strict=True), key=lambda pair: (pair[1].timestamp, pair[0]))[
        : MAX_STEPS + 2
    ]
    steps: list[Step] = []
    for row, event in ordered:
        role, why = told[row]
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _next(side: str, stale: Sequence[str], waiting: Sequence[str], job_class: str) -> str:
    again = f"replay {listed([short(key) for key in waiting])}" if waiting else ""
    if side == OLD_WORKER:
        act = f"Restart {listed(list(stale))} on the new version"
        return f"{act}, then {again}." if again else f"{act}."
    if side == OLD_JOB:
        act = f"Teach the new {job_class or 'job'} the old arguments, or push the old jobs anew"
        return f"{act}: {listed([short(key) for key in waiting])}." if waiting else f"{act}."
    if again:
        return f"Find out which version each worker runs, then {again}."
    return "Find out which version each worker runs."
