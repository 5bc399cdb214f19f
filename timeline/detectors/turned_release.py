"""The fourth part of change-before: a service that fails since it started in another version.

Story: search 1.9.0 asks for a column that only its migration would have made, and nobody ran it.
Every search fails from its first line on. No pipeline is read here, or it tells of a commit only;
the service itself said, as it started, which version it is.

Predicate: one instance states a version other than it stated before; of some dozens of its requests
before that all but a few went well, and of those since then at least half failed, from the first
ones on; nobody had trouble in the minute before (`timeline.facts.turned_releases`). Likely: it
coincides.

False positives: a restart in the same version, a release that fails now and then, a start amid
trouble, few requests before it (all silent); a deployment on record near it tells it already.

Reference: Google SRE Workbook, results of postmortem analysis (binary push 37 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.change_findings import TERM, ChangeBefore
from timeline.facts.turned_releases import Turned, turned_releases
from timeline.facts.words import counted, instant
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before, weakest
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

TOLD_NS = 2 * MINUTE_NS
"""A pipeline records a deployment within this of the start of what it deployed."""


@dataclass(frozen=True, kw_only=True)
class TurnedRelease(Finding):
    """One start after which the requests of its instance fail, by `turned` (ns UTC, requests)."""

    term: ClassVar[str] = TERM
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = ChangeBefore.remedy

    turned: Turned

    def sentence(self) -> str:
        one = self.turned
        return (
            f"{one.actor} started in version {one.version} at {instant(one.at)} (before it was "
            f"{one.earlier}): of {counted(one.after, 'request')} since then {one.failed} failed, "
            f"the first at {instant(one.first)}, and of {one.before} before "
            f"{one.before - one.good or 'none'}."
        )

    def clause(self) -> str:
        return f"{self.turned.actor} fails since it started in version {self.turned.version}"


def turned_release(incident: Incident, known: Sequence[Finding]) -> list[TurnedRelease]:
    """One finding for each such start that none of `known` tells of."""
    told = [one.began for one in known if not one.qualifier]
    return [
        _finding(incident, one)
        for one in turned_releases(incident)
        if not any(abs(one.at - began) <= TOLD_NS for began in told)
    ]


def _finding(incident: Incident, one: Turned) -> TurnedRelease:
    started, failed = incident.snapshot.events_at([one.row, one.first_row])
    order = before(started, failed, incident.clocks)
    return TurnedRelease(
        verdict=weakest((Verdict.LIKELY, order.verdict or Verdict.POSSIBLE)),
        weakest_link="it coincides; that it is the cause would need instances without it",
        began=one.at,
        ended=one.first,
        steps=(
            Step("start", started, f"{one.actor} says its version"),
            Step("first error", failed, "its requests begin to fail", order),
        ),
        would_decide=(f"Start one instance in {one.earlier} and compare.",),
        alternatives=("what it calls broke at the same time",),
        next_action=f"Take {one.actor} back to {one.earlier}.",
        turned=one,
    )
