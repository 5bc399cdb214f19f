"""failover: leadership moved to another node, and writers met one that takes no writes.

Story: for twenty seconds connections break, are refused, and then writes fail because the node
behind the address is a replica. Some hosts keep their old connections and fail for half an hour.

Predicate: a marker of the system itself (Patroni, PostgreSQL, Sentinel, Redis, MySQL, Kafka,
Elasticsearch), of whoever moves the address in front of it (keepalived, Pacemaker), or curves of
the role of two instances that change places, with failing clients around it; or, without one, the
order of a failover on one system within `PHASE_NS`: connections closed, then refused or starting
up, then writes refused as read-only. Read-only errors alone are only possible. Stale are those who
still met read-only after others of the same trouble were well again.

False positives: writes that are sent to a replica all the time (subtracted as routine) or to a peer
whose name says that it is one (silent); a switchover somebody announced that is over within
`PLANNED_NS` (a qualifier); a restart without a new leader (no marker and no refused write: silent,
`network-hiccup` tells the burst).

Reference: patroni/patroni#1235, #2393, #2972, #3306 (30 minutes read-only).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.bursts import clusters, without_routine
from timeline.facts.leadership import (
    ADDRESS,
    ON_A_REPLICA,
    STARTING,
    markers_between,
    refused_writes,
)
from timeline.facts.role_figures import role_swaps
from timeline.facts.sight import heard
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Order, Verdict, before
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.event import Event
    from timeline.incident import Incident

PHASE_NS = 60 * SECOND_NS
"""The phases of one failover follow each other within a minute: elections take seconds, and clients
come back with their next attempt."""
MIN_ERRORS = 3
"""Fewer errors are a single connection that was dropped."""
STALE_NS = 30 * SECOND_NS
"""Who still meets read-only this long after others stopped has not looked up the new leader."""
PLANNED_NS = 20 * SECOND_NS
"""An announced change of leader takes seconds. Who still cannot write after this met something
nobody announced, and it is a fault of its own."""
MAX_CANDIDATES = 20
MAX_STEPS = 7
MAX_FINDINGS = 5
ANNOUNCED = r"(?i)\b(?:fail-?over|switch-?over|maintenance|read-?only)\b"
"""How a planned change of leader is announced in a change or a note."""
ADDRESS_TOLD = r"\b(\d{1,3}(?:\.\d{1,3}){3})\b"
FIGURES = "figures"
"""The system of a marker that a curve gives: it says which instance, not of what."""
PHASES = ("closed", "refused", "read-only")
_ROLES = {
    "closed": "connections break",
    "refused": "nobody answers",
    "read-only": "a write meets a node that takes none",
}


@dataclass(frozen=True, kw_only=True)
class Failover(Finding):
    """One move of leadership of `system`, as its clients met it. Times are ns UTC.

    `marker` is the system's own word for it, `moved_at` its stamp, or empty and None; `address` is
    the one that moved, where it was that which did. `closed`,
    `refused` and `read_only` count errors by phase; `stale` names services on hosts that met
    read-only after `well_again`, when the others were well.
    """

    term: ClassVar[str] = "failover"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Reconnect on a read-only error, limit the lifetime of pooled connections, fence the old "
        "leader, and treat commits in flight as unknown."
    )

    system: str
    peer: str
    marker: str
    moved_at: int | None
    services: tuple[str, ...]
    closed: int
    refused: int
    read_only: int
    stale: tuple[str, ...]
    well_again: int | None
    address: str = ""

    def sentence(self) -> str:
        parts = [
            counted(number, words)
            for number, words in (
                (self.closed, "broken connection"),
                (self.refused, "refused connection"),
                (self.read_only, "write refused as read-only"),
            )
            if number
        ]
        plural = [part.replace("write refused as read-onlys", _MANY_WRITES) for part in parts]
        when = f" at {instant(self.moved_at)}" if self.moved_at is not None else ""
        return (
            f"{capital(self._leader())} moved{when}; {listed(self.services, 3)} met "
            f"{listed(plural)} from {instant(self.began)} to {instant(self.ended)}"
            f"{self._stale_words()}."
        )

    def clause(self) -> str:
        late = f", {listed(self.stale, 1)} kept to the old one" if self.stale else ""
        took = length(self.ended - self.began)
        return f"{self._leader()} moved, writers failed for {took}{late}"

    def _leader(self) -> str:
        if self.address:
            return f"the address {self.address}{f' of {self.system}' if self.system else ''}"
        return f"leadership of {self.peer or self.system or 'a database'}"

    def _stale_words(self) -> str:
        if not self.stale or self.well_again is None:
            return ""
        return (
            f"; {listed(self.stale, 3)} still met a read-only node after the others were well "
            f"again at {instant(self.well_again)}"
        )


_MANY_WRITES = "writes refused as read-only"


class FailoverDetector:
    """Finds moves of leadership that clients met; see the module."""

    term: ClassVar[str] = Failover.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "logs of the services that write")
        hits = _phased(incident)
        found: list[Failover] = []
        for system, mine in _by_system(hits):
            bursts = sorted(clusters(mine, PHASE_NS, MIN_ERRORS), key=len, reverse=True)
            for burst in bursts[:MAX_CANDIDATES]:
                finding = _judge(incident, system, burst)
                if finding is not None:
                    found.append(finding)
        order = list(Verdict)
        found.sort(key=lambda finding: (order.index(finding.verdict), finding.began))
        return found[:MAX_FINDINGS]


def _phased(incident: Incident) -> pl.DataFrame:
    """Errors of the three phases that are not usual for their stream, with their `phase`."""
    level = pl.col("severity_number")  # 0: the line tells none, or one that nobody could read
    errors = incident.errors.filter(
        (pl.col("lane") == Lane.LOG.value) & ((level >= SEVERITY_WARN) | (level == 0))
    )
    starting = pl.col("body").str.contains(STARTING) | pl.col("fragment").str.contains(STARTING)
    state = pl.col("error_class") == "server_state"
    phase = (
        pl.when(pl.col("error_class").is_in(["closed", "reset"]))
        .then(pl.lit("closed"))
        .when((pl.col("error_class") == "refused") | (state & starting))
        .then(pl.lit("refused"))
    )
    broken = errors.with_columns(phase=phase).drop_nulls("phase")
    writes = refused_writes(incident).with_columns(phase=pl.lit("read-only"))
    if writes.height:
        writes = writes.filter(~pl.col("peer").fill_null("").str.contains(ON_A_REPLICA))
    broken = broken.join(writes, on="row", how="anti")
    return without_routine(incident, pl.concat([broken, writes]).sort("timestamp", "row"))


def _by_system(hits: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """The hits of every system that has a leader; clients that name none count for the only one.

    Clients of a peer whose system nobody names come last, peer by peer, with an empty system.
    """
    named = hits.filter(pl.col("system").is_not_null() & (pl.col("system") != "http"))
    systems = sorted(named.get_column("system").unique().to_list())
    nameless = hits.filter(pl.col("system").is_null())
    found = [(name, named.filter(pl.col("system") == name)) for name in systems]
    if len(systems) == 1:
        both = (pl.col("system") == systems[0]) | (
            pl.col("system").is_null() & pl.col("peer").is_null()
        )
        found = [(systems[0], hits.filter(both))]
    peers = sorted(nameless.get_column("peer").drop_nulls().unique().to_list())
    return [*found, *(("", nameless.filter(pl.col("peer") == peer)) for peer in peers)]


def _judge(incident: Incident, system: str, burst: pl.DataFrame) -> Failover | None:
    first, last = burst["timestamp"][0], burst["timestamp"][-1]
    counts = {phase: burst.filter(pl.col("phase") == phase).height for phase in PHASES}
    markers = markers_between(incident, first - PHASE_NS, last + PHASE_NS)
    markers = pl.concat([markers, _swapped(incident, first, last)])
    markers = _of_system(markers, system, burst)
    if markers.is_empty() and not counts["read-only"]:
        return None
    steps = _steps(incident, burst, markers)
    verdict, weakest_link = _verdict(incident, system, burst, markers)
    announced = _announced(incident, first, last)
    stale, well_again = _stale(burst)
    marked = None if markers.is_empty() else markers.row(0, named=True)
    return Failover(
        verdict=verdict,
        weakest_link=weakest_link,
        began=min(first, marked["timestamp"]) if marked else first,
        ended=last,
        steps=steps,
        would_decide=_would_decide(system, marked is not None),
        alternatives=(
            (f"a planned change of leader: {announced}",)
            if announced
            else ("writes sent to a replica on purpose or by a wrong address",)
        ),
        next_action=_next(stale),
        qualifier=bool(announced) and last - first <= PLANNED_NS,
        system=system,
        peer=_peer(burst),
        marker=marked["body"] if marked else "",
        moved_at=marked["timestamp"] if marked else None,
        services=tuple(burst.get_column("actor").unique(maintain_order=True).to_list()),
        closed=counts["closed"],
        refused=counts["refused"],
        read_only=counts["read-only"],
        stale=stale,
        well_again=well_again,
        address=_address(markers),
    )


def _swapped(incident: Incident, first: int, last: int) -> pl.DataFrame:
    """The changes of roles around these instants that only figures tell."""
    near = role_swaps(incident).filter(
        pl.col("timestamp").is_between(first - PHASE_NS, last + PHASE_NS)
    )
    return near.select("row", "timestamp", "actor", "body", system=pl.lit(FIGURES))


def _of_system(markers: pl.DataFrame, system: str, burst: pl.DataFrame) -> pl.DataFrame:
    """The takeovers of `system`, or those of an address that the clients of `burst` went to.

    An address that is told and that none of them names was somebody else's.
    """
    own = markers.filter(pl.col("system") == system)
    moved = markers.filter(pl.col("system") == ADDRESS)
    if own.height or moved.is_empty():
        return own if own.height else markers.filter(pl.col("system") == FIGURES)
    address = moved.get_column("body").str.extract(ADDRESS_TOLD, 1)
    if address.is_null().all():
        return moved
    peers = burst.get_column("peer").drop_nulls().str.replace(r":\d{1,5}$", "")
    return moved if address.is_in(peers.implode()).any() else moved.clear()


def _address(markers: pl.DataFrame) -> str:
    """The address that moved, where it was an address and is told; else empty."""
    moved = markers.filter(pl.col("system") == ADDRESS)
    told = moved.get_column("body").str.extract(ADDRESS_TOLD, 1).drop_nulls()
    return str(told[0]) if told.len() else ""


def _peer(burst: pl.DataFrame) -> str:
    """The one peer that the errors name, else empty."""
    peers = burst.get_column("peer").drop_nulls().unique()
    return str(peers[0]) if peers.len() == 1 else ""


def _verdict(
    incident: Incident, system: str, burst: pl.DataFrame, markers: pl.DataFrame
) -> tuple[Verdict, str]:
    """That leadership moved: by the system's own word, by the phases' order, or by their end."""
    if markers.height and markers["system"][0] == ADDRESS:
        address = _address(markers)
        if not address:
            return Verdict.LIKELY, "an address moved; that these clients used it is inferred"
        return Verdict.CERTAIN, f"another machine says itself that it took over {address}"
    if markers.height and markers["system"][0] == FIGURES:
        return Verdict.LIKELY, "figures of both say so; that these clients went there is inferred"
    if markers.height:
        who = markers["actor"][0] or system
        return Verdict.CERTAIN, f"{who} says itself that another node took over"
    orders = _phase_orders(incident, burst)
    if not orders:
        return Verdict.POSSIBLE, (
            "writes were refused as read-only, and nothing else shows that leadership moved"
        )
    if any(order.verdict is None for order in orders):
        return Verdict.POSSIBLE, "writes were refused as read-only before any connection broke"
    unsure = [order for order in orders if order.verdict is Verdict.POSSIBLE]
    if unsure:
        return Verdict.POSSIBLE, f"the phases may stand in another order: {unsure[0].because}"
    return Verdict.LIKELY, (
        "connections broke and writes were then refused as read-only, but no line of "
        f"{system} itself tells of a new leader"
    )


def _phase_orders(incident: Incident, burst: pl.DataFrame) -> list[Order]:
    """The first error of an earlier phase before the first refused write; empty without one."""
    firsts = _first_of_phases(burst)
    if len(firsts) < 2 or PHASES[2] not in firsts:
        return []
    rows = [firsts[phase] for phase in PHASES if phase in firsts]
    events = incident.snapshot.events_at(rows)
    return [before(events[0], events[-1], incident.clocks)]


def _first_of_phases(burst: pl.DataFrame) -> dict[str, int]:
    firsts = burst.unique("phase", keep="first", maintain_order=True)
    return dict(firsts.select("phase", "row").iter_rows())


def _steps(incident: Incident, burst: pl.DataFrame, markers: pl.DataFrame) -> tuple[Step, ...]:
    """The marker, the first error of every phase and of every service, and the last error."""
    told: dict[int, tuple[str, str]] = {}
    for row in markers.get_column("row").to_list()[:1]:
        told[row] = ("takeover", "the system says that another node leads now")
    phases = dict(burst.select("row", "phase").iter_rows())
    services = burst.unique("actor", keep="first", maintain_order=True).get_column("row")
    wanted = [*_first_of_phases(burst).values(), burst["row"][-1], *services.to_list()]
    for row in dict.fromkeys(wanted):
        if len(told) < MAX_STEPS:
            told[row] = (phases[row], _ROLES[phases[row]])
    events = zip(incident.snapshot.events_at([*told]), told.values(), strict=True)
    steps: list[Step] = []
    for event, (role, why) in sorted(events, key=lambda pair: _when(pair[0])):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _when(event: Event) -> tuple[int, str, int]:
    return event.timestamp, event.source, event.seq


def _stale(burst: pl.DataFrame) -> tuple[tuple[str, ...], int | None]:
    """Who still met read-only when others had stopped failing, and when those had."""
    writer = pl.concat_str("actor", pl.lit(" on "), "clock")
    lasts = (
        burst.with_columns(writer=writer)
        .group_by("writer")
        .agg(
            last=pl.col("timestamp").max(),
            refused=pl.col("timestamp").filter(pl.col("phase") == PHASES[2]).max(),
        )
        .sort("last", "writer")
    )
    if lasts.height < 2:
        return (), None
    gaps = lasts.with_columns(gap=pl.col("last").diff().fill_null(0)).with_row_index("place")
    widest = gaps.sort("gap", "place", descending=[True, False]).row(0, named=True)
    if widest["gap"] < STALE_NS:
        return (), None
    late = gaps.filter((pl.col("place") >= widest["place"]) & pl.col("refused").is_not_null())
    late = late.filter(pl.col("refused") >= widest["last"] - widest["gap"] + STALE_NS)
    if late.is_empty():
        return (), None
    return tuple(sorted(late.get_column("writer").to_list())), widest["last"] - widest["gap"]


def _announced(incident: Incident, first: int, last: int) -> str:
    """What a change or a note says about a planned change of leader around then; else empty."""
    around = pl.col("timestamp").is_between(first - PHASE_NS, last + PHASE_NS)
    lanes = pl.col("lane").is_in([Lane.CHANGE.value, Lane.NOTE.value])
    told = incident.snapshot.told(around & lanes, "body")
    bodies = told.filter(pl.col("body").str.contains(ANNOUNCED)).get_column("body")
    return str(bodies[0]) if bodies.len() else ""


def _would_decide(system: str, marked: bool) -> tuple[str, ...]:
    tail = (
        "Compare the last commits before it with what the new leader holds: with asynchronous "
        "replication the latest are lost."
    )
    if marked:
        return (tail,)
    return (f"Read the log of {system} and of whoever elects its leader for the same minute.", tail)


def _next(stale: tuple[str, ...]) -> str:
    if not stale:
        return ""
    return f"Restart or reconnect {listed(stale)}: they still hold connections to the old leader."
