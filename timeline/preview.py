"""The first rows of a source, before anything was read in full.

Alone in this file: the first frame waits for what it imports, and columns and coverage come later.
"""

from __future__ import annotations

from dataclasses import dataclass

from timeline.event import Event

PREVIEW_ROWS = 200
"""Most events of one preview; enough for a tall screen around T."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Up to `PREVIEW_ROWS` events nearest the pinned instant, in time order."""

    source: str
    events: tuple[Event, ...]
