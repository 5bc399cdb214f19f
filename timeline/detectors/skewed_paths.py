"""The third part of deploy-skew: hosts of one service that serve the files of two builds.

Story: a rollout of the front stops between two hosts. A page from a new host names scripts with the
new build's hash, and an old host has never had them; the other way round as well. Nothing throws:
the same address is there and is not there, as the balancer has it.

Predicate: `timeline.facts.parted_paths`. Likely where each side lacks what the other has, or where
all hosts of one side and none of the other were seen to start since shortly before the change;
possible where only one side lacks anything and nobody says who was renewed.

False positives: paths that are missing everywhere, a host that has nothing at all, rows that come
and go on one host, a rollout without a word on record (all silent).

Reference: rolling-upgrade compatibility (N-1); versioned static assets must outlive their build.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.facts.builds import renewed_in
from timeline.facts.parted_paths import PartedPaths, parted_paths
from timeline.facts.words import abridged, counted, instant, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

SHORTLY_NS = 2 * 60_000_000_000
"""Pipelines note a change before or after they carry it out."""
MAX_FINDINGS = 2
MAX_KEYS = 200


@dataclass(frozen=True, kw_only=True)
class SkewedPaths(Finding):
    """Hosts of `service` on two `sides` of which each `lacks` paths that the other has; `missed`
    counts the requests that were answered with 404, `renewed` are hosts that were seen to start."""

    term: ClassVar[str] = "deploy-skew"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Keep the files of the build before where every host serves them (a bucket, a CDN) until "
        "no page names them any more, and send a visitor to one build for as long as two serve."
    )

    service: str
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    lacks: tuple[tuple[str, ...], tuple[str, ...]]
    missed: int
    renewed: tuple[str, ...]
    changed_at: int

    def sentence(self) -> str:
        (one, other), (mine, theirs) = self.sides, self.lacks
        if not mine:
            one, other, mine, theirs = other, one, theirs, mine
        back = f", and the other way round {listed(theirs, 1)}" if theirs else ""
        return abridged(
            f"{counted(self.missed, 'request')} to {self.service} met the other build from "
            f"{instant(self.began)} on, after the change at {instant(self.changed_at)}: "
            f"{listed(one, 2)} answered 404 for {listed(mine, 1)}, which {listed(other, 2)} had"
            f"{back}."
        )

    def clause(self) -> str:
        return f"hosts of {self.service} serve the files of two builds"


def skewed_paths(incident: Incident) -> list[SkewedPaths]:
    """Findings by service, strongest first."""
    found = [_finding(incident, parted) for parted in parted_paths(incident)]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return found[:MAX_FINDINGS]


def _finding(incident: Incident, parted: PartedPaths) -> SkewedPaths:
    start = parted.change.timestamp - SHORTLY_NS
    renewed = renewed_in(incident, parted.service, parted.actors, start, parted.ended)
    verdict, link = _graded(parted, frozenset(renewed))
    missed = pl.Series(parted.missed, dtype=pl.UInt32)
    keys = incident.snapshot.keys_of(missed).get_column("key")
    broad = list(incident.snapshot.broad_keys)
    hosts = listed([host for side in parted.sides for host in side], 4)
    return SkewedPaths(
        verdict=verdict,
        weakest_link=link,
        began=parted.began,
        ended=parted.ended,
        steps=_steps(incident, parted, list(renewed.values())),
        keys=tuple(keys.filter(~keys.is_in(broad)).unique().sort().head(MAX_KEYS)),
        would_decide=(f"Read on {hosts} which build is there.",),
        alternatives=("the two sides have different files for another reason: a failed copy",),
        next_action=f"Bring all hosts of {parted.service} to one build: go on with the rollout, "
        "or take it back.",
        service=parted.service,
        sides=parted.sides,
        lacks=parted.lacks,
        missed=len(parted.missed),
        renewed=tuple(sorted(renewed)),
        changed_at=parted.change.timestamp,
    )


def _graded(parted: PartedPaths, renewed: frozenset[str]) -> tuple[Verdict, str]:
    link = "that two builds serve is read from which host has which path"
    if all(parted.lacks):
        return Verdict.LIKELY, link
    one, other = (frozenset(side) for side in parted.sides)
    apart = (one <= renewed and other.isdisjoint(renewed)) or (
        other <= renewed and one.isdisjoint(renewed)
    )
    return (Verdict.LIKELY, link) if apart else (Verdict.POSSIBLE, link)


def _steps(incident: Incident, parted: PartedPaths, starts: list[int]) -> tuple[Step, ...]:
    told = {parted.change.row: ("change", f"a change of {parted.service}")}
    for row in starts[:2]:
        told.setdefault(row, ("start", "it serves a build of this time or later"))
    for row in parted.missed[:2]:
        told[row] = ("missing", "another host has this path")
    rows = sorted(told)
    events = incident.snapshot.events_at(rows)
    ordered = sorted(zip(rows, events, strict=True), key=lambda pair: (pair[1].timestamp, pair[0]))
    steps: list[Step] = []
    for row, event in ordered:
        role, why = told[row]
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
