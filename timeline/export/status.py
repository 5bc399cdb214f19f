"""Three lines for the chat: what is the matter, what to do next, what cannot be seen.

For the clipboard, therefore redacted like every export, and harmless where it is pasted: nobody is
mentioned, no command is run and no link of a stranger is fetched for a preview.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.export.contract import ExportOptions
from timeline.export.injection import chat_line
from timeline.export.people import words_without
from timeline.export.publish import redactor_of
from timeline.export.times import rfc3339, stated_precision
from timeline.words import window_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.analysis import Analysis
    from timeline.incident import Incident

LINE_CHARACTERS = 300
BLIND_NAMED = 3
"""Blind spots named in the line; the rest is counted."""


def status(
    incident: Incident, analysis: Analysis | None, options: ExportOptions | None = None
) -> str:
    """Three lines, each at most `LINE_CHARACTERS` long, ending with a line break.

    Without an analysis (the collection still runs) the lines say so.
    """
    options = options or ExportOptions()
    redactor = redactor_of(incident, analysis, options)
    place, then, blind = _lines(incident, analysis)
    lines = (place, words_without(incident, options)(then), blind)
    return "".join(chat_line(redactor.text(line), LINE_CHARACTERS) + "\n" for line in lines)


def _lines(incident: Incident, analysis: Analysis | None) -> list[str]:
    place = f"{incident.environment} " if incident.environment else ""
    where = f"{place}T {rfc3339(incident.window.pin, stated_precision(incident.window.pin))}"
    window = f"window {window_words(incident.window)}"
    if analysis is None:
        return [f"{where}: still collecting", "Next: wait for the sources", f"Blind: {window}"]
    state = analysis.state.condition.value
    return [
        f"{where}, {state}: {analysis.headline or 'nothing found yet'}",
        f"Next: {analysis.next_action or 'nothing to do about any finding'}",
        f"Blind: {_blind(incident, analysis)}; {window}",
    ]


def _blind(incident: Incident, analysis: Analysis) -> str:
    """The widest blind spots, what is forgotten, and how many findings are not certain."""
    told = list(dict.fromkeys(_blind_words(incident, analysis)))
    if not told:
        return "nothing known to be missing"
    rest = len(told) - BLIND_NAMED
    return " · ".join(told[:BLIND_NAMED]) + (f" · and {rest} more" if rest > 0 else "")


def _blind_words(incident: Incident, analysis: Analysis) -> Iterator[str]:
    for entry in analysis.blind:
        yield f"{entry.source}: {entry.reason or entry.sight.value.replace('_', ' ')}"
    for source in incident.sources:
        if source.forgets:
            yield f"{source.name} {source.forgets}"
    for skipped in analysis.not_evaluated:
        yield skipped.sentence()
