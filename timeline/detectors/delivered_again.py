"""delivered-again: one job was started twice, because its lease ran out before it was done.

Story: a backup takes four minutes, its message is invisible for 30 s only; another worker receives
the same message while the first still runs, and there are two backups.

Predicate: two starts of one job id with no failure, no put-back and no new push between them. The
cause is told by what stands between (a stall, a dead worker) or by a gap that equals the queue's
own timeout. Whether the first run was still going is graded apart, by the clocks.

Certain with the queue's word for the lost lease; likely when only the gap fits the timeout, or when
nothing stands between in sources that were read in full; possible where something was not read.

False positives: an ordinary retry, a job put back by hand, a job that finished and was pushed anew,
one line shipped twice (all silent).

Reference: duplicate execution, at-least-once redelivery; celery/celery#5935, celery/celery#6760,
laravel/framework#18919, SQS developer guide (at-least-once delivery).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import polars as pl

from timeline.event import SEVERITY_ERROR, Kind, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.jobs import ENDS
from timeline.facts.lost_work import GAVE_UP, LostAttempt
from timeline.facts.sight import absence, heard
from timeline.facts.words import counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

TIMEOUT_SHARE = 0.1
"""How far a gap may be from the timeout and still be its work: a tenth of it,"""
TIMEOUT_SLACK_NS = 2_000_000_000
"""or the pause between two polls of a consumer, whichever is more."""
MAX_PAIRS = 200
"""More second starts than this are counted from the earliest on; one finding names its class."""
MAX_CASES_SHOWN = 3
MAX_FINDINGS = 10
START_LINE = (
    r"(?i)\b(?:start(?:ed|ing)?|received|begin|began|perform(?:ing)?|processing|picked up)\b"
)
"""How workers log that they took a job; only a line that comes twice for one job counts."""
FAILURE_LINE = r"(?i)\b(?:fail(?:ed|ure)?|retr(?:y|ied|ies|ying)|rais(?:ed|es)|requeued|put back)\b"
"""What makes a second start an ordinary retry."""
END_LINE = re.compile(r"(?i)\b(?:done|finished|completed|succeeded|sent|performed|failed)\b")
OWN_WORDS = r"\b(?:pid|tid|thread|worker|host|attempt)[=: ]\S+|^\S*\d\d:\d\d:\d\d\S*"
"""What differs between two lines of one template that two workers write about one job."""
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
    """Jobs of one class that were started twice for one cause: `lease`, `timeout` or `unknown`."""

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
        return (
            f"{counted(len(self.cases), f'{self._title} job')} "
            f"{'was' if len(self.cases) == 1 else 'were'} started twice: {names} (first at "
            f"{instant(first.first)}{_by(first.first_worker)}, again {length(first.gap)} later"
            f"{_by(first.second_worker)}; {self.because}). {_overlap_words(self.cases)}"
            f"{_doubled_words(self.cases)}"
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
        return "The first run was over by then."
    worst = next(verdict for verdict in Verdict if verdict in graded)
    many = f" in {graded.count(worst)} of {len(cases)} cases" if len(cases) > 1 else ""
    return f"That the first run was still going{many} is {worst.value}."


def _doubled_words(cases: Sequence[SecondRun]) -> str:
    doubled = [record for case in cases for record in case.doubled]
    return f" Both wrote: {listed([short(record) for record in doubled])}." if doubled else ""


class Begun(NamedTuple):
    """One start, told by the queue or by a worker's log line."""

    job: str
    timestamp: int
    row: int
    worker: str
    source: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two starts of one job with no failure between; `finished` whether an end stood between."""

    one: Begun
    two: Begun
    finished: bool = False


class DeliveredAgainDetector:
    """Finds jobs that were started twice without a failure between; see the module."""

    term: ClassVar[str] = DeliveredAgain.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a job queue, or workers' logs with job ids")
        lost = incident.lost_attempts
        pairs = [*_told_by_queue(incident, lost), *_told_by_logs(incident)]
        pairs.sort(key=lambda pair: (pair.one.timestamp, pair.one.job))
        groups: dict[tuple[str, str, str, str, Verdict], list[_Case]] = {}
        summary = incident.jobs.summary
        classes = dict(summary.select("job", "job_class").iter_rows()) if pairs else {}
        leases = _leases(incident) if pairs else {}
        for pair in pairs[:MAX_PAIRS]:
            case = _case(incident, pair, lost, leases)
            if case is None:
                continue
            job_class = str(classes.get(pair.one.job) or "")
            group = (pair.one.source, job_class, case.cause, case.because, case.verdict)
            groups.setdefault(group, []).append(case)
        found = [_finding(incident, group, cases) for group, cases in groups.items()]
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


def _told_by_queue(incident: Incident, lost: Iterable[LostAttempt]) -> Iterator[Pair]:
    """Consecutive starts of one job with no honest failure and no new push between."""
    moves = incident.jobs.transitions
    begun = pl.col("kind") == Kind.JOB_STARTED.value
    again = moves.filter(begun).group_by("job").len().filter(pl.col("len") > 1)
    if again.is_empty():
        return
    excused = [one.row for one in lost]
    events = incident.snapshot.events
    held = moves.filter(pl.col("job").is_in(again.get_column("job").implode()))
    # A job may be given out again in the very unit of time in which it was taken away.
    taken = pl.col("row").is_in(excused)
    held = held.sort("job", "timestamp", ~taken, "seq", maintain_order=True)
    rows = held.get_column("row")
    gave_up = events.get_column("body").gather(rows).str.contains(GAVE_UP, literal=True)
    finished = pl.col("kind") == Kind.JOB_FINISHED.value
    broken = (~begun & ~finished & ~taken).cast(pl.Int32)
    told = held.with_columns(
        events.get_column("actor").gather(rows).cast(pl.String).fill_null("").alias("actor"),
        gave_up=gave_up.fill_null(value=False) & ~rows.is_in(excused),
        breaks=broken.cum_sum().over("job"),
        ends=finished.cast(pl.Int32).cum_sum().over("job"),
    ).with_columns(pseudo=pl.col("gave_up").shift(-1).over("job").fill_null(value=False))
    starts = told.filter(begun)
    before_it = [
        pl.col(name).shift(1).over("job").alias(f"{name}_1")
        for name in ("timestamp", "row", "actor", "breaks", "ends")
    ]
    pairs = starts.with_columns(before_it).filter(
        (pl.col("breaks") == pl.col("breaks_1")) & ~pl.col("pseudo")
    )
    for one in pairs.iter_rows(named=True):
        job, source, queue = one["job"], one["source"], one["queue"]
        workers = [name if name != queue else "" for name in (one["actor_1"], one["actor"])]
        yield Pair(
            Begun(job, one["timestamp_1"], one["row_1"], workers[0], source),
            Begun(job, one["timestamp"], one["row"], workers[1], source),
            one["ends"] > one["ends_1"],
        )


def _told_by_logs(incident: Incident) -> Iterator[Pair]:
    """The same start line twice for one job, by actors that run jobs; one line shipped twice
    counts once. Jobs whose starts the queue tells twice are left to it."""
    snapshot = incident.snapshot
    named = pairs_of_type(snapshot.keys, "job").rename({"key": "job"})
    rows = named.get_column("row")
    spoken = snapshot.events.get_column("lane").gather(rows) == Lane.LOG.value
    named = named.filter(spoken)
    body = snapshot.events.get_column("body").gather(named.get_column("row"))
    named = named.filter(body.str.contains(START_LINE).fill_null(value=False))
    named = named.filter(pl.len().over("job") > 1)
    if named.is_empty():
        return
    shown = snapshot.events[named.get_column("row")].select(
        "timestamp", pl.col("actor", "source").cast(pl.String).fill_null(""), "body"
    )
    lines = named.hstack(shown).unique(["job", "timestamp", "actor", "body"], keep="first")
    lines = lines.filter(pl.col("actor").is_in(list(incident.workers)))
    lines = lines.with_columns(form=pl.col("body").str.replace_all(OWN_WORDS, "#"))
    lines = lines.filter(pl.len().over("job", "form") > 1).sort("job", "form", "timestamp")
    starts = incident.jobs.transitions.filter(pl.col("kind") == Kind.JOB_STARTED.value)
    twice = starts.group_by("job").len().filter(pl.col("len") > 1)
    lines = lines.join(twice, on="job", how="anti", maintain_order="left").head(2 * MAX_PAIRS)
    last: Begun | None = None
    form = ""
    for one in lines.iter_rows(named=True):
        begun = Begun(one["job"], one["timestamp"], one["row"], one["actor"], one["source"])
        if last is not None and (last.job, form) == (begun.job, one["form"]):
            pair = Pair(last, begun, _ended_between(incident, last, begun))
            if not _failed_between(incident, last, begun):
                yield pair
        last, form = begun, one["form"]


def _between(incident: Incident, one: Begun, two: Begun) -> pl.DataFrame:
    """Events under the job's key from one start to the other, without these two."""
    rows = incident.snapshot.rows_with([one.job])
    rows = rows.filter((rows != one.row) & (rows != two.row))
    lines = incident.snapshot.events[rows]
    return lines.filter(pl.col("timestamp").is_between(one.timestamp, two.timestamp))


def _failed_between(incident: Incident, one: Begun, two: Begun) -> bool:
    kinds = [kind for kind in ENDS if kind != Kind.JOB_FINISHED.value]
    lines = _between(incident, one, two)
    kind = pl.col("kind").cast(pl.String)
    pushed = (kind == Kind.JOB_ENQUEUED.value) & (pl.col("timestamp") > one.timestamp)
    failed = (pl.col("severity_number") >= SEVERITY_ERROR) | pl.col("body").str.contains(
        FAILURE_LINE
    )
    return not lines.filter(kind.is_in(kinds) | pushed | failed).is_empty()


def _ended_between(incident: Incident, one: Begun, two: Begun) -> bool:
    lines = _between(incident, one, two)
    return any(END_LINE.search(body) for body in lines.get_column("body").to_list())


def _leases(incident: Incident) -> Mapping[str, tuple[int, ...]]:
    """Timeouts (ns) that queues state of themselves, by source."""
    events = incident.snapshot.events
    rows = events.select((pl.col("lane") == Lane.QUEUE.value).arg_true()).to_series()
    attribute = pl.col("attributes").str.json_path_match
    told = events[rows].select(
        pl.col("source").cast(pl.String),
        seconds=attribute("$.visibility_timeout_s").cast(pl.Float64, strict=False),
        from_text=attribute("$.redelivery_from").str.to_datetime(
            "%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False
        ),
        stamp="timestamp",
    )
    stated = pl.coalesce(
        (pl.col("seconds") * 1_000_000_000).cast(pl.Int64),
        pl.col("from_text").dt.timestamp("us") * 1_000 - pl.col("stamp"),
    )
    known = told.select("source", lease=stated).drop_nulls().unique().sort("source", "lease")
    found: dict[str, tuple[int, ...]] = {}
    for source, lease in known.iter_rows():
        found[source] = (*found.get(source, ()), lease)
    return found


def _case(
    incident: Incident,
    pair: Pair,
    lost: Iterable[LostAttempt],
    leases: Mapping[str, tuple[int, ...]],
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
    unseen = absence(incident, [one.source], one.timestamp, two.timestamp, one.job)
    rows: tuple[tuple[int, str, str], ...] = ()
    if gone is not None:
        timeout = gone.lease or timeout
        rows = ((gone.row, "lease lost", "the queue took it from its worker"),)
        cause, because = "lease", "its worker had been declared lost"
        if timeout is not None:
            because = f"its lease of {length(timeout)} had run out"
        verdict, link = (
            Verdict.CERTAIN,
            "the queue's own records tell both starts and the lost lease",
        )
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
    else:
        cause, because = "unknown", "why it was given out again is not visible"
        sure = unseen.verdict is Verdict.CERTAIN
        verdict = Verdict.LIKELY if sure else Verdict.POSSIBLE
        link = "no failure and no new push stand between the starts"
        if not sure:
            link = f"a failure between the starts may not have been seen: {unseen.reasons[0]}"
    overlap, ended, why = _overlap(incident, pair, gone)
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
    events = incident.snapshot.events_at(incident.snapshot.rows_with([one.job]).to_list())
    second = incident.snapshot.event(two.row)
    later = [event for event in events if event.timestamp >= one.timestamp]
    apart = one.worker and one.worker != two.worker
    mine = [e for e in later if apart and e.actor == one.worker and e.kind is not Kind.JOB_STARTED]
    ends = [e for e in later if e.kind in ENDS and e.timestamp >= two.timestamp]
    if not apart and len(ends) > 1:
        mine = ends[:1]
    if not mine:
        return Verdict.POSSIBLE, None, "the end of the first run is not visible"
    last = mine[-1]
    order = before(second, last, incident.clocks)
    if order.verdict is not None:
        return order.verdict, last.timestamp, order.because
    if last.kind in ENDS or END_LINE.search(last.body):
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
