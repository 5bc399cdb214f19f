"""Truths that hold a claim only of the things, and in the stretch, that an act of the world made it
true of. `Truth.also` asks for the time alone, which is too much where a claim may be about others.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.score.truth import Entity, Truth
from timeline.finding import Finding
from timeline.window import SECOND_NS

SLACK_NS = 5 * SECOND_NS
"""Twice what the worst clock of a look is off, and the time a call takes to fail."""


@dataclass(frozen=True, slots=True)
class Act:
    """What an act of the world makes true beside the fault.

    A claim of `term` is true if it lies within `[since, until]` (ns UTC), give or take `SLACK_NS`,
    and every key that it has is one of `names`. Without `names` the stretch alone decides.
    """

    term: str
    since: int
    until: int
    names: Entity = frozenset()

    def makes_true(self, finding: Finding) -> bool:
        """Whether `finding` says no more than what this act did."""
        inside = self.since - SLACK_NS <= finding.began and finding.ended <= self.until + SLACK_NS
        ours = not self.names or self.names.issuperset(finding.keys)
        return finding.term == self.term and inside and ours


@dataclass(frozen=True, slots=True)
class NarrowTruth(Truth):
    """A truth with claims that are true of certain things only."""

    acts: tuple[Act, ...] = ()

    def holds(self, finding: Finding) -> bool:
        """Whether what `finding` claims is true in this world."""
        return Truth.holds(self, finding) or any(act.makes_true(finding) for act in self.acts)


def narrowed(truth: Truth, *acts: Act) -> NarrowTruth:
    """`truth`, and beside it what `acts` made true."""
    return NarrowTruth(
        term=truth.term,
        onset=truth.onset,
        ended=truth.ended,
        entities=truth.entities,
        alternates=truth.alternates,
        also=truth.also,
        effect=truth.effect,
        acts=acts,
    )


def of_these(truth: Truth, term: str, *, since: int | None = None) -> Act:
    """`term` is true of the things that the fault hit, and of no other.

    `since` (ns UTC) is when those were made, where that was long before the onset: what is said of
    a record may be dated by its making.
    """
    names = frozenset[str]().union(*truth.entities)
    return Act(term, truth.onset if since is None else since, truth.ended, names)
