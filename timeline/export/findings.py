"""State and findings for scripts and for a quick look: `halfawake findings WHERE [--json]`.

The JSON is one object with `state` and `findings`; each finding has `term`, `verdict`,
`sentence`, `evidence`, `keys`. Redacted like every export.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from timeline.export.contract import ExportOptions
from timeline.export.people import in_value, rests_on_people, words_without
from timeline.export.publish import redactor_of
from timeline.export.times import rfc3339, stated_precision
from timeline.finding import to_json

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.event import Precision
    from timeline.finding import Finding, JsonValue, Step
    from timeline.incident import Incident


def findings_json(
    incident: Incident, analysis: Analysis, options: ExportOptions | None = None
) -> str:
    """One JSON object, keys sorted, ending with a line break."""
    options = options or ExportOptions()
    redactor = redactor_of(incident, analysis, options)
    told = redactor.value(_object(incident, analysis, words_without(incident, options)))
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def findings_text(
    incident: Incident, analysis: Analysis, options: ExportOptions | None = None
) -> str:
    """The same for people: a line for the state, one a finding, then what was not looked at."""
    options = options or ExportOptions()
    redactor = redactor_of(incident, analysis, options)
    nameless = words_without(incident, options)
    lines = [f"{analysis.state.condition.value}: {analysis.headline}"]
    if analysis.next_action:
        lines.append(f"next: {nameless(analysis.next_action)}")
    for number, finding in enumerate(analysis.findings, 1):
        mark = "–" if finding.qualifier else str(number)
        said = _said(finding, nameless)
        lines.append(f"{mark} {finding.verdict.value:<8}  {finding.term}: {said}")
        lines.append(f"             {finding.weakest_link}")
        lines += [f"             {figure}" for figure in finding.figures]
        if finding.assumes:
            lines.append(f"             assuming: {'; '.join(finding.assumes)}")
    if not analysis.findings:
        lines.append("no finding")
    if analysis.looked_for:
        lines.append(f"– looked for, and not found: {', '.join(analysis.looked_for)}")
    lines.extend(f"– {skipped.sentence()}" for skipped in analysis.not_evaluated)
    lines.extend(f"blind: {coverage.sentence()}" for coverage in analysis.blind)
    return "".join(redactor.text(line) + "\n" for line in lines)


def _object(
    incident: Incident, analysis: Analysis, nameless: Callable[[str], str]
) -> dict[str, JsonValue]:
    state = analysis.state
    return {
        "pin": _time(incident.window.pin),
        "onset": _time(analysis.onset),
        "state": {
            "condition": state.condition.value,
            "since": _time(state.since),
            "new_per_minute": state.new_per_minute,
            "distinct_keys": state.distinct_keys,
            "victims": list(state.victims),
            "seen_until": _time(state.seen_until),
        },
        "headline": analysis.headline,
        "next": nameless(analysis.next_action),
        "findings": [
            in_value(_finding(one), nameless) if rests_on_people(one) else _finding(one)
            for one in analysis.findings
        ],
        "chains": [[_said(one, nameless) for one in chain.findings] for chain in analysis.chains],
        "looked_for": list(analysis.looked_for),
        "not_evaluated": [to_json(skipped) for skipped in analysis.not_evaluated],
        "common": [to_json(trait) for trait in analysis.common],
        "blind": [to_json(coverage) for coverage in analysis.blind],
    }


def _said(finding: Finding, nameless: Callable[[str], str]) -> str:
    said = finding.sentence()
    return nameless(said) if rests_on_people(finding) else said


def _finding(finding: Finding) -> dict[str, JsonValue]:
    return {
        "term": finding.term,
        "verdict": finding.verdict.value,
        "sentence": finding.sentence(),
        "weakest_link": finding.weakest_link,
        "began": _time(finding.began),
        "ended": _time(finding.ended),
        "keys": list(finding.keys),
        "qualifier": finding.qualifier,
        "evidence": finding.evidence(),
        "steps": [_step(step) for step in finding.steps],
        "figures": list(finding.figures),
        "assumes": list(finding.assumes),
        "would_decide": list(finding.would_decide),
        "alternatives": list(finding.alternatives),
        "next": finding.next_action,
        "remedy": finding.remedy,
    }


def _step(step: Step) -> dict[str, JsonValue]:
    event = step.event
    return {
        "role": step.role,
        "why": step.why,
        "time": _time(event.timestamp, event.precision),
        "source": event.source,
        "ref": event.ref,
        "id": event.id,
        "order": None if step.order is None else to_json(step.order),
    }


def _time(timestamp: int | None, precision: Precision | None = None) -> str | None:
    if timestamp is None:
        return None
    return rfc3339(timestamp, precision or stated_precision(timestamp))
