"""A small incident made by hand, and the pieces to make others: what exports are tested with.

Deterministic; every stamp is written here. It proves nothing about detectors: the finding's
sentences are given to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

import polars as pl

from timeline.analysis import Analysis, CommonTrait, Condition, State
from timeline.batch import BatchExtras, Remark, batch_of
from timeline.clock import ClockBound, ClockTable
from timeline.columns import UNDATED_SCHEMA
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.export.contract import ExportOptions
from timeline.finding import Finding, NotEvaluated, Step
from timeline.incident import Incident, SourceInfo
from timeline.order import Order, Verdict
from timeline.store import Store
from timeline.window import Window

SECOND = 1_000_000_000
OPTIONS = ExportOptions(
    tool_version="0.1.0",
    root="/srv/shop",
)


def at(clock: str) -> int:
    """Nanoseconds of `02:07:29.117` on the night of the incident."""
    whole, _, fraction = clock.partition(".")
    stamp = datetime.fromisoformat(f"2026-03-14T{whole}").replace(tzinfo=UTC)
    return int(stamp.timestamp()) * SECOND + int(fraction.ljust(9, "0") or 0)


T = at("02:13:40")
WINDOW = Window.around(T)


def log(
    clock: str,
    body: str,
    *,
    source: str = "web",
    severity: int = 17,
    keys: tuple[str, ...] = (),
    precision: Precision = Precision.MILLISECOND,
    attributes: str | None = None,
    byte: int | None = None,
) -> Event:
    """One line of a log file; its byte defaults to something that grows with time."""
    timestamp = at(clock)
    offset = (timestamp - at("00:00:00")) // 1_000_000 if byte is None else byte
    ref = f"/srv/shop/log/{source}.log@{offset}"
    return Event(
        timestamp, source, Lane.LOG, Kind.LOG, body, ref, offset, severity, actor=f"{source}-1",
        keys=keys, precision=precision, attributes=attributes,
    )  # fmt: skip


def job(clock: str, kind: Kind, body: str, user: int) -> Event:
    """One transition of the welcome mail of `user`; all of them are told by one Redis key."""
    attributes = {"job_id": f"8f{user}", "job_class": "WelcomeMail", "args": f"user_id={user}"}
    return Event(
        at(clock), "mailers", Lane.QUEUE, kind, body, f"rq:job:8f{user}", user, actor="worker-3",
        keys=(f"job:8f{user}", f"user:{user}"), precision=Precision.MICROSECOND,
        attributes=json.dumps(attributes),
    )  # fmt: skip


def row(clock: str, user: int, email: str) -> Event:
    """The inserted account of `user`."""
    attributes = {"table": "users", "pk": user, "columns": {"email": email}}
    return Event(
        at(clock), "shop", Lane.DATABASE, Kind.ROW_INSERTED, f"users/{user} inserted",
        f"users/{user}", user, actor="users", meaning=Meaning.TRANSACTION_START,
        keys=(f"row:users/{user}", f"user:{user}"), attributes=json.dumps(attributes),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told(Finding):
    """A finding whose sentence is given to it."""

    term: ClassVar[str] = "job-before-commit"
    remedy: ClassVar[str] = "Enqueue after the commit."

    text: str
    token: str = ""
    count: int = 1

    def sentence(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Hiccup(Told):
    term: ClassVar[str] = "network-hiccup"
    remedy: ClassVar[str] = "Give the client a timeout and a retry with a budget."


TIMEOUTS = [
    log(f"02:07:{29 + n // 20}.{117 + 40 * (n % 20)}", f"sign-up {4711 + n}: enqueue WelcomeMail: "
        "redis.exceptions.TimeoutError: Timeout reading from redis:6379",
        keys=(f"user:{4711 + n}", f"request:r{n}"))
    for n in range(31)
]  # fmt: skip
STARTED = job("02:07:29.284", Kind.JOB_STARTED, "WelcomeMail(user_id=4711) started", 4711)
FAILED = job("02:07:29.287", Kind.JOB_FAILED, "WelcomeMail(user_id=4711) failed", 4711)
INSERTED = row("02:07:29.110", 4711, "ada@example.com")
TRACE = log(
    "02:07:29.287",
    'LookupError: User 4711 not found␊  File "/home/ada/mailer/jobs.py", line 12, in run␊'
    "    raise LookupError(user_id)",
    source="mailer",
    keys=("user:4711",),
)
DEPLOY = Event(
    at("02:05:00"), "deploys", Lane.CHANGE, Kind.CHANGE, "web v412 deployed", "deploy 412", 412,
    actor="web", precision=Precision.SECOND,
)  # fmt: skip
NOTE = Event(
    at("02:20:00"), "notes", Lane.NOTE, Kind.NOTE, "paused mailers", "note 1", 1,
    actor="on-call", precision=Precision.MINUTE,
)  # fmt: skip
QUIET = [log(f"02:1{m}:00.5", f"GET /health 200 {m}", severity=9) for m in range(8)]

EVENTS = (*TIMEOUTS, STARTED, FAILED, INSERTED, TRACE, DEPLOY, *QUIET)

HICCUP = Hiccup(
    verdict=Verdict.LIKELY,
    weakest_link="two hosts only, 3 placebo windows of 30 are as loud",
    began=TIMEOUTS[0].timestamp,
    ended=TIMEOUTS[-1].timestamp,
    steps=(
        Step("first error", TIMEOUTS[0], "web could not reach redis:6379"),
        Step("last error", TIMEOUTS[-1], "the 31st in 1.4 s",
             Order(Verdict.CERTAIN, "one clock (web), 1440.000 ms apart")),
    ),
    keys=("user:4711", "user:4715"),
    would_decide=("Look at redis latency between 02:07:20 and 02:07:40.",),
    alternatives=("a failover of redis",),
    text="web lost redis:6379 for 1.4 s: 31 errors on 1 host.",
)  # fmt: skip
RACE = Told(
    verdict=Verdict.CERTAIN,
    weakest_link="the id was in the job's arguments and the primary did not find it",
    began=INSERTED.timestamp,
    ended=TRACE.timestamp,
    steps=(
        Step("insert", INSERTED, "the transaction of users/4711 began"),
        Step("start", STARTED, "the job knew the id", Order(Verdict.CERTAIN, "id assigned first")),
        Step("not found", TRACE, "the row was not visible yet", Order(Verdict.LIKELY, "gap 3 ms")),
    ),
    keys=("job:8f4711", "user:4711"),
    next_action="Look up user:4711 before replaying job:8f4711.",
    text="WelcomeMail(user_id=4711) ran 3 ms before users/4711 was visible.",
)

STATE = State(Condition.RECOVERED, at("02:08:00"), 0.0, ("user:4711", "user:4715"), at("02:13:39"))
ANALYSIS = Analysis(
    state=STATE,
    onset=TIMEOUTS[0].timestamp,
    findings=(HICCUP, RACE),
    not_evaluated=(NotEvaluated("lost-update", "row versions"),),
    common=(CommonTrait("actor", "web-1", 31, 31, 0.12),),
    blind=(Coverage("mailer-us", T - 400 * SECOND, T, Sight.BLIND, "silent", "ask the region"),),
    headline="web lost redis for 1.4 s. 1 job ran before its row was visible. 0 new/min.",
    next_action="Look up user:4711 before replaying WelcomeMail.",
    looked_for=("ambiguous-enqueue",),
)

SOURCES = (
    SourceInfo("web", Lane.LOG, "file"),
    SourceInfo("mailer", Lane.LOG, "file"),
    SourceInfo("mailers", Lane.QUEUE, "rq 3.0", "keeps no successes after 500 s"),
    SourceInfo("shop", Lane.DATABASE, "postgresql 15.18 (primary)"),
)


def incident(events: Sequence[Event] = EVENTS, order: Sequence[str] = ()) -> Incident:
    """An incident of `events`; batches arrive by source, in `order` when it is given."""
    store = Store()
    names = list(order) or sorted({event.source for event in events})
    for name in names:
        held = sorted((e for e in events if e.source == name), key=lambda event: event.seq)
        extras = BatchExtras(
            coverage=(Coverage(name, WINDOW.start, WINDOW.end, Sight.FULL),),
            remarks=(Remark(name, "zone-assumed", "no zone in its stamps: UTC assumed"),)
            if name == "mailer"
            else (),
        )
        store.add(batch_of(name, held, extras))
    return Incident(
        window=WINDOW,
        snapshot=store.snapshot(),
        clocks=ClockTable({"shop": ClockBound(12_000_000, 12_000_000, "measured")}),
        sources=SOURCES,
        environment="prod",
        collected_at=at("02:44:00"),
    )


def undated(*bodies: str) -> pl.DataFrame:
    """Records of `web` that carry no time."""
    count = len(bodies)
    refs = [str(number) for number in range(1, count + 1)]
    columns = {
        "source": ["web"] * count,
        "reason": ["no stamp"] * count,
        "body": bodies,
        "ref": refs,
    }
    return pl.DataFrame(columns, schema=UNDATED_SCHEMA)


def saying(**texts: str) -> Analysis:
    """The analysis with other words in it: `headline`, `next_action`, or a finding's `text`."""
    text = texts.pop("text", None)
    findings = ANALYSIS.findings if text is None else (replace(RACE, text=text),)
    return replace(ANALYSIS, findings=findings, **texts)  # type: ignore[arg-type]  # str fields
