"""unsafe-replay: a job failed half-way, and running it again repeats what it had already done.

Story: one job writes statistics, charges the card, sends the mail; the third step raises. Replayed
from the failed queue it writes and charges again, and everybody gets a second mail.

Predicate: the last word of a job is a failure (failed, dead, waiting for a retry) and one of its
attempts left an effect: a row it wrote, a line that says it sent or charged, a call answered with
success. Also a job that has repeated an effect already. Certain where the effect carries the id of
the job or of its request, likely where it concerns the job's entity and was made by a worker while
the attempt ran, possible where another job on that entity ran as well.

False positives: reads, a failure before the first effect, queues' own tables, what somebody else
wrote meanwhile (silent); an effect that the other side answered twice under one id of its own was
made once: safe. A job whose effects nobody could have seen is never called safe.

Reference: non-idempotent replay; documenso/documenso#3190, triggerdotdev/trigger.dev#4952,
ilyakatz/resque-history#13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.effect_sight import EffectSight
from timeline.facts.effects import (
    MAX_JOBS,
    Attempts,
    Effect,
    attempts_of,
    effects_of,
)
from timeline.facts.sight import heard
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, NotEvaluated, Repair, Stage, Step
from timeline.order import Verdict, at_least, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

REPLAYABLE = (Kind.JOB_FAILED.value, Kind.JOB_DEAD.value, Kind.JOB_RETRIED.value)
"""Last transitions after which a job may run again: by a person, or by itself."""
SAFE, UNSAFE, UNKNOWN = "yes", "no", "unknown"
_ANSWERS = {
    SAFE: "safe to replay",
    UNSAFE: "not safe to replay",
    UNKNOWN: "not known whether safe to replay",
}
MAX_STEPS = 8
NAMED_JOBS = 3
NAMED_EFFECTS = 2


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay of one job would do. `failed_at` is ns UTC of its last failure.

    `safe` is yes, no or unknown; `why` says it in words; `effects` are what it has done already,
    `repeated` how many of them more than one attempt made.
    """

    job: str
    job_class: str
    args: str
    state: str
    failed_at: int
    attempts: int
    effects: tuple[Effect, ...]
    repeated: int
    safe: str
    why: str
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class UnsafeReplay(Finding):
    """The failed jobs of one class: `replays` holds one each, the unsafe ones first. With `cut`
    there were more failed jobs than are examined, and the latest are told."""

    term: ClassVar[str] = "unsafe-replay"
    remedy: ClassVar[str] = (
        "Give every effect an idempotency key, note what is done in the same transaction, and "
        "split the job so that each step can be run again alone."
    )
    stage: ClassVar[Stage] = Stage.EFFECT
    lists_work: ClassVar[bool] = True

    job_class: str
    replays: tuple[Replay, ...]
    cut: bool = False

    def with_answer(self, *answers: str) -> list[Replay]:
        """The replays whose `safe` is any of `answers`."""
        return [replay for replay in self.replays if replay.safe in answers]

    def sentence(self) -> str:
        unsafe = self.with_answer(UNSAFE)
        safe, unknown = self.with_answer(SAFE), self.with_answer(UNKNOWN)
        parts = []
        if unsafe:
            first, more = unsafe[0], len(unsafe) - 1
            names = f"{short(first.job)} ({_done(first.effects)})"
            names += f" and {more} more" if more else ""
            parts.append(f"{self._begun} failed after doing part of the work: {names}")
        again = [one for one in unsafe if one.repeated]
        if again:
            who = _names(again) if len(again) == 1 else f"{len(again)} of them"
            parts.append(f"{who} did it more than once")
        if safe and not unsafe:
            jobs = counted(len(safe), f"failed {self._kind} job".replace("  ", " "))
            parts.append(f"{jobs} had done nothing yet and can be replayed: {_names(safe)}")
        elif safe:
            parts.append(f"safe to replay: {_names(safe)}")
        if unknown:
            parts.append(f"not known: {_names(unknown)}")
        return abridged(f"{'; '.join(parts)}.")

    def repairs(self) -> list[Repair]:
        """Every failed job with what it has done already, the unsafe ones first."""
        return [Repair(one.job, _ANSWERS[one.safe], _note(one)) for one in self.replays]

    def clause(self) -> str:
        if not self.with_answer(UNSAFE):
            return f"{counted(len(self.replays), 'failed job')} can be replayed"
        return f"{self._what} cannot simply be replayed"

    @property
    def _what(self) -> str:
        told = counted(len(self.with_answer(UNSAFE)), f"{self._kind} job".strip())
        return f"at least {told}" if self.cut else told

    @property
    def _begun(self) -> str:
        return self._what.replace("at least", "At least", 1)

    @property
    def _kind(self) -> str:
        return self.job_class.rpartition(".")[2]


def _note(replay: Replay) -> str:
    """`failed, 3 attempts; it has sent receipt, inserted sales/31`: every effect, none left out."""
    told = f"{replay.state}, {counted(replay.attempts, 'attempt')}; "
    if not replay.effects or replay.safe == SAFE:
        return told + replay.why
    told += f"it has {_done(replay.effects, len(replay.effects))}"
    again = f", {counted(replay.repeated, 'effect')} more than once" if replay.repeated else ""
    return told + again


def _names(replays: Sequence[Replay]) -> str:
    return listed([short(one.job) for one in replays], NAMED_JOBS)


class UnsafeReplayDetector:
    """Says of every failed job what a replay would repeat; see the module."""

    term: ClassVar[str] = UnsafeReplay.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and incident.jobs.named.is_empty():
            return NotEvaluated(self.term, "a job queue, or workers' logs with job ids")
        if not heard(incident, Lane.LOG) and not heard(incident, Lane.DATABASE):
            return NotEvaluated(self.term, "the workers' log, or the rows that jobs write")
        jobs = _failed_jobs(incident)
        if jobs.is_empty():
            return []
        cut = jobs.height >= MAX_JOBS
        attempts = attempts_of(incident, jobs.get_column("job").to_list())
        effects = effects_of(incident, attempts)
        sight = EffectSight(incident, attempts)
        classes: dict[str, list[Replay]] = {}
        for told in jobs.iter_rows(named=True):
            replay = _replay(sight, told, attempts[told["job"]], effects[told["job"]])
            if replay is not None:
                classes.setdefault(replay.job_class, []).append(replay)
        found = [_finding(incident, name, replays, cut=cut) for name, replays in classes.items()]
        told_of = [one for one in found if one.with_answer(SAFE, UNSAFE)]
        return sorted(told_of, key=_strength)


def _strength(found: UnsafeReplay) -> tuple[bool, int, int, int]:
    unsafe = len(found.with_answer(UNSAFE))
    return (found.qualifier, list(Verdict).index(found.verdict), -unsafe, found.began)


def _failed_jobs(incident: Incident) -> pl.DataFrame:
    """Jobs with a failing attempt: (job, class, args, last kind, failed_at), the latest first."""
    kind = pl.col("kind")
    moves = incident.jobs.transitions.group_by("job", maintain_order=True).agg(
        pl.col("job_class", "args").drop_nulls().last().fill_null(""),
        last=kind.last(),
        failed_at=pl.col("timestamp").filter(kind.is_in(REPLAYABLE)).max(),
    )
    failed = pl.concat([moves.drop_nulls("failed_at"), _failed_by_logs(incident, moves)])
    return failed.sort("failed_at", "job", descending=[True, False]).head(MAX_JOBS)


def _failed_by_logs(incident: Incident, moves: pl.DataFrame) -> pl.DataFrame:
    """The same of jobs that no queue shows, as their workers' logs tell them."""
    if incident.jobs.named.height == 0:
        return moves.clear()
    told = incident.handled.join(moves.select("job"), on="job", how="anti").sort("start")
    failed = pl.col("outcome") == "failed"
    ended = pl.when(failed.last()).then(pl.lit(Kind.JOB_FAILED.value))
    jobs = told.group_by("job", maintain_order=True).agg(
        job_class=pl.lit(""),
        args=pl.lit(""),
        last=ended.otherwise(pl.lit(Kind.JOB_FINISHED.value)),
        failed_at=pl.col("end").filter(failed).max(),
    )
    return jobs.drop_nulls("failed_at").select(moves.columns)


def _replay(
    sight: EffectSight, told: dict[str, object], attempts: Attempts, effects: list[Effect]
) -> Replay | None:
    """The answer for one job; None when it is over and did nothing twice."""
    open_still = told["last"] in REPLAYABLE
    done = [effect for effect in effects if not _made_once(effect, effects)]
    again = [effect for effect in done if _repeated(effect, done)]
    if not open_still and not again:
        return None
    if done:
        verdict = _best(done).verdict
        safe, why = UNSAFE, f"it has {_done(done)} (joined by {_best(done).joined})"
    elif effects:
        verdict = weakest(effect.verdict for effect in effects)
        safe, why = SAFE, "the other side answered every attempt under one id: it was done once"
    else:
        verdict, why = sight.nothing_done(attempts.job)
        safe = SAFE if at_least(verdict, Verdict.LIKELY) else UNKNOWN
    failed_at = told["failed_at"]
    return Replay(
        job=attempts.job,
        job_class=str(told["job_class"]),
        args=str(told["args"]),
        state=_STATES.get(str(told["last"]), "running"),
        failed_at=failed_at if isinstance(failed_at, int) else 0,
        attempts=max(len(attempts.starts), len(attempts.ends)),
        effects=tuple(effects),
        repeated=len({effect.identity for effect in again}),
        safe=safe,
        why=why,
        verdict=verdict,
    )


_STATES = {
    Kind.JOB_FAILED.value: "failed",
    Kind.JOB_DEAD.value: "dead",
    Kind.JOB_RETRIED.value: "waiting for a retry",
    Kind.JOB_FINISHED.value: "finished",
}


def _best(effects: Sequence[Effect]) -> Effect:
    return min(effects, key=lambda effect: list(Verdict).index(effect.verdict))


def _repeated(effect: Effect, effects: Iterable[Effect]) -> bool:
    """Whether another attempt made the same effect. A row updated again is still one row."""
    return effect.kind != "updated" and any(
        other.identity == effect.identity and other.attempt != effect.attempt for other in effects
    )


def _made_once(effect: Effect, effects: Iterable[Effect]) -> bool:
    """Whether every attempt got the same id from the other side, so that it did it only once."""
    alike = [other for other in effects if other.identity == effect.identity]
    ids = {other.provider_id for other in alike}
    return len({other.attempt for other in alike}) > 1 and len(ids) == 1 and "" not in ids


def _done(effects: Sequence[Effect], limit: int = NAMED_EFFECTS) -> str:
    """`sent receipt; likely also inserted invoices/12`: what was done, each thing once."""
    sure = [effect for effect in effects if effect.verdict is Verdict.CERTAIN]
    rest = [effect for effect in effects if effect.verdict is not Verdict.CERTAIN]
    if sure and rest:
        return f"{_words(sure, limit)}; likely also {_words(rest, limit)}"
    return _words(sure or rest, limit)


def _words(effects: Sequence[Effect], limit: int) -> str:
    named = dict.fromkeys(
        effect.what if effect.kind in ("sent", "called") else f"{effect.kind} {effect.what}"
        for effect in effects
    )
    return listed(list(named), limit)


def _finding(
    incident: Incident, job_class: str, replays: list[Replay], *, cut: bool
) -> UnsafeReplay:
    rank = {UNSAFE: 0, UNKNOWN: 1, SAFE: 2}
    replays = sorted(replays, key=lambda one: (rank[one.safe], one.failed_at, one.job))
    unsafe = [one for one in replays if one.safe == UNSAFE]
    shown = unsafe or [one for one in replays if one.safe == SAFE] or replays
    verdict = weakest(one.verdict for one in shown)
    weak = next(one for one in shown if one.verdict is verdict)
    effects = [effect for one in shown for effect in one.effects]
    keys = {one.job for one in shown} | {key for effect in effects for key in effect.about}
    names = listed([short(one.job) for one in unsafe])
    return UnsafeReplay(
        verdict=verdict,
        weakest_link=f"{short(weak.job)}: {weak.why}",
        began=min([effect.at for effect in effects] or [one.failed_at for one in shown]),
        ended=max(one.failed_at for one in shown),
        steps=_steps(incident, shown),
        keys=tuple(sorted(keys)),
        would_decide=(f"Ask the receiving side what it has of {names}.",) if unsafe else (),
        alternatives=("the effect is idempotent and a replay does no harm",) if unsafe else (),
        next_action=_next(unsafe, names),
        qualifier=not unsafe,
        job_class=job_class,
        replays=tuple(replays),
        cut=cut,
    )


def _next(unsafe: Sequence[Replay], names: str) -> str:
    coming = [one for one in unsafe if one.state == "waiting for a retry"]
    if coming:
        soon = listed([short(one.job) for one in coming])
        return f"Stop the retry of {soon} until what it has done is undone or skipped."
    if any(one.state != "finished" for one in unsafe):
        return f"Do not replay {names} as a whole: run only the steps that are missing."
    return f"Check {names} for double effects." if unsafe else ""


def _steps(incident: Incident, replays: Sequence[Replay]) -> tuple[Step, ...]:
    """The effects of the first jobs and their failures, in the order of their stamps."""
    told: list[tuple[int, str, str]] = []
    for one in replays:
        rows = incident.jobs.rows_of(one.job, Kind.JOB_FAILED, Kind.JOB_DEAD, Kind.JOB_RETRIED)
        told += [
            (e.event_row, "already done", f"{short(one.job)}, attempt {e.attempt}: {_done([e])}")
            for e in one.effects
        ]
        failed = f"{short(one.job)} failed at {instant(one.failed_at)} and is {one.state}"
        told += [(row, "failed", failed) for row in rows[-1:]]
        if len(told) >= MAX_STEPS:
            break
    told = told[:MAX_STEPS]
    events = incident.snapshot.events_at([row for row, _, _ in told])
    steps: list[Step] = []
    for (_, role, why), event in sorted(
        zip(told, events, strict=True), key=lambda one: one[1].timestamp
    ):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
