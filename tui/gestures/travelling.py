"""The pinned instant and the window around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.words import span_words
from tui.gestures.base import Gestures

if TYPE_CHECKING:
    from timeline.window import Window

LIVE_WITHIN_NS = 3_600_000_000_000
"""Reading on begins where the window ends; to catch up with more than an hour is another window."""
SMALLEST_WINDOW_NS = 2_000_000_000
HALF, DOUBLE = 0.5, 2.0


class Travelling(Gestures):
    """Moves T and the window; never a stamp."""

    def action_onset(self) -> None:
        onset = self._state.analysis.onset if self._state.analysis else None
        if onset is None:
            self.say("No onset stands out in what was read so far.")
            return
        self.timeline.go_to_time(onset)

    def action_to_pin(self) -> None:
        self.timeline.go_to_time(self._state.window.pin)

    def action_pin(self) -> None:
        event = self.timeline.event
        if event is None:
            return
        self._open(self._state.window.repinned(event.timestamp, self._state.now()))
        self.say("T is pinned here; u goes back.")

    def action_narrow(self) -> None:
        window = self._state.window
        if window.end - window.start <= SMALLEST_WINDOW_NS:
            self.say("The window cannot be smaller.")
            return
        self._open(window.scaled(HALF, self._state.now()))

    def action_widen(self) -> None:
        self._open(self._state.window.scaled(DOUBLE, self._state.now()))

    def action_live(self) -> None:
        state = self._state
        if state.live:
            self._collector.keep_reading(False)
            state.live = False
            self.say("Reading stopped; l goes on.")
        else:
            self.read_live()
        self.facts_changed(rows=False)

    def read_live(self) -> None:
        """Read on behind the window, or say why not."""
        state = self._state
        distance = state.now() - state.window.end
        if distance > LIVE_WITHIN_NS:
            self.say(f"The window ended {span_words(distance)} ago; pin a later T to read on live.")
        elif self._collector.keep_reading(True):
            state.live = True
            self.say("Reading what arrives; the cursor stays where it is. l stops.")
        else:
            self.say("This is a recording: nothing new can arrive.")

    def _open(self, window: Window) -> None:
        self._state.open_window(window)
        self._collector.repin(window)
        self.facts_changed(rows=True)

    def action_undo(self) -> None:
        window = self._state.undo_window()
        if window is None:
            self.say("Nothing to undo: T and window are as they were opened.")
            return
        self._collector.repin(window)
        self.facts_changed(rows=True)
        self.say("Back to the T and window before.")
