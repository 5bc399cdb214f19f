"""The one screen: header, overview, rows and footer; the gestures on it are in `tui/gestures`.

Wiring only: what is known lives in `ScreenState`, what is drawn in the pure modules. Never reads a
source; it asks the collector and the hand-over object it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from tui import actions
from tui.canvas import Brush, Sheet
from tui.chips import chips_line, is_shown
from tui.footer import Footer, Label
from tui.gestures.brushing import Brushing
from tui.gestures.following import Following
from tui.gestures.handing_over import HandingOver
from tui.gestures.looking import Looking
from tui.gestures.moving import Moving
from tui.gestures.noting import Noting
from tui.gestures.returning import Returning
from tui.gestures.travelling import Travelling
from tui.gestures.walking import Walking
from tui.gestures.wishing import Wishing
from tui.header import header_height, header_lines
from tui.lanes import known_sources
from tui.overview import cursor_cell, finding_at, overview_height, overview_lines
from tui.state import CHANGED_FOR_NS
from tui.timeline import Timeline
from tui.waiting import skip_hint

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from timeline.progress import Collector
    from tui.pieces import Line
    from tui.state import Handover, ScreenState

MESSAGE_SECONDS = 8.0
"""How long the footer says what just happened, unless a key is pressed."""
AGE_SECONDS = 30.0
"""How often "31 min ago" and the change marker are drawn anew."""


class IncidentScreen(
    Returning,
    Brushing,
    Walking,
    Looking,
    Following,
    Noting,
    Wishing,
    Travelling,
    HandingOver,
    Moving,
    Screen[None],
):
    """What `halfawake at TIME` shows."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("incident")]
    AUTO_FOCUS = "#timeline"

    def __init__(
        self, state: ScreenState, brush: Brush, collector: Collector, handover: Handover
    ) -> None:
        super().__init__()
        self._state = state
        self._brush = brush
        self._collector = collector
        self._handover = handover
        self._message = ""
        self._message_number = 0
        self._axis_cell: int | None = None
        self._header = Sheet(brush, self._draw_header, header_height, id="header")
        self._overview = Sheet(brush, self._draw_overview, self._overview_height, id="overview")
        self._sources = 0
        self._hint = ""
        self.timeline = Timeline(state, brush)
        self._footer = Footer(brush, self._labels, lambda: self._message)
        self._chips = Sheet(brush, self._draw_chips, lambda _w, _h: 1, id="chips")
        self._chips.display = False

    def compose(self) -> ComposeResult:
        yield self._header
        yield self._overview
        yield self._chips
        yield self.timeline
        yield self._footer

    def on_mount(self) -> None:
        self.set_interval(AGE_SECONDS, self._header.redraw)
        if len(self._state.rows):  # they were there before the screen
            self.facts_changed(rows=True)

    # -- drawing -----------------------------------------------------------------------------

    def _draw_header(self, width: int, _height: int) -> list[Line]:
        return header_lines(self._state, width, self.app.size.height, self._brush.glyphs)

    def _draw_overview(self, width: int, height: int) -> list[Line]:
        here = self._here()
        self._axis_cell = cursor_cell(self._state, width, here)
        terminal = self.app.size.height
        return overview_lines(self._state, width, height, terminal, here, self._brush.glyphs)

    def _overview_height(self, width: int, height: int) -> int:
        return overview_height(self._state, width, height)

    def _labels(self) -> list[Label]:
        hint = skip_hint(self._state.statuses)
        hints = [Label(hint, "skip_slowest")] if hint else []
        return [*hints, *actions.footer_labels("incident")]

    def _draw_chips(self, width: int, _height: int) -> list[Line]:
        return [chips_line(self._state.sieve, self.timeline.cursor, width)]

    def _chips_changed(self) -> None:
        self._chips.display = is_shown(self._state.sieve)
        self._chips.redraw()

    def _here(self) -> int | None:
        event = self.timeline.event
        return event.timestamp if event else None

    def facts_changed(self, *, rows: bool) -> None:
        """The state took an update; `rows` when the timeline's rows are other ones now."""
        with self.app.batch_update():
            if rows:
                self.timeline.rows_changed()
                self._rows_shown()
            self._chips_changed()
            self._header.redraw()
            self._overview.redraw()
            if (sources := len(known_sources(self._state))) != self._sources:
                self._sources = sources
                self._overview.refresh(layout=True)
            if (hint := skip_hint(self._state.statuses)) != self._hint:
                self._hint = hint
                self._footer.redraw()
        if self._state.headline_is_new:
            self.set_timer(CHANGED_FOR_NS / 1e9, self._header.redraw)

    def place_changed(self) -> None:
        self._chips_changed()
        self.timeline.refresh()
        self._overview.redraw()

    def say(self, message: str) -> None:
        """A sentence in the footer, until the next key or for a moment."""
        self._message = message
        self._message_number += 1
        number = self._message_number
        self._footer.redraw()
        self.set_timer(MESSAGE_SECONDS, lambda: self._hush(number))

    def _hush(self, number: int) -> None:
        if number == self._message_number and self._message:
            self._message = ""
            self._footer.redraw()

    def on_key(self) -> None:
        self._hush(self._message_number)

    def on_timeline_moved(self) -> None:
        self._chips.redraw()
        self.selection_moved()
        if cursor_cell(self._state, self.size.width, self._here()) != self._axis_cell:
            self._overview.redraw()

    def on_timeline_opened(self) -> None:
        self.action_proof()

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._overview and not self.has_dragged:
            width, height = self._overview.size
            glyphs = self._brush.glyphs
            number = finding_at(self._state, event.x, event.y, width, height, glyphs)
            if number is not None:
                self.action_finding(number)
