"""The top of the Markdown export: impact, and the curated table of 8 to 15 rows."""

from __future__ import annotations

from timeline.event import Precision
from timeline.export.document import Document, Impact, Milestone, Origin, Place, Row
from timeline.export.injection import clip, code, in_cell
from timeline.export.markdown_words import (
    NO_RECOVERY,
    cites,
    counted_lines,
    joined,
    keys,
    named_by_findings,
    opened_in,
    sentence,
)
from timeline.export.times import COARSE, from_pin, instant_and_distance, rfc3339, table_time
from timeline.words import count_of, grouped, span_words

EVENT_CHARACTERS = 120
"""Most characters of an event in the table, so that a row stays a row."""
SPEAKER_CHARACTERS = 60
SHORTEST_BODY = 40
"""Characters a body keeps however long its label is."""


def impact_section(document: Document) -> list[str]:
    """When it began, was detected and recovered, and whom it met."""
    impact = document.impact
    pin = document.pin.timestamp
    lines = ["### Impact", ""]
    if impact.headline:
        lines.extend([sentence(impact.headline), ""])
    lines.append(f"- **Began:** {_began(impact, pin)}")
    lines.append(f"- **Detected (T):** {rfc3339(pin, document.pin.precision)}")
    lines.extend(_milestone(milestone, pin) for milestone in impact.milestones)
    recovered = NO_RECOVERY[impact.condition]
    if impact.recovered is not None:
        recovered = instant_and_distance(impact.recovered, pin)
    lines.append(f"- **Recovered:** {recovered}")
    if impact.duration is not None:
        lines.append(f"- **Duration:** {span_words(impact.duration)}, from began to recovered")
    nobody = "no key could be joined to an error"
    lines.append(f"- **Affected:** {keys(impact.affected) if impact.affected else nobody}")
    lines.extend(counted_lines(impact.counted))
    if named := named_by_findings(document):
        lines.append(f"- **Named by findings:** {sentence(named)}")
    lines.append(f"- **Newly affected:** {impact.new_per_minute:g} a minute{_up_to(impact)}")
    if impact.common:
        lines.append(f"- **In common:** {joined(impact.common)}")
    if impact.next_action:
        lines.append(f"- **Next:** {sentence(impact.next_action)}")
    return [*lines, ""]


def _began(impact: Impact, pin: int) -> str:
    if impact.began is None:
        return "not known; nothing in the window stands out as the onset"
    return instant_and_distance(impact.began, pin) + cites(impact.began_cites)


def _milestone(milestone: Milestone, pin: int) -> str:
    """What a person noted down as done, in their words."""
    name = f"- **{milestone.what.capitalize()}:** "
    if milestone.moment is None:
        return f"{name}not decided; {milestone.text}{cites(milestone.cites)}"
    since = ""
    if milestone.since_began is not None:
        since = f", {span_words(milestone.since_began)} after it began"
    said = code(clip(milestone.text, EVENT_CHARACTERS))
    when = instant_and_distance(milestone.moment, pin)
    return f"{name}{when}{since}, by the note {said}{cites(milestone.cites)}"


def _up_to(impact: Impact) -> str:
    seen = impact.seen_until.timestamp
    return f", as far as the sources reach: {rfc3339(seen, Precision.SECOND)}" if seen > 0 else ""


def timeline_section(document: Document) -> list[str]:
    """The table; outside text stands in code, so no cell can be left."""
    return [
        "### Timeline",
        "",
        _legend(document),
        "",
        "| Time (UTC) | from T | Source | Event |",
        "| --- | ---: | --- | --- |",
        *table_rows(document),
        "",
    ]


def table_rows(document: Document) -> list[str]:
    """One line of the table for each row of the timeline."""
    held = {record.label: record.addresses for record in document.evidence}
    pin = document.pin.timestamp
    return [
        _table_row(row, pin, opened_in(held.get("".join(row.cites[:1]), ())))
        for row in document.timeline
    ]


def _legend(document: Document) -> str:
    recorded = [row for row in document.timeline if row.cites]
    coarse = {row.moment.precision for row in recorded} & COARSE.keys()
    precision = "".join(COARSE[unit] for unit in sorted(coarse))
    zone = f" {sentence(document.local_zone)}." if document.local_zone else ""
    shown = count_of(sum(len(row.cites) for row in recorded), "record")
    before = span_words(document.pin.timestamp - document.window_start)
    after = span_words(document.window_end - document.pin.timestamp)
    return (
        f"Times are UTC, as recorded.{precision}{zone} Shown: {shown} of the "
        f"{grouped(document.records_in_window)} between {before} before T and {after} after."
    )


def _table_row(row: Row, pin: int, after: str = "") -> str:
    moment = row.moment
    is_pin = row.origin is Origin.PIN
    distance = "T" if is_pin else from_pin(moment.timestamp - pin, moment.precision)
    event = f"{_event(row)}{after}"
    cells = [table_time(moment.timestamp, moment.precision), distance, _speaker(row), event]
    return f"| {' | '.join(in_cell(cell) for cell in cells)} |"


def _speaker(row: Row) -> str:
    return sentence(row.speaker, SPEAKER_CHARACTERS)


def _event(row: Row) -> str:
    if row.origin is Origin.PIN:
        return f"**{row.text}**"
    if row.origin is Origin.INFERRED:
        return f"inferred: {row.text}{cites(row.cites)}"
    label = f"{sentence(row.label, SPEAKER_CHARACTERS)} " if row.label else ""
    repeats = _repeats(row)
    room = EVENT_CHARACTERS - len(label) - len(repeats)
    body = code(clip(row.text, max(room, SHORTEST_BODY)))
    return f"{label}{body}{repeats}{cites(row.cites)}"


def _repeats(row: Row) -> str:
    if row.repeats <= 1:
        return ""
    count = grouped(row.repeats)
    if row.place is Place.LAST:
        return f" (the last of {count})"
    many = f"x{count}" if row.place is Place.FIRST else f"one of {count}"
    return f" ({many} over {span_words(row.repeats_span)})"
