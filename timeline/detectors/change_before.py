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
from typing import TYPE_CHECKING

import polars as pl

from timeline.detectors.change_case import Case, steps_of
from timeline.detectors.change_findings import Base, ChangeBefore, base_of
from timeline.detectors.change_guilty import guilty_changes
from timeline.detectors.change_onset import (
    LOOK_BACK_NS,
    MINUTE_NS,
    SHORTLY_NS,
    errors_began,
    failing_services,
    own_onset,
)
from timeline.detectors.new_since_change import new_since_change
from timeline.detectors.stale_build import stale_build
from timeline.detectors.step_since_change import step_since_change
from timeline.detectors.turned_release import turned_release
from timeline.event import Lane
from timeline.facts.boots import boots_of, searched_from
from timeline.facts.changes_seen import Change, What, changes_in, is_about, settled
from timeline.facts.instances import ROLLOUT_NS
from timeline.facts.rates import about
from timeline.facts.sight import heard
from timeline.finding import Finding, NotEvaluated
from timeline.order import Order, Verdict, at_least
from timeline.templates import service_of

if TYPE_CHECKING:
    from typing import ClassVar

    from timeline.incident import Incident

STARTS_BACK_NS = 10 * MINUTE_NS
"""Starts of instances are looked for this long before the onset, or since the change."""
RARE = 0.15
"""Up to this share a coincidence is likely to be none: a change stands behind more than half of
all outages (reference), and an innocent one would stand as near in so few others."""
COMMON = 0.3
"""Where so many instants have a change as shortly before them, one more says nothing."""
LONE = 1
"""Errors of a service that begin nothing."""
NO_RECORD = "that it was done is a person's word"
"""Where only a note tells of a change; it is never more than likely."""
MAX_FINDINGS = 3


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
        onset = errors_began(incident)
        failing = () if onset is None else failing_services(incident, onset)
        own = own_onset(incident, changes, failing, onset)
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
        case = Case(incident, onset, failing, boots, begun, changes)
        told = {one.began for one in new}  # what coincides is told once, by what is new since
        return [*(f for f in _findings(case) if not (f.qualifier and f.began in told)), *new]


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


def _findings(case: Case) -> list[Finding]:
    before_it = [one for one in case.changes if 0 <= case.onset - one.timestamp <= LOOK_BACK_NS]
    near = [one for one in settled(before_it) if not one.failed]
    named = [(one, is_about(one, case.failing)) for one in near]
    guilty = guilty_changes(case, named)
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


def _coincidence(case: Case, change: Change, service: str) -> ChangeBefore | None:
    """That the change came before the onset; None when the records say the opposite."""
    steps = steps_of(case, change, ())
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
    case: Case, change: Change, service: str, order: Order, gap: int, base: Base
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


def _errors_of(case: Case, service: str) -> int:
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
