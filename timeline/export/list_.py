"""A plain bullet list, for whatever takes no table: e-mail, tickets, chats, documents.

One bullet a line, no heading, no bold, no nesting and no line that must stand beside another, so
that an editor which renders nothing still shows all of it. Where Markdown is rendered the rules of
`timeline.export.injection` hold: recorded lines are code.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from timeline.export import told
from timeline.export.fitting import around_pin
from timeline.export.injection import clip, code
from timeline.export.markdown_timeline import SPEAKER_CHARACTERS
from timeline.export.markdown_words import TITLE_CHARACTERS, sentence
from timeline.export.publish import publish
from timeline.export.recount_words import count_lines, counted_sentence

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Counted, Document, Evidence
    from timeline.incident import Incident

REFERENCE_CHARACTERS = 200


class ListExporter:
    """One Markdown bullet an event, with its date, its distance from T and its speaker."""

    name: ClassVar[str] = "list"
    suffix: ClassVar[str] = ".md"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, lambda made: write(made, options.limit))


def write(document: Document, limit: int) -> str:
    """The list; its last lines are cut first, and the totals never."""
    facts = [*_facts(told.facts(document)), *_counted(document.impact.counted)]
    head = [sentence(document.title, TITLE_CHARACTERS), "", *facts, ""]
    tail = _facts(told.built(document))
    room = limit - told.HEADROOM - sum(len(line) + 1 for line in (*head, *tail))
    below = ["", *_facts((*told.findings(document), *told.unknown(document)))]
    rows = [_event(line) for line in told.lines(document)]
    document, shown = around_pin(document, rows, ["", "", *below], room)
    records = [_record(record) for record in told.cited_in_timeline(document)]
    body = [sentence(told.legend(document)), "", *shown, *below, *records]
    kept = told.fitting(body, room)
    total = len(body) + len(rows) - len(shown)
    cut = told.cut_words(total - len(kept), total, "line", limit)
    said = [f"- Cut: {cut}"] if cut else []
    return "\n".join([*head, *kept, *said, *tail]) + "\n"


def _facts(facts: Iterable[told.Fact]) -> list[str]:
    return [f"- {fact.title}: {sentence(fact.text)}{fact.cites}" for fact in facts]


def _counted(counted: Counted | None) -> list[str]:
    """How many keys were affected is worth the query that counts them."""
    if counted is None:
        return []
    lines = [f"- Counted: {sentence(counted_sentence(counted))}"]
    for line in count_lines(counted):
        query = code(line.query) if line.query else line.why_not
        source = sentence(line.source, SPEAKER_CHARACTERS)
        lines.append(f"- Counted in {source}: {sentence(line.what)}: {query}")
    return lines


def _event(line: told.Line) -> str:
    speaker = sentence(line.speaker, SPEAKER_CHARACTERS)
    label = f"{sentence(line.label, SPEAKER_CHARACTERS)} " if line.label else ""
    text = line.text if line.is_ours else code(line.text)
    return f"- {line.time}Z ({line.distance}) {speaker}: {label}{text}{line.after}"


def _record(record: Evidence) -> str:
    reference = code(clip(record.ref, REFERENCE_CHARACTERS))
    source = sentence(record.source, SPEAKER_CHARACTERS)
    opened = "".join(f", <{one.url}>" for one in record.addresses)
    return f"- Record [{record.label}]: {reference} in {source} ({record.lane.value}){opened}"
