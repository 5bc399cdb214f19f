"""A bare scroll view with a cursor over a million made-up lines: the floor for key to frame.

Draws one styled line per row as Textual's line API allows, and knows nothing of events.
"""

from __future__ import annotations

import sys

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

BARE = "row 0000000"
_PLAIN, _HERE = Style(color="#dadada", bgcolor="#101216"), Style(color="#dadada", bgcolor="#242d38")


class Lines(ScrollView, can_focus=True):
    """`count` lines; arrows move a cursor that stays in sight, page keys move a page."""

    BINDINGS = [  # noqa: RUF012 - Textual's own declaration
        Binding("up", "go(-1)"),
        Binding("down", "go(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
    ]

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count, self._at = count, 0

    def on_mount(self) -> None:
        self.virtual_size = Size(self.size.width, self._count)

    def action_page(self, direction: int) -> None:
        self.action_go(direction * (self.size.height - 2))

    def action_go(self, lines: int) -> None:
        self._at = max(0, min(self._at + lines, self._count - 1))
        top, height = self.scroll_offset.y, self.size.height
        if not top <= self._at < top + height:
            self.scroll_to(y=self._at - height // 2, animate=False, immediate=True, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        number, width = y + self.scroll_offset.y, self.size.width
        style = _HERE if number == self._at else _PLAIN
        text = f" row {number:07d}  something that happened once and was written down"
        return Strip([Segment(text.ljust(width)[:width], style)], width)


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Lines(int(sys.argv[1]))


if __name__ == "__main__":
    Bare().run()
