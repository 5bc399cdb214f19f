"""Going on without a source that takes long, and asking one again."""

from __future__ import annotations

from tui.gestures.base import Gestures
from tui.waiting import slowest


class Patience(Gestures):
    """Skips what is waited for; the page of sources can do both for any source."""

    def action_skip_slowest(self) -> None:
        status = slowest(self._state.statuses)
        if status is None:
            self.say("Nothing is being waited for.")
        else:
            self.say(self.skip_source(status.source))

    def skip_source(self, source: str) -> str:
        """Wait no longer for `source`; the sentence says what that means."""
        if not self._collector.skip(source):
            return f"{source} is not being asked anything, so there is nothing to skip."
        return f"Going on without {source}; what it told so far stays. s, then r, asks it again."

    def retry_source(self, source: str) -> str:
        """Ask `source` again for this window; the sentence says whether."""
        if self._collector.retry(source):
            return f"Asking {source} again for this window."
        status = next((s for s in self._state.statuses if s.source == source), None)
        if status is None or not status.answered:
            return f"{source} is being asked already."
        if status.incomplete:
            return "This is a recording: there is nobody to ask again."
        return f"{source} answered in full; there is nothing to ask again."
