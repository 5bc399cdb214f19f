"""Small synthetic incidents for the tests of facts, detectors and state.

A `World` is written in seconds from `START`, in the words a shop's systems would use; `incident()`
runs it through the real store and key rules. `shop()` is the story of a sign-up that loses Redis.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

from timeline.batch import Batch, BatchExtras, batch_of
from timeline.clock import ClockBound, ClockTable
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules
from timeline.knowledge import Knowledge
from timeline.store import Store
from timeline.window import Window

SECOND = 1_000_000_000
START = int(datetime(2026, 3, 14, 2, 0, tzinfo=UTC).timestamp()) * SECOND
LANES = {
    "log": Lane.LOG,
    "queue": Lane.QUEUE,
    "database": Lane.DATABASE,
    "change": Lane.CHANGE,
}
SYSTEMS = {Lane.LOG: "file", Lane.QUEUE: "rq", Lane.DATABASE: "postgresql 15.18 (primary)"}
TIGHT = ClockBound(2_000_000, 2_000_000, "declared")
"""Clocks of one machine: two milliseconds."""


def at(seconds: float) -> int:
    """Nanoseconds UTC of an instant given in seconds from `START`."""
    return START + round(seconds * 1_000_000) * 1_000


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(START // SECOND, UTC).isoformat()[:-15] + _clock_text(seconds)


def _clock_text(seconds: float) -> str:
    micros = at(seconds) // 1_000
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return f"T{moment:%H:%M:%S}.{micros % 1_000_000:06d}+00:00"


@dataclass
class World:
    """Everything that happened, by source. `bound` is the error of every clock."""

    end: float = 2100.0
    pin: float = 1800.0
    bound: ClockBound = TIGHT
    events: list[Event] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    weak: list[Coverage] = field(default_factory=list)
    systems: dict[str, str] = field(default_factory=dict)
    expected: tuple[str, ...] = ()
    rules: KeyRules = field(default_factory=KeyRules)
    knowledge: Knowledge = field(default_factory=Knowledge)
    shift: int = 0
    _number: int = 0

    def log(
        self,
        seconds: float,
        actor: str,
        body: str,
        *,
        severity: int = 9,
        keys: tuple[str, ...] = (),
        source: str = "",
        clock: str = "",
        attributes: dict[str, str] | None = None,
    ) -> Event:
        """A log line; its keys are those found in the text and `keys`."""
        held = tuple(dict.fromkeys((*self.rules.in_text(body), *keys)))
        return self._add(
            Event(
                timestamp=at(seconds),
                source=source or f"{actor}.log",
                lane=Lane.LOG,
                kind=Kind.LOG,
                body=body,
                ref=self._ref("line"),
                seq=self._number,
                severity_number=severity,
                actor=actor,
                clock=clock,
                keys=held,
                attributes=None if attributes is None else json.dumps(attributes),
            )
        )

    def error(self, seconds: float, actor: str, body: str, **more: object) -> Event:
        return self.log(seconds, actor, body, severity=17, **more)  # type: ignore[arg-type]

    def job(
        self,
        seconds: float,
        kind: Kind,
        job: str,
        args: str = "",
        *,
        job_class: str = "welcome_mail",
        queue: str = "mailers",
        status: str = "finished",
        worker: str = "",
        error: str = "",
        source: str = "rq",
        clock: str = "",
    ) -> Event:
        """A transition of one job; keys are the job and what stands in its arguments."""
        told = {
            "job_id": job,
            "job_class": job_class,
            "queue": queue,
            "args": args,
            "status": status,
        }
        told |= {key: text for key, text in (("worker", worker), ("error", error)) if text}
        return self._add(
            Event(
                timestamp=at(seconds),
                source=source,
                lane=Lane.QUEUE,
                kind=kind,
                body=f"{job_class}({args}) {kind.value.removeprefix('job.')} on {queue}",
                ref=self._ref(f"{job}#{kind.value}"),
                seq=self._number,
                actor=worker or queue,
                clock=clock,
                meaning=Meaning.SENT if kind is Kind.JOB_ENQUEUED else Meaning.OCCURRED,
                precision=Precision.MICROSECOND,
                keys=(f"job:{job}", *self.rules.in_text(args)),
                attributes=json.dumps(told),
            )
        )

    def run(
        self, job: str, args: str, sent: float, start: float, end: float, **more: object
    ) -> None:
        """A job that was pushed, started and finished."""
        for seconds, kind in (
            (sent, Kind.JOB_ENQUEUED),
            (start, Kind.JOB_STARTED),
            (end, Kind.JOB_FINISHED),
        ):
            self.job(seconds, kind, job, args, **more)  # type: ignore[arg-type]

    def row(
        self,
        seconds: float,
        table: str,
        pk: int | str,
        *,
        kind: Kind = Kind.ROW_INSERTED,
        commit: float | None = None,
        seen: float | None = None,
        endpoint: str | None = "primary",
        columns: dict[str, object] | None = None,
        source: str = "postgres",
    ) -> Event:
        """A row event; foreign keys among `columns` become keys as the connectors make them."""
        columns = columns or {}
        told: dict[str, object] = {"table": table, "pk": pk, "columns": columns}
        told["seen_at"] = iso(self.end + 5 if seen is None else seen)
        if endpoint:
            told["endpoint"] = endpoint
        if commit is not None:
            told["commit_timestamp"] = iso(commit)
        foreign = [
            f"{name.removesuffix('_id')}:{value}"
            for name, value in columns.items()
            if name.endswith("_id")
        ]
        return self._add(
            Event(
                timestamp=at(seconds),
                source=source,
                lane=Lane.DATABASE,
                kind=kind,
                body=f"{table} {pk} {kind.value.removeprefix('row.')}",
                ref=f"{table}/{pk}#{kind.value}",
                seq=self._next(),
                actor=table,
                meaning=Meaning.TRANSACTION_START,
                precision=Precision.MICROSECOND,
                keys=(*self.rules.row_keys(table, pk), *foreign),
                attributes=json.dumps(told),
            )
        )

    def change(self, seconds: float, body: str) -> Event:
        return self._add(
            Event(
                timestamp=at(seconds),
                source="deploys",
                lane=Lane.CHANGE,
                kind=Kind.CHANGE,
                body=body,
                ref=self._ref("change"),
                seq=self._number,
            )
        )

    def blind(self, source: str, start: float, end: float, sight: Sight = Sight.PARTIAL) -> None:
        """`source` saw less than everything in this stretch."""
        self.weak.append(Coverage(source, at(start), at(end), sight, "it was cut"))

    def sources(self) -> tuple[SourceInfo, ...]:
        found = {event.source: event.lane for event in self.events}
        return tuple(
            SourceInfo(name, lane, self.systems.get(name, SYSTEMS.get(lane, "file")))
            for name, lane in sorted(found.items())
            if name not in self.dropped
        )

    def batches(self) -> list[Batch]:
        """One batch per source, with full coverage but for what `blind` took away."""
        found = []
        for info in self.sources():
            mine = [
                replace(event, timestamp=event.timestamp + self.shift)
                for event in self.events
                if event.source == info.name
            ]
            coverage = self._coverage(info.name)
            found.append(batch_of(info.name, mine, BatchExtras(coverage=coverage)))
        return found

    def incident(self, batches: list[Batch] | None = None) -> Incident:
        """The incident as it was collected five seconds after the window's end."""
        store = Store()
        for batch in batches if batches is not None else self.batches():
            store.add(batch)
        return Incident(
            window=Window(at(self.pin) + self.shift, START + self.shift, at(self.end) + self.shift),
            snapshot=store.snapshot(),
            clocks=ClockTable(assumed=self.bound),
            key_rules=self.rules,
            sources=self.sources(),
            expected_services=self.expected,
            knowledge=self.knowledge,
            collected_at=at(self.end + 5) + self.shift,
        )

    def _coverage(self, source: str) -> tuple[Coverage, ...]:
        cuts = sorted((c for c in self.weak if c.source == source), key=lambda c: c.start)
        start, end = START - SECOND, at(self.end + 5)
        parts: list[Coverage] = []
        for cut in cuts:
            parts += [Coverage(source, start, cut.start, Sight.FULL), cut]
            start = cut.end
        parts.append(Coverage(source, start, end, Sight.FULL))
        moved = (
            replace(part, start=part.start + self.shift, end=part.end + self.shift)
            for part in parts
            if part.end > part.start
        )
        return tuple(moved)

    def _add(self, event: Event) -> Event:
        self.events.append(event)
        return event

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _ref(self, name: str) -> str:
        return f"{name}@{self._next()}"


def sign_up(
    world: World, user: int, seconds: float, *, mail: bool = True, request: str = ""
) -> None:
    """A healthy sign-up: request, row, job, mail."""
    request = request or f"r{user}"
    told = (f"request:{request}",)
    world.log(seconds, "web", f"POST /signups started request_id={request}", keys=told)
    world.log(seconds + 0.004, "web", f"user_id={user} inserted request_id={request}")
    world.row(seconds + 0.002, "users", user)
    if mail:
        job = f"j{user}"
        world.run(job, f"user_id={user}", seconds + 0.006, seconds + 0.03, seconds + 0.08)
        world.log(seconds + 0.032, "mailer", f"start welcome_mail job_id={job} user_id={user}")
        world.log(seconds + 0.078, "mailer", f"sent welcome_mail job_id={job} user_id={user}")
        world.row(seconds + 0.07, "mails", user * 10, columns={"user_id": user})
    world.log(seconds + 0.01, "web", f"POST /signups 201 request_id={request}")


def healthy(world: World, *, until: float = 2100.0, every: float = 15.0) -> World:
    """Sign-ups at an even pace from the start to `until`, and two services that only log."""
    ordinary = _ordinary(until, every)
    world.events.extend(ordinary.events)
    world._number = ordinary._number
    return world


@cache
def _ordinary(until: float, every: float) -> World:
    world = World()
    for index in range(int(until / every)):
        sign_up(world, 1000 + index, 3 + index * every)
        world.log(5 + index * every, "billing", f"invoice run {index} ok")
        world.log(7 + index * every, "search", f"refresh {index} done")
    return world


TIMEOUT = (
    "enqueue welcome_mail failed: redis.exceptions.TimeoutError: Timeout reading from redis:6379"
)
REFUSED = (
    "enqueue welcome_mail failed: redis.exceptions.ConnectionError: "
    "Error 111 connecting to redis:6379. Connection refused."
)
CLOSED = "redis.exceptions.ConnectionError: Connection closed by server."
HICCUP = 1440.0
"""When the shop loses Redis: six minutes before T, for two seconds."""


def failed_push(
    world: World, user: int, seconds: float, *, body: str = TIMEOUT, waited: float = 1.0
) -> None:
    """A sign-up whose row is written and whose push ends in an error after `waited` seconds."""
    request = f"r{user}"
    world.log(seconds, "web", f"POST /signups started request_id={request}")
    world.row(seconds + 0.002, "users", user)
    world.log(seconds + 0.004, "web", f"user_id={user} inserted request_id={request}")
    world.error(seconds + 0.005 + waited, "web", f"{body} request_id={request}")
    world.log(seconds + 0.007 + waited, "web", f"POST /signups 500 request_id={request}")


def shop(**options: object) -> World:
    """The whole story: two unknown pushes (4711 lost, 4715 executed), one refused (4716), one job
    before its row (4712), and two services that only complain."""
    world = healthy(World(**options))  # type: ignore[arg-type]
    failed_push(world, 4711, HICCUP)
    failed_push(world, 4715, HICCUP + 0.3)
    failed_push(world, 4716, HICCUP + 1.2, body=REFUSED, waited=0.001)
    world.error(HICCUP + 0.9, "billing", CLOSED)
    world.error(HICCUP + 1.0, "search", CLOSED)
    world.error(HICCUP + 1.9, "billing", CLOSED)
    world.error(HICCUP + 2.0, "search", CLOSED)
    _executed(world, 4715, HICCUP + 0.31)
    early_job(world, 4712, HICCUP + 2.5)
    return world


def _executed(world: World, user: int, seconds: float) -> None:
    """The job of a push whose answer was lost: run, and remembered by nobody but its effects."""
    world.log(seconds + 0.02, "mailer", f"start welcome_mail job_id=j{user} user_id={user}")
    world.log(seconds + 0.08, "mailer", f"sent welcome_mail job_id=j{user} user_id={user}")
    world.row(seconds + 0.07, "mails", user * 10, columns={"user_id": user})


def early_job(
    world: World,
    user: int | str,
    seconds: float,
    *,
    message: str = "LookupError: User {user} not found",
    commit: float | None = None,
    heal: bool = False,
    row: bool = True,
    **more: object,
) -> None:
    """A job that runs 50 ms after its push and does not find its row; `more` goes to the row."""
    request, job = f"r{user}", f"j{user}"
    args = f"user_id={user}"
    world.log(seconds, "web", f"POST /signups started request_id={request} {args}")
    if row:
        world.row(seconds + 0.002, "users", user, commit=commit, **more)  # type: ignore[arg-type]
    world.job(seconds + 0.01, Kind.JOB_ENQUEUED, job, args, status="failed")
    world.log(seconds + 0.012, "web", f"enqueued job_id={job} request_id={request} {args}")
    world.job(seconds + 0.05, Kind.JOB_STARTED, job, args, status="failed")
    text = message.format(user=user)
    world.error(seconds + 0.06, "mailer", f"welcome_mail job_id={job}: {text}")
    world.job(seconds + 0.061, Kind.JOB_FAILED, job, args, status="failed", error=text)
    world.log(seconds + 0.31, "web", f"POST /signups 201 request_id={request}")
    if heal:
        world.job(seconds + 30, Kind.JOB_STARTED, job, args)
        world.job(seconds + 30.1, Kind.JOB_FINISHED, job, args)
