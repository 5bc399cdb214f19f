"""Changes proved guilty: instances that started since fail, and the others of the service do not.

For `change-before`; see there for the predicate and its reference.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from timeline.detectors.change_case import Case, steps_of
from timeline.detectors.change_findings import GuiltyChange
from timeline.detectors.change_onset import AFTER_NS
from timeline.event import Lane
from timeline.facts.boots import Boot, start_unseen
from timeline.facts.changes_seen import Change, What
from timeline.facts.instances import ROLLOUT_NS, SURE, Instance, chance_of, instances_of
from timeline.facts.sight import read_until
from timeline.facts.words import listed
from timeline.order import Verdict
from timeline.templates import service_of


def guilty_changes(case: Case, named: Sequence[tuple[Change, str]]) -> list[GuiltyChange]:
    """The latest change of each failing service whose started instances alone fail."""
    found = []
    for service in case.failing:
        latest = [one for one, of in named if of == service and one.what is not What.COMMIT]
        starts = [boot for boot in case.boots if boot.service == service]
        change = latest[-1] if latest else None
        since = change.timestamp if change else min((b.timestamp for b in starts), default=None)
        if since is None or (change and since - ROLLOUT_NS < case.boots_from):
            continue  # without a change, or without sight of everybody who started since
        until = min(case.onset + AFTER_NS, read_until(case.incident))
        instances = instances_of(
            case.incident, service, case.boots, since, case.onset, max(until, case.onset + 1)
        )
        finding = _parted(case, service, change, starts, instances)
        found += [finding] if finding is not None else []
    return found


def _parted(
    case: Case,
    service: str,
    change: Change | None,
    starts: Sequence[Boot],
    instances: Sequence[Instance],
) -> GuiltyChange | None:
    changed = [one for one in instances if one.changed]
    spared = [one for one in instances if not one.changed]
    failing = [one for one in changed if one.fails]
    chance = chance_of(instances)
    clean = len(failing) == len(changed) and not any(one.fails for one in spared)
    if not failing or not spared:
        return None
    if chance < SURE:
        verdict = Verdict.LIKELY
        link = f"chance would part {len(instances)} instances so in {chance:.2%} of cases"
    elif clean and min(len(changed), len(spared)) > 1:
        verdict = Verdict.POSSIBLE
        link = (
            f"{len(instances)} instances are too few: chance parts them so in {chance:.0%} of cases"
        )
    else:
        return None
    unseen = _unseen(case, service, change, starts)
    if unseen:
        verdict, link = Verdict.POSSIBLE, unseen
    started = {one.name for one in failing}
    shown = [boot for boot in starts if boot.actor in started or boot.host in started]
    at = change.timestamp if change else shown[0].timestamp if shown else case.onset
    version = change.version if change else next((b.version for b in shown if b.version), "")
    return GuiltyChange(
        verdict=verdict,
        weakest_link=link,
        began=min(at, case.onset),
        ended=case.onset,
        steps=steps_of(case, change, shown),
        would_decide=(
            f"Take {listed([one.name for one in failing])} back to the version of "
            f"{listed([one.name for one in spared])} and see whether the errors stop.",
        ),
        alternatives=("what else sets the changed instances apart: their host or their zone",),
        next_action=f"Roll {service} back, or stop the rollout: "
        f"{listed([one.name for one in failing])} fail and the others do not.",
        change_row=change.row if change else -1,
        what=change.what.value if change else What.RESTART.value,
        body=change.body if change else "",
        at=at,
        service=service,
        version=version,
        onset=case.onset,
        failing=tuple(one.name for one in failing),
        changed=len(changed),
        spared=tuple(one.name for one in spared),
        spared_failing=sum(one.fails for one in spared),
        chance=chance,
        noted=change is not None and change.noted,
    )


def _unseen(case: Case, service: str, change: Change | None, starts: Sequence[Boot]) -> str:
    """Why one of those that seem unchanged may have started as well; empty if it cannot."""
    since = change.timestamp if change else starts[0].timestamp
    lines = case.incident.snapshot.events.lazy().filter(pl.col("lane") == Lane.LOG.value)
    names = lines.select(pl.col("actor").unique().cast(pl.String)).drop_nulls().collect()
    own = names.filter(service_of(pl.col("actor")) == service).get_column("actor").to_list()
    return start_unseen(case.incident, own, since, case.onset)
