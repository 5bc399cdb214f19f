"""dns-failure by the resolver's own word, where no client says that a name was not resolved.

Clients that fall back, retry or swallow the error leave no line; the resolver does
(`timeline.facts.resolver_words`). A few unanswered queries are every night's, so the stretch must
hold far more than the rest of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.bursts import clusters
from timeline.facts.resolver_words import unanswered
from timeline.facts.sight import read_until
from timeline.facts.words import capital, counted, instant, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    import polars as pl

    from timeline.incident import Incident

GAP_NS = 60 * SECOND_NS
MIN_QUERIES = 8
"""Fewer unanswered queries are retried and forgotten."""
LONGEST = 0.75
"""Part of what was read that the stretch may fill, so that there is a rest to compare it with."""
FOLD = 4
"""How many times as many a second as in that rest."""
MAX_STEPS = 3
MAX_FINDINGS = 2


@dataclass(frozen=True, kw_only=True)
class ResolverFailing(Finding):
    """`queries` that `resolvers` say they could not answer, for `names` where they say it."""

    term: ClassVar[str] = "dns-failure"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Give the resolver several upstreams and room for its queries, and keep names in its cache "
        "for a while beyond their time when upstream is mute."
    )

    resolvers: tuple[str, ...]
    names: tuple[str, ...]
    queries: int

    def sentence(self) -> str:
        of = f" for {listed(self.names, 2)}" if self.names else ""
        return (
            f"{capital(listed(self.resolvers))} could not answer "
            f"{counted(self.queries, 'query', 'queries')}{of} from {instant(self.began)} to "
            f"{instant(self.ended)}, by its own word."
        )

    def clause(self) -> str:
        queries = counted(self.queries, "query", "queries")
        return f"{listed(self.resolvers, 1)} could not answer {queries}"


def failing_resolvers(incident: Incident) -> list[ResolverFailing]:
    """Stretches with far more unanswered queries than others of that length, the worst first."""
    lines = unanswered(incident)
    found = []
    for burst in clusters(lines, GAP_NS, MIN_QUERIES):
        if _stands_out(incident, lines, burst):
            found.append(_finding(incident, burst))
    return sorted(found, key=lambda one: (-one.queries, one.began))[:MAX_FINDINGS]


def _stands_out(incident: Incident, lines: pl.DataFrame, burst: pl.DataFrame) -> bool:
    whole = read_until(incident) - incident.window.start
    within = max(burst["timestamp"][-1] - burst["timestamp"][0], SECOND_NS)
    others = lines.height - burst.height
    if within > LONGEST * whole:
        return False
    return bool(burst.height / within >= FOLD * others / (whole - within))


def _finding(incident: Incident, burst: pl.DataFrame) -> ResolverFailing:
    named = burst.get_column("name").drop_nulls()
    often = named.value_counts(sort=True).sort(["count", "name"], descending=[True, False])
    events = incident.snapshot.events_at(burst.get_column("row").to_list()[:MAX_STEPS])
    resolvers = tuple(burst.get_column("actor").unique(maintain_order=True).to_list())
    return ResolverFailing(
        verdict=Verdict.LIKELY,
        weakest_link="no client says that it suffered from it",
        began=int(burst["timestamp"][0]),
        ended=int(burst["timestamp"][-1]),
        steps=tuple(Step("unanswered", event, "the resolver's own word") for event in events),
        would_decide=("Ask the resolver for one of these names, twice, and then its upstreams.",),
        alternatives=("names that nobody depends on",),
        next_action=f"Look at the upstreams of {listed(resolvers)}.",
        resolvers=resolvers,
        names=tuple(often.get_column("name").to_list()),
        queries=burst.height,
    )
