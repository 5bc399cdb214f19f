"""delivered-again: one job was started twice, because its lease ran out before it was done.

Story: a backup takes four minutes, its message is invisible for 30 s only; another worker receives
the same message while the first still runs, and there are two backups.

Predicate: two starts of one job id with no failure, no put-back and no new push between them. The
cause is told by what stands between (a stall, a dead worker) or by a gap that equals the queue's
own timeout. Whether the first run was still going is graded apart, by the clocks.

Certain with the queue's word for the lost lease; likely when only the gap fits the timeout, or when
nothing stands between in sources that were read in full; possible where something was not read.
Where only a broker counts what it gave out again, `timeline.detectors.counted_again` tells that.

False positives: an ordinary retry, a job put back by hand, a job that finished and was pushed anew,
one line shipped twice (all silent).

Reference: duplicate execution, at-least-once redelivery; celery/celery#5935, celery/celery#6760,
laravel/framework#18919, SQS developer guide (at-least-once delivery).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.counted_again import counted_again
from timeline.event import Event, Kind, Lane
from timeline.facts.jobs import ENDS
from timeline.facts.lost_attempt import LostAttempt
from timeline.facts.redelivered import leases_of
from timeline.facts.second_starts import MAX_PAIRS, Begun, Pair, second_starts
from timeline.facts.sight import absence, heard
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, at_least, before

if TYPE_CHECKING:
    from timeline.incident import Incident

TIMEOUT_SHARE = 0.1
"""How far a gap may be from the timeout and still be its work: a tenth of it,"""
TIMEOUT_SLACK_NS = 2_000_000_000
"""or the pause between two polls of a consumer, whichever is more."""
MIN_ALIKE = 3
"""Gaps of one length from which on that length is the queue's and no chance."""
MAX_CASES_SHOWN = 3
MAX_FINDINGS = 10
END_LINE = re.compile(r"(?i)\b(?:done|finished|completed|succeeded|sent|performed|failed)\b")
BROKER_LINE = (
    r"Restoring \d+ unacknowledged message|delivery acknowledgement on channel \d+ timed out"
)
"""kombu (transport/virtual) and RabbitMQ (rabbit_channel) as they give a message out again."""


@dataclass(frozen=True, slots=True)
class SecondRun:
    """One job (key) that was started twice. Instants and lengths in ns UTC; None when not known.

    `first_ended` is the last that was seen of the first run; `overlap` how sure it is that the
    first run was still going at the second start, None when it was over. `doubled` are records
    that both runs wrote, by table and entity.
    """

    job: str
    first: int
    first_worker: str
    second: int
    second_worker: str
    first_ended: int | None
    overlap: Verdict | None
    overlap_because: str
    timeout: int | None
    doubled: tuple[str, ...]

    @property
    def gap(self) -> int:
        return self.second - self.first


@dataclass(frozen=True, kw_only=True)
class DeliveredAgain(Finding):
    """Jobs of one class started twice for one `cause`: lease, killed, timeout or unknown."""

    term: ClassVar[str] = "delivered-again"
    remedy: ClassVar[str] = (
        "Make the lease longer than the slowest run, or extend it while a job runs, and let a "
        "consumer remember what it has done: a queue delivers at least once."
    )

    job_class: str
    source: str
    cause: str
    because: str
    cases: tuple[SecondRun, ...]

    def sentence(self) -> str:
        first = self.cases[0]
        names = listed([short(case.job) for case in self.cases], MAX_CASES_SHOWN)
        return abridged(
            f"{counted(len(self.cases), f'{self._title} job'.strip())} "
            f"{'was' if len(self.cases) == 1 else 'were'} started twice: {names} (first at "
            f"{instant(first.first)}{_by(first.first_worker)}, again {length(first.gap)} later"
            f"{_by(first.second_worker)}; {self.because}); {_overlap_words(self.cases)}"
            f"{_doubled_words(self.cases)}."
        )

    def clause(self) -> str:
        number = len(self.cases)
        return f"{counted(number, 'job')} {'was' if number == 1 else 'were'} started twice"

    @property
    def _title(self) -> str:
        return self.job_class.rpartition(".")[2]


def _by(worker: str) -> str:
    return f" on {worker}" if worker else ""


def _overlap_words(cases: Sequence[SecondRun]) -> str:
    graded = [case.overlap for case in cases if case.overlap is not None]
    if not graded:
        return "the first run was over by then"
    worst = next(verdict for verdict in Verdict if verdict in graded)
    some = graded.count(worst) < len(cases)
    many = f" in {graded.count(worst)} of {len(cases)} cases" if some else ""
    return f"that the first run was still going{many} is {worst.value}"


def _doubled_words(cases: Sequence[SecondRun]) -> str:
    doubled = [record for case in cases for record in case.doubled]
    return f"; both wrote {listed([short(record) for record in doubled], 2)}" if doubled else ""


class DeliveredAgainDetector:
    """Finds jobs that were started twice without a failure between; see the module."""

    term: ClassVar[str] = DeliveredAgain.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue, or workers' logs with job ids")
        lost = incident.lost_attempts
        pairs = second_starts(incident, lost)
        groups: dict[tuple[str, str, str, str, Verdict], list[_Case]] = {}
        summary = incident.jobs.summary
        classes = dict(summary.select("job", "job_class").iter_rows()) if pairs else {}
        leases = leases_of(incident) if pairs else {}
        steady = _steady(pairs)
        for pair in pairs[:MAX_PAIRS]:
            case = _case(incident, pair, lost, leases, steady)
            if case is None:
                continue
            job_class = str(classes.get(pair.one.job) or "")
            group = (pair.one.source, job_class, case.cause, case.because, case.verdict)
            groups.setdefault(group, []).append(case)
        found: list[Finding] = [_finding(incident, *group) for group in groups.items()]
        found += counted_again(incident, found)
        found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
        return found[:MAX_FINDINGS]


@dataclass(frozen=True, slots=True)
class _Case:
    run: SecondRun
    pair: Pair
    cause: str
    because: str
    verdict: Verdict
    link: str
    rows: tuple[tuple[int, str, str], ...]
    """Further evidence: (event row, role, why)."""


def _case(
    incident: Incident,
    pair: Pair,
    lost: Iterable[LostAttempt],
    leases: Mapping[str, tuple[int, ...]],
    steady: int | None,
) -> _Case | None:
    one, two = pair.one, pair.two
    gone = next((a for a in lost if a.job == one.job and a.start == one.timestamp), None) or next(
        (a for a in lost if a.job == one.job and one.timestamp <= a.noticed <= two.timestamp), None
    )
    gap = two.timestamp - one.timestamp
    own = leases.get(one.source, ())
    known = own or tuple(lease for stated in leases.values() for lease in stated)
    timeout = next((lease for lease in known if _fits(gap, lease)), None)
    broker = () if gone is not None else _broker_lines(incident, two)
    overlap, ended, why = _overlap(incident, pair, gone)
    rows: tuple[tuple[int, str, str], ...] = ()
    if gone is not None:
        timeout = gone.lease or timeout
        rows = ((gone.row, "lease lost", "the queue took it from its worker"),)
        cause, because = "lease", "its worker had been declared lost"
        verdict, link = Verdict.CERTAIN, "the queue tells both starts and the lost lease"
        if timeout is not None:
            because = f"its lease of {length(timeout)} had run out"
        if gone.sign == "killed":
            rows = ((gone.row, "killed", "the line is about its worker"),)
            cause, because = "killed", "its worker had been killed"
            verdict, link = Verdict.LIKELY, "no queue tells that it took the job from its worker"
    elif broker:
        rows = tuple((row, "given out again", "the broker's own line") for row in broker)
        cause, because = "timeout", "the broker gave unacknowledged messages out again just then"
        verdict, link = Verdict.LIKELY, "the broker's line does not name the job"
    elif timeout is not None:
        cause = "timeout"
        because = f"the queue gives a job out again after {length(timeout)}"
        verdict, link = Verdict.LIKELY, "the gap fits the timeout; no record says that it ran out"
    elif pair.finished:
        return None
    elif steady is not None and _fits(gap, steady):
        timeout, cause = steady, "timeout"
        because = f"always about {length(steady)} after the first, as when a lease runs out"
        verdict, link = _unexplained(incident, pair, overlap, steady=True)
    else:
        cause, because = "unknown", "why it was given out again is not visible"
        verdict, link = _unexplained(incident, pair, overlap, steady=False)
    run = SecondRun(
        job=one.job,
        first=one.timestamp,
        first_worker=one.worker,
        second=two.timestamp,
        second_worker=two.worker,
        first_ended=ended,
        overlap=overlap,
        overlap_because=why,
        timeout=timeout,
        doubled=_doubled(incident, pair),
    )
    return _Case(run, pair, cause, because, verdict, link, rows)


def _unexplained(
    incident: Incident, pair: Pair, overlap: Verdict | None, *, steady: bool
) -> tuple[Verdict, str]:
    """The grade of a second start of which nothing says why, and its weakest link.

    A queue tells its failures; of starts that only logs tell, an even gap or a first run that went
    on says that it was no retry.
    """
    one, two = pair.one, pair.two
    unseen = absence(incident, [one.source], one.timestamp, two.timestamp, one.job)
    by_queue = incident.snapshot.event(two.row).lane is Lane.QUEUE
    if unseen.verdict is Verdict.CERTAIN and (by_queue or steady):
        return Verdict.LIKELY, "no failure and no new push stand between the starts"
    if overlap is not None and at_least(overlap, Verdict.LIKELY):
        return Verdict.LIKELY, "the first run wrote of itself after the second had begun"
    why = next(iter(unseen.reasons), "not every worker logs why it gives a job up")
    return Verdict.POSSIBLE, f"a failure between the starts may not have been seen: {why}"


def _steady(pairs: Sequence[Pair]) -> int | None:
    """The shortest gap (ns) between first and second starts, where most gaps are as long."""
    gaps = sorted(pair.two.timestamp - pair.one.timestamp for pair in pairs if not pair.finished)
    alike = [gap for gap in gaps if _fits(gap, gaps[0])]
    return gaps[0] if len(alike) >= MIN_ALIKE and 2 * len(alike) > len(gaps) else None


def _fits(gap: int, lease: int) -> bool:
    return abs(gap - lease) <= max(TIMEOUT_SHARE * lease, TIMEOUT_SLACK_NS)


def _broker_lines(incident: Incident, two: Begun) -> tuple[int, ...]:
    """The broker's or client's own line right before the second start."""
    snapshot = incident.snapshot
    low = snapshot.position_at(two.timestamp - TIMEOUT_SLACK_NS)
    high = snapshot.position_at(two.timestamp + 1)
    rows = snapshot.order.slice(low, high - low)
    struck = snapshot.events.get_column("body").gather(rows).str.contains(BROKER_LINE)
    return tuple(rows.filter(struck.fill_null(value=False)).to_list()[-1:])


def _overlap(
    incident: Incident, pair: Pair, gone: LostAttempt | None
) -> tuple[Verdict | None, int | None, str]:
    """How sure it is that the first run still went on at the second start; its last sign, why."""
    one, two = pair.one, pair.two
    if gone is not None and (gone.named or gone.sign == "killed"):
        return None, None, "the process of the first run was dead"
    second = incident.snapshot.event(two.row)
    if pair.last_row is not None and pair.last_row != one.row:
        last = incident.snapshot.event(pair.last_row)
        kept = incident.snapshot.coverage
        unread = kept.limits([one.source], one.timestamp, last.timestamp, key=one.job)
        if unread and last.timestamp > two.timestamp:
            # Of two attempts of one worker the end and the next beginning may be among what is
            # missing: what is left reads as one long attempt.
            return Verdict.POSSIBLE, last.timestamp, unread[0].sentence()
        return _after(incident, second, last, over=pair.over)
    events = incident.snapshot.events_at(incident.snapshot.rows_with([one.job]).to_list())
    later = [event for event in events if event.timestamp >= one.timestamp]
    apart = one.worker and one.worker != two.worker
    mine = [e for e in later if apart and e.actor == one.worker and e.kind is not Kind.JOB_STARTED]
    ends = [e for e in later if e.kind in ENDS and e.timestamp >= two.timestamp]
    if not apart and len(ends) > 1:
        mine = ends[:1]
    if not mine:
        return Verdict.POSSIBLE, None, "the end of the first run is not visible"
    last = mine[-1]
    over = last.kind in ENDS or END_LINE.search(last.body) is not None
    return _after(incident, second, last, over=over)


def _after(
    incident: Incident, second: Event, last: Event, *, over: bool
) -> tuple[Verdict | None, int | None, str]:
    """How sure it is that `last`, the last sign of the first run, came after the second start."""
    order = before(second, last, incident.clocks)
    if order.verdict is not None:
        return order.verdict, last.timestamp, order.because
    if over:
        return None, last.timestamp, "the first run had ended before"
    return Verdict.POSSIBLE, last.timestamp, "the end of the first run is not visible"


def _doubled(incident: Incident, pair: Pair) -> tuple[str, ...]:
    """Records of one table about one entity of the job, written once in each run."""
    found: list[str] = []
    entities = incident.jobs.entities_of(pair.one.job)
    for records in incident.records.referring_to(entities).values():
        tables: dict[str, list[str]] = {}
        halves: dict[str, set[bool]] = {}
        for record in records:
            if record.created is None or record.created < pair.one.timestamp:
                continue
            tables.setdefault(record.table, []).append(record.record)
            halves.setdefault(record.table, set()).add(record.created >= pair.two.timestamp)
        for table, written in tables.items():
            if len(halves[table]) > 1:
                found += written
    return tuple(sorted(set(found)))


def _finding(
    incident: Incident, group: tuple[str, str, str, str, Verdict], cases: Sequence[_Case]
) -> DeliveredAgain:
    source, job_class, cause, because, verdict = group
    runs = tuple(case.run for case in cases)
    records = {record for run in runs for record in run.doubled}
    return DeliveredAgain(
        verdict=verdict,
        weakest_link=cases[0].link,
        began=min(run.second for run in runs),
        ended=max(run.second for run in runs),
        steps=_steps(incident, cases),
        keys=tuple(sorted({run.job for run in runs} | records)),
        would_decide=_would_decide(runs, cause),
        alternatives=("somebody put it back on the queue by hand",) if cause == "unknown" else (),
        next_action=f"Check {listed([short(run.job) for run in runs])} for double effects.",
        job_class=job_class,
        source=source,
        cause=cause,
        because=because,
        cases=runs,
    )


def _steps(incident: Incident, cases: Sequence[_Case]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for case in cases[:MAX_CASES_SHOWN]:
        one, two = case.pair.one, case.pair.two
        again = f"{length(case.run.gap)} later, with no failure between"
        told = [(one.row, "first start", f"{short(one.job)} was taken{_by(one.worker)}")]
        told += [*case.rows, (two.row, "second start", again)]
        rows = [row for row, _, _ in told]
        for event, (_, role, why) in zip(incident.snapshot.events_at(rows), told, strict=True):
            follows = steps and role != "first start"
            order = before(steps[-1].event, event, incident.clocks) if follows else None
            steps.append(Step(role, event, why, order))
    return tuple(steps)


def _would_decide(runs: Sequence[SecondRun], cause: str) -> tuple[str, ...]:
    wanted = []
    if cause != "lease":
        wanted.append("Compare the timeout of the queue with how long such a job runs.")
    if any(run.overlap is Verdict.POSSIBLE for run in runs):
        wanted.append("Search the first worker's own log for the end of its run.")
    return tuple(wanted)
