"""A small incident made by hand: the sign-up shop loses Redis for two seconds.

Deterministic and small: every stamp is written here or derived from a counter. The screen's tests
and the pictures use it; it proves nothing about detectors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from timeline.analysis import Analysis, CommonTrait, Condition, State
from timeline.batch import BatchExtras, Preview, Remark, batch_of
from timeline.clock import ClockBound, ClockTable
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.finding import Finding, NotEvaluated, Step
from timeline.incident import Incident, SourceInfo
from timeline.order import Order, Verdict
from timeline.progress import Phase, SourceStatus, Update
from timeline.reading_order import chains_of
from timeline.store import Store
from timeline.window import Window
from tui.drafts import Draft, Format

SECOND = 1_000_000_000
MS = 1_000_000


def at(clock: str) -> int:
    """Nanoseconds of `02:07:29.117` on the night of the incident."""
    whole, _, fraction = clock.partition(".")
    stamp = datetime.fromisoformat(f"2026-03-14T{whole}").replace(tzinfo=UTC)
    return int(stamp.timestamp()) * SECOND + int(fraction.ljust(9, "0") or 0)


T = at("02:13:40")
NOW = T + 31 * 60 * SECOND
ONSET = at("02:07:29")
WINDOW = Window.around(T)

SOURCES = (
    SourceInfo("web", Lane.LOG, "file"),
    SourceInfo("mailer", Lane.LOG, "file"),
    SourceInfo("jobs", Lane.QUEUE, "rq", forgets="keeps no successes after 500 s"),
    SourceInfo("shop", Lane.DATABASE, "postgresql 15 (primary)"),
    SourceInfo("deploys", Lane.CHANGE, "command"),
)


def log(
    clock: str,
    source: str,
    severity: int,
    body: str,
    *,
    seq: int,
    keys: tuple[str, ...] = (),
    precision: Precision = Precision.MILLISECOND,
) -> Event:
    return Event(
        at(clock), source, Lane.LOG, Kind.LOG, body, f"{source}.log@{seq}", seq, severity,
        actor=f"{source}-1", keys=keys, precision=precision,
    )  # fmt: skip


def job(clock: str, kind: Kind, body: str, *, number: str, user: int, actor: str) -> Event:
    attributes = {"job_id": number, "job_class": "welcome_mail", "queue": "mailers",
                  "args": f"user_id={user}", "status": kind.value}  # fmt: skip
    return Event(
        at(clock), "jobs", Lane.QUEUE, kind, body, f"rq:job:{number}", int(number, 16),
        actor=actor, keys=(f"job:{number}", f"user:{user}"), precision=Precision.MICROSECOND,
        attributes=json.dumps(attributes),
    )  # fmt: skip


def row(clock: str, user: int) -> Event:
    attributes = {"table": "users", "pk": str(user), "endpoint": "primary",
                  "columns": {"state": "new", "created_at": f"2026-03-14T{clock}Z"}}  # fmt: skip
    return Event(
        at(clock), "shop", Lane.DATABASE, Kind.ROW_INSERTED, f"users/{user} inserted",
        f"users/{user}", user, actor="users", keys=(f"row:users/{user}", f"user:{user}"),
        meaning=Meaning.TRANSACTION_START, precision=Precision.MICROSECOND,
        attributes=json.dumps(attributes),
    )  # fmt: skip


INSERTED = row("02:07:29.110402", 4711)
ENQUEUED = job("02:07:29.181020", Kind.JOB_ENQUEUED, "welcome_mail(user_id=4711) on mailers",
               number="8f2c", user=4711, actor="mailers")  # fmt: skip
STARTED = job("02:07:29.284310", Kind.JOB_STARTED, "welcome_mail(user_id=4711)",
              number="8f2c", user=4711, actor="worker-3")  # fmt: skip
NOT_FOUND = log(
    "02:07:29.287", "mailer", 17,
    "LookupError: User 4711 not found␊  File \"mailer.py\", line 42, in welcome_mail␊"
    "    user = users.get(user_id)",
    seq=900_001, keys=("user:4711", "job:8f2c"),
)  # fmt: skip
FAILED = job("02:07:29.301200", Kind.JOB_FAILED, "welcome_mail(user_id=4711): LookupError",
             number="8f2c", user=4711, actor="worker-3")  # fmt: skip
TIMED_OUT = log(
    "02:07:29.117", "web", 17,
    "POST /signups user_id=4715: redis.exceptions.TimeoutError: Timeout reading from redis:6379",
    seq=900_002, keys=("user:4715", "request:c0ffee"),
)  # fmt: skip
CONNECTION_LOST = log(
    "02:07:30.940", "web", 17, "redis.exceptions.ConnectionError: Connection closed by redis:6379",
    seq=900_003, keys=("request:decade",),
)  # fmt: skip
RECOVERED = log("02:07:31.260", "web", 9, "redis:6379 answers again", seq=900_004)
PAGED = log("02:13:40", "web", 13, "alert: welcome mails missing", seq=900_005,
            precision=Precision.SECOND)  # fmt: skip
DEPLOY = Event(at("01:58:02"), "deploys", Lane.CHANGE, Kind.CHANGE, "web v412 rolled out",
               "web/412", 412, actor="ci", precision=Precision.SECOND)  # fmt: skip

CAST = (INSERTED, ENQUEUED, STARTED, NOT_FOUND, FAILED, TIMED_OUT, CONNECTION_LOST, RECOVERED,
        PAGED, DEPLOY)  # fmt: skip


def crowd() -> list[Event]:
    """Ordinary rows around the cast: a quiet half hour, a burst of errors, a backlog."""
    events: list[Event] = []
    start = WINDOW.start
    for n in range(2_000):
        stamp = start + n * 1_041 * MS
        user = 4_000 + n % 900
        events.append(
            Event(stamp, "web", Lane.LOG, Kind.LOG, f"GET /orders/{user} 200 in {n % 41 + 3} ms",
                  f"web.log@{n * 80}", n * 80, 9, actor="web-1", keys=(f"request:{n:06x}",))
        )  # fmt: skip
    for n in range(38):
        stamp = at("02:07:29.130") + n * 47 * MS
        events.append(
            Event(stamp, "web", Lane.LOG, Kind.LOG, "Timeout reading from redis:6379, retrying",
                  f"web.log@{200_000 + n}", 200_000 + n, 13 if n % 3 else 17, actor="web-2",
                  keys=("peer:redis:6379",))
        )  # fmt: skip
    for n in range(300):
        stamp = start + n * 6_900 * MS
        events.append(
            Event(stamp, "mailer", Lane.LOG, Kind.LOG, f"sent welcome mail {n}",
                  f"mailer.log@{n * 60}", n * 60, 9, actor="mailer-1")
        )  # fmt: skip
    for n in range(60):
        stamp = at("02:07:30") + n * 2_300 * MS
        events.append(
            Event(stamp, "jobs", Lane.QUEUE, Kind.JOB_ENQUEUED,
                  f"welcome_mail(user_id={5_000 + n})", f"rq:job:{n:04x}", n,
                  actor="mailers", precision=Precision.MICROSECOND,
                  keys=(f"user:{5_000 + n}",))
        )  # fmt: skip
    for n in range(36):
        stamp = start + n * 57_300 * MS
        events.append(
            Event(stamp, "shop", Lane.DATABASE, Kind.ROW_INSERTED, f"users/{4_600 + n} inserted",
                  f"users/{4_600 + n}", 4_600 + n, actor="users",
                  keys=(f"row:users/{4_600 + n}",), meaning=Meaning.TRANSACTION_START,
                  precision=Precision.MICROSECOND)
        )  # fmt: skip
    return events


COVERAGE = (
    Coverage("web", WINDOW.start, WINDOW.end, Sight.FULL),
    Coverage("mailer", WINDOW.start, at("02:12:40"), Sight.FULL),
    Coverage("mailer", at("02:12:40"), WINDOW.end, Sight.BLIND, "silent since 02:12:40",
             "ask whether its log is shipped"),
    Coverage("jobs", WINDOW.start, WINDOW.end, Sight.NOW_ONLY, "keeps no successes after 500 s"),
    Coverage("shop", WINDOW.start, WINDOW.end, Sight.FULL),
    Coverage("deploys", WINDOW.start, WINDOW.end, Sight.FULL),
)  # fmt: skip

REMARKS = (
    Remark("mailer", "zone-assumed", "Stamps carry no zone; UTC is assumed."),
    Remark("web", "out-of-order", "12 lines stand out of order by up to 40 ms.", 12),
    Remark("web", "undated", "3 lines carry no time.", 3),
)


def incident(events: Sequence[Event] | None = None, window: Window = WINDOW) -> Incident:
    """A frozen incident of the given events (cast and crowd by default)."""
    store = Store()
    chosen = [*CAST, *crowd()] if events is None else list(events)
    for source in SOURCES:
        own = [event for event in chosen if event.source == source.name]
        coverage = tuple(entry for entry in COVERAGE if entry.source == source.name)
        remarks = tuple(remark for remark in REMARKS if remark.source == source.name)
        store.add(batch_of(source.name, own, BatchExtras(coverage, remarks)))
    clocks = ClockTable({
        "web": ClockBound(12 * MS, 12 * MS, "measured"),
        "shop": ClockBound(4 * MS, 4 * MS, "measured"),
    })  # fmt: skip
    return Incident(
        window, store.snapshot(), clocks, sources=SOURCES, environment="prod eu-1",
        collected_at=NOW,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told(Finding):
    """A finding whose story is written out by hand."""

    term: ClassVar[str] = "told"
    remedy: ClassVar[str] = "Enqueue after the commit, and make the job safe to repeat."
    story: str

    def sentence(self) -> str:
        return self.story


class Hiccup(Told):
    term = "network-hiccup"


class RanBeforeCommit(Told):
    term = "job-before-commit"


class MissingJob(Told):
    term = "ambiguous-enqueue"


def steps(*told: tuple[str, Event, str, Order | None]) -> tuple[Step, ...]:
    return tuple(Step(*parts) for parts in told)


CERTAIN = Order(Verdict.CERTAIN, "the id had to exist before it was sent")
LIKELY = Order(Verdict.LIKELY, "gap 103 ms against ±128 ms")
UNDECIDED = Order(Verdict.POSSIBLE, "gap 3 ms is inside the clock bounds")
SAME_CLOCK = Order(Verdict.CERTAIN, "one clock (web), 1823.000 ms apart")

FINDINGS: tuple[Finding, ...] = (
    Hiccup(
        verdict=Verdict.LIKELY, weakest_link="the cause is inferred from one side only",
        began=ONSET, ended=at("02:07:31.260"),
        story="Network hiccup, web → redis:6379: 41 errors in 2.1 s",
        steps=steps(
            ("first", TIMED_OUT, "first timeout reading from redis:6379", None),
            ("last", CONNECTION_LOST, "the peer closes the connection", SAME_CLOCK),
            ("recovery", RECOVERED, "the same peer answers", SAME_CLOCK),
        ),
        keys=("peer:redis:6379",),
        would_decide=("Look at the packet loss between web and redis at 02:07:29.",),
        alternatives=("Redis itself stalled (a slow command, a fork).",),
    ),
    RanBeforeCommit(
        verdict=Verdict.CERTAIN, weakest_link="an id in the arguments, an empty lookup, a row now",
        began=at("02:07:29.110402"), ended=at("02:07:29.301200"),
        story="Job ran before its row was visible: welcome_mail(4711)",
        steps=steps(
            ("insert", INSERTED, "users/4711 is written in an open transaction", None),
            ("enqueue", ENQUEUED, "the job names 4711", CERTAIN),
            ("start", STARTED, "worker-3 takes the job", LIKELY),
            ("lookup", NOT_FOUND, "the row is not visible yet", UNDECIDED),
            ("failure", FAILED, "the job lands in the failed registry", CERTAIN),
        ),
        keys=("job:8f2c", "row:users/4711", "user:4711"),
        next_action="Retry job 8f2c: its row is visible now.",
    ),
    MissingJob(
        verdict=Verdict.POSSIBLE, weakest_link="the queue keeps no successes after 500 s",
        began=ONSET, ended=at("02:07:31"),
        story="4 sign-ups have no visible mail job",
        steps=steps(("timeout", TIMED_OUT, "the enqueue of 4715 timed out: outcome unknown", None)),
        keys=("user:4715", "user:4716", "user:4719", "user:4722"),
        would_decide=("Ask the mail provider for messages to users 4715, 4716, 4719, 4722.",),
    ),
)  # fmt: skip

ANALYSIS = Analysis(
    state=State(Condition.RECOVERED, at("02:08:00"), 0.0, ("user:4711", "user:4715", "user:4716",
                "user:4719"), at("02:18:40")),
    onset=ONSET,
    findings=FINDINGS,
    not_evaluated=(NotEvaluated("lost-update", "row versions"),),
    common=(CommonTrait("actor", "web-1", 4, 4, 0.5),),
    blind=tuple(entry for entry in COVERAGE if entry.sight is not Sight.FULL),
    headline="Web lost Redis for 2.1 s: 1 job ran before its row was visible, 4 sign-ups have no "
    "visible mail job.",
    next_action="Look up 4711 and 4715 before replaying welcome_mail.",
    chains=chains_of(FINDINGS),
)  # fmt: skip


def statuses(phase: Phase = Phase.DONE, answered: int = 5) -> tuple[SourceStatus, ...]:
    """Five sources of which the first `answered` have the phase; the others still read."""
    return tuple(
        SourceStatus(
            info.name, info.lane, info.system, phase if n < answered else Phase.READING,
            rows=400 * n, bytes_read=70_000 * n, elapsed_s=0.4 + n / 10, deadline_s=30.0,
        )
        for n, info in enumerate(SOURCES)
    )  # fmt: skip


def preview(source: str = "web", around: int = 40) -> Preview:
    """Plain events of one source nearest to T."""
    own = [event for event in [*CAST, *crowd()] if event.source == source]
    nearest = sorted(own, key=lambda event: abs(event.timestamp - T))[:around]
    return Preview(source, tuple(sorted(nearest, key=lambda event: (event.timestamp, event.seq))))


class FakeCollector:
    """Remembers what it was asked; tells only what a test makes it tell."""

    def __init__(self) -> None:
        self.on_update: Callable[[Update], None] | None = None
        self.windows: list[Window] = []
        self.looked_up: list[str] = []
        self.is_live = True
        self.reading_on = False
        self.closed = 0
        self.skipped: list[str] = []
        self.retried: list[str] = []

    def start(self, window: Window, on_update: Callable[[Update], None]) -> None:
        self.windows.append(window)
        self.on_update = on_update

    def tell(self, *updates: Update) -> None:
        assert self.on_update is not None, "the screen has not started the collector"
        for update in updates:
            self.on_update(update)

    def look_up(self, keys: Sequence[str]) -> None:
        self.looked_up.extend(keys)

    def repin(self, window: Window) -> None:
        self.windows.append(window)

    def keep_reading(self, on: bool) -> bool:
        self.reading_on = on
        return self.is_live

    def skip(self, source: str) -> bool:
        self.skipped.append(source)
        return self.is_live

    def retry(self, source: str) -> bool:
        self.retried.append(source)
        return self.is_live

    def close(self) -> None:
        self.closed += 1


FORMATS = (
    Format("md", "for the postmortem, an issue or a merge request"),
    Format("json", "for scripts, nothing cut"),
)


class FakeHandover:
    """Says where it would have written, and what."""

    def __init__(self) -> None:
        self.exported: list[tuple[str, ...]] = []
        self.written: list[Draft] = []

    def formats(self) -> tuple[Format, ...]:
        return FORMATS

    def draft(
        self, found: Incident, analysis: Analysis, marked: Sequence[Event], name: str
    ) -> Draft:
        self.exported.append(tuple(event.id for event in marked))
        chosen = next(one for one in FORMATS if one.name == name)
        text = f"# {name} of {len(found.snapshot)} rows\n\n{analysis.headline}\n"
        return Draft(chosen, text, f"postmortem.{name}", rows=15, redactions=7)

    def write(self, draft: Draft) -> str:
        self.written.append(draft)
        return f"Wrote {draft.file} ({draft.rows} rows)."

    def status(self, found: Incident, analysis: Analysis | None) -> str:
        return "recovered\nlook up 4711\nblind: mailer"
