"""Work that carries itself on: a message that puts itself back on its queue, hop after hop.

A hop is one message; its successor is the message it puts on the queue while it runs. Links are
read from parent ids or received-and-sent ids where somebody tells them (exact), else from a push of
the same work inside a run of it (inferred). It tells where a chain ended or forked, not why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.facts.sight import read_until
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_LINKS = 3
"""Hops with a successor before a job is taken for a baton: three in a row are a habit."""
PATIENCE = 3
"""A chain is over after so many hop periods without a hop,"""
EXACT_PATIENCE = 2
"""or after so many where ids link the hops, so that none can have been taken for another."""
MIN_PATIENCE_NS = 30 * SECOND_NS
MAX_HOPS = 1_000
"""Hops of one chain that are looked at, latest first."""
MAX_CHAINS = 20


@dataclass(frozen=True, slots=True)
class Hop:
    """One message (`id` a key, or empty) that was taken at `taken` or only pushed at `sent`, ns.

    `row` shows it; `ended` is when its run was over, None when nobody says; `run` names the run it
    is for (a date), where its arguments or line tell.
    """

    id: str
    sent: int | None
    taken: int | None
    ended: int | None
    outcome: str
    row: int
    run: str
    source: str
    actor: str

    @property
    def at(self) -> int:
        """When it was last seen to move (ns UTC)."""
        return max(at for at in (self.sent, self.taken, self.ended) if at is not None)


@dataclass(frozen=True, slots=True)
class Fork:
    """A hop with more than one successor. `deliveries` counts how often the hop was taken."""

    hop: Hop
    successors: tuple[Hop, ...]
    deliveries: int


@dataclass(frozen=True, slots=True)
class Chain:
    """One baton: its hops in time order, the median time between two (`period`, ns), its forks.

    `last` is the hop without a successor, set only when the chain is over although the window was
    read on for its patience. `exact` is whether ids link the hops.
    """

    name: str
    told_by: str
    hops: tuple[Hop, ...]
    period: int
    exact: bool
    forks: tuple[Fork, ...]
    last: Hop | None

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(sorted({hop.source for hop in self.hops}))

    @property
    def patience(self) -> int:
        """How long (ns) after its last hop the chain is over."""
        return patience_of(self.period, exact=self.exact)


def chains_in(incident: Incident) -> tuple[Chain, ...]:
    """Every baton that the queue or log lines show; configured schedules are none."""
    from timeline.facts.job_chains import job_chains
    from timeline.facts.line_chains import line_chains

    found = [*job_chains(incident), *line_chains(incident)]
    return tuple(found[:MAX_CHAINS])


def patience_of(period: int, *, exact: bool) -> int:
    """How long (ns) after its last hop a chain with such a period is over."""
    return max((EXACT_PATIENCE if exact else PATIENCE) * period, MIN_PATIENCE_NS)


def last_of(incident: Incident, hops: Sequence[Hop], patience: int) -> Hop | None:
    """The last hop when the chain is over: nothing more came although it was time."""
    last = max(hops, key=lambda hop: hop.at)
    waits = any(hop.outcome == "still queued" for hop in hops)
    if waits or last.at + patience > read_until(incident):
        return None
    return last
