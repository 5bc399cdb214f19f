"""From an incident to what the first two lines say: state, onset, findings, what is common.

`analyse` runs every detector it is given and never fails because one of them did: a detector
that breaks is reported as not evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from timeline.coverage import Coverage
from timeline.finding import Detector, Finding, NotEvaluated
from timeline.incident import Incident

if TYPE_CHECKING:
    from timeline.reading_order import Chain


class Condition(StrEnum):
    """Whether it still hurts."""

    FAILING = "still failing"
    RECOVERED = "recovered"
    QUIET = "quiet"
    """No error in the window at all."""
    UNKNOWN = "unknown"
    """The sources that would tell could not be read up to now."""


@dataclass(frozen=True, slots=True)
class State:
    """Above all findings: still failing or recovered, since when, how many victims.

    Times are ns UTC or None when not known. `new_per_minute` counts distinct victims in the last
    minutes that the sources cover; `victims` are distinct joinable keys with an error.
    """

    condition: Condition
    since: int | None
    new_per_minute: float
    victims: tuple[str, ...]
    seen_until: int
    """How far the error-bearing sources reach, ns UTC; the claim ends there."""

    @property
    def distinct_keys(self) -> int:
        return len(self.victims)


@dataclass(frozen=True, slots=True)
class CommonTrait:
    """Something the victims share and others do not: `actor=worker-3`, 38 of 41 against 12 %."""

    trait: str
    value: str
    victims_with: int
    victims: int
    others_share: float
    """Share of the non-failing events with the same trait, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is said above the timeline. Findings stand in reading order: the trigger first."""

    state: State
    onset: int | None
    """When it began, ns UTC; None when nothing stands out."""
    findings: tuple[Finding, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    common: tuple[CommonTrait, ...]
    blind: tuple[Coverage, ...]
    """Everything that could not be seen, widest first; of a source that is still being read, its
    progress tells."""
    headline: str
    """Line one: state and what most likely happened, at most about 140 characters."""
    next_action: str
    """Line two: what to do next."""
    chains: tuple[Chain, ...] = ()
    """The findings that are no qualifiers, as stories: those that share evidence or keys."""
    looked_for: tuple[str, ...] = ()
    """Terms that were evaluated and found nothing: ruled out as far as the sources could see."""


def analyse(incident: Incident, detectors: Sequence[Detector]) -> Analysis:
    """Run `detectors` over `incident` and bring the result into reading order.

    While sources are still being read (`Incident.reading`) the result is provisional: only
    detectors that rest on records alone are asked, and nothing is said to be over or absent.
    """
    from timeline.asking import ask_all
    from timeline.common import what_is_common
    from timeline.headline import headline_of, next_action_of
    from timeline.onset import onset_of
    from timeline.reading_order import chains_of, in_reading_order
    from timeline.state import state_of

    answers = ask_all(incident, detectors)
    ordered = in_reading_order(answers.findings)
    onset = onset_of(incident, ordered)
    state = state_of(incident)
    weak = [c for c in incident.snapshot.coverage.blind() if c.source not in incident.reading]
    blind = sorted(weak, key=lambda c: (c.start - c.end, c.source))
    return Analysis(
        state=state,
        onset=onset,
        findings=ordered,
        not_evaluated=answers.not_evaluated,
        common=() if incident.reading else what_is_common(incident, state),
        blind=tuple(blind),
        headline=headline_of(incident, state, ordered),
        next_action=next_action_of(ordered),
        chains=chains_of(ordered),
        looked_for=answers.looked_for,
    )
