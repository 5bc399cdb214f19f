"""The end of the page: every cited record as it was, what each source saw, how it was built."""

from __future__ import annotations

import json

from timeline.event import Precision
from timeline.export.document import Document, Evidence, SourceReport
from timeline.export.html_words import bullets
from timeline.export.injection import clip
from timeline.export.markup import NOTHING, Markup, own, tag, told, told_lines
from timeline.export.sources import stretch_words
from timeline.export.times import rfc3339
from timeline.export.told import redactions
from timeline.words import count_of, grouped

BODY_CHARACTERS = 16_000
"""Of one record's text, as in the JSON export; a stack trace of hundreds of frames fits."""
ATTRIBUTE_CHARACTERS = 8_000


def evidence_section(document: Document) -> Markup:
    """Records by their label, each with where it is kept and by which clock it was stamped."""
    return tag(
        "section",
        tag("h2", told("Evidence")),
        *(_record(record) for record in document.evidence),
        _undated(document),
        id="evidence",
    )


def _record(record: Evidence) -> Markup:
    said = " ".join(word for word in (record.kind.value, record.severity) if word)
    by = f" by {record.actor}" if record.actor else ""
    stamped = rfc3339(record.moment.timestamp, record.moment.precision)
    meaning = record.meaning.value.replace("_", " ")
    where = f"{record.source} ({record.lane.value}){by}: {said}"
    about = f"stamped {stamped} ({meaning}, clock {record.clock}), id {record.id}"
    return tag(
        "article",
        tag("h3", told(record.label), Markup(" "), tag("code", told(clip(record.ref, 400)))),
        tag("p", told(where), tag("br"), tag("small", told(about), *_opened(record))),
        tag("pre", told_lines(_cut(record.body, BODY_CHARACTERS))),
        _attributes(record),
        id=record.label,
    )


def _opened(record: Evidence) -> list[Markup]:
    """Where a click opens the record in a tool of the team's; the only links that leave."""
    return [
        Markup(
            own(", open in ") + tag("a", told(one.name), href=one.url, rel="noopener noreferrer")
        )
        for one in record.addresses
    ]


def _attributes(record: Evidence) -> Markup:
    if record.attributes is None:
        return NOTHING
    text = json.dumps(record.attributes, ensure_ascii=False, sort_keys=True)
    return tag(
        "details",
        tag("summary", told("attributes"), class_="more"),
        tag("pre", told_lines(_cut(text, ATTRIBUTE_CHARACTERS))),
    )


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\u2026\n(cut: {grouped(limit)} of {grouped(len(text))} characters shown)"


def _undated(document: Document) -> Markup:
    """Records without a time never get one."""
    if not document.undated_listed:
        return NOTHING
    listed = document.undated_listed
    lines = [f"{one.source} {one.ref} ({one.reason}): {one.body}" for one in listed]
    more = document.undated - len(listed)
    lines += [f"and {grouped(more)} more"] if more > 0 else []
    return tag(
        "details", tag("summary", told("Without a time")), tag("pre", told_lines("\n".join(lines)))
    )


def built_section(document: Document) -> Markup:
    """Totals, redactions and version; then source by source what it gave and saw."""
    start = rfc3339(document.window_start, Precision.SECOND)
    end = rfc3339(document.window_end, Precision.SECOND)
    said = [
        f"{count_of(document.records_total, 'record')} from "
        f"{count_of(len(document.sources), 'source')}, {grouped(document.records_in_window)} in "
        f"the window {start} to {end}",
        f"{count_of(document.undated, 'record')} without a usable time, in no timeline",
    ]
    if document.collected_at > 0:
        said.append(f"collected {rfc3339(document.collected_at, Precision.SECOND)}")
    said.append(f"redacted: {redactions(document)}")
    version = f" {document.tool_version}" if document.tool_version else ""
    said.append(f"built by halfawake{version}; times are as recorded and never moved")
    return tag(
        "section",
        tag("h2", told("How this was built")),
        bullets(said),
        *(_source(source) for source in document.sources),
        id="built",
    )


def _source(source: SourceReport) -> Markup:
    lane = f" {source.lane.value}" if source.lane else ""
    system = f", {source.system}" if source.system else ""
    facts = [stretch_words(stretch) for stretch in source.coverage]
    if not facts:
        facts.append("said nothing about what it saw")
    if source.clocks:
        facts.insert(0, f"clock {', '.join(source.clocks)}")
    if source.forgets:
        facts.append(source.forgets)
    summary = f"{source.name}{lane}{system}: {count_of(source.records, 'record')}"
    return tag("details", tag("summary", told(summary)), bullets([*facts, *source.remarks]))
