"""Jira wiki markup, for the description or a comment of an issue that renders no Markdown.

Records stand in `{noformat}`; everywhere else each sign that Jira's renderer acts upon is escaped
or replaced, so that no text from outside becomes a macro, a link, an image, a mention or a cell.
The backslash is kept to the signs that both of Atlassian's renderers let it escape
(BackslashEscapeRendererComponent of atlassian-renderer, the wiki markup transformer of Atlaskit).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from timeline.clean import LINE_BREAK, clean
from timeline.export import told
from timeline.export.fitting import around_pin
from timeline.export.injection import clip, one_line
from timeline.export.markdown_evidence import BODY_CHARACTERS, BODY_LINES
from timeline.export.markdown_timeline import SPEAKER_CHARACTERS
from timeline.export.markdown_words import SENTENCE_CHARACTERS, TITLE_CHARACTERS
from timeline.export.publish import publish
from timeline.export.recount_words import count_lines, counted_sentence
from timeline.export.times import rfc3339
from timeline.words import count_of, grouped

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Counted, Document, Evidence
    from timeline.export.redact import Redactor
    from timeline.incident import Incident

JIRA_CHARACTERS = 32_000
"""Jira refuses a field above 32 767 characters by default (jira.text.field.character.limit)."""
REFERENCE_CHARACTERS = 200
NOFORMAT = "{noformat}"

_LOOKALIKES = str.maketrans({"\\": "⧵", "|": "¦"})
"""A backslash cannot be escaped by one (two break the line), and a table is cut at pipes before
escapes are looked at. The record below holds the exact signs."""
_SIGN = re.compile(
    r"[{}\[\]!*^~]"
    r"|(?<![^\W_])[_+@-]|[_+-](?![^\W_])"  # not inside of a word
    r"|\?(?=\?)|(?<=\?)\?"
    r"|(?<=[:;])[()]|\((?=(?:[yni/x!?+-]|on|off|\*[rgby]?|flag|flagoff|c|r|tm)\))"  # emoticons
)
_ISSUE = re.compile(r"(\b[A-Z][A-Z0-9_]+)-(?=[0-9])")
_LINK = re.compile(r"://|(?<=mailto):|(?<=www)\.", re.IGNORECASE)
_FACE = re.compile(r"(?<=[:;])(?=[DPp]\b)")
_BLOCK = re.compile(r"\A(?:(?:h[1-6]|bq)\.|#+)", re.IGNORECASE)
_ESCAPED_STAND_IN = re.compile(r"\\\{(?=redacted:)")
_BARE_BRACE = re.compile(r"(?<!\\)[{}]")
_LEAVES = re.compile(r"\{(?=\s*noformat)", re.IGNORECASE)


class JiraExporter:
    """Heading, facts, table, findings and records as Jira wiki markup."""

    name: ClassVar[str] = "jira"
    suffix: ClassVar[str] = ".txt"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        limit = min(options.limit, JIRA_CHARACTERS)
        return publish(incident, analysis, options, lambda made: write(made, limit), look_over)


def write(document: Document, limit: int) -> str:
    """The document as wiki markup of at most `limit` characters; records are cut first."""
    head = [f"h2. {wiki(document.title, TITLE_CHARACTERS)}", *_facts(told.facts(document))]
    head += _counted(document.impact.counted)
    below = [
        "\nh3. Findings",
        *_facts(told.findings(document)),
        "\nh3. Unknown, to verify",
        *_facts(told.unknown(document)),
        "\nh3. Records",
    ]
    tail = ["\nh3. How this was built", *_facts(told.built(document))]
    fixed = sum(len(block) + 1 for block in (*head, *tail))
    room = limit - told.HEADROOM - fixed
    rows = [_row(line) for line in told.lines(document)]
    document, shown = around_pin(document, rows, below, room - told.HEADROOM)
    legend = wiki(told.legend(document))
    above = [f"h3. Timeline\n{legend}\n\n||Time (UTC)||from T||Source||Event||"]
    records = [_record(record) for record in document.evidence]
    kept = told.fitting([*above, *shown, *below, *records], room)
    total = len(above) + len(rows) + len(below) + len(records)
    cut = told.cut_words(total - len(kept), total, "piece", limit)
    said = [f"* Cut: {cut}"] if cut else []
    return "\n".join([*head, *said, "", *kept, *tail]) + "\n"


def look_over(text: str, redactor: Redactor) -> str:
    """The last redaction. It knows what stands for a secret by its brace, which is bared first.

    Outside of the blocks every brace is escaped again, or a stand-in would be read as a macro.
    """
    parts = redactor.lines(_ESCAPED_STAND_IN.sub("{", text)).split(f"{NOFORMAT}\n")
    for place in range(0, len(parts), 2):
        parts[place] = _BARE_BRACE.sub(r"\\\g<0>", parts[place])
    return f"{NOFORMAT}\n".join(parts)


def wiki(text: str, limit: int = SENTENCE_CHARACTERS) -> str:
    """Outside text on one line of at most `limit` characters before escaping, inert in Jira."""
    text = clip(one_line(text), limit).translate(_LOOKALIKES)
    text = _BLOCK.sub(lambda mark: mark.group().replace("#", "＃").replace(".", " ."), text)
    text = _LINK.sub(lambda mark: f"[{mark.group()[0]}]{mark.group()[1:]}", text)
    text = _SIGN.sub(r"\\\g<0>", _FACE.sub(" ", text))
    return _ISSUE.sub(r"\1\\-", text)


def noformat(text: str) -> str:
    """A block that `text` cannot leave; U+240A becomes a line break again."""
    lines = [clean(line) for line in re.split(rf"\r\n|\n|{LINE_BREAK}", text)]
    return "\n".join([NOFORMAT, *(_LEAVES.sub("(", line) for line in lines), NOFORMAT])


def _facts(facts: Iterable[told.Fact]) -> list[str]:
    return [f"* {fact.title}: {wiki(fact.text)}{_cites(fact.cites)}" for fact in facts]


def _counted(counted: Counted | None) -> list[str]:
    """The queries stand in blocks: outside of them a pipe or a backslash would be another sign."""
    if counted is None:
        return []
    said = counted_sentence(counted).replace("`", "")
    lines = [f"* Counted: {wiki(said)}"]
    for line in count_lines(counted):
        lead = f"* Counted in {wiki(line.source, SPEAKER_CHARACTERS)}: {wiki(line.what)}"
        lines.append(f"{lead}\n{noformat(line.query)}" if line.query else f"{lead}: {line.why_not}")
    return lines


def _row(line: told.Line) -> str:
    label = f"{wiki(line.label, SPEAKER_CHARACTERS)} " if line.label else ""
    event = f"{label}{wiki(line.text)}{_cites(line.after)}"
    cells = (line.time, wiki(line.distance), wiki(line.speaker, SPEAKER_CHARACTERS), event)
    return f"|{'|'.join(cell or ' ' for cell in cells)}|"


def _cites(ours: str) -> str:
    """`[E3]` would be a link."""
    return ours.replace("[", "\\[").replace("]", "\\]")


def _record(record: Evidence) -> str:
    reference = wiki(record.ref, REFERENCE_CHARACTERS)
    source = wiki(record.source, SPEAKER_CHARACTERS)
    stamped = rfc3339(record.moment.timestamp, record.moment.precision)
    opened = "".join(f", [{wiki(one.name)}|{one.url}]" for one in record.addresses)
    head = f"{record.label}: {reference} in {source} ({record.lane.value}), stamped {stamped}"
    return f"{head}{opened}\n{noformat(_shown(record.body))}"


def _shown(body: str) -> str:
    lines = body.split(LINE_BREAK)
    shown = lines[:BODY_LINES]
    if len(lines) > BODY_LINES:
        shown.append(f"(cut: {BODY_LINES} of {count_of(len(lines), 'line')} shown)")
    text = "\n".join(shown)
    if len(text) <= BODY_CHARACTERS:
        return text
    said = f"(cut: {grouped(BODY_CHARACTERS)} of {count_of(len(text), 'character')} shown)"
    return f"{text[:BODY_CHARACTERS]}…\n{said}"
