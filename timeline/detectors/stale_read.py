"""stale-read: somebody looked for a row that was committed already, on a copy that was behind.

Story: the row is committed on the primary, the job starts 40 ms later and asks a replica that
replays a second late; it does not find the row, and a retry later does. Or a page is asked for
right after the form was sent.

Predicate: a job or a request failed with "not found" for a row whose commit came before the lookup.
That the read went to a replica is told by its own lines; that the replica was behind, by its
measured lag. Certain with a commit time, a certain order, a replica that its lines name and a row
that the message names; likely where one of these is inferred: the commit from the answer of the
request or from the row's age, the replica from a lag at least as long as the row had been there.
Possible where a replica is known to be there and nothing more, where a later attempt of the same
job found the row, or where the same reader found older rows and none that was written since. A lag
that was measured to be shorter speaks against it.

Where the order is not known, it may as well be a race with the commit: `job-before-commit` says so,
and both are named. Where that race is at least likely, nothing is said here.

False positives: a deleted or soft-deleted row, another tenant or shard, a row long out of the job's
scope, a commit after the lookup (silent); a cache (named).

Reference: read-your-writes violation (Terry et al., "Session Guarantees", 1994); ankane/
distribute_reads#9, mastodon/documentation#1255.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.stale_evidence import Evidence
from timeline.detectors.stale_signs import stale_signs
from timeline.detectors.stale_values import REMEDY, TERM
from timeline.event import Event, Lane
from timeline.facts.lookups import Lookup, failed_reads
from timeline.facts.missed_reads import (
    AGE,
    ANSWER,
    COMMIT,
    LONGEST_LAG_NS,
    WRITE,
    MissedRead,
    later_success,
    missed_reads,
)
from timeline.facts.replicas import LagSample
from timeline.facts.sight import heard
from timeline.facts.still_readers import StillReader
from timeline.facts.visibility import SHARD_WORDS
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, at_least, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

NAMED, BEHIND, KNOWN, HEALED, STILL = "named", "behind", "known", "healed", "still"
"""What says that a replica answered, strongest first: the job's own lines, its measured lag, that
there is one, that a later attempt found the row. Last, what says that an old snapshot did: the same
reader found older rows and none that was written since."""
RACE = "the job ran before the commit (job-before-commit)"
ELSEWHERE = "a cache, another tenant or another shard answered"
SNAPSHOT = "the job read in a transaction that had begun before the commit"
SCOPE = "rows that are so new are not meant to be found yet (a state, an approval)"
MAX_CASES_SHOWN = 3
MAX_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class StaleLookup:
    """One lookup that missed a row. Instants and lengths in ns UTC; None when not known.

    `there` is since when the row was there by `how` (its commit, the answer of the request that
    wrote it, its age, or only the beginning of its transaction); `lag` is the measured lag.
    """

    job: str
    key: str
    record: str
    looked_up: int
    there: int
    how: str
    sign: str
    lag: int | None
    healed: bool
    verdict: Verdict
    because: str


@dataclass(frozen=True, kw_only=True)
class StaleRead(Finding):
    """Jobs of one class, or requests, that missed committed rows of one table. `replica` says in
    words why a replica is thought to have answered; `healed` counts the jobs of which a later
    attempt ended well."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = REMEDY

    job_class: str
    table: str
    sign: str
    replica: str
    cases: tuple[StaleLookup, ...]
    healed: int

    def sentence(self) -> str:
        first, number = self.cases[0], len(self.cases)
        title = f"{self.job_class} {self.reader}".strip()
        names = listed([short(case.key) for case in self.cases], 3)
        since = {
            COMMIT: "after it was committed",
            ANSWER: "after the request that wrote it was answered",
            AGE: "after it was written",
            WRITE: "after its transaction had begun",
        }[first.how]
        gap = length(first.looked_up - first.there)
        again = f"; {counted(self.healed, 'later attempt')} finished" if self.healed else ""
        return abridged(
            f"{counted(number, title)} did not find {_rows(number)} of {self.table} that "
            f"{'was' if number == 1 else 'were'} there: {names} (first at "
            f"{instant(first.looked_up)}, {gap} {since}); {self.replica}{again}."
        )

    @property
    def reader(self) -> str:
        """What asked: a job or a request."""
        return "job" if _is_job(self.cases[0].job) else "request"

    def clause(self) -> str:
        number = len(self.cases)
        if self.sign in (NAMED, BEHIND):
            what = (
                "a replica that was behind" if self.sign == BEHIND else "an old copy on a replica"
            )
            return f"{counted(number, self.reader)} read {what}"
        asked, was = counted(number, self.reader), "was" if number == 1 else "were"
        return f"{asked} did not find {_rows(number)} that {was} there"


class StaleReadDetector:
    """Finds jobs that read what was no longer true; see the module."""

    term: ClassVar[str] = StaleRead.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        old = stale_signs(incident)
        asked = failed_reads(incident)
        missing = _missing(incident, asked)
        if missing:
            return old or NotEvaluated(self.term, " and ".join(missing))
        if not (reads := missed_reads(incident, (*incident.failed_lookups, *asked))):
            return old
        evidence = Evidence.of(incident, reads)
        groups: dict[tuple[str, str, str, Verdict, bool], list[_Case]] = {}
        for read in reads:
            case = _case(incident, read, evidence)
            if case is not None:
                key = (
                    evidence.class_of(read),
                    read.record.table,
                    case.told.sign,
                    case.told.verdict,
                    _is_job(case.told.job),
                )
                groups.setdefault(key, []).append(case)
        found: list[Finding] = [*old]
        found += [_finding(incident, key[0], cases) for key, cases in groups.items()]
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


def _missing(incident: Incident, asked: Sequence[Lookup]) -> list[str]:
    """Words for the sources without which a stale read cannot be seen."""
    missing = []
    if not asked and incident.jobs.entities.is_empty() and not heard(incident, Lane.QUEUE):
        missing.append("jobs with their arguments (a queue, or logs with job ids)")
    if not heard(incident, Lane.DATABASE):
        missing.append("the rows the jobs work on (a database)")
    return missing


@dataclass(frozen=True, slots=True)
class _Case:
    read: MissedRead
    told: StaleLookup
    replica: str
    line: Event | None
    sample: LagSample | None
    done: Event | None
    alternatives: tuple[str, ...]


def _case(incident: Incident, read: MissedRead, evidence: Evidence) -> _Case | None:
    """The case, unless nothing points to an old copy."""
    line, cached = evidence.replica_line(read), evidence.cache_line(read)
    sample = evidence.replicas.lag_at(read.event.timestamp)
    done = later_success(incident, read.lookup.job, read.event)
    still = evidence.still.get(read.lookup.row)
    sign = _sign(read, line, sample, evidence.replicas.exists, done, still)
    if sign is None:
        return None
    verdict, because, alternatives = _graded(incident, read, sign, sample)
    if cached is not None:
        verdict, because = Verdict.POSSIBLE, "the job's own lines tell of a cache"
        alternatives = ("a stale cache answered", *alternatives)
    told = StaleLookup(
        job=read.lookup.job,
        key=read.lookup.key,
        record=read.record.record,
        looked_up=read.event.timestamp,
        there=read.shown.timestamp,
        how=read.how,
        sign=sign,
        lag=sample.lag if sample else None,
        healed=done is not None,
        verdict=verdict,
        because=because,
    )
    replica = _replica_words(sign, sample, evidence.replicas.exists, still)
    return _Case(read, told, replica, line, sample, done, alternatives)


def _sign(
    read: MissedRead,
    line: Event | None,
    sample: LagSample | None,
    exists: str,
    done: Event | None,
    still: StillReader | None,
) -> str | None:
    """What points to a replica; None where nothing does or something speaks against it."""
    behind = sample is not None and sample.lag >= read.gap
    if re.search(SHARD_WORDS, f"{read.event.body} {read.event.attributes or ''}"):
        return None
    if line is not None:
        return NAMED
    if read.how == WRITE or (read.gap > LONGEST_LAG_NS and not behind):
        return None  # a race explains it as well, or its scope does
    if behind:
        return BEHIND
    if sample is not None:
        return None  # measured, and not behind
    if exists:
        return KNOWN
    if still is not None:
        return STILL
    return HEALED if done is not None and read.how == COMMIT else None


def _graded(
    incident: Incident, read: MissedRead, sign: str, sample: LagSample | None
) -> tuple[Verdict, str, tuple[str, ...]]:
    """Verdict, its weakest link, and what else would explain it."""
    order = read.order
    if order.verdict is None or not at_least(order.verdict, Verdict.LIKELY):
        return Verdict.POSSIBLE, order.because, (RACE, ELSEWHERE)
    if sign == STILL:
        words = "an old snapshot is inferred from what the same reader found and did not find"
        return Verdict.POSSIBLE, words, (SCOPE, ELSEWHERE)
    if sign in (KNOWN, HEALED):
        words = "that a replica answered is not on record"
        return Verdict.POSSIBLE, words, (ELSEWHERE, SNAPSHOT)
    if sample is not None and sample.lag < read.gap:
        words = f"the lag was measured as {length(sample.lag)}, less than the row had been there"
        return Verdict.POSSIBLE, words, (ELSEWHERE,)
    if sign == BEHIND:
        words = "that the replica answered is inferred from its lag"
        return weakest((order.verdict, Verdict.LIKELY)), words, (ELSEWHERE,)
    if order.verdict is not Verdict.CERTAIN:
        return Verdict.LIKELY, order.because, ()
    if not read.lookup.exact:
        words = "the message does not say which row was missing; the job's arguments do"
        return Verdict.LIKELY, words, ()
    begun = read.started
    if begun is None or before(read.shown, begun, incident.clocks).verdict is not Verdict.CERTAIN:
        words = "the job may have begun before the commit, and read as of its beginning"
        return Verdict.LIKELY, words, (SNAPSHOT,)
    return Verdict.CERTAIN, f"committed before: {order.because}; the job names the replica", ()


def _replica_words(
    sign: str, sample: LagSample | None, exists: str, still: StillReader | None
) -> str:
    """Why an old copy is thought to have answered, as the end of the sentence."""
    if sign == STILL and still is not None:
        return (
            f"{still.actor} found {counted(still.found, 'older row')} and none that was written "
            f"from {instant(still.since)} on, as in a transaction that is never ended"
        )
    behind = f"a replica was {length(sample.lag)} behind" if sample is not None else ""
    if sign == NAMED:
        return f"it read from a replica{f', and {behind}' if behind else ''}"
    if sign == BEHIND:
        return behind
    return exists if sign == KNOWN else "a later attempt found it"


def _finding(incident: Incident, job_class: str, cases: Sequence[_Case]) -> StaleRead:
    cases = sorted(cases, key=lambda case: (case.told.looked_up, case.told.job))
    first, told = cases[0], tuple(case.told for case in cases)
    keys = {key for case in told for key in (case.job, case.key, case.record) if key}
    return StaleRead(
        verdict=first.told.verdict,
        weakest_link=first.told.because,
        began=min(case.there for case in told),
        ended=max(case.looked_up for case in told),
        steps=tuple(step for case in cases[:MAX_CASES_SHOWN] for step in _steps(incident, case)),
        keys=tuple(sorted(keys)),
        would_decide=_would_decide(first, job_class),
        alternatives=first.alternatives,
        next_action=_next(told, job_class),
        job_class=job_class,
        table=first.read.record.table,
        sign=first.told.sign,
        replica=first.replica,
        cases=told,
        healed=sum(case.healed for case in told),
    )


def _would_decide(case: _Case, job_class: str) -> tuple[str, ...]:
    title = job_class or short(case.told.job)
    wanted = []
    if case.told.sign != NAMED:
        wanted.append(f"Look which endpoint {title} reads from.")
    if case.sample is None:
        wanted.append(f"Read the lag of the replica at {instant(case.told.looked_up)}.")
    if case.told.how != COMMIT:
        wanted.append("Read the commit: track_commit_timestamp, or the transaction's log line.")
    return tuple(wanted)


def _next(cases: Sequence[StaleLookup], job_class: str) -> str:
    stuck = [short(case.key) for case in cases if not case.healed]
    if not stuck:
        return ""
    if not _is_job(cases[0].job):
        return f"Compare {listed(stuck)} on the primary and on the replica."
    return f"Replay {job_class or 'the job'} for {listed(stuck)}: the row is on the primary."


def _steps(incident: Incident, case: _Case) -> list[Step]:
    """The row, the run, the line that names the replica, the lookup, the lag, the healing."""
    read, table = case.read, case.read.record.table
    there = {
        COMMIT: "was committed",
        ANSWER: "was committed before this answer",
        AGE: "was written long before",
        WRITE: "began to be written",
    }[read.how]
    told = [("row", read.shown, f"{table} {read.record.pk} {there}")]
    if read.started is not None and read.started.timestamp >= read.shown.timestamp:
        told.append(("start", read.started, "a worker took the job"))
    if case.line is not None and case.line is not read.event:
        told.append(("endpoint", case.line, "the job's own word that it read from a replica"))
    steps: list[Step] = []
    for role, event, why in told:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    why = f"{table} {read.record.pk}: not found, {length(read.gap)} later"
    steps.append(Step("lookup", read.event, why, read.order))
    if case.sample is not None:
        (event,) = incident.snapshot.events_at([case.sample.row])
        steps.append(Step("lag", event, f"{length(case.sample.lag)} behind"))
    if case.done is not None:
        order = before(read.event, case.done, incident.clocks)
        steps.append(Step("healing retry", case.done, "a later attempt finished", order))
    return steps


def _is_job(key: str) -> bool:
    """Whether a job asked, or a message of a queue, rather than a request."""
    return not key.startswith(("request:", "trace:"))


def _rows(number: int) -> str:
    return "a row" if number == 1 else "rows"
