"""Line one and line two: what most likely happened, and what to do next.

Line one is put together from the clauses of the findings in reading order; it never claims more
than they do. A finding that is only possible says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.analysis import Condition, State
from timeline.facts.words import capital, counted, instant
from timeline.finding import Finding, Stage
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

WIDTH = 140
"""Characters of line one; clauses that do not fit are left to the list of findings."""

UNEXPLAINED = "no known pattern explains it"
SILENCE = {
    Condition.FAILING: f"Still failing; {UNEXPLAINED}",
    Condition.RECOVERED: f"Recovered; {UNEXPLAINED}",
    Condition.QUIET: "Nothing stands out in what was read",
    Condition.UNKNOWN: "Unknown whether it still fails: nothing that would tell was read up to now",
}
"""What is said without findings."""


def headline_of(incident: Incident, state: State, findings: Sequence[Finding]) -> str:
    """One line of about `WIDTH` characters: the strongest clauses, then the rate of new victims.

    Empty while sources are being read and there is nothing to tell yet.
    """
    if not incident.snapshot.events.height and not incident.reading:
        return "Nothing was read for this window."
    told = [_clause(finding) for finding in _in_turn(findings)]
    if not told:
        told = [_so_far(incident) if incident.reading else _silence(state, findings)]
    rate = _rate(state)
    line = told[0]
    for clause in told[1:]:
        longer = f"{line} {clause}"
        if len(longer) + len(rate) + 1 <= WIDTH:
            line = longer
    return f"{line} {rate}".strip()


def _in_turn(findings: Sequence[Finding]) -> list[Finding]:
    """The first in reading order, then what is surer before what is less so; no qualifiers."""
    story = [finding for finding in findings if not finding.qualifier]
    return [*story[:1], *sorted(story[1:], key=lambda one: list(Verdict).index(one.verdict))]


def next_action_of(findings: Sequence[Finding]) -> str:
    """What to do next: the first finding that names keys to act on, else its general remedy.

    The trigger is over when it is read; what it left open decides the next step, so findings
    further down the chain that name an action go first.
    """
    acting = [finding for finding in findings if finding.next_action and not finding.qualifier]
    if acting:
        return min(acting, key=_urgency).next_action
    first = next((finding for finding in findings if not finding.qualifier), None)
    return first.remedy if first else ""


def _urgency(finding: Finding) -> tuple[int, int]:
    over = finding.stage in (Stage.TRIGGER, Stage.SIGHT)
    return int(over), -len(finding.keys)


def _clause(finding: Finding) -> str:
    words = finding.clause().rstrip(".")
    if finding.verdict is Verdict.POSSIBLE and "possib" not in words and "unknown" not in words:
        words = f"possibly: {words}"
    return f"{capital(words)}."


def _so_far(incident: Incident) -> str:
    """That there are errors, and no word on what they mean; empty while there are none."""
    failures = incident.failures
    if failures.is_empty():
        return ""
    return f"Errors from {instant(failures['timestamp'][0])} on, as far as was read."


def _silence(state: State, findings: Sequence[Finding]) -> str:
    words = SILENCE[state.condition]
    if state.condition is Condition.RECOVERED and not state.victims:
        words = SILENCE[Condition.QUIET]  # errors that hurt nobody in particular
    beside = (one for one in findings if one.qualifier and one.stage is not Stage.SIGHT)
    if routine := next(beside, None):
        words = words.replace(UNEXPLAINED, f"seen beside it: {routine.clause().rstrip('.')}")
    if state.since is None:
        return f"{words}."
    since = f"{'last error' if state.condition is Condition.RECOVERED else 'since'}"
    victims = f", {counted(state.distinct_keys, 'key')} affected" if state.victims else ""
    return f"{words} ({since} {instant(state.since)}{victims})."


def _rate(state: State) -> str:
    if state.condition in (Condition.UNKNOWN, Condition.QUIET):
        return ""
    return f"{state.new_per_minute:g} new/min."
