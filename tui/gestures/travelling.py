"""The pinned instant and the window around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.words import span_words
from tui.gestures.asking import Question
from tui.gestures.filtering import Filtering
from tui.row import FAR_NS
from tui.zones import zone_name

if TYPE_CHECKING:
    from timeline.window import Window

LIVE_WITHIN_NS = 3_600_000_000_000
"""Reading on begins where the window ends; to catch up with more than an hour is another window."""
SMALLEST_WINDOW_NS = 2_000_000_000
HALF, DOUBLE = 0.5, 2.0


class Travelling(Filtering):
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
        self._show_window(window, "Back to the T and window before; U goes forward again.")

    def action_redo(self) -> None:
        window = self._state.redo_window()
        if window is None:
            self.say("Nothing was undone.")
        else:
            self._show_window(window, "Forward to the T and window that were undone.")

    def _show_window(self, window: Window, words: str) -> None:
        self._collector.repin(window)
        self.facts_changed(rows=True)
        self.say(words)

    # -- a typed time ------------------------------------------------------------------------

    def action_go_to_time(self) -> None:
        from timeline.jump import FORMS  # not needed for the first frame

        self.ask(Question(FORMS, "", self._time_typed, self._time_entered, self._time_left))

    def _time_typed(self, text: str) -> None:
        if not text.strip():
            return
        try:
            self.say(f"{self.instant_of(text).words}; enter goes there.")
        except ValueError as problem:
            self.say(str(problem))

    def _time_entered(self, text: str) -> bool:
        if not text.strip():
            return True
        try:
            found = self.instant_of(text)
        except ValueError as problem:
            self.say(str(problem))
            return False
        self.timeline.go_to_time(found.at)
        self.say(f"{found.words}{self._how_far(found.at)}.")
        return True

    def _time_left(self) -> None:
        self.say("")

    def action_zone(self) -> None:
        """Another zone beside UTC."""
        zones = self._state.zones
        if not zones.all:
            self.say("This machine's zone is UTC, and no other is configured.")
            return
        zone = zones.turn()
        self.facts_changed(rows=False)
        self.timeline.refresh()
        if zone is None:
            self.say("Times are UTC, and nothing beside them.")
        else:
            self.say(f"Beside UTC: {zone_name(zone, self._state.window.pin)}.")

    def _how_far(self, at: int) -> str:
        """Words for a place where no row is near."""
        event = self.timeline.event
        if event is None or abs(gap := at - event.timestamp) < FAR_NS:
            return ""
        side = "earlier" if gap > 0 else "later"
        return f"; the nearest row is {span_words(gap)} {side}"
