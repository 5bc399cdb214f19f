"""The merged rows: a line-API scroll view with a cursor, dividers, and an anchor.

Arriving rows never move what is being read: the event under the cursor keeps its line. Draws from
`ScreenState`; builds `Event` objects for visible lines only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView

from timeline.words import span_words
from tui.pieces import Line, fit, wrap
from tui.row import FAR_NS, RowLayout, RowMark, RowState, divider_line, row_line
from tui.rows import Placed, first_rows_of_days, identity
from tui.set_off import SetOff
from tui.zones import beside, cells_for

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from timeline.event import Event
    from tui.canvas import Brush
    from tui.rows import Identity
    from tui.state import ScreenState

KEPT_STRIPS = 2048
"""Strips kept: about forty screens."""
TWICE = 2
MARGIN_LINES = 3
"""Lines kept visible above and below the cursor, so that one reads in context."""


class Timeline(ScrollView, can_focus=True, inherit_bindings=False):
    """One line per event or divider. Posts `Moved` when the cursor goes to another row."""

    class Moved(Message):
        """The cursor stands on another row."""

    class Opened(Message):
        """A row was clicked twice: what is behind it is wanted."""

    def __init__(self, state: ScreenState, brush: Brush) -> None:
        super().__init__(id="timeline")
        self._state = state
        self._brush = brush
        self._rows = state.rows
        self._placed = Placed(0, ())
        self._found = SetOff()
        self._layout = RowLayout.for_width(0)
        self._strips: LRUCache[tuple[Identity, int, RowState], Strip] = LRUCache(KEPT_STRIPS)
        self.cursor = 0
        self._read: Event | None = None
        """The event under the cursor."""
        self._anchor: Event | None = None
        """The event the person went to: it stays where it is when rows arrive, and is found again
        when a snapshot lacked it for a moment (a preview of a source that is still answering)."""
        self._wanted_line: int | None = None
        self._own_top = 0
        self._y = 0
        self._had_room = False
        """Whether the rows have had lines to stand on."""
        self._moved = False
        """Whether the person went anywhere; until then T itself is what stays in place."""

    # -- what is shown -----------------------------------------------------------------------

    @property
    def event(self) -> Event | None:
        """The event under the cursor."""
        return self._read

    def rows_changed(self) -> None:
        """Take the state's rows, window and onset; the row being read keeps its line."""
        line = self._line_being_read()
        visible = 0 <= line < self.size.height
        top = self._top_event() if not visible else None
        self._rows = self._state.rows
        self._placed = Placed(len(self._rows), self._dividers())
        self.virtual_size = Size(self.size.width, len(self._placed))
        if not len(self._rows):
            self._read = None
        elif self._read is None or (not self._moved and self.scroll_offset.y == self._own_top):
            self.go_to_time(self._state.window.pin)
            self._moved = False
        else:
            self.cursor = self._position(self._anchor or self._read)
            self._read = self._rows.event(self.cursor)
            if visible:
                self._scroll(self._placed.line_of(self.cursor) - line)
                self._wanted_line = line
            elif top is not None:
                self._scroll(self._placed.line_of(self._position(top)))
        self.refresh()

    def _line_being_read(self) -> int:
        """The screen line of the cursor; the one it had before too few rows forced it elsewhere."""
        if self._wanted_line is not None and self.scroll_offset.y == self._own_top:
            return min(self._wanted_line, max(self.size.height - 1, 0))
        return self._placed.line_of(self.cursor) - self.scroll_offset.y

    def _position(self, event: Event) -> int:
        found = self._rows.index_of(event)
        if found is None:
            found = min(self._rows.index_at(event.timestamp), len(self._rows) - 1)
        return found

    def _top_event(self) -> Event | None:
        if not len(self._rows):
            return None
        return self._rows.event(self._placed.nearest_row(self.scroll_offset.y))

    def _dividers(self) -> list[RowMark]:
        rows, pin = self._rows, self._state.window.pin
        if not len(rows):
            return []
        marks = [
            RowMark(first, "day", rows.event(first).timestamp) for first in first_rows_of_days(rows)
        ]
        onset = self._state.analysis.onset if self._state.analysis else None
        if onset is not None:
            marks.append(RowMark(rows.index_at(onset), "onset", onset))
        place = rows.index_at(pin)
        marks.append(RowMark(place, "pin", pin, self._how_far(place)))
        return sorted(marks, key=lambda mark: (mark.before, _DIVIDER_RANK[mark.kind]))

    def _how_far(self, place: int) -> str:
        """Words for a T that lies outside the rows."""
        rows, pin = self._rows, self._state.window.pin
        row = "row shown" if self._state.sieve.narrowed else "row"
        if place == len(rows) and (gap := pin - rows.event(place - 1).timestamp) >= FAR_NS:
            return f", {span_words(gap)} after the last {row}"
        if place == 0 and (gap := rows.event(0).timestamp - pin) >= FAR_NS:
            return f", {span_words(gap)} before the first {row}"
        return ""

    # -- moving ------------------------------------------------------------------------------

    def go_to_time(self, timestamp: int) -> None:
        """The cursor on the last row at or before `timestamp`, its line in the middle."""
        if len(self._rows):
            self.go_to(max(self._rows.index_at(timestamp + 1) - 1, 0), center=True)

    @property
    def stood_on(self) -> Event | None:
        """The event the person went to, or the one T brought under the cursor."""
        return self._anchor or self._read

    @property
    def cursor_line(self) -> int:
        """On which line of the rows in sight the cursor stands; negative above them."""
        return self._placed.line_of(self.cursor) - self.scroll_offset.y

    def stand_on(self, event: Event, line: int) -> None:
        """Before there are rows: the cursor will be on `event`, on that line of the terminal."""
        self._read = self._anchor = event
        self._wanted_line, self._moved = max(line, 0), True

    def go_to_event(self, event: Event) -> bool:
        """The cursor on `event`; False when it is not among the rows shown."""
        place = self._rows.index_of(event) if len(self._rows) else None
        if place is None:
            return False
        self.go_to(place)
        return True

    def go_to(self, row: int, *, center: bool = False) -> None:
        """The cursor on row `row` (clamped), scrolling as little as needed."""
        if not len(self._rows):
            return
        left, first = self.cursor_line, self.scroll_offset.y
        self.cursor = max(0, min(row, len(self._rows) - 1))
        self._read = self._anchor = self._rows.event(self.cursor)
        self._wanted_line, self._moved = None, True
        line, top = self._placed.line_of(self.cursor), self.scroll_offset.y
        height = self.size.height
        margin = min(MARGIN_LINES, max(height - 1, 0) // 2)
        if center or not top - height < line < top + 2 * height:
            self._scroll(line - height // 2)
        elif line < top + margin:
            self._scroll(line - margin)
        elif line > top + height - 1 - margin:
            self._scroll(line - height + 1 + margin)
        if self.scroll_offset.y == first:  # nothing else moved
            self.refresh_line(first + left)
            self.refresh_line(line)
        else:
            self.refresh()
        self.post_message(self.Moved())

    def move(self, rows: int) -> None:
        self.go_to(self.cursor + rows)

    def page(self, direction: int) -> None:
        self.move(direction * max(self.size.height - 2, 1))

    def _scroll(self, line: int) -> None:
        most = max(len(self._placed) - self.size.height, 0)
        self._own_top = max(0, min(line, most))
        self.scroll_to(y=self._own_top, animate=False, immediate=True, force=True)

    def on_click(self, event: events.Click) -> None:
        line = event.y + self.scroll_offset.y
        if line < len(self._placed):
            self.go_to(self._placed.nearest_row(line))
            if event.chain == TWICE:
                self.post_message(self.Opened())

    def on_resize(self) -> None:
        """The rows stay on their lines of the terminal; the cursor's stays in sight."""
        self.virtual_size = Size(self.size.width, len(self._placed))
        self._strips.clear()
        moved, self._y = self.region.y - self._y, self.region.y
        had_room, self._had_room = self._had_room, self.size.height > 0
        if self._wanted_line is not None and had_room:
            self._wanted_line -= moved
        if self._read is None:
            return
        line, height = self._placed.line_of(self.cursor), self.size.height
        top = self.scroll_offset.y + moved
        if not had_room or not top <= line < top + height:
            top = line - height // 2
        self._scroll(top)

    # -- drawing -----------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    @property
    def _cells(self) -> int:
        """Cells of a row, the scrollbar's own column left out."""
        return self.size.width - self.scrollbar_size_vertical

    def render_line(self, y: int) -> Strip:
        width = self._cells
        line = y + self.scroll_offset.y
        if not len(self._rows):
            return self._brush.strip(self._nothing(y, width), width)
        if line >= len(self._placed):
            return self._brush.strip([(" " * width, "text")], width)
        found = self._placed.at(line)
        if isinstance(found, RowMark):
            pin, glyphs = self._state.window.pin, self._brush.glyphs
            return self._brush.strip(divider_line(found, pin, width, glyphs), width)
        assert isinstance(found, int)  # noqa: S101 - narrows a union for the type checker
        return self._row_strip(found, width)

    def _row_strip(self, row: int, width: int) -> Strip:
        event = self._rows.event(row)
        who = identity(event)
        state = self._row_state(event, who, cursor=row == self.cursor)
        pin, layout = self._state.window.pin, self._row_layout(width)
        key = (who, pin, state)
        strip = self._strips.get(key)
        if strip is None:
            line = row_line(event, pin, layout, state, self._brush.glyphs)
            strip = self._brush.strip(line, width, cursor=state.cursor)
            self._strips[key] = strip
        return strip

    def _row_state(self, event: Event, who: Identity, *, cursor: bool) -> RowState:
        state = self._state
        marked = who in state.marks
        terms, spelt = self._found.in_event(event, state.sieve)
        zone = state.zones.shown
        other = "" if zone is None else beside(event.timestamp, event.precision, zone)
        return RowState(cursor, marked, state.step_number(event), terms, spelt, other)

    def _row_layout(self, width: int) -> RowLayout:
        """Column widths for these rows; another layout makes every kept strip stale."""
        layout = RowLayout.for_width(width, self._beside)
        if layout != self._layout:
            self._layout = layout
            self._strips.clear()
        return self._layout

    @property
    def _beside(self) -> int:
        """Cells of the second zone."""
        return cells_for(self._state.zones.shown, self._state.window.pin)

    def _nothing(self, y: int, width: int) -> Line:
        """A sentence instead of an empty screen, a third of the way down."""
        sentence = self._state.nothing_sentence()
        pieces = wrap(sentence, max(width - 8, 10))
        place = y - self.size.height // 3
        text = pieces[place] if 0 <= place < len(pieces) else ""
        return fit([("    ", "text"), (text, "dim")], width)


_DIVIDER_RANK = {"day": 0, "onset": 1, "pin": 2}
