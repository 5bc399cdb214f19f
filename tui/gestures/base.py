"""What every gesture may touch: the state, the rows, the collector, the hand-over, the footer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from timeline.progress import Collector
    from tui.canvas import Brush
    from tui.state import Handover, ScreenState
    from tui.timeline import Timeline

    Ground = Screen[None]
else:
    Ground = object  # fourteen classes of screens would take longer to make than to load


class Gestures(Ground):
    """The ground the gestures stand on: `IncidentScreen` fills it, and is the screen they mean."""

    _state: ScreenState
    _brush: Brush
    _collector: Collector
    _handover: Handover
    timeline: Timeline

    @abstractmethod
    def say(self, message: str) -> None:
        """A sentence in the footer, until the next key or for a moment."""

    @abstractmethod
    def facts_changed(self, *, rows: bool) -> None:
        """Draw anew what the state says; `rows` when the timeline's rows are other ones now."""

    @abstractmethod
    def place_changed(self) -> None:
        """Draw anew what depends on where the person stands: rows, lanes, findings."""
