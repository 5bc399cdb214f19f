"""Findings, their steps and their proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.gestures.base import Gestures

if TYPE_CHECKING:
    from timeline.finding import Step


class Walking(Gestures):
    """Walks the evidence; every step is also a place among the rows."""

    def action_next_step(self) -> None:
        self._show_step(self._state.walk(1))

    def action_previous_step(self) -> None:
        self._show_step(self._state.walk(-1))

    def action_finding(self, number: int) -> None:
        if number > len(self._state.findings):
            self.say(f"There is no finding {number}: {len(self._state.findings)} were made.")
            return
        self._show_step(self._state.go_to_finding(number))

    def _show_step(self, step: Step | None) -> None:
        if step is None:
            self.say("No finding has steps to walk yet.")
            return
        if not self.timeline.go_to_event(step.event):
            self._show_among_all()
            if not self.timeline.go_to_event(step.event):
                self.timeline.go_to_time(step.event.timestamp)
                self.say("This step's record is not among the rows read so far; nearest shown.")
        self.place_changed()

    def _show_among_all(self) -> None:
        """Leave a filter or a followed key for the moment: the step is not among its rows."""
        sieve = self._state.sieve
        if sieve.narrowed and not sieve.among_all:
            sieve.step_aside(self.timeline.event)
            self.facts_changed(rows=True)
            self.say("This step is shown among all rows; z goes back to those you chose.")

    def action_proof(self) -> None:
        from tui.proof import ProofScreen, record_page  # not needed for the first frame
        from tui.reader import Reader

        event = self.timeline.event
        if event is None:
            self.say("There is no row yet whose record could be shown.")
        elif self._state.select_step_of(event):
            self.place_changed()
            self.app.push_screen(ProofScreen(self._brush, self._state, self._show_step))
        else:
            self.app.push_screen(
                Reader(self._brush, lambda width: record_page(self._state, event, width))
            )
