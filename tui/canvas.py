"""From pieces to the terminal: the brush that knows colours and signs, and the plain line widget.

The only widgets of the main screen are `Sheet` (a fixed block of lines) and the timeline. Both use
the line API: nothing is laid out per row, nothing parses markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from timeline.clean import clean
from tui.theme import Palette, palette

if TYPE_CHECKING:
    from textual.geometry import Size

    from tui.glyphs import Glyphs
    from tui.pieces import Line
    from tui.theme import Role

Draw: TypeAlias = "Callable[[int, int], list[Line]]"
"""Draws exactly (width, height) cells as lines."""
Height: TypeAlias = Callable[[int, int], int]
"""Lines wanted on a terminal of (width, height)."""


class Brush:
    """Turns lines into strips with the current theme's colours and the terminal's signs."""

    def __init__(self, glyphs: Glyphs) -> None:
        self.glyphs = glyphs
        self._plain: Palette = {}
        self._cursor: Palette = {}

    def use(self, variables: Mapping[str, str]) -> None:
        """Take the colours of a theme."""
        self._plain = palette(variables, "background")
        self._cursor = palette(variables, "cursor-line")

    def strip(self, line: Line, width: int, *, cursor: bool = False) -> Strip:
        """A line already fitted to `width` cells as a strip; the cursor's line is set off."""
        styles = self._cursor if cursor else self._plain
        segments: list[Segment] = []
        text, current = "", None
        for piece, role in line:
            if role != current and text:
                segments.append(self._segment(text, current, styles))
                text = ""
            text, current = text + piece, role
        segments.append(self._segment(text, current, styles))
        return Strip(segments, width)

    def _segment(self, text: str, role: Role | None, styles: Palette) -> Segment:
        if not text.isprintable():
            text = clean(text)  # everything was cleaned at ingest; a driver's message may not be
        return Segment(self.glyphs.shown(text), styles.get(role) if role else None)


class Sheet(Widget):
    """A block of lines whose height depends on the terminal's size alone."""

    DEFAULT_CSS = "Sheet { height: auto; width: 1fr; }"

    def __init__(self, brush: Brush, draw: Draw, height: Height, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._brush = brush
        self._draw = draw
        self._height = height
        self._lines: list[Line] | None = None
        self._drawn_for = (0, 0)
        """Cells the lines were drawn for: a frame may come before the event of a new size."""

    def redraw(self) -> None:
        """What is shown has changed."""
        self._lines = None
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._height(viewport.width, viewport.height)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines = None

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._lines is None or self._drawn_for != (width, height):
            self._lines, self._drawn_for = self._draw(width, height), (width, height)
        if y >= len(self._lines):
            return self._brush.strip([(" " * width, "text")], width)
        return self._brush.strip(self._lines[y], width)
