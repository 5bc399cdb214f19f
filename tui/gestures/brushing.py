"""Selecting a stretch of time over the lanes, by keys or by dragging, and looking at it alone.

Letting go of the mouse zooms nothing: another window is read from production again, so enter asks
for it. Esc lets the selection go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.gestures.looking import Looking
from tui.gestures.travelling import Travelling
from tui.gestures.walking import Walking
from tui.lanes import columns_for
from tui.overview import lane_cell_at, lanes_width
from tui.selection import Selection, Stretch

if TYPE_CHECKING:
    from textual import events

    from tui.canvas import Sheet
    from tui.density import Columns

LEFT_BUTTON = 1


class Brushing(Walking, Looking, Travelling):
    """Begins, extends, takes and lets go a selection; while there is one, enter and esc mean it."""

    ALLOW_SELECT: ClassVar[bool] = False
    """A drag selects time; the framework's own selection of text would scroll the rows with it."""
    _overview: Sheet
    _drag_from: int | None = None
    """Cell of the lanes where a mouse button went down."""
    has_dragged = False
    """Whether the mouse has just selected something, so that letting go is no click."""
    _own_moves = 0
    """Moves of the cursor that left and right made and that the timeline has yet to tell of: the
    selection was extended by their cells already."""

    # -- keys --------------------------------------------------------------------------------

    def action_select(self) -> None:
        event = self.timeline.event
        if self._state.selection is not None:
            self._let_go()
        elif event is None:
            self.say("There is no row yet to select from.")
        else:
            here = Stretch(event.timestamp, event.timestamp + 1)
            self._select(Selection(here, here))

    def action_earlier(self) -> None:
        self._step_cell(-1)

    def action_later(self) -> None:
        self._step_cell(1)

    def _step_cell(self, direction: int) -> None:
        """One cell of the lanes to the left or right, the cursor on what stands there."""
        selection, event = self._state.selection, self.timeline.event
        if event is None:
            return
        columns = self._columns
        if selection is None:
            start, end = columns.stretch(columns.nearest_cell(event.timestamp))
            if direction < 0:
                self.timeline.go_to_time(start - 1)
            else:
                self.timeline.go_to(self._state.rows.index_at(end))
            return
        head = selection.head.start if direction < 0 else selection.head.end - 1
        cell = columns.nearest_cell(head) + direction
        cell += direction * (cell == columns.before)
        if not 0 <= cell < columns.cells:
            return
        stretch = Stretch(*columns.stretch(cell))
        self._own_moves += 1
        if direction < 0:
            self.timeline.go_to(self._state.rows.index_at(stretch.start))
        else:
            self.timeline.go_to_time(stretch.end - 1)
        self._select(selection.extended(stretch))

    def action_proof(self) -> None:
        """Enter takes the selection while there is one."""
        selection, window = self._state.selection, self._state.window
        if selection is None:
            super().action_proof()
            return
        chosen = selection.window(window)
        self._open(chosen)
        side = "end" if chosen.pin < window.pin else "start"
        moved = f" T is pinned at its {side} now." if chosen.pin != window.pin else ""
        self.say(f"Looking at the selection alone.{moved} u goes back.")

    def action_back(self) -> None:
        if self._state.selection is not None:
            self._let_go()
        else:
            super().action_back()

    def selection_moved(self) -> None:
        """The cursor went to another row: it is the selection's end now."""
        selection, event = self._state.selection, self.timeline.event
        if self._own_moves:
            self._own_moves -= 1
        elif selection is not None and event is not None:
            at = event.timestamp
            self._select(selection.extended(Stretch(at, at + 1)))

    def _select(self, selection: Selection) -> None:
        self._state.selection = selection
        self._overview.redraw()

    def _let_go(self) -> None:
        self._state.selection = None
        self._overview.redraw()

    @property
    def _columns(self) -> Columns:
        return columns_for(self._state, lanes_width(self._overview.size.width))

    # -- the mouse ---------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self.has_dragged = False
        self._drag_from = self._lane_cell(event) if event.button == LEFT_BUTTON else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._drag_from is None:
            return
        if event.button != LEFT_BUTTON:
            self._drag_from = None
            return
        columns = self._columns
        cell = self._lane_cell(event, inside=False)
        if cell is None or (cell == self._drag_from and not self.has_dragged):
            return
        self.has_dragged = True
        anchor = Stretch(*columns.stretch(self._drag_from))
        self._select(Selection(anchor, Stretch(*columns.stretch(cell))))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        started, self._drag_from = self._drag_from, None
        if started is None or self.has_dragged or self._lane_cell(event) is None:
            return
        if self._state.selection is None:
            self.timeline.go_to_time(self._columns.stretch(started)[0])

    def _lane_cell(self, event: events.MouseEvent, *, inside: bool = True) -> int | None:
        """The lanes' cell under the mouse; with `inside` None where there is none."""
        region = self._overview.region
        x, y = int(event.screen_x) - region.x, int(event.screen_y) - region.y
        if not inside:
            y = region.height - 1
        width, height = self._overview.size
        return lane_cell_at(self._state, x, y, width, height, inside=inside)
