"""lock-queue: sessions pile up behind one that holds a lock, or wait for each other in a circle.

Story: somebody left a transaction open on `users`; a migration asks for the whole table and waits;
from then on every reader of `users` waits behind the migration. Or: two transactions take the same
two rows in opposite order, and the server ends one of them.

Predicate: at least `MIN_WAITERS` sessions wait longer than a moment (`SHORT_WAIT_NS`) behind one
root that waits for nobody, as the server itself says: its present state, or its log
(`log_lock_waits`). Without a holder's name it is likely; with nothing but clients that gave up
waiting, possible. Deadlocks: those that the server or its clients report; one whose client went on
afterwards only colours other findings.

False positives: short waits under load, one session behind another, pauses between waits (silent),
one deadlock that was tried again (a qualifier).

Reference: PostgreSQL 17 documentation 13.3 (lock modes, deadlocks) and 19.12 (deadlock_timeout,
log_lock_waits: off by default, so a silent log is no proof of health).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.deadlocks import deadlocks_in, in_sequence
from timeline.event import Event, Lane
from timeline.facts.bursts import clusters
from timeline.facts.lock_evidence import lock_waits
from timeline.facts.locks import (
    APART_NS,
    PREPARED,
    SHORT_WAIT_NS,
    Holder,
    LockWait,
    Pile,
    piles,
)
from timeline.facts.sight import heard
from timeline.facts.words import counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import SAME_CLOCK_GAP_NS, CausalEdges, Order, Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_WAITERS = 3
"""One session behind another is daily life; three behind one is a queue."""
LONG_QUERY_NS = 60_000_000_000
"""A transaction that is open for longer is called long; web requests have given up by then."""
MAX_STEPS = 7
MAX_FINDINGS = 5

GAVE_UP = (
    r"canceling statement due to lock timeout|LockNotAvailable|could not obtain lock on row"
    r"|ActiveRecord::LockWaitTimeout|Lock wait timeout exceeded|\b1205\b|55P03"
)
"""Wordings and codes of `timeline.errors` for a statement that gave up waiting for a lock."""
SERVERS = ("postgres", "postgresql")
"""Who writes a server's own log. What it says of a statement, its client is told and says again."""
MIGRATION = r"^\W*(?:ALTER|CREATE|DROP|TRUNCATE|REINDEX|VACUUM|CLUSTER|REFRESH|LOCK)\b"
"""Statements that take strong locks on whole tables."""

IDLE, MIGRATES, LONG, PREPARES, HOLDS, UNKNOWN = (
    "idle-in-transaction",
    "migration",
    "long-transaction",
    "prepared-transaction",
    "session",
    "unknown",
)
"""What the root is."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """One waiting session; `waited` is ns at the last look, None where the server tells none."""

    session: str
    who: str
    mode: str
    target: str
    since: int | None
    waited: int | None
    statement: str


@dataclass(frozen=True, kw_only=True)
class LockQueue(Finding):
    """One pile of waiting sessions. Times are ns UTC of the database's clock.

    `root_kind` is one of the names above. `depth` is the most sessions one of the waiters stood
    behind. `gate` is the waiter that asked for a whole table and so holds up readers too.
    `gave_up` counts statements that other sources saw ended by a lock time-out meanwhile. With
    `more` the server showed only a part of the waiters.
    """

    term: ClassVar[str] = "lock-queue"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Keep transactions short, set lock_timeout for migrations and "
        "idle_in_transaction_session_timeout for applications, and take locks in one order."
    )

    source: str
    root: Holder | None
    root_kind: str
    waiters: tuple[Waiter, ...]
    depth: int
    gate: str
    target: str
    longest: int
    gave_up: int
    more: bool

    def sentence(self) -> str:
        first = self.waiters[0]
        told = f"{self._count()} waited for {self._holder()}"
        told += f": first {first.who} for {first.mode}"
        told += f" on {first.target}" if first.target else ""
        told += f" from {instant(self.began)} on, at worst {length(self.longest)}"
        told += f" and {self.depth} deep" if self.depth > 1 else ""
        gate = next((w for w in self.waiters if w.session == self.gate), None)
        if gate is not None and len(self.waiters) > 1:
            asks = "" if gate is first else f"{gate.who} asks for all of {gate.target}, so that "
            told += f"; {asks}readers queue behind it"
        if self.gave_up:
            told += f"; {counted(self.gave_up, 'statement')} gave up waiting"
        return f"{told}."

    def clause(self) -> str:
        if self.root is None:
            return f"{self._count()} waited for a lock of a session that is not known"
        about = {
            IDLE: ", idle in its transaction",
            MIGRATES: ", a migration",
            LONG: ", a long transaction",
        }.get(self.root_kind, "")
        return f"{self._count()} waited for locks of {self.root.who}{about}"

    def _count(self) -> str:
        if not self.waiters:
            return counted(self.gave_up, "statement")
        count = counted(len(self.waiters), "session")
        return f"at least {count}" if self.more else count

    def _holder(self) -> str:
        if self.root is None:
            return "a lock whose holder nobody named"
        told = f"locks of {self.root.who}"
        if self.root.idle_since is not None and self.root.seen is not None:
            told += f", idle in its transaction for {length(self.root.seen - self.root.idle_since)}"
        elif self.root.age is not None:
            told += f", whose transaction was open for {length(self.root.age)}"
        if self.root.holds:
            told += f", holding {listed(self.root.holds, 2)}"
        if self.root.statement:
            verb = "last" if self.root.idle else "now"
            told += f" ({verb}: {self.root.statement})"
        return told


@dataclass(frozen=True, kw_only=True)
class LockTimeouts(Finding):
    """Statements that gave up waiting for a lock, where nobody saw who held it."""

    term: ClassVar[str] = LockQueue.term
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = LockQueue.remedy

    gave_up: int
    clients: tuple[str, ...]

    def sentence(self) -> str:
        return (
            f"{counted(self.gave_up, 'statement')} of {listed(self.clients)} gave up waiting for "
            f"a lock from {instant(self.began)} to {instant(self.ended)}; who held it was not seen."
        )

    def clause(self) -> str:
        return f"{counted(self.gave_up, 'statement')} gave up waiting for a lock"


class LockQueueDetector:
    """Finds piles of lock waits and deadlocks; see the module."""

    term: ClassVar[str] = LockQueue.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.DATABASE) and not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "a database that can be asked, or its log")
        queues = lock_queues(incident)
        timeouts = [] if queues else _timeouts(incident)
        return [*queues, *timeouts, *deadlocks_in(incident)][:MAX_FINDINGS]


def lock_queues(incident: Incident) -> list[LockQueue]:
    """Every pile that the server itself told, the largest first."""
    return [_queue(incident, pile) for pile in piles(lock_waits(incident), MIN_WAITERS)]


def _queue(incident: Incident, pile: Pile) -> LockQueue:
    steps = _steps(incident, pile)
    gate = pile.gate()
    kind = _kind(pile.root)
    verdict, weakest_link = _verdict(pile)
    gave_up = _given_up(incident).filter(
        pl.col("timestamp").is_between(pile.first.from_instant, pile.last_seen + APART_NS)
        & (pl.col("source") != pile.source)
    )
    affected = {key for event in _told(incident, pile) for key in event.keys}
    return LockQueue(
        verdict=verdict,
        weakest_link=weakest_link,
        began=pile.first.from_instant,
        ended=pile.last_seen,
        steps=steps,
        keys=tuple(sorted(key for key in affected if not key.startswith("session:"))),
        would_decide=_would_decide(pile),
        alternatives=tuple(f"pid {rival} held it as well" for rival in pile.rivals),
        next_action=_next(pile, kind),
        source=pile.source,
        root=pile.root,
        root_kind=kind,
        waiters=tuple(_waiter(wait) for wait in pile.waits),
        depth=pile.depth,
        gate="" if gate is None else gate.session,
        target=pile.first.target,
        longest=max(wait.waited for wait in pile.waits),
        gave_up=gave_up.height,
        more=_cut(incident, pile.source),
    )


def _kind(root: Holder | None) -> str:
    if root is None:
        return UNKNOWN
    if root.session == PREPARED:
        return PREPARES
    if root.idle:
        return IDLE
    if root.statement and pl.Series([root.statement]).str.contains(f"(?i){MIGRATION}").item():
        return MIGRATES
    if root.age is not None and root.age >= LONG_QUERY_NS:
        return LONG
    return HOLDS


def _verdict(pile: Pile) -> tuple[Verdict, str]:
    """That they waited, and for whom."""
    if pile.root is None:
        return Verdict.LIKELY, "the server told who waited and not who held the lock"
    if pile.rivals:
        others = listed([f"pid {rival}" for rival in pile.rivals])
        return Verdict.LIKELY, f"{others} held a lock as well; which one they waited for is open"
    if sum(wait.waited >= SHORT_WAIT_NS for wait in pile.waits) < MIN_WAITERS:
        return Verdict.LIKELY, "the server does not tell how long they have waited"
    if pile.first.from_state or any(wait.from_state for wait in pile.waits):
        seen = max(wait.until for wait in pile.waits if wait.from_state)
        return Verdict.CERTAIN, f"at {instant(seen)} the server itself named who waits for whom"
    return Verdict.CERTAIN, "the server's own log names who held the lock"


def _steps(incident: Incident, pile: Pile) -> tuple[Step, ...]:
    """The root, the first waiter, the one that asks for a whole table, and the last to join."""
    gate = pile.gate()
    chosen = [pile.first, *([gate] if gate else []), *pile.waits[1:]]
    waits = sorted(list(dict.fromkeys(chosen))[: MAX_STEPS - 1], key=lambda wait: wait.from_instant)
    events = incident.snapshot.events_at([wait.row for wait in waits])
    steps: list[Step] = []
    if pile.root is not None and pile.root.row is not None:
        held = incident.snapshot.event(pile.root.row)
        steps.append(Step("holds the lock", held, _why_root(pile.root, len(pile.waits))))
    for number, (wait, event) in enumerate(zip(waits, events, strict=True)):
        if number:
            order = _order(waits[number - 1], wait, events[number - 1], event, incident)
        elif steps:
            says = CausalEdges()
            says.add(steps[0].event, event, f"the server says that {wait.who} waits behind it")
            order = before(steps[0].event, event, incident.clocks, says)
        else:
            order = None
        role = "first waiter" if wait is pile.first else "waits too"
        steps.append(Step(role, event, _why_wait(wait), order))
    return tuple(steps)


def _order(
    one: LockWait, other: LockWait, first: Event, second: Event, incident: Incident
) -> Order:
    """By the instants at which one server says that they began to wait; else by the records."""
    told = one.since is not None and other.since is not None and one.source == other.source
    if told and other.from_instant - one.from_instant >= SAME_CLOCK_GAP_NS:
        apart = length(other.from_instant - one.from_instant)
        return Order(Verdict.CERTAIN, f"one server says both began to wait, {apart} apart")
    return before(first, second, incident.clocks)


def _why_root(root: Holder, waiting: int) -> str:
    state = f"{root.who} is {root.state}" if root.state else root.who
    return f"{state}; {counted(waiting, 'session')} behind it"


def _why_wait(wait: LockWait) -> str:
    since = "" if wait.since is None else f" since {instant(wait.since)}"
    on = f" on {wait.target}" if wait.target else ""
    return f"{wait.who} waits for {wait.mode}{on}{since}"


def _waiter(wait: LockWait) -> Waiter:
    waited = None if wait.since is None else wait.waited
    return Waiter(
        wait.session, wait.who, wait.mode, wait.target, wait.since, waited, wait.statement
    )


def _told(incident: Incident, pile: Pile) -> list[Event]:
    rows = [wait.row for wait in pile.waits]
    if pile.root is not None and pile.root.row is not None:
        rows.append(pile.root.row)
    return incident.snapshot.events_at(rows)


def _would_decide(pile: Pile) -> tuple[str, ...]:
    if pile.root is None or pile.root.row is None:
        name = "the holder" if pile.root is None else pile.root.who
        return (f"Find {name} in pg_stat_activity, or in its own application's log.",)
    if pile.root.idle:
        return (f"Read in the log of {pile.root.who} what it did since its last statement.",)
    return ()


def _next(pile: Pile, kind: str) -> str:
    if pile.root is None:
        return "Ask the database who holds the lock, or switch on log_lock_waits for the next time."
    who = pile.root.who
    if kind == PREPARES:
        return f"Ask whoever coordinates {who} to commit it or roll it back."
    if kind == IDLE:
        return f"Ask whoever runs {who} to end its transaction: it is idle and keeps its locks."
    if kind == MIGRATES:
        return f"Ask whoever runs {who} whether this migration can stop and run later."
    gate = pile.gate()
    if gate is not None:
        return (
            f"Ask whoever runs {who} how long it still needs, and whoever runs {gate.who} to stop "
            "and try again with a lock_timeout."
        )
    return f"Ask whoever runs {who} how long its transaction still needs."


def _cut(incident: Incident, source: str) -> bool:
    """Whether the connector says that more sessions waited than it showed."""
    return any(
        remark.source == source and remark.topic == "cut" and "wait for locks" in remark.sentence
        for remark in incident.snapshot.remarks
    )


def _given_up(incident: Incident) -> pl.DataFrame:
    return incident.errors.filter(pl.col("fragment").str.contains(GAVE_UP))


def _timeouts(incident: Incident) -> list[LockTimeouts]:
    """Stretches in which statements gave up waiting and nobody saw for whom."""
    return [
        _timeout(incident, part) for part in clusters(_given_up(incident), APART_NS, MIN_WAITERS)
    ]


def _timeout(incident: Incident, hits: pl.DataFrame) -> LockTimeouts:
    by_server = pl.col("actor").is_in(SERVERS)
    told, passed_on = hits.filter(by_server), hits.filter(~by_server)
    clients = passed_on if passed_on.height else told
    rows = hits.get_column("row").to_list()
    events = incident.snapshot.events_at(rows[:MAX_STEPS])
    keys = incident.snapshot.keys_of(hits.get_column("row")).get_column("key").unique().to_list()
    return LockTimeouts(
        verdict=Verdict.POSSIBLE,
        weakest_link="only those who gave up were seen, not who held the lock",
        began=hits["timestamp"][0],
        ended=hits["timestamp"][-1],
        steps=in_sequence(events, "gave up", incident),
        keys=tuple(sorted(keys)),
        would_decide=("Ask the database who waits for whom while it lasts.",),
        next_action="Ask the database who holds the lock, if statements still give up.",
        gave_up=max(told.height, passed_on.height),
        clients=tuple(sorted(clients.get_column("actor").unique())),
    )
