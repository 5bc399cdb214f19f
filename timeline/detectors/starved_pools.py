"""connections-exhausted, as the gauges of pools tell it: calls waited for a connection for minutes.

Story: the handler turns the pool's exception into a 503 and logs nothing. Only the scraped gauges
know that every connection of the pool was in use and that ever more calls waited for one.

Predicate: the gauge of waiting calls of one pool stands above zero at three looks in a row and
more, which it does not as a rule. Likely where the gauges of the same pool say that as many
connections were in use as there may be; possible where only the waiting is told.

False positives: a blip at one or two looks, pools with a queue by design (silent). A full pool for
which nobody waits is a pool that is sized well (silent).

Reference: brettwooldridge/HikariCP#1111; `timeline.detectors.connections_exhausted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.pool_gauges import FullPool, full_pools
from timeline.facts.words import counted, instant, length, listed
from timeline.finding import Finding, Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident

ONE_STORY_NS = 60_000_000_000
"""Pools that were starved within a minute of each other are told together."""


@dataclass(frozen=True, kw_only=True)
class StarvedPools(Finding):
    """Pools for which calls waited in one stretch, the first to starve first."""

    term: ClassVar[str] = "connections-exhausted"
    remedy: ClassVar[str] = (
        "Find who holds connections for long and give every statement a time-out; size pools to "
        "what the server can serve, not larger."
    )

    pools: tuple[FullPool, ...]

    def sentence(self) -> str:
        worst = max(self.pools, key=lambda pool: pool.waiting)
        told = (
            f"Calls waited for a connection of {self._names} from {instant(self.began)} to "
            f"{instant(self.ended)} ({length(self.ended - self.began)}), up to "
            f"{counted(round(worst.waiting), 'call')} at once"
        )
        if worst.in_use is not None and worst.most is not None:
            told += f"; {worst.in_use:g} of {worst.most:g} connections were in use"
        return f"{told}."

    def clause(self) -> str:
        return f"calls waited for a connection of {self._names}"

    @property
    def _names(self) -> str:
        return listed([pool.pool or "a pool" for pool in self.pools], 2)


def starved_pools(incident: Incident) -> list[StarvedPools]:
    """One finding for each stretch and grade."""
    groups: list[list[FullPool]] = []
    for pool in full_pools(incident):
        same = next((group for group in groups if _one_story(group, pool)), None)
        if same is None:
            groups.append([pool])
        else:
            same.append(pool)
    return [_finding(incident, group) for group in groups]


def beside(gauges: Sequence[StarvedPools], found: Sequence[Finding]) -> list[StarvedPools]:
    """Those of `gauges` of whose stretch none of `found` tells."""
    return [
        one
        for one in gauges
        if not any(
            one.began <= other.ended + ONE_STORY_NS and other.began <= one.ended + ONE_STORY_NS
            for other in found
        )
    ]


def _one_story(group: Sequence[FullPool], pool: FullPool) -> bool:
    return group[0].full == pool.full and pool.began - group[0].began <= ONE_STORY_NS


def _finding(incident: Incident, pools: Sequence[FullPool]) -> StarvedPools:
    full = pools[0].full
    names = listed([pool.pool or "the pool" for pool in pools], 3)
    return StarvedPools(
        verdict=Verdict.LIKELY if full else Verdict.POSSIBLE,
        weakest_link=(
            "a gauge tells of the looks, not of what was between them"
            if full
            else "that calls waited is told; that all connections were in use is not"
        ),
        began=min(pool.began for pool in pools),
        ended=max(pool.until for pool in pools),
        steps=_steps(incident, pools[0]),
        keys=(),
        would_decide=("Look at what the holders of the connections did at that time.",),
        alternatives=("connections that are never given back", "a pool smaller than the load"),
        next_action=f"Find out what held the connections of {names}.",
        pools=tuple(pools),
    )


def _steps(incident: Incident, pool: FullPool) -> tuple[Step, ...]:
    told = [(pool.row, "calls wait", "the gauge of waiting calls rises above zero")]
    if pool.in_use_row is not None:
        told.append((pool.in_use_row, "in use", "what the same pool had given out"))
    events = incident.snapshot.events_at([row for row, _, _ in told])
    pairs = sorted(zip(events, told, strict=True), key=lambda pair: pair[0].timestamp)
    return tuple(Step(role, event, why) for event, (_, role, why) in pairs)
