"""Timeline events of a GitLab incident, as the quick actions that add many of them at once.

One `/timeline TEXT | YYYY-MM-DD HH:MM` a line, pasted as one comment. GitLab keeps whole minutes
and reads a time without a zone as UTC, so the time as recorded stands in the text where it is
finer. What is no event (state, totals, redactions) stays behind as the comment itself.

Every line begins with our own words, so no recorded text can begin a quick action; a pipe would
cut the text (TimelineTextAndDateTimeSeparator of GitLab), and a line that ends in a backtick would
switch off the actions before it (the inline code of Gitlab::QuickActions::Extractor).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from timeline.event import Precision
from timeline.export import told
from timeline.export.injection import clip, code
from timeline.export.markdown_timeline import SPEAKER_CHARACTERS
from timeline.export.markdown_words import sentence
from timeline.export.publish import publish
from timeline.words import day, wall_time

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Document, Row
    from timeline.incident import Incident

NOTE_CHARACTERS = 280
"""Of one event: what stays readable as one row of GitLab's timeline, far below the 10 000 that its
model takes (IncidentManagement::TimelineEvent)."""
SHORTEST_TEXT = 40
PRECISION = (
    "The timeline holds whole minutes in UTC; a finer time stands in the text as it was recorded."
)


class GitlabExporter:
    """Quick actions for the timeline of an incident, and a short comment."""

    name: ClassVar[str] = "gitlab"
    suffix: ClassVar[str] = ".md"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, lambda made: write(made, options.limit))


def write(document: Document, limit: int) -> str:
    """One quick action a row, then the facts; of too many rows the last are cut and counted."""
    rows = zip(document.timeline, told.lines(document), strict=True)
    actions = [_action(row, line) for row, line in rows]
    facts = (*told.facts(document)[:2], *told.built(document))
    tail = [_inert(f"- {fact.title}: {sentence(fact.text)}{fact.cites}") for fact in facts]
    tail.append(f"- {PRECISION}")
    fixed = sum(len(line) + 1 for line in tail)
    kept = told.fitting(actions, limit - told.HEADROOM - fixed)
    cut = told.cut_words(len(actions) - len(kept), len(actions), "event", limit)
    said = [f"- Cut: {cut}"] if cut else []
    return "\n".join([*kept, "", *said, *tail]) + "\n"


def _action(row: Row, line: told.Line) -> str:
    moment = row.moment
    minute = wall_time(moment.timestamp, Precision.MINUTE)
    exact = ""
    if moment.precision is not Precision.MINUTE:
        exact = f"{wall_time(moment.timestamp, moment.precision)} "
    distance = "" if line.distance == "T" else f"({line.distance} from T) "
    who = sentence(line.speaker, SPEAKER_CHARACTERS)
    label = f"{sentence(line.label, SPEAKER_CHARACTERS)} " if line.label else ""
    front = f"{exact}{distance}{who}: {label}"
    room = max(NOTE_CHARACTERS - len(front) - len(line.after) - 2, SHORTEST_TEXT)
    text = clip(line.text, room)
    said = f"{front}{text if line.is_ours else code(text)}{line.after}"
    return f"/timeline {said.replace('|', '¦')} | {day(moment.timestamp)} {minute}"


def _inert(line: str) -> str:
    """A line that ends in no backtick."""
    return f"{line}." if line.endswith("`") else line
