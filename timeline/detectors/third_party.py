"""third-party: one host outside one's own systems refused or failed calls, and others did not.

Story: the mail gateway answers 429, then 503. The own systems are well; the jobs that call it fail,
come back and fail again.

Predicate: failed calls of at least `MIN_ERRORS` pieces of work (jobs, requests) to one public host
with no pause longer than `GAP_NS`, not usual for this stream (placebo windows). Told apart:
throttled (429: too many calls of one's own), failing (5xx: its fault), not reachable (network
errors; the way there may be at fault). It is a qualifier where most failing calls of the same time
go to other hosts, one's own among them, or other names were not found either: then the way out is
broken.

False positives: a webhook that always fails and throttling now and then (usual: silent), access
lines of one's own server (it is not called there), own names with a dot in them, a few jobs that
tried again as they should (silent, or possible at most).

Reference: RFC 6585 (429), RFC 9110 section 10.2.3 (Retry-After).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.bursts import BIN_NS, Placebo, clusters, placebo, without_routine
from timeline.facts.failures import victims_of
from timeline.facts.outside import (
    FAILING,
    THROTTLED,
    UNREACHABLE,
    calls_elsewhere,
    failing_calls,
)
from timeline.facts.rates import MINUTE_NS
from timeline.facts.sight import heard, read_until
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_ERRORS = 5
"""Single failures of somebody else's service are what retries are for: so many pieces of work must
have met one, however often each tried."""
FEW_PIECES = 2 * MIN_ERRORS
"""Where fewer pieces of work than this met it, some of them again and again, the number of calls
says little: the tries of one piece are not independent of each other."""
GAP_NS = 60_000_000_000
"""Clients of an ailing service call it again within a minute; farther apart, calls get through."""
DENSE_PER_MINUTE = 5
"""Failures that fill all that was read are an outage from this rate on; fewer may be its usual."""
OTHERS_SHARE = 0.5
"""From this share of failing calls to other hosts on, the common way out is the likelier fault."""
STANDS_OUT = 3
"""Times as many as in any other window of the same length, and as the rate of all the rest."""
MAX_STEPS = 5
MAX_FINDINGS = 3


@dataclass(frozen=True, kw_only=True)
class ThirdParty(Finding):
    """Failed calls to one outside host. Times are ns UTC, `retry_after` seconds.

    `how` is what most of them met. `statuses` are (status, count), the commonest first; calls
    without an answer have the status "". `others` failing calls of the same time went elsewhere.
    """

    term: ClassVar[str] = "third-party"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Obey Retry-After, give each outside host a circuit breaker and a budget of calls, and let "
        "work that needs it wait in a queue of its own."
    )

    host: str
    how: str
    errors: int
    services: tuple[str, ...]
    statuses: tuple[tuple[str, int], ...]
    retry_after: int | None
    others: int
    control_windows: int
    highest_control: int

    def sentence(self) -> str:
        answers = [f"{count} × {status}" for status, count in self.statuses if status]
        silent = sum(count for status, count in self.statuses if not status)
        answers += [f"{counted(silent, 'call')} without a usable answer"] if silent else []
        told = (
            f"{capital(counted(self.errors, 'call'))} of {listed(self.services)} to {self.host} "
            f"{self._verb()} from {instant(self.began)} to {instant(self.ended)} "
            f"({listed(answers)})"
        )
        if self.retry_after is not None:
            told += f"; it asked to wait {length(self.retry_after * 1_000_000_000)}"
        if self.others:
            told += f"; {counted(self.others, 'failing call')} of the same time went elsewhere"
        return f"{told}."

    def clause(self) -> str:
        return f"{counted(self.errors, 'call')} to {self.host} {self._verb()}"

    def _verb(self) -> str:
        return {
            THROTTLED: "were throttled",
            FAILING: "failed",
            UNREACHABLE: "got no answer",
        }[self.how]


class ThirdPartyDetector:
    """Finds outside hosts that refused or failed calls; see the module."""

    term: ClassVar[str] = ThirdParty.term
    speaks_early: ClassVar[bool] = True

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG) and not heard(incident, Lane.QUEUE):
            return NotEvaluated(self.term, "logs of the services that call out")
        calls = failing_calls(incident)
        if calls.height < MIN_ERRORS:
            return []
        # The host decides what is one template here, whatever wording its clients use.
        by_host = calls.with_columns(fragment=pl.col("how"), peer=pl.col("host"))
        unusual = without_routine(incident, by_host)
        found = []
        for _, part in unusual.group_by(["host"], maintain_order=True):
            for burst in clusters(part.sort("timestamp", "row"), GAP_NS, MIN_ERRORS):
                finding = _judge(incident, burst, part.get_column("timestamp").sort(), calls)
                found += [finding] if finding is not None else []
        found.sort(key=lambda one: (one.qualifier, -one.errors, one.began, one.host))
        return found[:MAX_FINDINGS]


def _judge(
    incident: Incident, burst: pl.DataFrame, stamps: pl.Series, calls: pl.DataFrame
) -> ThirdParty | None:
    first, last, host = burst["timestamp"][0], burst["timestamp"][-1], str(burst["host"][0])
    sources = burst.get_column("source").unique()
    mildest = min(burst.get_column("severity_number").to_list())
    control = placebo(incident, stamps, sources, first, last, mildest)
    if not _stands_out(incident, burst, stamps, control):
        return None
    victims = victims_of(incident, burst.select("row", "timestamp", "source", "actor"))
    nameless = burst.height - victims.get_column("row").n_unique()
    pieces = victims.get_column("key").n_unique() + nameless
    if pieces < MIN_ERRORS:
        return None
    others, unknown_names = calls_elsewhere(incident, calls, host, first, last)
    how = _commonest(burst, "how")[0][0]
    waits = burst.get_column("retry_after").drop_nulls().to_list()
    services = sorted({name for name in burst["actor"].to_list() if name} or set(sources))
    broken_way = others >= OTHERS_SHARE * (others + burst.height)
    broken_way |= how == UNREACHABLE and unknown_names > 0
    verdict, weakest_link = _verdict(burst, control, how, pieces)
    return ThirdParty(
        verdict=verdict,
        weakest_link=weakest_link,
        began=first,
        ended=last,
        steps=_steps(incident, burst, how),
        keys=tuple(sorted(set(victims.get_column("key").to_list()))),
        would_decide=(f"Look at the status page of {host}, and call it once from elsewhere.",),
        alternatives=_alternatives(how, broken_way),
        next_action=_next(host, how, max(waits, default=None)),
        qualifier=broken_way,
        host=host,
        how=how,
        errors=burst.height,
        services=tuple(services),
        statuses=tuple(_commonest(burst, "status")),
        retry_after=max(waits, default=None),
        others=others,
        control_windows=control.windows,
        highest_control=control.highest,
    )


def _stands_out(
    incident: Incident, burst: pl.DataFrame, stamps: pl.Series, control: Placebo
) -> bool:
    """Whether it fails far more often than in every other window, and than in all of the rest.

    Calls that fail now and then come in clusters by chance; the cluster was picked, so twice the
    highest of the other windows is not enough.
    """
    first, last = int(burst["timestamp"][0]), int(burst["timestamp"][-1])
    if not control.windows:  # it fills what was read
        return burst.height * MINUTE_NS >= DENSE_PER_MINUTE * (last - first)
    span = max(last - first, BIN_NS)
    rest = max(read_until(incident) - incident.window.start - span, 1)
    others = stamps.len() - burst.height
    return burst.height >= STANDS_OUT * control.highest and (
        burst.height * rest >= STANDS_OUT * others * span
    )


def _commonest(burst: pl.DataFrame, column: str) -> list[tuple[str, int]]:
    counts = burst.group_by(column).agg(n=pl.len()).sort(["n", column], descending=[True, False])
    return [(str(name), int(count)) for name, count in counts.iter_rows()]


def _verdict(burst: pl.DataFrame, control: Placebo, how: str, pieces: int) -> tuple[Verdict, str]:
    """That it refused or failed: its own answers are its word, a call without one is not."""
    if pieces < min(FEW_PIECES, burst.height):
        return Verdict.POSSIBLE, (
            f"only {pieces} pieces of work met it, and tried again: that is what retries are for"
        )
    if how == UNREACHABLE:
        return Verdict.LIKELY, "the calls had no answer; the way there may be at fault as well"
    words = f"its own answers, against at most {control.highest} in {control.windows} other windows"
    if control.rank_one(burst.height) or (control.windows and not control.highest):
        return Verdict.CERTAIN, words
    return Verdict.LIKELY, f"{words}: too few to tell whether that is unusual"


def _alternatives(how: str, broken_way: bool) -> tuple[str, ...]:
    found = ["the common way out of the own network is broken"] if broken_way else []
    if how == THROTTLED:
        found.append("the own calls grew: retries, a batch, a loop")
    return tuple(found)


def _next(host: str, how: str, wait: int | None) -> str:
    if how == THROTTLED:
        pause = f" for {length(wait * 1_000_000_000)}" if wait else ""
        return f"Hold back what calls {host}{pause}, then let it go slower than before."
    return f"Hold back what calls {host} until one call by hand succeeds; nothing here to repair."


def _steps(incident: Incident, burst: pl.DataFrame, how: str) -> tuple[Step, ...]:
    """The first failing call of every service, then the last."""
    firsts = burst.unique("actor", keep="first", maintain_order=True).head(MAX_STEPS - 1)
    rows = list(dict.fromkeys([*firsts["row"].to_list(), burst["row"][-1]]))
    steps: list[Step] = []
    for number, event in enumerate(incident.snapshot.events_at(rows)):
        last = number == len(rows) - 1 and number > 0
        role = "last failure" if last else "first failure" if not steps else "also failing"
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, f"a call to {burst['host'][0]} was {how}", order))
    return tuple(steps)
