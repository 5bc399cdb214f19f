"""Keys and marks: choosing among the rows, and the way back."""

from __future__ import annotations

from tui.gestures.searching import Searching


class Looking(Searching):
    """Follows a key, marks rows, goes one step back."""

    def action_follow(self) -> None:
        event = self.timeline.event
        if event is None or not event.keys:
            self.say("This row carries no key to follow.")
            return
        from tui.picker import KeyPicker  # not needed for the first frame

        incident = self._state.incident
        broad = incident.snapshot.broad_keys if incident else frozenset()
        counted = self._state.keys_with_counts(event)
        self.app.push_screen(KeyPicker(counted, broad), self._follow)

    def _follow(self, key: str | None) -> None:
        if not key:
            return
        self._state.follow_key(key)
        self._collector.look_up([key])
        self.facts_changed(rows=True)

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
        if self._search.display:
            self._leave_search()
            return
        if self._state.search:
            self._state.search = ""
        elif self._state.follow:
            self._state.follow_key("")
            self.timeline.rows_changed()
        elif self._state.step >= 0:
            self._state.step = -1
        self.place_changed()
