"""What leaves the screen: the export and the status for the chat."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.gestures.base import Gestures

if TYPE_CHECKING:
    from timeline.event import Event


class HandingOver(Gestures):
    """Asks the hand-over object; nothing is written here."""

    def action_export(self) -> None:
        incident, analysis = self._state.incident, self._state.analysis
        if incident is None:
            self.say("Nothing has been read yet that could be exported.")
            return
        if analysis is None:
            self.say("Nothing to export yet: the sources are still being read.")
            return
        from tui.export_page import ExportScreen  # not needed for the first frame

        marked: list[Event] = sorted(self._state.marks.values(), key=lambda e: e.timestamp)
        render = partial(self._handover.draft, incident, analysis, marked)
        self.app.push_screen(ExportScreen(self._brush, self._handover, render, self.say))

    def action_status(self) -> None:
        incident = self._state.incident
        if incident is None:
            self.say("Nothing has been read yet that could be told.")
            return
        try:
            lines = self._handover.status(incident, self._state.analysis)
        except ValueError as problem:
            self.say(f"Nothing was copied: {problem}")
            return
        self.app.copy_to_clipboard(lines)
        self.say("Three lines sent to the terminal's clipboard; e writes the full export.")
