"""What all changes before one onset are judged by, and the steps that a finding of them shows.

For `change-before`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Event
from timeline.facts.boots import Boot
from timeline.facts.changes_seen import Change
from timeline.finding import Step
from timeline.order import before

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_INSTANCES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Case:
    """What all candidates are judged by; starts are known from `boots_from` on (ns)."""

    incident: Incident
    onset: int
    failing: tuple[str, ...]
    boots: tuple[Boot, ...]
    boots_from: int
    changes: tuple[Change, ...]

    def onset_event(self) -> Event:
        """The first error of the onset."""
        failures = self.incident.failures.filter(pl.col("timestamp") == self.onset)
        return self.incident.snapshot.event(failures["row"][0])


def steps_of(case: Case, change: Change | None, boots: Sequence[Boot]) -> tuple[Step, ...]:
    """The change, what started since (at most `MAX_INSTANCES_SHOWN`) and the first error, each
    with its order to the step before."""
    snapshot, clocks = case.incident.snapshot, case.incident.clocks
    steps: list[Step] = []
    if change is not None:
        steps.append(Step("change", snapshot.event(change.row), f"the {change.what.value}"))
    for boot in boots[:MAX_INSTANCES_SHOWN]:
        event = snapshot.event(boot.row)
        order = before(steps[-1].event, event, clocks) if steps else None
        why = "it started" if boot.said else "its first line"
        steps.append(Step("start", event, f"{boot.actor or boot.host}: {why}", order))
    last = case.onset_event()
    order = before(steps[-1].event, last, clocks) if steps else None
    steps.append(Step("first error", last, "the errors begin", order))
    return tuple(steps)
