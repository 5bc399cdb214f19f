"""change-before: something was changed shortly before the errors began.

Story: checkout 412 goes live at 02:21, the first errors come at 02:24. In most outages something
was changed before (Google's SRE book says about 70 %); but where deploys are frequent one always
stands near, so the base rate is printed with it.

Predicate: a deploy, configuration change, migration, scaling, restart, note of an act or row
written by hand, not later than the onset and at most an hour before. It colours other findings
unless it names a service that fails and is no mere commit. Proved guilty is a change whose started
instances fail while the others of the same service do not (Fisher's exact test, p < 0.01): a class
of its own. With too few instances for that figure it is possible, if the parting is clean.

False positives: continuous deployment (the base rate), changes of other services and commits
(qualifiers), failing instances that were not changed (the change stays innocent), restarts that
the trouble caused (they come after the onset).

Reference: Google SRE Workbook, results of postmortem analysis (binary push 37 %, configuration push
31 % of triggers); Fisher (1935), exact test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.detectors.change_findings import (
    Base,
    ChangeBefore,
    GuiltyChange,
    base_of,
)
from timeline.detectors.new_since_change import new_since_change
from timeline.detectors.stale_build import stale_build
from timeline.detectors.step_since_change import step_since_change
from timeline.detectors.turned_release import turned_release
from timeline.event import Event, Lane
from timeline.facts.boots import Boot, boots_of, searched_from, start_unseen
from timeline.facts.changes_seen import Change, What, changes_in, is_about, settled
from timeline.facts.instances import ROLLOUT_NS, SURE, Instance, chance_of, instances_of
from timeline.facts.raised_errors import raised_after
from timeline.facts.rates import about
from timeline.facts.sight import heard, read_until
from timeline.facts.words import listed
from timeline.finding import Finding, NotEvaluated, Step
from timeline.onset import first_unusual, onset_of
from timeline.order import Order, Verdict, at_least, before
from timeline.templates import service_of

if TYPE_CHECKING:
    from typing import ClassVar

    from timeline.incident import Incident

MINUTE_NS = 60_000_000_000
LOOK_BACK_NS = 60 * MINUTE_NS
"""Changes that are older explain little (detector catalogue, D29)."""
STARTS_BACK_NS = 10 * MINUTE_NS
"""Starts of instances are looked for this long before the onset, or since the change."""
SHORTLY_NS = 10 * MINUTE_NS
"""Within this a change of a failing service is likely to matter; later ones possibly."""
RARE = 0.15
"""Up to this share a coincidence is likely to be none: a change stands behind more than half of
all outages (reference), and an innocent one would stand as near in so few others."""
COMMON = 0.3
"""Where so many instants have a change as shortly before them, one more says nothing."""
QUIET_NS = 10 * MINUTE_NS
MANY_ERRORS = 10
"""So many errors after so long without any have a beginning."""
AFTER_NS = 5 * MINUTE_NS
"""After the onset: who fails in it."""
LONE = 1
"""Errors of a service that begin nothing."""
MIN_SHARE = 0.1
"""Of the failures of the service that fails most: who has fewer merely suffers."""
NO_RECORD = "that it was done is a person's word"
"""Where only a note tells of a change; it is never more than likely."""
MAX_FINDINGS = 3
MAX_INSTANCES_SHOWN = 4


class ChangeBeforeDetector:
    """Finds what was changed before the errors; see the module."""

    term: ClassVar[str] = ChangeBefore.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        told = self._recorded(incident)
        known = () if isinstance(told, NotEvaluated) else told
        turned = turned_release(incident, known)
        return [*turned, *known] if turned else told

    def _recorded(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        sources = (*heard(incident, Lane.CHANGE), *heard(incident, Lane.NOTE))
        changes = changes_in(incident)
        new = [*new_since_change(incident, changes), *step_since_change(incident, changes)]
        onset = _onset(incident)
        failing = () if onset is None else _failing_services(incident, onset)
        own = _own_onset(incident, changes, failing, onset)
        if own is not None:
            onset, failing = own
        if onset is None:
            stale = stale_build(incident, changes)
            found = [*new, stale] if stale else new
            return found if found or sources else _needs()
        begun = searched_from(incident, _starts_from(changes, failing, onset), onset + 1)
        boots = boots_of(incident, failing, begun, onset + 1)
        if not sources and not changes and not boots and not new:
            return _needs()
        case = _Case(incident, onset, failing, boots, begun, changes)
        told = {one.began for one in new}  # what coincides is told once, by what is new since
        return [*(f for f in _findings(case) if not (f.qualifier and f.began in told)), *new]


def _onset(incident: Incident) -> int | None:
    """When the errors began: the first bucket that stands out, else the first error of many that
    end a long quiet. A slow beginning stands out in no bucket."""
    onset = onset_of(incident, ())
    stamps = incident.failures.get_column("timestamp")
    if onset is not None or stamps.len() < MANY_ERRORS:
        return onset
    quiet = (stamps.diff().fill_null(stamps[0] - incident.window.start) >= QUIET_NS).arg_true()
    if not quiet.len() or stamps.len() - int(quiet[-1]) < MANY_ERRORS:
        return None
    return int(stamps[int(quiet[-1])])


def _own_onset(
    incident: Incident, changes: Sequence[Change], failing: Sequence[str], onset: int | None
) -> tuple[int, tuple[str, ...]] | None:
    """(onset, (service,)) of the first service that fails more than ever after its own change.

    Everybody's errors may have risen before, for a reason of their own, or nobody's may stand out.
    Only where no change of a failing service stands before that rise is one judged by the errors of
    its service alone.
    """
    aimed = [one for one in changes if one.what is not What.COMMIT and not one.failed]
    if onset is not None and any(
        0 <= onset - one.timestamp <= LOOK_BACK_NS and is_about(one, failing) for one in aimed
    ):
        return None
    failures = incident.failures.with_columns(service=service_of(pl.col("actor")))
    by_service = failures.filter(pl.col("service") != "").sort("service", "timestamp")
    stamps = {
        str(name): part.get_column("timestamp")
        for (name,), part in by_service.group_by("service", maintain_order=True)
    }
    found = []
    for one in aimed:
        service = is_about(one, list(stamps))
        own = _risen(incident, stamps[service], one.timestamp) if service else None
        if own is not None and 0 <= own - one.timestamp <= SHORTLY_NS:
            found.append((own, (service,)))
    return min(found, default=None)


def _risen(incident: Incident, stamps: pl.Series, changed: int) -> int | None:
    """When (ns) the errors at `stamps` began to stand out, in a moment or against all the time
    before the change."""
    sudden = first_unusual(incident, stamps)
    many = sudden is not None and stamps.is_between(sudden, sudden + AFTER_NS).sum() >= MANY_ERRORS
    if sudden is not None and sudden >= changed and many:
        return sudden
    until = min(changed + SHORTLY_NS, read_until(incident))
    slow = raised_after(stamps, incident.window.start, changed, until)
    return slow.first if slow else None


def _starts_from(changes: Sequence[Change], failing: Sequence[str], onset: int) -> int:
    """From when on starts are looked for: since the latest change of a service that fails."""
    stamps = [
        one.timestamp
        for one in changes
        if 0 <= onset - one.timestamp <= LOOK_BACK_NS and is_about(one, failing)
    ]
    return min(max(stamps, default=onset) - ROLLOUT_NS, onset - STARTS_BACK_NS)


def _needs() -> NotEvaluated:
    return NotEvaluated(ChangeBefore.term, "deployments, configuration changes or notes")


@dataclass(frozen=True, slots=True)
class _Case:
    """What all candidates are judged by; starts are known from `boots_from` on (ns)."""

    incident: Incident
    onset: int
    failing: tuple[str, ...]
    boots: tuple[Boot, ...]
    boots_from: int
    changes: tuple[Change, ...]

    def onset_event(self) -> Event:
        failures = self.incident.failures.filter(pl.col("timestamp") == self.onset)
        return self.incident.snapshot.event(failures["row"][0])


def _failing_services(incident: Incident, onset: int) -> tuple[str, ...]:
    """Services with the failures after the onset, most first."""
    failures = incident.failures.filter(
        pl.col("timestamp").is_between(onset, onset + AFTER_NS) & (pl.col("actor") != "")
    )
    counts = (
        failures.group_by(service=service_of(pl.col("actor")))
        .agg(n=pl.len())
        .filter(pl.col("n") >= MIN_SHARE * pl.col("n").max())
        .sort(["n", "service"], descending=[True, False])
    )
    return tuple(counts.get_column("service").to_list())


def _findings(case: _Case) -> list[Finding]:
    before_it = [one for one in case.changes if 0 <= case.onset - one.timestamp <= LOOK_BACK_NS]
    near = [one for one in settled(before_it) if not one.failed]
    named = [(one, is_about(one, case.failing)) for one in near]
    guilty = _guilty(case, named)
    found: list[Finding] = [*guilty]
    told = {one.change_row for one in guilty}
    aimed = [(one, of) for one, of in named if of and one.what is not What.COMMIT]
    others = [(one, "") for one, _ in named if one.row not in {one.row for one, _ in aimed}]
    innocent = [pair for pair in reversed(aimed) if pair[0].row not in told]
    if not guilty and not innocent:
        innocent = others[-1:]
    judged = [_coincidence(case, one, of) for one, of in innocent]
    found += [one for one in judged if one is not None]
    stale = stale_build(case.incident, case.changes)
    found += [stale] if stale else []
    return found[:MAX_FINDINGS]


def _guilty(case: _Case, named: Sequence[tuple[Change, str]]) -> list[GuiltyChange]:
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
    case: _Case,
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
        steps=_steps(case, change, shown),
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


def _unseen(case: _Case, service: str, change: Change | None, starts: Sequence[Boot]) -> str:
    """Why one of those that seem unchanged may have started as well; empty if it cannot."""
    since = change.timestamp if change else starts[0].timestamp
    lines = case.incident.snapshot.events.lazy().filter(pl.col("lane") == Lane.LOG.value)
    names = lines.select(pl.col("actor").unique().cast(pl.String)).drop_nulls().collect()
    own = names.filter(service_of(pl.col("actor")) == service).get_column("actor").to_list()
    return start_unseen(case.incident, own, since, case.onset)


def _steps(case: _Case, change: Change | None, boots: Sequence[Boot]) -> tuple[Step, ...]:
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


def _coincidence(case: _Case, change: Change, service: str) -> ChangeBefore | None:
    """That the change came before the onset; None when the records say the opposite."""
    steps = _steps(case, change, ())
    order = steps[-1].order
    if order is None or order.verdict is None:
        return None
    gap = case.onset - change.timestamp
    base = base_of(case.incident, case.changes, gap)
    verdict, link = _verdict(case, change, service, order, gap, base)
    link = f"{link}; {NO_RECORD}" if change.noted else link
    commit = change.what is What.COMMIT
    return ChangeBefore(
        verdict=verdict,
        weakest_link=link,
        began=change.timestamp,
        ended=case.onset,
        steps=steps,
        would_decide=(_decide(change, service),),
        alternatives=("the change is innocent and something else happened after it",),
        next_action=_next(change, service),
        qualifier=not service or commit or base.share > COMMON,
        what=change.what.value,
        body=change.body,
        service=service,
        version=change.version,
        who=change.who,
        onset=case.onset,
        gap=gap,
        base=base,
        noted=change.noted,
    )


def _verdict(
    case: _Case, change: Change, service: str, order: Order, gap: int, base: Base
) -> tuple[Verdict, str]:
    if not service:
        return Verdict.POSSIBLE, "it names no service that fails"
    if change.what is What.COMMIT:
        return Verdict.POSSIBLE, "a commit is no deployment: when it went live is not known"
    if not at_least(order.verdict or Verdict.POSSIBLE, Verdict.LIKELY):
        return Verdict.POSSIBLE, f"which came first is undecided: {order.because}"
    if gap > SHORTLY_NS:
        return Verdict.POSSIBLE, f"it was {about(gap)} before the first error"
    if _errors_of(case, service) <= LONE:
        return Verdict.POSSIBLE, f"{service} itself had one error only after it"
    if base.share > RARE:
        return Verdict.POSSIBLE, f"a change stands as near in {base.share:.0%} of the time here"
    return Verdict.LIKELY, "it coincides; that it is the cause would need instances without it"


def _errors_of(case: _Case, service: str) -> int:
    """How many errors the service had from the onset on."""
    later = case.incident.failures.filter(pl.col("timestamp") >= case.onset)
    return int((later.select(service_of(pl.col("actor"))).to_series() == service).sum())


def _decide(change: Change, service: str) -> str:
    if change.what is What.DEPLOY:
        return f"Compare instances of {service or 'the service'} with and without the change."
    return "Ask whoever made the change what it touches."


def _next(change: Change, service: str) -> str:
    if not service or change.what is What.COMMIT:
        return ""
    whom = f" Ask {change.who}." if change.who else ""
    if change.what is What.RESTART:  # which nobody can take back
        return f"Find out why {service} was restarted, and what came up.{whom}"
    return f"Check whether the {change.what.value} of {service} can be taken back.{whom}"
