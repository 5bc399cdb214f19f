"""Markdown for a postmortem, an issue or a merge request: what is pasted comes first.

Impact, timeline and unknowns make sense if everything below is deleted; the evidence makes sense
if every link is dead. The text stays under the limit of the places it is pasted into: evidence is
cut first, and the cut is stated at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from timeline.export.fitting import around_pin
from timeline.export.injection import clip, prose
from timeline.export.markdown_evidence import (
    evidence_block,
    source_block,
    totals_section,
    undated_section,
)
from timeline.export.markdown_findings import finding_section, ruled_out_section
from timeline.export.markdown_timeline import impact_section, table_rows, timeline_section
from timeline.export.markdown_words import TITLE_CHARACTERS, bullets
from timeline.export.publish import publish
from timeline.words import count_of, grouped

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Document
    from timeline.incident import Incident

HEADROOM = 400
"""Characters kept free for the sentence that states a cut."""


class MarkdownExporter:
    """GitHub-flavoured Markdown (also GitLab, Confluence Cloud and Notion)."""

    name: ClassVar[str] = "md"
    suffix: ClassVar[str] = ".md"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, lambda made: write(made, options.limit))


def write(document: Document, limit: int) -> str:
    """The document as Markdown of at most `limit` characters, sources and totals always in it."""
    head = [f"## {prose(clip(document.title, TITLE_CHARACTERS))}", ""]
    tail = _tail(document, limit // 3)
    sections = [
        impact_section(document),
        timeline_section(replace(document, timeline=())),
        ["### Unknown, to verify", "", *_unknown(document), ""],
        *(finding_section(number, proof) for number, proof in enumerate(document.findings, 1)),
        ruled_out_section(document),
    ]
    records = [evidence_block(record) for record in document.evidence]
    room = limit - HEADROOM - _size([*head, *tail])
    beside = [line for section in sections for line in section]
    shortened, _ = around_pin(document, table_rows(document), beside, room)
    sections[1] = timeline_section(shortened)
    kept, room = _fitting(sections, room)
    evidence_head = ["### Evidence", ""]
    kept_records, left = _fitting(records, room - _size(evidence_head))
    if kept_records:
        kept.extend([evidence_head, *kept_records])
    undated, _ = _fitting([undated_section(document)], left)
    kept.extend(undated)
    rows = len(document.timeline) - len(shortened.timeline)
    cut = _cut(len(sections) - len(kept), rows, len(records), len(kept_records), limit)
    lines = [*head, *cut, *(line for section in kept for line in section), *tail]
    return "\n".join(lines).rstrip("\n") + "\n"


def _tail(document: Document, room: int) -> list[str]:
    """How the export was built; talkative sources are counted once they fill their share."""
    totals = totals_section(document)
    blocks = [source_block(source) for source in document.sources]
    kept, _ = _fitting(blocks, room - _size(totals))
    more = len(blocks) - len(kept)
    rest = [f"- and {count_of(more, 'more source')}, in the JSON export"] if more else []
    return [*totals, *(line for block in kept for line in block), *rest, ""]


def _unknown(document: Document) -> list[str]:
    everything = ["- nothing: every source answered in full and every finding is certain"]
    return bullets(document.unknown) or everything


def _fitting(sections: Sequence[list[str]], room: int) -> tuple[list[list[str]], int]:
    """The leading sections that fit into `room` characters, and what is left of it."""
    kept: list[list[str]] = []
    for section in sections:
        if _size(section) > room:
            break
        kept.append(section)
        room -= _size(section)
    return kept, room


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _cut(sections: int, rows: int, records: int, kept_records: int, limit: int) -> list[str]:
    left_out = [count_of(sections, "section")] if sections > 0 else []
    if rows > 0:
        left_out.append(count_of(rows, "row"))
    if kept_records < records:
        left_out.append(f"{grouped(records - kept_records)} of {grouped(records)} evidence records")
    if not left_out:
        return []
    named = " and ".join(filter(None, (", ".join(left_out[:-1]), left_out[-1])))
    room = f"to stay under {grouped(limit)} characters"
    return [f"**Cut:** {named} left out {room}; the JSON export holds all.", ""]
