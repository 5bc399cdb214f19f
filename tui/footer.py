"""The last line: what the keys do, or for a moment what just happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from tui.canvas import Sheet
from tui.pieces import Line, Piece, cut, fit

if TYPE_CHECKING:
    from textual import events

    from tui.canvas import Brush

GAP = "  "


class Label(NamedTuple):
    """`n/p step`, and the screen's action that a click on it runs."""

    text: str
    call: str


class Footer(Sheet):
    """One line of labels; a click on one does what its key does.

    `labels` in order of importance; `said` is a sentence that stands instead while it lasts.
    """

    def __init__(
        self, brush: Brush, labels: Callable[[], Sequence[Label]], said: Callable[[], str]
    ) -> None:
        super().__init__(brush, self._drawn, lambda _width, _height: 1, id="footer")
        self._labels = labels
        self._said = said

    def _drawn(self, width: int, _height: int) -> list[Line]:
        return footer_lines(self._labels(), self._said(), width)

    async def on_click(self, event: events.Click) -> None:
        if self._said():
            return
        for label, start, end in _placed(self._labels(), self.size.width):
            if start <= event.x < end:
                event.stop()
                await self.screen.run_action(label.call)
                return


def footer_lines(labels: Sequence[Label], message: str, width: int) -> list[Line]:
    """One line: the message if there is one, else as many labels as fit, the first ones first."""
    if message:
        return [fit([(" ", "text"), (cut(message, width - 2), "accent")], width)]
    line: list[Piece] = [(" ", "text")]
    for label, _start, _end in _placed(labels, width):
        key, _, rest = label.text.partition(" ")
        line += [(key, "info"), (f" {rest}{GAP}", "dim")]
    return [fit(line, width)]


def _placed(labels: Sequence[Label], width: int) -> Iterator[tuple[Label, int, int]]:
    """Each label that fits with its first cell and the one behind its last."""
    start = 1
    for label in labels:
        end = start + cell_len(label.text)
        if end + len(GAP) > width:
            return
        yield label, start, end
        start = end + len(GAP)
