"""A page to read: title, wrapped lines, footer. Proof, sources and help are such pages.

A page is a function from a width to a `Page`; it is drawn again when the width or its facts
change. Esc goes back to where the person was, always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.geometry import Size
from textual.screen import Screen
from textual.scroll_view import ScrollView

from tui import actions
from tui.canvas import Brush, Sheet
from tui.footer import Footer
from tui.pieces import Line, fit

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of one page; `focus` is the line that must be visible, `title` the first line."""

    title: Line
    lines: list[Line]
    focus: int = 0


PageOf: TypeAlias = Callable[[int], Page]

NARROWEST = 20
"""Pages are wrapped for at least this width and cut below it."""


class _Text(ScrollView, can_focus=True, inherit_bindings=False):
    """The page's lines, scrolled."""

    def __init__(self, brush: Brush, page_of: PageOf, loaded: Callable[[], None]) -> None:
        super().__init__(id="page")
        self._brush = brush
        self._loaded = loaded
        self._page_of = page_of
        self._width = 0
        self.page = Page([], [])

    def load(self, *, keep_place: bool = False) -> None:
        """Draw the page anew; without `keep_place` its focus line is brought into view."""
        self._width = self.size.width
        self.page = self._page_of(max(self._cells, NARROWEST))
        self.virtual_size = Size(self.size.width, len(self.page.lines))
        if not keep_place:
            self.show_line(self.page.focus)
        self.refresh()
        self._loaded()

    @property
    def _cells(self) -> int:
        """Cells of a line, the scrollbar's own column left out."""
        return self.size.width - self.scrollbar_size_vertical

    def shows(self, line: int) -> bool:
        """Whether `line` is in sight, with a little of what follows."""
        top, height = self.scroll_offset.y, self.size.height
        return top <= line < max(top + height - 2, top + 1)

    def show_line(self, line: int) -> None:
        if not self.shows(line):
            self.scroll_by(line - self.size.height // 3 - self.scroll_offset.y)

    def scroll_by(self, lines: int) -> None:
        most = max(len(self.page.lines) - self.size.height, 0)
        place = max(0, min(self.scroll_offset.y + lines, most))
        self.scroll_to(y=place, animate=False, immediate=True, force=True)

    def on_resize(self) -> None:
        if self.size.width != self._width:
            self.load()

    def render_line(self, y: int) -> Strip:
        line, width = y + self.scroll_offset.y, self._cells
        if line >= len(self.page.lines):
            return self._brush.strip([(" " * width, "text")], width)
        return self._brush.strip(fit(self.page.lines[line], width), width)


class Reader(Screen[None]):
    """One page over the incident; nothing below it is lost."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("reader")]
    SCOPES: ClassVar[tuple[actions.Scope, ...]] = ("reader",)
    said = ""
    """A sentence that stands in the footer instead of the keys."""

    def __init__(self, brush: Brush, page_of: PageOf) -> None:
        super().__init__()
        self._brush = brush
        self._title = Sheet(brush, self._draw_title, lambda _w, _h: 1, id="title")
        self._text = _Text(brush, page_of, self._title.redraw)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._text
        yield Footer(self._brush, lambda: actions.footer_labels(*self.SCOPES), lambda: self.said)

    def on_mount(self) -> None:
        self._text.focus()

    def reload(self, *, keep_place: bool = True) -> None:
        """Its facts have changed."""
        self._text.load(keep_place=keep_place)

    def _draw_title(self, width: int, _height: int) -> list[Line]:
        return [fit(self._text.page.title, width)]

    def action_close(self) -> None:
        self.dismiss()

    def action_line_up(self) -> None:
        self._text.scroll_by(-1)

    def action_line_down(self) -> None:
        self._text.scroll_by(1)

    def action_page_up(self) -> None:
        self._text.scroll_by(2 - self._text.size.height)

    def action_page_down(self) -> None:
        self._text.scroll_by(self._text.size.height - 2)

    def action_top(self) -> None:
        self._text.scroll_by(-len(self._text.page.lines))

    def action_bottom(self) -> None:
        self._text.scroll_by(len(self._text.page.lines))
