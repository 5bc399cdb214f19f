"""What leaves the screen: the export and the status for the chat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.gestures.base import Gestures

if TYPE_CHECKING:
    from timeline.event import Event


class HandingOver(Gestures):
    """Asks the hand-over object; nothing is written here."""

    async def action_export(self) -> None:
        incident = self._state.incident
        if incident is None:
            self.say("Nothing has been read yet that could be exported.")
            return
        marked: list[Event] = sorted(self._state.marks.values(), key=lambda e: e.timestamp)
        analysis = self._state.analysis
        try:
            said = await asyncio.to_thread(self._handover.export, incident, analysis, marked)
        except OSError as problem:
            said = f"The export could not be written: {problem}."
        self.say(said)

    def action_status(self) -> None:
        incident = self._state.incident
        if incident is None:
            self.say("Nothing has been read yet that could be told.")
            return
        self.app.copy_to_clipboard(self._handover.status(incident, self._state.analysis))
        self.say("Three lines sent to the terminal's clipboard; e writes the full export.")
