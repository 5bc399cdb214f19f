"""connections-exhausted: no connection was to be had, because a pool or the server was full.

Story: a lock queue makes every query of the shop slow; each holds its connection, the pool runs
dry, and requests that touch nothing of the locked table fail as well. The loudest error is then the
last effect.

Predicate: at least `MIN_ERRORS` errors of the class `pool` for one system with no pause longer than
`GAP_NS`, not usual for this stream. Told apart: client pools at their limit, a server whose slots
are all taken, both. What came first is asked of a lock queue and of the durations of the same
services; the pool was surely full from when the first failing call began to wait.

False positives: a blip at a deploy, drops that a pool makes by design all the time (silent), a
planned stop (a qualifier), a full server that refuses nobody (silent).

Reference: brettwooldridge/HikariCP#1111, elixir-ecto/db_connection#324: errors of a pool are
effects as a rule, so an earlier lock queue or slowness is named as what came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import polars as pl

from timeline.detectors.lock_queue import LockQueue, lock_queues
from timeline.detectors.starved_pools import beside, starved_pools
from timeline.event import Event, Lane
from timeline.facts.bursts import FOLD, Placebo, clusters, placebo, without_routine
from timeline.facts.connections import DATABASE, POOL, SERVER, Slots, fullest_slots, pool_errors
from timeline.facts.failures import victims_of
from timeline.facts.lifecycle import (
    AROUND_NS,
    STOP_ERROR,
    changes,
    stop_lines,
    stopped_on_purpose,
)
from timeline.facts.sight import heard
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Order, Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

GAP_NS = 60_000_000_000
"""Clients wait up to half a minute for a connection as a rule, so errors come that far apart."""
MIN_ERRORS = 3
"""One or two are a blip, as when a new process fills its pool."""
BASELINE_NS = 600_000_000_000
"""Ten minutes before the pool was full are what durations are compared with."""
RISE_BIN_NS = 10_000_000_000
SLOWER = 3
"""Durations of this multiple of the usual are a rise (detector catalogue, D17)."""
MIN_RUNS = 20
"""Requests or jobs that a baseline must have."""
MIN_BIN = 3
MAX_STEPS = 7
MAX_FINDINGS = 5

BOTH = "pool and server"


@dataclass(frozen=True, slots=True)
class Starved:
    """One service that got no connection. `full_from` is when its first failing call was surely
    waiting, ns UTC; equal to `first` where the error does not say how long it waited."""

    service: str
    errors: int
    full: str
    first: int
    full_from: int


class Cause(NamedTuple):
    """What came before the pool was full: in words, since when, how surely before it, its event.

    `event` is None where it is a statistic of many events.
    """

    name: str
    words: str
    since: int
    order: Order
    queue: LockQueue | None = None
    row: int | None = None


@dataclass(frozen=True, kw_only=True)
class ConnectionsExhausted(Finding):
    """One stretch in which connections of one system were all held. Times are ns UTC.

    `full` says whose limit was reached; `full_from` is when the first failing call was surely
    waiting; `cause` and `cause_verdict` are what came first and how sure that order is. The verdict
    is that connections were exhausted.
    """

    term: ClassVar[str] = "connections-exhausted"
    remedy: ClassVar[str] = (
        "Find who holds connections for long and give every statement a time-out; size pools to "
        "what the server can serve, not larger."
    )

    system: str
    full: str
    services: tuple[Starved, ...]
    errors: int
    full_from: int
    slots: Slots | None
    cause: str
    cause_words: str
    cause_since: int | None
    cause_verdict: Verdict | None
    control_windows: int
    highest_control: int

    def sentence(self) -> str:
        names = listed([starved.service for starved in self.services])
        subject = {
            POOL: f"The connection pools of {names} for {self.system} were used up",
            SERVER: f"{capital(self.system)} had no connection left for {names}",
            BOTH: f"{capital(self.system)} had no connection left and the pools of {names} ran dry",
        }[self.full]
        told = f"{subject} from {instant(self.full_from)} to {instant(self.ended)}: "
        told += f"{counted(self.errors, 'call')} got none"
        if len(self.services) > 1:
            told += f" ({self.services[0].service} first, at {instant(self.services[0].first)})"
        if self.cause_words:
            told += f"; {self.cause_words}"
        if self.slots is not None and self.slots.full:
            most = f", most by {self.slots.by[0]}" if self.slots.by else ""
            told += (
                f"; at {instant(self.slots.seen)} {self.slots.used} of {self.slots.most} "
                f"connections were taken{most}"
            )
        return f"{told}."

    def clause(self) -> str:
        names = listed([starved.service for starved in self.services], 2)
        if self.full == SERVER:
            return f"{capital(self.system)} had no connection left for {names}"
        return f"{capital(names)} ran out of connections to {self.system}"


class ConnectionsExhaustedDetector:
    """Finds stretches in which no connection was to be had; see the module."""

    term: ClassVar[str] = ConnectionsExhausted.term
    speaks_early: ClassVar[bool] = True

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        gauges = starved_pools(incident)
        if not heard(incident, Lane.LOG):
            return gauges or NotEvaluated(self.term, "logs of those who use the connections")
        hits = pool_errors(incident)
        if hits.height < MIN_ERRORS:
            return gauges
        unusual = without_routine(incident, hits)
        found: list[ConnectionsExhausted] = []
        queues: list[LockQueue] | None = None
        for (target,), part in unusual.group_by("target", maintain_order=True):
            for burst in clusters(part.sort("timestamp", "row"), GAP_NS, MIN_ERRORS):
                queues = lock_queues(incident) if queues is None else queues
                finding = _judge(incident, str(target), burst, part["timestamp"], queues)
                found += [finding] if finding is not None else []
        found.sort(key=lambda finding: (-finding.errors, finding.began))
        return [*found, *beside(gauges, found)][:MAX_FINDINGS]


def _judge(
    incident: Incident,
    target: str,
    burst: pl.DataFrame,
    stamps: pl.Series,
    queues: Sequence[LockQueue],
) -> ConnectionsExhausted | None:
    first, last = burst["timestamp"][0], burst["timestamp"][-1]
    mildest = min(burst.get_column("severity_number").to_list())
    sources = burst.get_column("source").unique()
    control = placebo(incident, stamps, sources, first, last, mildest)
    if control.highest * FOLD > burst.height:
        return None  # as many elsewhere in this stream: usual for it
    names = burst.get_column("system").drop_nulls().unique().to_list()
    system = names[0] if len(names) == 1 else target
    planned = _planned(incident, burst, system if system != DATABASE else "")
    full_from = min(burst.get_column("full_from").to_list())
    cause = _lock_cause(incident, target, burst, queues) or _slowness(incident, burst, full_from)
    verdict, weakest_link = _verdict(burst, control)
    victims = victims_of(incident, burst.select("row", "timestamp", "source", "actor"))
    services = _services(burst)
    slots = fullest_slots(incident) if target == DATABASE else None
    return ConnectionsExhausted(
        verdict=verdict,
        weakest_link=planned or weakest_link,
        began=full_from,
        ended=last,
        steps=_steps(incident, burst, cause, slots),
        keys=tuple(sorted(set(victims.get_column("key").to_list()))),
        would_decide=_would_decide(cause, slots),
        alternatives=_alternatives(incident, full_from, cause, planned),
        next_action=_next(cause, slots, services),
        qualifier=bool(planned),
        system=system,
        full=_whose(burst),
        services=services,
        errors=burst.height,
        full_from=full_from,
        slots=slots[0] if slots else None,
        cause=cause.name if cause else "",
        cause_words=cause.words if cause else "",
        cause_since=cause.since if cause else None,
        cause_verdict=cause.order.verdict if cause else None,
        control_windows=control.windows,
        highest_control=control.highest,
    )


def _planned(incident: Incident, burst: pl.DataFrame, system: str) -> str:
    """Why it looks like a planned stop, in words; empty where it does not.

    A process that is recycled explains the errors around it, not minutes of them.
    """
    planned = stopped_on_purpose(incident, burst, system)
    worded = burst.filter(pl.col("body").str.contains(STOP_ERROR)).height
    if not planned or 2 * worded >= burst.height:
        return planned
    stops = stop_lines(incident, burst["timestamp"][0], burst["timestamp"][-1])
    near = burst.select("timestamp").join_asof(
        stops.select("timestamp", stop="row").sort("timestamp"),
        on="timestamp",
        strategy="nearest",
        tolerance=AROUND_NS,
    )
    return planned if 2 * near.get_column("stop").count() >= burst.height else ""


def _whose(burst: pl.DataFrame) -> str:
    kinds = burst.get_column("full").unique().to_list()
    return BOTH if len(kinds) > 1 else str(kinds[0])


def _services(burst: pl.DataFrame) -> tuple[Starved, ...]:
    """Who got no connection, the first to say so first."""
    parts = burst.partition_by("actor", maintain_order=True)
    return tuple(
        Starved(
            service=part["actor"][0] or part["source"][0],
            errors=part.height,
            full=_whose(part),
            first=part["timestamp"][0],
            full_from=min(part.get_column("full_from").to_list()),
        )
        for part in parts
    )


def _verdict(burst: pl.DataFrame, control: Placebo) -> tuple[Verdict, str]:
    """That connections were exhausted: whoever ran out said so itself."""
    words = f"{counted(burst.height, 'error')} of those who ran out say so themselves"
    if control.rank_one(burst.height) or (control.windows and not control.highest):
        return Verdict.CERTAIN, words
    return Verdict.LIKELY, (
        f"{words}; {counted(control.windows, 'control window')} of the same length could be "
        f"compared, with up to {counted(control.highest, 'such error')}"
    )


def _lock_cause(
    incident: Incident, target: str, burst: pl.DataFrame, queues: Sequence[LockQueue]
) -> Cause | None:
    """A lock queue of a database that was under way when the first call began to wait.

    That its waiters held the pool's connections is not told by anybody: likely at best, and
    possible where the clocks leave the order open.
    """
    if target != DATABASE:
        return None
    full_from = min(burst.get_column("full_from").to_list())
    error = incident.snapshot.event(burst["row"][0])
    for queue in sorted(queues, key=lambda queue: queue.began):
        if queue.began > full_from or queue.ended + GAP_NS < full_from:
            continue
        slack = _slack(incident, error, queue)
        verdict = Verdict.LIKELY if full_from - queue.began > slack else Verdict.POSSIBLE
        apart = length(full_from - queue.began)
        order = Order(verdict, f"the first session waited {apart} before the first call did")
        who = "a lock" if queue.root is None else f"locks of {queue.root.who}"
        words = f"since {instant(queue.began)} sessions waited for {who}"
        return Cause("lock-queue", words, queue.began, order, queue)
    return None


def _slack(incident: Incident, error: Event, queue: LockQueue) -> int:
    """By how much the clocks of the error and of the queue may differ at most, ns."""
    names = (error.clock or error.source, queue.steps[-1].event.clock or queue.source)
    if names[0] == names[1]:
        return 0
    bounds = [incident.clocks.bound(name) for name in names]
    return sum(max(bound.behind, bound.ahead) for bound in bounds)


def _slowness(incident: Incident, burst: pl.DataFrame, full_from: int) -> Cause | None:
    """The first bin before `full_from` in which the services' work took `SLOWER` times as long.

    Work that met a full pool itself is left out: it is slow because of the pool.
    """
    services = burst.get_column("actor").unique()
    starved = incident.executions.of_rows(burst.get_column("row")).get_column("execution")
    runs = (
        incident.executions.frame.with_columns(pl.col("actor").cast(pl.String))
        .filter(
            pl.col("actor").is_in(services.implode())
            & pl.col("end").is_between(full_from - BASELINE_NS, full_from, "left")
            & ~pl.col("execution").is_in(starved.implode())
        )
        .select(took=pl.col("end") - pl.col("start"), end="end", row="execution")
    )
    if runs.height < MIN_RUNS:
        return None
    usual = runs.get_column("took").quantile(0.95, "lower") if runs.height else None
    early = runs.filter(pl.col("end") < full_from - BASELINE_NS // 2)
    if early.height >= MIN_RUNS:
        usual = early.get_column("took").quantile(0.95, "lower")
    bins = (
        runs.group_by(bin=pl.col("end") // RISE_BIN_NS)
        .agg(took=pl.col("took").median(), since=pl.col("end").min(), n=pl.len())
        .filter((pl.col("n") >= MIN_BIN) & (pl.col("took") >= SLOWER * max(usual or 0, 1)))
        .sort("bin")
    )
    if bins.is_empty():
        return None
    took, since = bins["took"][0], bins["since"][0]
    words = (
        f"from {instant(since)} on their work took {length(int(took))} where "
        f"{length(int(usual or 0))} is usual"
    )
    order = Order(Verdict.LIKELY, "their own work was slower before the first call waited")
    return Cause("slow", words, since, order)


def _steps(
    incident: Incident, burst: pl.DataFrame, cause: Cause | None, slots: tuple[Slots, int] | None
) -> tuple[Step, ...]:
    """The lock queue's own evidence, then the first error of every service, then the count."""
    steps: list[Step] = []
    if cause is not None and cause.queue is not None:
        steps += cause.queue.steps[:2]
    firsts = burst.unique("actor", keep="first", maintain_order=True)
    rows = firsts.get_column("row").to_list()[: MAX_STEPS - len(steps) - 1]
    told = [(row, "no connection", _why(firsts.row(n, named=True))) for n, row in enumerate(rows)]
    if slots is not None and slots[0].full:
        told.append((slots[1], "slots taken", "the server counts its connections"))
    for row, role, why in told:
        event = incident.snapshot.event(row)
        order: Order | None = None
        if steps:
            order = before(steps[-1].event, event, incident.clocks)
        if cause is not None and cause.queue is not None and row == rows[0]:
            order = cause.order
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _why(hit: dict[str, object]) -> str:
    limit = "the server was full" if hit["full"] == SERVER else "its pool was used up"
    return f"{hit['actor'] or hit['source']} got no connection: {limit}"


def _would_decide(cause: Cause | None, slots: tuple[Slots, int] | None) -> tuple[str, ...]:
    wanted = []
    if cause is None:
        wanted.append("Look at what the holders of the connections did when the pool was full.")
    if slots is None:
        wanted.append("Count the server's connections by application and state while it lasts.")
    return tuple(wanted)


def _alternatives(
    incident: Incident, full_from: int, cause: Cause | None, planned: str
) -> tuple[str, ...]:
    found = [f"a planned stop: {planned}"] if planned else []
    if cause is None:
        found += ["connections that are never given back", "a pool smaller than the load"]
    bodies = changes(incident, full_from, full_from).get_column("body").to_list()
    return (*found, *(f"a change at the same time: {body}" for body in bodies[:2]))


def _next(cause: Cause | None, slots: tuple[Slots, int] | None, services: Sequence[Starved]) -> str:
    """Nothing where a lock queue came first: its own next action frees the connections."""
    if cause is not None and cause.queue is not None:
        return ""
    if slots is not None and slots[0].full and slots[0].by:
        return f"Ask whoever runs {slots[0].by[0].rsplit(' ', 1)[0]} why it holds that many."
    names = listed([starved.service for starved in services])
    return f"Find out what held the connections of {names}; calls that got none were never sent."
