"""Coming back: the screen as it was left, kept while it is open, and the way to start afresh."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from tui.gestures.filtering import Filtering
from tui.gestures.travelling import Travelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from timeline.incident import Incident
    from timeline.window import Window
    from tui.restore import Keeping, View

KEEP_EVERY_S = 2.0
"""What a person did in less than this may be lost with the machine."""


class Returning(Travelling, Filtering):
    """Stands where the person stood, and remembers where they stand."""

    _keeping: Keeping | None = None
    _kept: View | None = None
    _kept_incident: Incident | None = None
    _being_kept = False
    _to_walk: View | None = None
    """A view whose finding is still to be found."""
    _opened_with: Window | None = None
    """The window to start afresh with, while `u` may still mean that."""
    _depth = 0

    def return_to(self, keeping: Keeping) -> None:
        """Before anything is collected: stand where the person left."""
        self._keeping = keeping
        view = keeping.left
        if view is None:
            return
        from tui.restore import restore  # only when there is something to restore

        self._opened_with = self._state.window
        restore(view, self._state, self.timeline)
        self._depth = len(view.before)
        self._to_walk = view if view.step >= 0 else None

    def keep_from_now_on(self) -> None:
        """The screen is there: say how it came back, and keep it every few seconds."""
        if self._keeping is None:
            return
        if self._keeping.sentence:
            self.say(self._keeping.sentence)
        self.set_interval(KEEP_EVERY_S, self._keep_soon)

    def findings_came(self) -> None:
        """New findings: walk the one that was walked."""
        if self._to_walk is None or self._state.analysis is None:
            return
        from tui.restore import restore_step

        if self._state.step >= 0 or restore_step(self._to_walk, self._state):
            self._to_walk = None
            self.place_changed()

    def action_undo(self) -> None:
        """The first `u` after coming back, behind all windows opened since, starts afresh."""
        first = self._opened_with
        if first is None or len(self._state.past.before) > self._depth:
            super().action_undo()
            return
        self._opened_with = self._to_walk = None
        self._state.step = -1
        self._state.sieve.clear()
        if self._state.window != first:
            self._open(first)
        self.sift(self._stand_at_pin)

    def _stand_at_pin(self) -> None:
        self.timeline.go_to_time(self._state.window.pin)
        self.place_changed()
        self.say("Afresh: at T, with every row. Marks and notes are still there.")

    # -- keeping -----------------------------------------------------------------------------

    def _keep_soon(self) -> None:
        """Every few seconds: keep what has changed, in a thread."""
        state = self._state
        arriving = self._to_walk is not None and not state.ended
        if self._being_kept or self._keeping is None or state.incident is None or arriving:
            return
        from tui.restore import view_of

        view, whole = view_of(state, self.timeline), state.incident if state.ended else None
        if view == self._kept and whole is self._kept_incident:
            return
        self._being_kept = True
        self._kept, self._kept_incident = view, whole
        keep = partial(self._keeping.keep, view, state.incident, state.statuses, whole=state.ended)
        self.run_worker(self._keep_in_thread(keep), group="keep", exit_on_error=False)

    async def _keep_in_thread(self, keep: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(keep)
        finally:
            self._being_kept = False
