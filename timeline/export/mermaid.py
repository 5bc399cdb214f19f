"""Markdown whose proofs are Mermaid sequence diagrams, for GitHub and GitLab, which draw them.

Solid arrows are certain, dotted ones likely, dotted lines without a head undecided, crossed ones
contradicted. Nothing from outside stands in a diagram but letters, digits, spaces and a few signs;
all else is written as one of Mermaid's own character codes, so that no text can end a message,
begin a directive or become markup. Where nothing draws them, the diagrams read as lists of steps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from timeline.export import told
from timeline.export.document import Document, Proof
from timeline.export.injection import clip, one_line
from timeline.export.markdown_words import TITLE_CHARACTERS, sentence
from timeline.export.publish import publish
from timeline.export.sequence import Beat, Sequence, records_of, sequence_of
from timeline.export.times import from_pin, table_time
from timeline.words import count_of, span_words

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.redact import Redactor
    from timeline.incident import Incident

NAME_CHARACTERS = 40
STEP_CHARACTERS = 160

_ARROWS = {"certain": "->>", "likely": "-->>", "possible": "-->", "contradicted": "-x"}
_SIGN = re.compile(r"[^\w .,:'?/()+=±…→-]|-(?=[->x)])|(?<=[-)])-|_(?=_)|:(?=//)")
"""What is written as a character code."""
_WORD = re.compile(r"\b(end|wrap|nowrap)\b", re.IGNORECASE)
"""Words that mean something to Mermaid inside of a message: their first letter is a code."""
_CODED_STAND_IN = re.compile(r"#123;redacted:([\w-]+)#125;")
_CODED_NUMBER = re.compile(r"(?<=\w)#35;([0-9]+)")
_PLAIN = re.compile(r"[{}]|(?<=\w)#(?![0-9]+;)")
"""What the last redaction leaves or makes, and a diagram must not hold."""
FENCE = "```mermaid"
_LEGEND = (
    "Arrows: solid is certain, dotted is likely, dotted without a head is undecided, crossed is "
    "contradicted by the stamps. Times are UTC, as recorded."
)


class MermaidExporter:
    """Headline, then one diagram a finding."""

    name: ClassVar[str] = "mermaid"
    suffix: ClassVar[str] = ".md"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        limit = options.limit
        return publish(incident, analysis, options, lambda made: write(made, limit), look_over)


def write(document: Document, limit: int) -> str:
    """The text of at most `limit` characters; the last findings are left out first, and counted."""
    head = [
        f"## {sentence(document.title, TITLE_CHARACTERS)}",
        "",
        *_facts(told.facts(document)[:2]),
    ]
    tail = ["", *_facts(told.built(document))]
    blocks = [_finding(number, document, one) for number, one in enumerate(document.findings, 1)]
    room = limit - told.HEADROOM - sum(len(line) + 1 for line in (*head, _LEGEND, *tail))
    kept = told.fitting(blocks, room)
    cut = told.cut_words(len(blocks) - len(kept), len(blocks), "finding", limit)
    said = ["", f"- Cut: {cut}"] if cut else []
    return "\n".join([*head, "", _LEGEND, *kept, *said, *tail]) + "\n"


def look_over(text: str, redactor: Redactor) -> str:
    """The last redaction. It knows a stand-in by its plain signs, which are bared for it."""
    bared = _CODED_NUMBER.sub(r"#\1", _CODED_STAND_IN.sub(r"{redacted:\1}", text))
    lines: list[str] = []
    is_drawn = False
    for line in redactor.text(bared).split("\n"):
        is_drawn = line.startswith(FENCE) or (is_drawn and line != "```")
        lines.append(_PLAIN.sub(lambda sign: f"#{ord(sign.group())};", line) if is_drawn else line)
    return "\n".join(lines)


def _facts(facts: tuple[told.Fact, ...]) -> list[str]:
    return [f"- {fact.title}: {sentence(fact.text)}{fact.cites}" for fact in facts]


def _finding(number: int, document: Document, proof: Proof) -> str:
    heading = f"\n### {number}. {sentence(proof.term)}: {proof.verdict.value}"
    said = f"{heading}\n\n{sentence(proof.sentence)}"
    found = sequence_of(proof, records_of(document))
    if found is None:
        return said
    return "\n".join([said, "", FENCE, *diagram(found, document.pin.timestamp), "```"])


def diagram(found: Sequence, pin: int) -> list[str]:
    """The lines of one `sequenceDiagram`."""
    last = len(found.actors)
    lines = ["sequenceDiagram"]
    for number, actor in enumerate(found.actors, 1):
        lane = f" ({actor.lane})" if actor.lane else ""
        lines.append(f"    participant P{number} as {coded(actor.name, NAME_CHARACTERS)}{lane}")
    for place, beat in enumerate(found.beats):
        if beat.gap:
            side = "later" if beat.gap > 0 else "earlier, by its stamp"
            lines.append(f"    Note over P1,P{last}: {span_words(beat.gap)} {side}")
        before = found.beats[place - 1].actor if place else beat.actor
        lines.append(f"    {_line(before, beat)}: {_step(place + 1, beat, pin)}")
    if found.left_out:
        more = count_of(found.left_out, "more step")
        lines.append(f"    Note over P1,P{last}: and {more}, in the JSON export")
    return lines


def _line(before: int, beat: Beat) -> str:
    """An arrow where an order between two actors is claimed, else a note at the one who acted."""
    if beat.order is None or before == beat.actor:
        return f"Note over P{beat.actor + 1}"
    return f"P{before + 1}{_ARROWS[beat.order]}P{beat.actor + 1}"


def _step(number: int, beat: Beat, pin: int) -> str:
    moment = beat.moment
    when = table_time(moment.timestamp, moment.precision)
    distance = from_pin(moment.timestamp - pin, moment.precision)
    who = f"{beat.who}, " if beat.who else ""
    said = coded(f"{who}{beat.role}, {beat.why}" if beat.why else f"{who}{beat.role}")
    return f"{number}. {when} ({distance}) {said} {beat.cites}"


def coded(text: str, limit: int = STEP_CHARACTERS) -> str:
    """Text from outside for a diagram: `#59;` for `;`, and so on; never empty."""
    plain = clip(one_line(text), limit) or "-"
    marked = _WORD.sub(lambda word: f"\0{ord(word.group()[0])};{word.group()[1:]}", plain)
    coded_ = re.sub(
        r"\0(\d+);|" + _SIGN.pattern,
        lambda sign: f"#{sign[1]};" if sign[1] else f"#{ord(sign.group())};",
        marked,
    )
    return coded_.replace("\n", " ")
