"""Human notes with times: what people did and saw, for the timeline and the postmortem."""

from __future__ import annotations

from connectors.notes.connector import NotesConnector, NotesOptions

__all__ = ["NotesConnector", "NotesOptions"]
