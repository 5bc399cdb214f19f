"""Search: words in a row's text, typed below the footer, and the way from match to match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.gestures.base import Gestures

if TYPE_CHECKING:
    from textual.widgets import Input


class Searching(Gestures):
    """Finds rows without hiding the others."""

    _search: Input

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash typed into the search is a letter."""
        return not (action == "search" and self._search.display)

    def action_search(self) -> None:
        self._search.value = self._state.search
        self._search.cursor_position = len(self._search.value)
        self._search.display = True
        self.set_focus(self._search)  # at once: the next key is the first letter

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self._state.search = message.value.strip()
        self._leave_search()
        if not self._state.search:
            return
        here = self.timeline.cursor
        place = self._state.match_from(here - 1, 1)
        if place is None:
            self.say(f"No row holds {self._state.search!r}.")
            self._state.search = ""
        else:
            self.timeline.go_to(place)
        self.place_changed()

    def _leave_search(self) -> None:
        self._search.display = False
        self.timeline.focus()
        self.place_changed()

    def action_next_match(self) -> None:
        self._to_match(1)

    def action_previous_match(self) -> None:
        self._to_match(-1)

    def _to_match(self, direction: int) -> None:
        place = self._state.match_from(self.timeline.cursor, direction)
        if place is None:
            self.say("Nothing is searched for; / searches.")
        else:
            self.timeline.go_to(place)
