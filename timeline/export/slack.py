"""Slack messages: everything recorded stands in fences, cut into messages a composer takes.

Slack renders no Markdown table and loses the closing fence of a text that it cuts, so each message
is short, closes its own fence and is numbered. It must never hold anything outside of a fence that
came from outside, nor anything anywhere that pings: Slack reads `<!channel>` and `<@U…>` wherever
they stand (Slack, "Formatting message text"), and people paste `@here`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from timeline.export import told
from timeline.export.fitting import around_pin
from timeline.export.injection import chat_line, clip
from timeline.export.markdown_timeline import SPEAKER_CHARACTERS
from timeline.export.publish import publish
from timeline.export.times import rfc3339

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Document
    from timeline.incident import Incident

MESSAGE_CHARACTERS = 3_500
"""Every message is shorter. Clients split at 4 000 and break the fence; the rest is for a word
that somebody writes before it."""
FENCE = "```"
BETWEEN = "-----"
"""Stands alone on a line between two messages and is not part of either."""
FRAME = 150
"""Characters kept free in each message: its number, its fences, and what a last redaction adds."""
LINE_CHARACTERS = 600
REFERENCES = "E1, E2 …: records, as numbered in the Markdown and JSON exports"

_FENCE_MARKS = re.compile("`{3,}")


class SlackExporter:
    """mrkdwn in numbered messages: status first, then the timeline, then what is not known."""

    name: ClassVar[str] = "slack"
    suffix: ClassVar[str] = ".txt"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, lambda made: write(made, options.limit))


def write(document: Document, limit: int) -> str:
    """All messages, a line of dashes between them."""
    below = ["", *_facts((*told.findings(document), *told.unknown(document)))]
    tail = ["", *_facts(told.built(document)), REFERENCES]
    head = _facts(told.facts(document))
    fixed = sum(len(line) + 1 for line in (*head, *tail))
    unframed = limit * (MESSAGE_CHARACTERS - FRAME) // MESSAGE_CHARACTERS
    room = unframed - told.HEADROOM - fixed
    rows = _aligned(told.lines(document))
    title = _line(f"Timeline: {document.title}")
    beside = ["", title, _line(told.legend(document)), *below]
    document, shown = around_pin(document, rows, beside, room)
    above = ["", title, _line(told.legend(document))]
    kept = told.fitting([*above, *shown, *below], room)
    total = len(above) + len(rows) + len(below)
    cut = told.cut_words(total - len(kept), total, "line", limit)
    messages = packed([*head, *kept, *([f"Cut: {cut}"] if cut else []), *tail])
    pin = rfc3339(document.pin.timestamp, document.pin.precision)
    total = len(messages)
    return f"\n{BETWEEN}\n".join(
        "\n".join([f"*{number}/{total}* incident at T {pin}", FENCE, *lines, FENCE])
        for number, lines in enumerate(messages, 1)
    ) + "\n"  # fmt: skip


def packed(lines: Sequence[str]) -> list[list[str]]:
    """`lines` in as few messages as hold them, none broken; no message begins or ends empty."""
    messages: list[list[str]] = []
    room = 0
    for line in lines:
        if not messages or len(line) + 1 > room:
            messages.append([])
            room = MESSAGE_CHARACTERS - FRAME
        if line or messages[-1]:
            messages[-1].append(line)
            room -= len(line) + 1
    return [message[:-1] if message[-1] == "" else message for message in messages if message]


def _facts(facts: Iterable[told.Fact]) -> list[str]:
    return [_line(f"{fact.title}: {fact.text}", fact.cites) for fact in facts]


def _aligned(rows: Sequence[told.Line]) -> list[str]:
    """Times, distances and speakers in columns; each row stays one line."""
    speakers = [_line(clip(row.speaker, SPEAKER_CHARACTERS)) for row in rows]
    wide = max((len(speaker) for speaker in speakers), default=0)
    time = max((len(row.time) for row in rows), default=0)
    distance = max((len(row.distance) for row in rows), default=0)
    return [
        f"{row.time:<{time}}  {row.distance:>{distance}}  {speaker:<{wide}}  "
        + _line(f"{row.label} {row.text}".lstrip(), row.after)
        for row, speaker in zip(rows, speakers, strict=True)
    ]


def _line(text: str, after: str = "") -> str:
    """One line that pings nobody and leaves no fence, whatever it holds."""
    inert = chat_line(text, LINE_CHARACTERS - len(after))
    return _FENCE_MARKS.sub(lambda marks: "'" * len(marks.group()), inert) + after
