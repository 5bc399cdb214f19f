"""What really happened in a world, and whether a finding says so.

The only judge of a finding is here: its term, its time and its keys against the injected fault.
It knows nothing of how a detector comes to its finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from timeline.finding import Finding
from timeline.order import Verdict, at_least
from timeline.window import MINUTE_NS

EARLY_NS = MINUTE_NS
"""A finding may begin a little before the injected instant: the job that was pushed, the last line
before a silence."""
DESCRIPTIVE = frozenset({"rate-change", "novel-template"})
"""Terms that claim nothing but that lines came, stopped or were new: true beside any fault."""

Entity = frozenset[str]
"""All keys that name one affected thing: its row, its job, its request."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The injected fault. Instants are ns UTC; `ended` is when its effects were over."""

    term: str
    onset: int
    ended: int
    entities: tuple[Entity, ...] = ()
    alternates: frozenset[str] = frozenset()
    """Other terms under which a person would find the same fault."""
    also: frozenset[str] = frozenset()
    """Consequences and routine facts that are true in this world too."""
    effect: bool = True
    """Whether the injection left the mark it was meant to leave."""

    @property
    def accepted(self) -> frozenset[str]:
        return self.alternates | {self.term}

    def found_by(self, finding: Finding) -> bool:
        """Whether `finding` is the injected fault."""
        return finding.term in self.accepted and self._fits(finding)

    def holds(self, finding: Finding) -> bool:
        """Whether what `finding` claims is true in this world."""
        if finding.term in self.accepted:
            return self._fits(finding)
        return finding.term in self.also | DESCRIPTIVE and self._when(finding)

    def _fits(self, finding: Finding) -> bool:
        known = frozenset[str]().union(*self.entities)
        return self._when(finding) and (not known or not finding.keys or _meet(finding, known))

    def _when(self, finding: Finding) -> bool:
        return finding.ended >= self.onset - EARLY_NS and finding.began <= self.ended + EARLY_NS


def _meet(finding: Finding, known: frozenset[str]) -> bool:
    return not known.isdisjoint(finding.keys)


def precision(keys: Iterable[str], entities: Iterable[Entity]) -> float | None:
    """Share of `keys` that name an affected thing; None when nothing was named."""
    named = frozenset(keys)
    known = frozenset[str]().union(*entities)
    return len(named & known) / len(named) if named else None


def recall(keys: Iterable[str], entities: tuple[Entity, ...]) -> float | None:
    """Share of the affected things of which any key was named; None when nothing was affected."""
    named = frozenset(keys)
    return sum(not named.isdisjoint(e) for e in entities) / len(entities) if entities else None


def claims(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that stand for themselves: what is routine only colours others."""
    return [finding for finding in findings if not finding.qualifier]


def alarms(findings: Iterable[Finding]) -> list[Finding]:
    """The claims that a person would act on: likely or certain."""
    return [f for f in claims(findings) if at_least(f.verdict, Verdict.LIKELY)]
