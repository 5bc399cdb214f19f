"""From an incident and its analysis to the neutral document, before redaction.

Chooses and numbers; says nothing new. Deterministic: the same incident, analysis and options
give an equal document, because nothing here asks for the time or depends on arrival.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from timeline.analysis import Analysis, CommonTrait, Condition
from timeline.clean import LINE_BREAK, clean
from timeline.event import Event, Kind, Lane, severity_name
from timeline.export.bands import bands_of
from timeline.export.contract import ExportOptions
from timeline.export.curate import Identity, Pick, every_row, identity, picks, total_order
from timeline.export.document import (
    Document,
    Evidence,
    Impact,
    Moment,
    Origin,
    Place,
    Proof,
    ProofStep,
    Row,
)
from timeline.export.milestones import NOTES_CITED, milestones_in, milestones_of
from timeline.export.recount import counted_of
from timeline.export.sources import relative_reference, reports, undated_listed, unknown
from timeline.export.times import stated_precision, table_time
from timeline.finding import Finding, JsonValue, Step

if TYPE_CHECKING:
    from timeline.incident import Incident

BODY_LIMIT = 20_000
"""Characters of one body that are carried into an export at all; formats show fewer."""
NESTING_LIMIT = 32
"""Levels of a record's attributes; deeper ones are named as left out."""

_TOLD_BY_LANE = (Kind.LOG, Kind.NOTE, Kind.CHANGE, Kind.METRIC)
"""Kinds that say no more than the lane that is printed anyway."""

Labels: TypeAlias = dict[Identity, str]


def document_of(
    incident: Incident,
    analysis: Analysis,
    options: ExportOptions,
    *,
    details: bool = True,
    bands: bool = False,
) -> Document:
    """Everything that any format says, with complete and still unredacted texts."""
    if options.every_row:
        chosen = every_row(incident)
    else:
        chosen = picks(incident, analysis.findings, options.marked, analysis.onset)
    told = milestones_in(incident, analysis.onset)
    cited = _cited(chosen, analysis.findings, told.values())
    labels = {identity(event): f"E{number}" for number, event in enumerate(cited, 1)}
    window = incident.window
    pin = Moment(window.pin, stated_precision(window.pin))
    impact = _impact(incident, analysis, pin, labels, cited)
    impact = replace(
        impact,
        milestones=milestones_of(told, impact.began, labels),
        counted=counted_of(incident, impact.affected, "state.victims", options.root),
    )
    snapshot = incident.snapshot
    return Document(
        title=options.title or _title(incident, pin),
        environment=incident.environment,
        pin=pin,
        window_start=window.start,
        window_end=window.end,
        impact=impact,
        timeline=_rows(chosen, impact, labels),
        unknown=unknown(incident, analysis),
        findings=tuple(
            replace(
                _proof(finding, labels, options.root, details),
                counted=counted_of(incident, finding.keys, f"findings[{place}].keys", options.root),
            )
            for place, finding in enumerate(analysis.findings)
        ),
        not_evaluated=tuple(skipped.sentence() for skipped in analysis.not_evaluated),
        looked_for=analysis.looked_for,
        evidence=tuple(_evidence(event, labels, incident, options.root) for event in cited),
        sources=reports(incident),
        records_total=len(snapshot),
        records_in_window=snapshot.position_at(window.end) - snapshot.position_at(window.start),
        undated=snapshot.undated.height,
        undated_listed=undated_listed(incident, options.root),
        collected_at=incident.collected_at,
        local_zone=_local_zone(options, pin),
        tool_version=options.tool_version,
        no_redact_reason=options.no_redact_reason,
        bands=bands_of(incident) if bands else (),
    )


def _title(incident: Incident, pin: Moment) -> str:
    place = f" ({incident.environment})" if incident.environment else ""
    return f"Incident at {table_time(pin.timestamp, pin.precision)} UTC{place}"


def _local_zone(options: ExportOptions, pin: Moment) -> str:
    if options.zone is None:
        return ""
    from datetime import UTC, datetime

    local = datetime.fromtimestamp(pin.timestamp // 10**9, UTC).astimezone(options.zone)
    name = getattr(options.zone, "key", None) or local.tzname() or "local time"
    offset = local.strftime("%z")
    return f"{name} = UTC{offset[:3]}:{offset[3:5]}"


def _cited(
    chosen: Sequence[Pick], findings: Sequence[Finding], told: Iterable[Sequence[Event]]
) -> list[Event]:
    """Every event the document refers to, once, in total order."""
    events = {identity(event): event for notes in told for event in notes[:NOTES_CITED]}
    for pick in chosen:
        events.update((identity(event), event) for event in pick.events)
    for finding in findings:
        events.update((identity(step.event), step.event) for step in finding.steps)
    return sorted(events.values(), key=total_order)


def _impact(
    incident: Incident, analysis: Analysis, pin: Moment, labels: Labels, cited: Sequence[Event]
) -> Impact:
    state = analysis.state
    began, began_cites = _began(incident, analysis.onset, labels, cited)
    recovered = None
    if state.condition is Condition.RECOVERED and state.since is not None:
        recovered = Moment(state.since, stated_precision(state.since))
    duration = None
    if began is not None and recovered is not None:
        duration = max(recovered.timestamp - began.timestamp, 0)
    return Impact(
        headline=analysis.headline,
        next_action=analysis.next_action,
        condition=state.condition,
        began=began,
        began_cites=began_cites,
        detected=pin,
        recovered=recovered,
        duration=duration,
        affected=state.victims,
        new_per_minute=state.new_per_minute,
        seen_until=Moment(state.seen_until, stated_precision(state.seen_until)),
        common=tuple(_trait(trait) for trait in analysis.common),
    )


def _began(
    incident: Incident, onset: int | None, labels: Labels, cited: Sequence[Event]
) -> tuple[Moment | None, tuple[str, ...]]:
    """The onset in the precision of the record that shows it, and that record's label."""
    if onset is None:
        return None, ()
    at_onset = [event for event in cited if event.timestamp == onset]
    if at_onset:
        return Moment(onset, at_onset[0].precision), (labels[identity(at_onset[0])],)
    nearest = incident.snapshot.in_order(incident.snapshot.position_at(onset), 1)
    if nearest and nearest[0].timestamp == onset:
        return Moment(onset, nearest[0].precision), ()
    return Moment(onset, stated_precision(onset)), ()


def _trait(trait: CommonTrait) -> str:
    return (
        f"{trait.trait}={trait.value}: {trait.victims_with} of {trait.victims} affected, "
        f"{trait.others_share:.0%} of the others"
    )


def _rows(chosen: Sequence[Pick], impact: Impact, labels: Labels) -> tuple[Row, ...]:
    rows = [_row(pick, labels) for pick in chosen]
    shown = {row.moment.timestamp for row in rows}
    rows.append(_own_row(impact.detected, Origin.PIN, "T, the pinned instant"))
    if impact.began is not None and impact.began.timestamp not in shown:
        rows.append(_own_row(impact.began, Origin.INFERRED, "onset, the first sign of it"))
    if impact.recovered is not None:
        rows.append(_own_row(impact.recovered, Origin.INFERRED, "recovered, no new error since"))
    return tuple(sorted(rows, key=lambda row: row.moment.timestamp))


def _row(pick: Pick, labels: Labels) -> Row:
    event = pick.event
    is_note = event.lane is Lane.NOTE
    return Row(
        moment=Moment(event.timestamp, event.precision),
        origin=Origin.NOTE if is_note else Origin.RECORDED,
        speaker=f"{event.actor or event.source} {event.lane.value}",
        label=_label(event),
        text=clean(event.body[:BODY_LIMIT].partition(LINE_BREAK)[0]),
        repeats=pick.repeats,
        repeats_span=pick.repeats_span,
        place=pick.place,
        cites=tuple(labels[identity(cited)] for cited in pick.events),
    )


def _own_row(moment: Moment, origin: Origin, text: str) -> Row:
    return Row(moment, origin, "halfawake", "", text, 1, 0, Place.FIRST, ())


def _label(event: Event) -> str:
    if event.kind in _TOLD_BY_LANE:
        return severity_name(event.severity_number)
    return event.kind.value


def _proof(finding: Finding, labels: Labels, root: str, details: bool) -> Proof:
    return Proof(
        term=finding.term,
        verdict=finding.verdict,
        sentence=finding.sentence(),
        weakest_link=finding.weakest_link,
        began=finding.began,
        ended=finding.ended,
        qualifier=finding.qualifier,
        steps=tuple(_step(step, labels) for step in finding.steps),
        affected=finding.keys,
        figures=finding.figures,
        assumes=finding.assumes,
        would_decide=finding.would_decide,
        alternatives=finding.alternatives,
        next_action=finding.next_action,
        remedy=finding.remedy,
        details=_details(finding, root) if details else {},
    )


def _step(step: Step, labels: Labels) -> ProofStep:
    order = None
    if step.order is not None:
        order = "contradicted" if step.order.verdict is None else step.order.verdict.value
    because = "" if step.order is None else step.order.because
    return ProofStep(step.role, labels[identity(step.event)], step.why, order, because)


def _details(finding: Finding, root: str) -> Mapping[str, JsonValue]:
    try:
        details = finding.evidence()
    except TypeError as problem:  # a stranger's finding must not take the export away
        return {"left_out": str(problem)}
    return {name: _plain(value, root) for name, value in details.items()}


def _evidence(event: Event, labels: Labels, incident: Incident, root: str) -> Evidence:
    return Evidence(
        label=labels[identity(event)],
        id=event.id,
        moment=Moment(event.timestamp, event.precision),
        meaning=event.meaning,
        clock=incident.clocks.bound(event.clock or event.source).words(),
        source=event.source,
        lane=event.lane,
        kind=event.kind,
        actor=event.actor,
        severity=severity_name(event.severity_number),
        body=clean(event.body[:BODY_LIMIT]),
        attributes=_attributes(event.attributes, root),
        ref=relative_reference(event.ref, root),
        keys=tuple(sorted(event.keys)),
    )


def _attributes(text: str | None, root: str) -> JsonValue:
    """The attributes as JSON values; text that is no JSON stays text."""
    if text is None:
        return None
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return clean(text[:BODY_LIMIT])
    return _plain(value, root)


def _plain(value: JsonValue, root: str, level: int = 0, name: str = "") -> JsonValue:
    """Cleaned again (a JSON escape hides a control character), finite, and not too deep."""
    if isinstance(value, str):
        text = clean(value[:BODY_LIMIT])
        return relative_reference(text, root) if name == "ref" else text
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if level >= NESTING_LIMIT:
        return "(deeper levels left out)"
    if isinstance(value, Mapping):
        items: Iterable[tuple[object, JsonValue]] = value.items()
        return {clean(str(key)): _plain(item, root, level + 1, str(key)) for key, item in items}
    return [_plain(item, root, level + 1) for item in value]
