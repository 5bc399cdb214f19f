"""A row of deploys that all failed: what runs is older than people think.

Part of the change-before detector; a qualifier, since it says nothing of when the errors began.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.detectors.change_findings import StaleBuild
from timeline.facts.changes_seen import Change, What, settled
from timeline.facts.sight import read_until
from timeline.facts.words import counted, instant
from timeline.finding import Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

STALE_FAILURES = 2
"""Builds or deploys that failed one after the other, with none that succeeded since."""
MAX_SHOWN = 4


def stale_build(incident: Incident, changes: Sequence[Change]) -> StaleBuild | None:
    """Deploys that keep failing: what runs is older than people think."""
    until = read_until(incident)
    deploys = [
        one
        for one in settled(changes)
        if one.what in (What.DEPLOY, What.OTHER) and one.timestamp <= until
    ]
    for service in sorted({one.service for one in deploys}):
        own = [one for one in deploys if one.service == service]
        tail: list[Change] = []
        for one in reversed(own):
            if not one.failed:
                break
            tail.append(one)
        if len(tail) < STALE_FAILURES:
            continue
        good = [one.timestamp for one in own if not one.failed]
        rows = [one.row for one in reversed(tail)]
        events = incident.snapshot.events_at(rows[:MAX_SHOWN])
        steps = tuple(Step("failed", event, "a deploy that did not succeed") for event in events)
        last = f"the last that succeeded was at {instant(good[-1])}" if good else (
            "none that succeeded was read")  # fmt: skip
        return StaleBuild(
            verdict=Verdict.LIKELY if good else Verdict.POSSIBLE,
            weakest_link=f"{counted(len(tail), 'deploy')} in a row failed; {last}",
            began=tail[-1].timestamp,
            ended=tail[0].timestamp,
            steps=steps,
            next_action=f"Find out which version of {service or 'the service'} really runs.",
            qualifier=True,
            service=service,
            failures=len(tail),
            last_success=good[-1] if good else None,
        )
    return None
