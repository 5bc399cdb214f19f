"""dns-failure: names were not resolved, or only after the resolver's own timeout.

Story: for a minute nobody finds `redis.internal`; or every connection takes five seconds, because
a lost packet makes the resolver wait. Nothing reached the peer, so nothing was executed.

Predicate: at least `MIN_ERRORS` lookups failed with no pause longer than `GAP_NS`, not usual for
this stream (placebo windows). One name that does not exist is told apart from a resolver that does
not answer. Or: connections that came about after a multiple of the resolver's retry step. Where no
client says anything, the resolver's own lines may (`timeline.detectors.dns_resolver`).

False positives: one permanently bad name (subtracted as routine), search-domain noise below WARN
that nobody suffers from (not an error), a client's own timeout of five seconds (an error, and so no
slow success).

Reference: kubernetes/kubernetes#56903 (5 s), Azure/AKS#1657 (multiples of 2.5 s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.dns_resolver import failing_resolvers
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane
from timeline.facts.bursts import (
    BIN_NS,
    FOLD,
    MIN_PLACEBOS,
    Placebo,
    clusters,
    placebo,
    without_routine,
)
from timeline.facts.lifecycle import changes
from timeline.facts.searched import told_with
from timeline.facts.sight import heard
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before
from timeline.window import SECOND_NS
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

GAP_NS = 60 * SECOND_NS
"""Clients look a name up when they connect anew, which may take them a minute."""
MIN_ERRORS = 2
ROUTINE_BINS = 8
"""A name that is bad all the time is asked for every minute or less often: its rate is compared in
this many parts of the window, none longer than `ROUTINE_NS`, none shorter than a usual bin."""
ROUTINE_NS = 300 * SECOND_NS
MANY_NAMES = 2
"""From two names on it is not the name that is wrong."""
MAX_STEPS = 6
MAX_FINDINGS = 5
RESOLVER = r"\bon (\S+):53\b"
"""Go says which resolver it asked."""
NO_SUCH_NAME = (
    r"(?i)no such host|not known|ENOTFOUND|nxdomain|does not resolve|No address associated"
    r"|UnknownHost|Unknown (?:MySQL )?server host|could not be resolved \(3|host not found"
)
"""Wordings of an answer: the name does not exist. All others are silence or a refusal to answer."""
STEP_NS = 2_500_000_000
"""glibc asks again after five seconds, and the two questions of one lookup lose their answers
separately: connections then take multiples of half of that."""
STEP_SLACK = 0.06
"""A connection takes a little longer than the wait for the name."""
MIN_SLOW = 3
SLOW_SHARE = 0.6
"""Share of the slow connections that must lie on the steps; spread out, they have other reasons."""
MAX_WAITS = 4
"""Multiples of the step that are looked at: up to ten seconds."""
SLOW_LINE = (
    r"(?i)\b(?:dns|name[ _]?lookup|lookup|resolv\w*|connect(?:ed|ing|ion)?(?:[ _]time)?)\b"
    r"[^0-9\n]{0,40}(\d{1,5}(?:\.\d{1,6})?) ?(ms|s|sec|seconds)\b"
)
"""How programs state how long a name or a connection took."""


@dataclass(frozen=True, kw_only=True)
class DnsFailure(Finding):
    """One stretch of failed lookups. `scope` is `name`, `resolver`, `host` or `lookups`.

    `missing` counts the answers "no such name", the rest of `errors` got no usable answer.
    """

    term: ClassVar[str] = "dns-failure"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Put a caching resolver on every node, lower ndots so that a name is asked for once, and "
        "give the resolver room; a failed lookup is safe to retry."
    )

    names: tuple[str, ...]
    resolvers: tuple[str, ...]
    services: tuple[str, ...]
    scope: str
    errors: int
    missing: int
    control_windows: int
    highest_control: int

    def sentence(self) -> str:
        asked = f" by the resolver {listed(self.resolvers, 2)}" if self.resolvers else ""
        return (
            f"{capital(listed(self.services, 3))} could not resolve {self._what()}{asked}: "
            f"{counted(self.errors, 'failed lookup')} in {length(self.ended - self.began)} "
            f"({instant(self.began)} to {instant(self.ended)}), {_answers(self)}; nothing was sent."
        )

    def clause(self) -> str:
        return f"{listed(self.services, 1)} could not resolve {self._what()}"

    def _what(self) -> str:
        return listed(self.names, 2) or "names"


@dataclass(frozen=True, kw_only=True)
class SlowLookups(Finding):
    """Connections that took a multiple of the resolver's retry step. `waits` are ns, ascending."""

    term: ClassVar[str] = "dns-failure"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = DnsFailure.remedy

    services: tuple[str, ...]
    waits: tuple[int, ...]
    slow: int

    def sentence(self) -> str:
        steps = listed([length(wait) for wait in self.waits], 3)
        return (
            f"{self.slow} connections of {listed(self.services, 3)} took about "
            f"{steps} each ({instant(self.began)} to {instant(self.ended)}): so long a resolver "
            "waits before it asks again."
        )

    def clause(self) -> str:
        return f"connections of {listed(self.services, 1)} waited for a name for {self._first()}"

    def _first(self) -> str:
        return length(self.waits[0])


class DnsFailureDetector:
    """Finds names that were not resolved; see the module."""

    term: ClassVar[str] = DnsFailure.term
    speaks_early: ClassVar[bool] = True

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "logs of the services that look names up")
        errors = incident.errors
        hits = errors.filter(
            (pl.col("error_class") == "dns") & (pl.col("severity_number") >= SEVERITY_WARN)
        )
        window = incident.window
        width = min(max((window.end - window.start) // ROUTINE_BINS, BIN_NS), ROUTINE_NS)
        unusual = without_routine(incident, hits, width)
        found: list[Finding] = []
        for burst in clusters(unusual, GAP_NS, MIN_ERRORS):
            finding = _judge(incident, burst, hits.get_column("timestamp"))
            if finding is not None:
                found.append(finding)
        slow = _slow(incident)
        found += [slow] if slow is not None else []
        found = found or [*failing_resolvers(incident)]
        return sorted(found, key=lambda f: (-len(f.steps), f.began))[:MAX_FINDINGS]


def _judge(incident: Incident, burst: pl.DataFrame, stamps: pl.Series) -> DnsFailure | None:
    first, last = burst["timestamp"][0], burst["timestamp"][-1]
    sources = burst.get_column("source").unique()
    mildest = min(burst.get_column("severity_number").to_list())
    control = placebo(incident, stamps, sources, first, last, mildest)
    if control.highest * FOLD > burst.height:
        return None  # as many elsewhere in this stream: usual for it
    body = pl.col("body")
    named = burst.with_columns(
        name=pl.col("peer").str.replace(r":\d{1,5}$", ""),
        resolver=body.str.extract(RESOLVER, 1),
        missing=body.str.contains(NO_SUCH_NAME),
    )
    names, resolvers = _common(named, "name"), _common(named, "resolver")
    missing = int(named.get_column("missing").sum())
    scope = _scope(named, names, missing)
    verdict, weakest_link = _verdict(control, burst.height)
    return DnsFailure(
        verdict=verdict,
        weakest_link=weakest_link,
        began=first,
        ended=last,
        steps=_steps(incident, named),
        would_decide=_would_decide(names, resolvers),
        alternatives=_alternatives(incident, scope, first, last),
        next_action=_next(scope, names),
        names=names,
        resolvers=resolvers,
        services=_common(named, "actor"),
        scope=scope,
        errors=burst.height,
        missing=missing,
        control_windows=control.windows,
        highest_control=control.highest,
    )


def _common(frame: pl.DataFrame, column: str) -> tuple[str, ...]:
    """The values of `column`, the most frequent first, then by name."""
    told = frame.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
    counts = told.group_by(column).agg(n=pl.len())
    ordered = counts.sort(["n", column], descending=[True, False])
    return tuple(ordered.get_column(column).to_list())


def _scope(named: pl.DataFrame, names: tuple[str, ...], missing: int) -> str:
    if len(names) == 1 and missing == named.height:
        return "name"
    if len(names) >= MANY_NAMES and named.get_column("clock").n_unique() == 1:
        return "host"
    return "resolver" if len(names) >= MANY_NAMES else "lookups"


def _verdict(control: Placebo, count: int) -> tuple[Verdict, str]:
    """That lookups failed. Why the resolver did not answer is for its own log to say."""
    if control.rank_one(count):
        return Verdict.CERTAIN, (
            f"{counted(count, 'failed lookup')} against at most {control.highest} in "
            f"{control.windows} control windows of the same length"
        )
    return Verdict.LIKELY, (
        f"only {counted(control.windows, 'control window')} could be read; {MIN_PLACEBOS} would "
        "tell whether this is unusual"
    )


def _steps(incident: Incident, named: pl.DataFrame) -> tuple[Step, ...]:
    """The first failure of every service, then the last: the rows `network-hiccup` shows, too."""
    firsts = named.unique("actor", keep="first", maintain_order=True).head(MAX_STEPS - 1)
    rows = list(dict.fromkeys([*firsts["row"].to_list(), named["row"][-1]]))
    why = dict(named.select("row", "name").iter_rows())
    return _told(incident, rows, {row: f"{why[row] or 'a name'} was not resolved" for row in rows})


def _told(incident: Incident, rows: Sequence[int], why: dict[int, str]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for row, event in zip(rows, incident.snapshot.events_at(rows), strict=True):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        role = "first failure" if not steps else "also failing"
        steps.append(Step(role, event, why[row], order))
    return tuple(steps)


def _answers(finding: DnsFailure) -> str:
    if finding.missing == finding.errors:
        return "answered with no such name"
    if not finding.missing:
        return "without a usable answer"
    return f"{finding.missing} answered with no such name"


def _would_decide(names: tuple[str, ...], resolvers: tuple[str, ...]) -> tuple[str, ...]:
    asked = f" at {resolvers[0]}" if resolvers else " at the resolver in /etc/resolv.conf"
    return (
        f"Ask for {names[0] if names else 'the name'}{asked} from one of the hosts, twice.",
        "Read the resolver's own log and its dropped packets for the same seconds.",
    )


def _alternatives(incident: Incident, scope: str, first: int, last: int) -> tuple[str, ...]:
    told = {
        "name": ["the name was never there: a typing error in a configuration"],
        "host": ["that host's own network or its resolver configuration"],
        "resolver": ["the network between the hosts and the resolver"],
    }.get(scope, ["the server that answers for this name"])
    bodies = changes(incident, first, last).get_column("body").to_list()
    return (*told, *(f"a change at the same time: {body}" for body in bodies[:2]))


def _next(scope: str, names: tuple[str, ...]) -> str:
    if scope == "name":
        return f"Check the spelling and the record of {names[0]}."
    return ""


def _slow(incident: Incident) -> SlowLookups | None:
    """Connections that came about, after waits that lie on the resolver's steps."""
    level = pl.col("severity_number")
    chosen = (pl.col("lane") == Lane.LOG.value) & level.is_between(
        SEVERITY_WARN, SEVERITY_ERROR, "left"
    )
    wording = pl.col("body").str.contains(plain_edges(SLOW_LINE))
    told = told_with(incident, chosen, wording, "actor", "body", bodies=(SLOW_LINE,))
    if told.is_empty():
        return None
    told = told.join(incident.errors.select("row"), on="row", how="anti")
    if told.height < MIN_SLOW:
        return None
    number = pl.col("body").str.extract(SLOW_LINE, 1).cast(pl.Float64)
    milli = pl.col("body").str.extract(SLOW_LINE, 2).str.to_lowercase() == "ms"
    timed = told.with_columns(
        wait=(number * pl.when(milli).then(1e6).otherwise(1e9)).cast(pl.Int64),
        actor=pl.col("actor").cast(pl.String).fill_null(""),
    ).filter(pl.col("wait") >= SECOND_NS)
    steps = (pl.col("wait") / STEP_NS).floor().cast(pl.Int64)
    over = pl.col("wait") - steps * STEP_NS
    on_step = timed.with_columns(step=steps).filter(
        pl.col("step").is_between(1, MAX_WAITS) & (over <= STEP_SLACK * pl.col("step") * STEP_NS)
    )
    if on_step.height < MIN_SLOW or on_step.height < SLOW_SHARE * timed.height:
        return None
    rows = on_step.get_column("row").to_list()[:MAX_STEPS]
    words = {row: length(wait) for row, wait in on_step.select("row", "wait").iter_rows()}
    return SlowLookups(
        verdict=Verdict.POSSIBLE,
        weakest_link="the lines say how long it took, not what it waited for",
        began=on_step["timestamp"][0],
        ended=on_step["timestamp"][-1],
        steps=_told(incident, rows, {row: f"took {words[row]}" for row in rows}),
        would_decide=("Time a lookup and a connection to the address alone, from the same host.",),
        alternatives=("a retry of the connection itself after a lost packet",),
        services=tuple(sorted(on_step.get_column("actor").unique().to_list())),
        waits=tuple(sorted({int(step) * STEP_NS for step in on_step.get_column("step")})),
        slow=on_step.height,
    )
