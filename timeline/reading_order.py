"""The order in which findings are read: trigger, propagation, effect; qualifiers last.

Merges what tells the same story twice. It changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.finding import Finding

SAME_STORY = 0.5
"""Findings of one term that share at least this part of the smaller one's evidence are one."""
CAUSE_RANK = {"network-hiccup": 0, "blind-spot": 3}
"""Terms that trigger others come first, and a blind spot explains what is missing last; all
other terms stand in between in the order of time."""
MIDDLE = 1

_VERDICTS = list(Verdict)


def in_reading_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """`findings` without repetitions, chain by chain; the chain that holds a trigger first."""
    kept = _without_repetitions(findings)
    chains = _chains([finding for finding in kept if not finding.qualifier])
    ordered = [f for chain in sorted(chains, key=_chain_key) for f in sorted(chain, key=_step_key)]
    qualifiers = sorted((f for f in kept if f.qualifier), key=_step_key)
    return (*ordered, *qualifiers)


def _without_repetitions(findings: Iterable[Finding]) -> list[Finding]:
    """Of findings that tell one story the one with the most evidence, the stronger at a tie."""
    ranked = sorted(
        findings,
        key=lambda f: (-len(_evidence(f)), _VERDICTS.index(f.verdict), f.began, f.sentence()),
    )
    kept: list[Finding] = []
    for finding in ranked:
        if not any(_same_story(finding, other) for other in kept):
            kept.append(finding)
    return kept


def _same_story(one: Finding, other: Finding) -> bool:
    if one.term != other.term:
        return False
    mine, theirs = _evidence(one), _evidence(other)
    if not mine or not theirs:
        return one == other
    return len(mine & theirs) >= SAME_STORY * min(len(mine), len(theirs))


def _evidence(finding: Finding) -> frozenset[str]:
    return frozenset(step.event.id for step in finding.steps)


def _chains(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Groups of findings connected by shared evidence or affected keys."""
    chains: list[tuple[set[str], list[Finding]]] = []
    for finding in findings:
        marks = set(_evidence(finding)) | set(finding.keys)
        touching = [chain for chain in chains if chain[0] & marks]
        merged = ([finding], marks)
        for chain in touching:
            merged[0].extend(chain[1])
            merged[1].update(chain[0])
        chains = [chain for chain in chains if chain not in touching]
        chains.append((merged[1], merged[0]))
    return [members for _, members in chains]


def _chain_key(chain: list[Finding]) -> tuple[int, int, int, str]:
    head = min(chain, key=_step_key)
    strongest = min(_VERDICTS.index(finding.verdict) for finding in chain)
    return (CAUSE_RANK.get(head.term, MIDDLE), strongest, head.began, head.term)


def _step_key(finding: Finding) -> tuple[int, int, int, str]:
    return (
        CAUSE_RANK.get(finding.term, MIDDLE),
        finding.began,
        _VERDICTS.index(finding.verdict),
        finding.term,
    )
