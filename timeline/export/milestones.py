"""When people acknowledged, mitigated and resolved it, by the notes whose words say so.

Owns the words. A question, a plan, a wish, a negation and a bot's message tell of nothing; where
several notes claim the mitigation or the resolution, which one it was is not decided here. The
first acknowledgement is the acknowledgement. Every claim cites its note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from timeline.clean import LINE_BREAK, clean
from timeline.event import Event, Lane
from timeline.export.curate import identity
from timeline.export.document import Milestone, Moment
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.export.curate import Identity
    from timeline.incident import Incident

MOST_NOTES = 5_000
"""Read of one incident; a channel of a night has some hundred."""
NOTES_CITED = 5
"""Of those that claim the same."""
LONGEST_CLAIM = 200
"""Characters of a first line that may state a milestone; a longer one tells a story."""


class Deed(StrEnum):
    """What people do to an incident; the value is how it is told."""

    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


_CLAIMS: dict[Deed, re.Pattern[str]] = {
    Deed.ACKNOWLEDGED: re.compile(
        r"(?i)^\W{0,3}(?:ack(?:ed|ing|nowledged|nowledging)?\b|i[' ]?(?:a?m| have) (?:on it|got it)"
        r"|on it\b)|\backnowledged (?:the )?(?:page|pager|alert|incident|alarm)\b"
        r"|\b(?:page|alert|incident|alarm) (?:was )?acknowledged\b"
    ),
    Deed.MITIGATED: re.compile(
        r"(?i)\bmitigated\b|\bmitigation (?:is |was )?(?:in place|applied|done|complete)"
        r"|\b(?:rolled back|reverted)\b"
    ),
    Deed.RESOLVED: re.compile(
        r"(?i)\bresolved\b|\ball[- ]clear\b|\bback to normal\b|\bfully recovered\b"
        r"|\bincident (?:is |was )?(?:over|closed)\b"
    ),
}
_DOUBT = re.compile(
    r"(?i)\?|\b(?:not|no|never|un\w*resolved|cannot|should|could|would|will|shall|can|may|might|"
    r"maybe|if|when|once|until|before|unless|after|going to|about to|trying|try|plan\w*|want\w*|"
    r"need\w*|let'?s|hop\w*|almost|nearly|part\w*|soon|yet|waiting|wait|ready|to be|who|has anyone|"
    r"think|believe|looks|seems|guess|transactions?|migrations?|txn|dns|hosts?names?)\b|n['’]t\b"
    r"|\bto (?:ack|mitigate|roll|revert|resolve)"
)
"""Words beside a claim that make it a question, a plan, a guess, or one about something else."""


def claimed(text: str) -> Deed | None:
    """What the first line of a note states has been done; None when it states nothing for sure."""
    line = text.partition(LINE_BREAK)[0].strip()
    if len(line) > LONGEST_CLAIM or _DOUBT.search(line):
        return None
    found = [deed for deed, pattern in _CLAIMS.items() if pattern.search(line)]
    return found[0] if len(found) == 1 else None


def milestones_in(incident: Incident, since: int | None) -> dict[Deed, tuple[Event, ...]]:
    """The notes that claim each deed, by time, from `since` (ns UTC) or the window's start on.

    A note to the minute stands up to a minute before what it tells.
    """
    begin = incident.window.start if since is None else since
    rows = incident.snapshot.where(
        (pl.col("lane") == Lane.NOTE.value) & (pl.col("timestamp") > begin - MINUTE_NS)
    ).head(MOST_NOTES)
    return _by_deed(incident.snapshot.events_at(rows.to_list()), begin)


def _by_deed(events: Iterable[Event], begin: int) -> dict[Deed, tuple[Event, ...]]:
    found: dict[Deed, list[Event]] = {}
    for event in events:
        if event.timestamp + event.precision.nanoseconds <= begin or _is_bot(event):
            continue
        deed = claimed(event.body)
        if deed is not None:
            found.setdefault(deed, []).append(event)
    return {deed: tuple(found[deed]) for deed in Deed if deed in found}


def milestones_of(
    told: Mapping[Deed, Sequence[Event]], began: Moment | None, labels: Mapping[Identity, str]
) -> tuple[Milestone, ...]:
    """What people did as the document tells it; a length needs both of its ends."""
    return tuple(_milestone(deed, notes, began, labels) for deed, notes in told.items())


def _milestone(
    deed: Deed, notes: Sequence[Event], began: Moment | None, labels: Mapping[Identity, str]
) -> Milestone:
    cited = tuple(labels[identity(note)] for note in notes[:NOTES_CITED])
    if len(notes) > 1 and deed is not Deed.ACKNOWLEDGED:
        return Milestone(deed.value, None, f"{len(notes)} notes say so", None, cited)
    note = notes[0]
    since = None if began is None else max(note.timestamp - began.timestamp, 0)
    moment = Moment(note.timestamp, note.precision)
    text = clean(note.body.partition(LINE_BREAK)[0])
    return Milestone(deed.value, moment, text, since, cited[:1])


def _is_bot(event: Event) -> bool:
    try:
        told = json.loads(event.attributes or "{}")
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("bot") == "yes"
