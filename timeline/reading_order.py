"""The order in which findings are read: trigger, propagation, effect; qualifiers last.

Merges what tells the same story twice. It changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from timeline.finding import Finding, Stage
from timeline.order import Verdict, at_least

SAME_STORY = 0.5
"""Findings of one term that share at least this part of the smaller one's evidence are one."""
_VERDICTS = list(Verdict)
_STAGES = list(Stage)


@dataclass(frozen=True, slots=True)
class Chain:
    """Findings that share evidence or affected keys: one story, its trigger first."""

    findings: tuple[Finding, ...]

    @property
    def head(self) -> Finding:
        return self.findings[0]


def chains_of(findings: Iterable[Finding]) -> tuple[Chain, ...]:
    """`findings` without repetitions and qualifiers, chain by chain in reading order."""
    kept = _stepped_back(_without_repetitions(findings))
    groups = _connected([finding for finding in kept if not finding.qualifier])
    chains = [Chain(tuple(sorted(group, key=_step_key))) for group in groups]
    return tuple(sorted(chains, key=_chain_key))


def in_reading_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """`findings` without repetitions, chain by chain; qualifiers after all of them."""
    kept = _stepped_back(_without_repetitions(findings))
    qualifiers = sorted((f for f in kept if f.qualifier), key=_step_key)
    return (*(f for chain in chains_of(kept) for f in chain.findings), *qualifiers)


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


def _stepped_back(findings: Sequence[Finding]) -> list[Finding]:
    """`findings`, where mere context colours what is at least likely instead of competing."""
    explained = any(
        finding.stage not in (Stage.CONTEXT, Stage.SIGHT)
        and not finding.qualifier
        and at_least(finding.verdict, Verdict.LIKELY)
        for finding in findings
    )
    if not explained:
        return [*findings]
    return [
        replace(finding, qualifier=True) if finding.stage is Stage.CONTEXT else finding
        for finding in findings
    ]


def _same_story(one: Finding, other: Finding) -> bool:
    if one.term != other.term:
        return False
    mine, theirs = _evidence(one), _evidence(other)
    if not mine or not theirs:
        return one == other
    return len(mine & theirs) >= SAME_STORY * min(len(mine), len(theirs))


def _evidence(finding: Finding) -> frozenset[str]:
    return frozenset(step.event.id for step in finding.steps)


def _connected(findings: Sequence[Finding]) -> list[list[Finding]]:
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


def _chain_key(chain: Chain) -> tuple[bool, int, int, int, str]:
    """What is best proved first, then what starts others, then what came first."""
    head = chain.head
    strongest = min(_VERDICTS.index(finding.verdict) for finding in chain.findings)
    sight = head.stage is Stage.SIGHT
    return (sight, strongest, _STAGES.index(head.stage), head.began, head.term)


def _step_key(finding: Finding) -> tuple[int, int, int, str]:
    return (
        _STAGES.index(finding.stage),
        finding.began,
        _VERDICTS.index(finding.verdict),
        finding.term,
    )
