"""Any other text that names a time: a ticket, a chat line. The last kind that is tried.

Without a format to trust, a time must stand alone or behind a word such as "since".
"""

from __future__ import annotations

from dataclasses import replace

from timeline.pasted.alert_text import alert_text
from timeline.pasted.contract import Meaning, Pasted
from timeline.pasted.fields import json_of


def understood(text: str) -> Pasted | None:
    if json_of(text) is not None or not text.strip():
        return None
    told = alert_text("text", text)
    taken = (Meaning.STARTED, Meaning.MENTIONED, Meaning.SENT, Meaning.SEEN)
    if not told.of(*taken) and not told.relative and not told.keys:
        return None
    return replace(told, late=None, late_why="", prose=True)
