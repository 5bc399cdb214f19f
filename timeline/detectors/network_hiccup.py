"""network-hiccup: many clients lost one path for seconds, and this is what was under way then.

Story: for two seconds web and mailer got no answer from Redis. Whatever was in flight then has an
outcome that only its own records can tell.

Predicate: at least `MIN_ERRORS` network errors of at least `MIN_SERVICES` services or hosts with no
pause longer than `GAP_NS`, not usual for this stream (placebo windows), not announced as a stop.
One client alone is believed (likely) when one peer refused it `LONELY_ERRORS` times: a refusal is
the peer's host speaking, and no fault of the client's own.

Certain where connections broke or several services got no answers: those of one service alone
may wait for a peer that is itself busy, choosing a leader or slow (likely).

False positives: a rolling restart (kept as a qualifier), idle connections dropped one at a time and
one noisy client (silent), a permanently failing template, answers of a server or a pool that has
none left (subtracted: `timeline.facts.refused_by_limit`), errors that meet it by chance
(`timeline.facts.burst_strays`), refusals between the end and the return of one instance of a peer
whose others stand (`timeline.facts.ended_peers`; possible where one client alone was refused and no
other instance is seen).

Reference: correlated connection-error burst; network-partition studies; placebo rank test instead
of a Poisson test, which alarms in 28 to 75 % of healthy bursty windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.errors.kinds import ErrorClass
from timeline.event import Lane
from timeline.facts.burst_strays import lone_sorts, without_strays
from timeline.facts.bursts import FOLD, MIN_PLACEBOS, Placebo, clusters, placebo, without_routine
from timeline.facts.ended_peers import EndedPeer, Others, ended_peers, peer_host
from timeline.facts.errors import network_errors
from timeline.facts.in_flight import InFlight, in_flight
from timeline.facts.lifecycle import changes, stopped_on_purpose
from timeline.facts.operations import failing_operations
from timeline.facts.refused_by_limit import without_limits
from timeline.facts.sight import heard, read_until
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.clock import ClockTable
    from timeline.incident import Incident

GAP_NS = 5_000_000_000
"""A longer pause between errors means that the path worked in between."""
MIN_ERRORS = 3
MIN_SERVICES = 2
"""One client alone may be broken itself."""
LONELY_ERRORS = 10
"""Refusals by one peer from which one client is enough."""
UNNAMED = "the lines do not name a peer"
NAMED = 0.25
"""Share of the errors that must name a peer before the others are taken to mean the same one."""
SHARED_PEER = 0.8
"""Share of the errors that must name one endpoint before it is called the shared peer."""
SURE = 1e-4
RARE = 1e-3
"""Expected runs of so many errors in the window if they came alone and by chance: below the first
chance is no rival, from the second on it is a fair one. Control windows as long as the burst do
not answer that, since the burst was found by looking everywhere."""
MAX_STEPS = 7
"""A proof a person can read; all errors are counted and reachable from their first."""
MAX_BURSTS = 50
"""Where there are more bursts than this, the small ones are not what woke anybody."""
MAX_FINDINGS = 5


@dataclass(frozen=True, kw_only=True)
class NetworkHiccup(Finding):
    """One burst of network errors. Times are ns UTC; `in_flight` holds certain overlaps only.

    `first` and `last` are error stamps; `fault_from` is when the first failing call was surely
    under way, `bounded_by` how that is known. `ambiguous` counts operations in flight whose
    outcome is unknown.
    """

    term: ClassVar[str] = "network-hiccup"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Handle the unknown outcome explicitly: retry with jitter under an idempotency key, and "
        "keep connections alive below the idle limit of whatever stands between."
    )

    peer: str
    system: str
    scope: str
    services: tuple[str, ...]
    first: int
    last: int
    fault_from: int
    bounded_by: str
    errors: int
    in_flight: tuple[InFlight, ...]
    possibly_in_flight: int
    ambiguous: int
    control_windows: int
    highest_control: int

    @property
    def duration(self) -> int:
        """Length of the stretch in which calls surely failed, ns."""
        return self.last - self.fault_from

    def sentence(self) -> str:
        return (
            f"{capital(listed(self.services))} lost {self.peer} for {length(self.duration)} "
            f"({instant(self.fault_from)} to {instant(self.last)}): "
            f"{counted(self.errors, 'error')}, "
            f"{self.scope}; {counted(len(self.in_flight), 'operation')} "
            f"{'was' if len(self.in_flight) <= 1 else 'were'} in flight, "
            f"{self.ambiguous} with unknown outcome."
        )

    def clause(self) -> str:
        who = listed(self.services, 2 if len(self.services) == 2 else 1)
        return f"{capital(who)} lost {self.peer} for {length(self.duration)}"


class NetworkHiccupDetector:
    """Finds bursts of network errors shared by several services; see the module."""

    term: ClassVar[str] = NetworkHiccup.term
    speaks_early: ClassVar[bool] = True

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "logs of at least two services")
        hits = network_errors(incident.errors).filter(pl.col("lane") == Lane.LOG.value)
        unusual = without_routine(incident, without_limits(incident, hits))
        found, lone = [], lone_sorts(unusual, GAP_NS)
        bursts = sorted(clusters(unusual, GAP_NS, MIN_ERRORS), key=len, reverse=True)
        for cluster in bursts[:MAX_BURSTS]:
            burst = without_strays(cluster, lone)
            ended = ended_peers(incident, burst) if _tells(burst) else []
            stood = [one.host for one in ended if one.others is Others.STOOD]
            burst = burst.filter(~peer_host().is_in(stood).fill_null(value=False))
            finding = _judge(incident, burst, unusual, ended) if _tells(burst) else None
            if finding is not None:
                found.append(finding)
        found.sort(key=lambda finding: (-finding.errors, finding.began))
        return found[:MAX_FINDINGS]


def _tells(burst: pl.DataFrame) -> bool:
    """Whether there are enough errors, of more than one client or refused by one peer."""
    return burst.height >= MIN_ERRORS and (_shared(burst) or _refused_by_one(burst))


def _shared(burst: pl.DataFrame) -> bool:
    """Whether more than one client complains."""
    return len(_services(burst)) + len(_hosts(burst)) - 1 >= MIN_SERVICES


def _refused_by_one(burst: pl.DataFrame) -> bool:
    """Whether nearly every error is a refusal, all of them by one peer that is named."""
    refused = burst.filter(pl.col("error_class") == ErrorClass.REFUSED.value)
    if refused.height < max(LONELY_ERRORS, SHARED_PEER * burst.height):
        return False
    return refused.get_column("peer").null_count() == 0 and refused["peer"].n_unique() == 1


def _services(burst: pl.DataFrame) -> list[str]:
    """Complaining services, the loudest first."""
    counts = burst.group_by("actor").agg(n=pl.len()).sort(["n", "actor"], descending=[True, False])
    return [name for name in counts.get_column("actor").to_list() if name]


def _hosts(burst: pl.DataFrame) -> list[str]:
    return sorted(burst.get_column("clock").unique().to_list())


def _judge(
    incident: Incident, burst: pl.DataFrame, unusual: pl.DataFrame, ended: Sequence[EndedPeer]
) -> NetworkHiccup | None:
    stamps = unusual.get_column("timestamp")
    first, last = burst["timestamp"][0], burst["timestamp"][-1]
    mildest = min(burst.get_column("severity_number").to_list())
    sources = burst.get_column("source").unique()
    control = placebo(incident, stamps, sources, first, last, mildest)
    if control.highest * FOLD > burst.height:
        return None  # as many elsewhere in this stream: usual for it
    operations = failing_operations(incident, burst)
    flights = in_flight(incident, operations)
    peer, system, scope = _scope(burst)
    planned = stopped_on_purpose(incident, burst, system)
    host = peer.partition(":")[0]
    gone = next((one for one in ended if one.host == host), None)
    verdict, weakest_link = _verdict(
        incident,
        burst,
        control,
        by_chance=_by_chance(incident, burst, unusual),
        named=scope != UNNAMED or len(_services(burst)) > 1,
        broken=_broken(burst),
        gone=gone,
    )
    start, how = _began(operations)
    ambiguous = [flight for flight in flights.certain if flight.outcome == "unknown"]
    return NetworkHiccup(
        verdict=verdict,
        weakest_link=planned or weakest_link,
        began=start,
        ended=last,
        steps=_steps(incident, burst),
        keys=tuple(sorted({flight.id for flight in ambiguous})),
        would_decide=_would_decide(peer, flights.possible),
        alternatives=_alternatives(incident, peer, first, last, planned, gone),
        next_action=_next(ambiguous),
        qualifier=bool(planned),
        peer=peer,
        system=system,
        scope=scope,
        services=tuple(_services(burst)),
        first=first,
        last=last,
        fault_from=start,
        bounded_by=how,
        errors=burst.height,
        in_flight=flights.certain,
        possibly_in_flight=flights.possible,
        ambiguous=len(ambiguous),
        control_windows=control.windows,
        highest_control=control.highest,
    )


def _scope(burst: pl.DataFrame) -> tuple[str, str, str]:
    """(peer, system, sentence part): what the failing paths have in common."""
    peer, peer_share = _commonest(burst, "peer")
    system, system_share = _commonest(burst, "system")
    hosts = _hosts(burst)
    if peer_share >= SHARED_PEER and (not system or system_share >= SHARED_PEER):
        return peer, system, f"all clients of {peer}"
    if system_share >= SHARED_PEER:
        return system, system, f"all clients of {system}"
    peers = burst.get_column("peer").drop_nulls().n_unique()
    if len(hosts) == 1 and peers > 1:
        return f"{peers} peers", "", f"every path out of {hosts[0]}"
    if peers > 1:
        return f"{peers} peers", "", "several services and several peers at once"
    return "the network", "", UNNAMED


def _commonest(burst: pl.DataFrame, column: str) -> tuple[str, float]:
    """The most frequent value of `column` and its share of the errors that have one.

    A tie goes by name. Clients often leave the peer out when a connection they hold breaks.
    """
    named = burst.drop_nulls(column)
    if named.height < NAMED * burst.height:
        return "", 0.0
    counts = named.group_by(column).agg(n=pl.len()).sort(["n", column], descending=[True, False])
    return str(counts[column][0]), counts["n"][0] / named.height


def _began(operations: pl.DataFrame) -> tuple[int, str]:
    """When the first failing call was surely under way, and how that is known."""
    earliest = operations.sort("sent", "timestamp").row(0, named=True)
    error = instant(earliest["timestamp"])
    if earliest["how"] == "stated":
        waited = length(earliest["waited"])
        return earliest["sent"], f"the call that failed at {error} says that it waited {waited}"
    if earliest["how"] == "inferred":
        waited = length(earliest["waited"])
        return earliest["sent"], (
            f"the call that failed at {error} began after its previous line; calls of its kind all "
            f"failed after about {waited}"
        )
    return earliest["sent"], f"first error at {error}; how long its call had waited is not known"


def _by_chance(incident: Incident, burst: pl.DataFrame, unusual: pl.DataFrame) -> float:
    """How many runs of as many errors, none `GAP_NS` after the one before, the rest would give.

    The rest are the other occasions with such an error: a burst elsewhere counts as one.
    """
    window = incident.window
    inside = unusual.filter(pl.col("timestamp").is_between(window.start, window.end, "left"))
    others = len(clusters(inside, GAP_NS, 1)) - 1
    share = others * GAP_NS / max(read_until(incident) - window.start, 1)
    expected: float = others * share ** (burst.height - 1)
    return expected


def _broken(burst: pl.DataFrame) -> bool:
    """Whether more is told than one service's missing answers: a connection that broke or could
    not be made, or others who lost the peer as well."""
    waited = burst.get_column("error_class") == ErrorClass.READ_TIMEOUT.value
    return len(_services(burst)) > 1 or not waited.all()


def _verdict(
    incident: Incident,
    burst: pl.DataFrame,
    control: Placebo,
    *,
    by_chance: float,
    named: bool,
    broken: bool,
    gone: EndedPeer | None,
) -> tuple[Verdict, str]:
    """That it happened. What it caused is for the operations' own lines to say."""
    reasons: list[tuple[Verdict, str]] = []
    if by_chance >= SURE:
        verdict = Verdict.POSSIBLE if by_chance >= RARE else Verdict.LIKELY
        words = f"such errors come one by one here; chance brings {burst.height} so close together"
        reasons.append((verdict, f"{words} in {by_chance:.1%} of windows like this"))
    if not control.rank_one(burst.height):
        reasons.append((Verdict.LIKELY, _control_words(control, burst.height)))
    if not _shared(burst):
        words = f"{_services(burst)[0]} alone was refused: no other client of that peer is read"
        reasons.append((Verdict.LIKELY, words))
    if gone is not None and gone.others is Others.UNSEEN:
        verdict = Verdict.LIKELY if len(_services(burst)) > 1 else Verdict.POSSIBLE
        words = f"{gone.host} ended or began anew, and no other instance is seen: {gone.words}"
        reasons.append((verdict, words))
    if not broken:
        words = f"{_services(burst)[0]} alone got no answers: its peer may have given none"
        reasons.append((Verdict.LIKELY, words))
    if not named:
        reasons.append(
            (Verdict.LIKELY, "one service alone complains, and no line names the peer that it lost")
        )
    unsure = [host for host in _hosts(burst) if _error(incident.clocks, host) > GAP_NS]
    if len(_hosts(burst)) > 1 and unsure:
        words = f"the clock of {unsure[0]} is only known to ±{length(GAP_NS)} or worse"
        reasons.append((Verdict.POSSIBLE, words))
    if not reasons:
        return Verdict.CERTAIN, _control_words(control, burst.height)
    verdict = weakest(found for found, _ in reasons)
    return verdict, next(words for found, words in reasons if found is verdict)


def _control_words(control: Placebo, count: int) -> str:
    if control.windows < MIN_PLACEBOS:
        return (
            f"only {counted(control.windows, 'control window')} of the same length could be read; "
            f"{MIN_PLACEBOS} would tell whether {counted(count, 'error')} is unusual"
        )
    return (
        f"{count} errors against at most {control.highest} in {control.windows} control windows "
        "of the same length"
    )


def _error(clocks: ClockTable, clock: str) -> int:
    bound = clocks.bound(clock)
    return max(bound.behind, bound.ahead)


def _steps(incident: Incident, burst: pl.DataFrame) -> tuple[Step, ...]:
    """The first error of every service, then the last error, in time order."""
    firsts = burst.unique("actor", keep="first", maintain_order=True).head(MAX_STEPS - 1)
    rows = list(dict.fromkeys([*firsts["row"].to_list(), burst["row"][-1]]))
    events = incident.snapshot.events_at(rows)
    steps: list[Step] = []
    for event in events:
        hit = burst.filter(pl.col("row") == rows[len(steps)]).row(0, named=True)
        last = len(steps) == len(rows) - 1 and len(rows) > 1
        role = "last failure" if last else "first failure" if not steps else "also failing"
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        target = hit["peer"] or hit["system"] or "a peer it does not name"
        why = f"{event.actor} and {target}: {hit['error_class'].replace('_', ' ')}"
        steps.append(Step(role, event, why, order))
    return tuple(steps)


def _would_decide(peer: str, possible: int) -> tuple[str, ...]:
    wanted = [f"Look at {peer}'s own log and at the network between for the same seconds."]
    if possible:
        wanted.append(
            f"Declare or measure the clocks: {counted(possible, 'more operation')} may have been "
            "in flight."
        )
    return tuple(wanted)


def _alternatives(
    incident: Incident, peer: str, first: int, last: int, planned: str, gone: EndedPeer | None
) -> tuple[str, ...]:
    found = [f"a planned stop: {planned}"] if planned else [f"{peer} itself stopped answering"]
    found = found if gone is None else [f"{gone.host} itself was away: {gone.words}"]
    bodies = changes(incident, first, last).get_column("body").to_list()
    return (*found, *(f"a change at the same time: {body}" for body in bodies[:2]))


def _next(ambiguous: list[InFlight]) -> str:
    if not ambiguous:
        return ""
    names = listed([flight.id for flight in ambiguous], 3)
    return f"Look up what became of {names} before retrying anything."
