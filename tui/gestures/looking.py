"""Marks: choosing among the rows, and the way back."""

from __future__ import annotations

from tui.gestures.searching import Searching


class Looking(Searching):
    """Marks rows, goes one step back."""

    def action_mark(self) -> None:
        event = self.timeline.event
        if event is None:
            return
        marked = self._state.toggle_mark(event)
        count = len(self._state.marks)
        self.say(f"{'Marked' if marked else 'Unmarked'}; {count} marked for the export.")
        self.timeline.move(1)

    def action_back(self) -> None:
        """Take back one thing, the newest first."""
        sieve = self._state.sieve
        if self.leave_line():
            return
        if sieve.among_all and sieve.narrowed:
            self.back_among_filtered()
        elif sieve.needle is not None:
            sieve.search(None)
            self.sift()
        elif sieve.widen():
            self.sift()
        elif self._state.step >= 0:
            self._state.step = -1
            self.place_changed()
