"""The lower half of the Markdown export: raw records in fences, then how it was built."""

from __future__ import annotations

import json

from timeline.clean import LINE_BREAK
from timeline.event import Precision
from timeline.export.document import Document, Evidence, SourceReport
from timeline.export.injection import clip, code, fenced
from timeline.export.markdown_words import (
    IDS_SENTENCE,
    TITLE_CHARACTERS,
    before_colon,
    bullets,
    opened_in,
    sentence,
)
from timeline.export.sources import stretch_words
from timeline.export.times import rfc3339
from timeline.words import count_of, grouped

BODY_CHARACTERS = 4_000
BODY_LINES = 40
ATTRIBUTE_CHARACTERS = 2_000
STRETCHES_SHOWN = 4
REMARKS_SHOWN = 6
UNDATED_SHOWN = 10


def evidence_block(record: Evidence) -> list[str]:
    """One record: where it is kept, when it was stamped and by which clock, then its lines."""
    speaker = f" by {before_colon(record.actor)}" if record.actor else ""
    said = " ".join(word for word in (record.kind.value, record.severity) if word)
    stamped = rfc3339(record.moment.timestamp, record.moment.precision)
    meaning = record.meaning.value.replace("_", " ")
    return [
        f"**{record.label}** {code(clip(record.ref, 200))} in {sentence(record.source)} "
        f"({record.lane.value}){speaker}: {said}",
        f"stamped {stamped} ({meaning}, clock {sentence(record.clock)}), id `{record.id}`"
        f"{opened_in(record.addresses)}",
        "",
        *fenced(_raw(record)),
        "",
    ]


def _raw(record: Evidence) -> str:
    lines = record.body.split(LINE_BREAK)
    shown = lines[:BODY_LINES]
    if len(lines) > BODY_LINES:
        shown.append(f"(cut: {BODY_LINES} of {len(lines)} lines shown)")
    text = _cut("\n".join(shown), BODY_CHARACTERS)
    if record.attributes is None:
        return text
    attributes = json.dumps(record.attributes, ensure_ascii=False, sort_keys=True)
    return f"{text}\nattributes: {_cut(attributes, ATTRIBUTE_CHARACTERS)}"


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}…\n(cut: {grouped(limit)} of {grouped(len(text))} characters shown)"


def undated_section(document: Document) -> list[str]:
    """The first records without a time, raw; they stand in no timeline."""
    if not document.undated_listed:
        return []
    listed = document.undated_listed[:UNDATED_SHOWN]
    lines = [f"{u.source} {u.ref} ({u.reason}): {clip(u.body, 200)}" for u in listed]
    rest = document.undated - len(listed)
    more = [f"and {grouped(rest)} more"] if rest else []
    return ["### Without a time", "", *fenced("\n".join([*lines, *more])), ""]


def totals_section(document: Document) -> list[str]:
    """Totals, redactions and version; the sources follow."""
    start = rfc3339(document.window_start, Precision.SECOND)
    end = rfc3339(document.window_end, Precision.SECOND)
    lines = [
        "### How this was built",
        "",
        f"- {count_of(document.records_total, 'record')} from "
        f"{count_of(len(document.sources), 'source')}, {grouped(document.records_in_window)} in "
        f"the window {start} to {end}",
        f"- {count_of(document.undated, 'record')} without a usable time, in no timeline",
    ]
    if document.collected_at > 0:
        lines.append(f"- collected {rfc3339(document.collected_at, Precision.SECOND)}")
    lines.append(f"- {_redactions(document)}")
    version = f" {sentence(document.tool_version)}" if document.tool_version else ""
    lines.append(f"- built by halfawake{version}; times are as recorded and never moved")
    return lines


def source_block(source: SourceReport) -> list[str]:
    """One source: what it gave, by which clocks, what it saw and what must be known of it."""
    lane = f" {source.lane.value}" if source.lane else ""
    system = f", {before_colon(source.system)}" if source.system else ""
    name = sentence(source.name, TITLE_CHARACTERS)
    facts = [stretch_words(stretch) for stretch in source.coverage[:STRETCHES_SHOWN]]
    hidden = len(source.coverage) - STRETCHES_SHOWN
    if hidden > 0:
        facts.append(f"and {hidden} more stretches, in the JSON export")
    if not source.coverage:
        facts.append("said nothing about what it saw")
    if source.clocks:
        facts.insert(0, f"clock {', '.join(source.clocks)}")
    if source.forgets:
        facts.append(source.forgets)
    return [
        f"- **{name}**{lane}{system}: {count_of(source.records, 'record')}",
        *bullets(facts, "  "),
        *bullets(source.remarks, "  ", REMARKS_SHOWN),
    ]


def _redactions(document: Document) -> str:
    ids = f"; {IDS_SENTENCE}" if document.ids_replaced else ""
    if document.no_redact_reason:
        return f"**not redacted**, because: {sentence(document.no_redact_reason)}{ids}"
    if not document.redactions:
        return f"redacted: nothing matched a rule{ids}"
    total = grouped(sum(count for _, count in document.redactions))
    rules = ", ".join(f"{sentence(name)} {grouped(count)}" for name, count in document.redactions)
    return f"redacted: {total} ({rules}){ids}"
