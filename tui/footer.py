"""The last line: what the keys do, or for a moment what just happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.pieces import Line, Piece, cut, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "


def footer_lines(labels: Sequence[str], message: str, width: int) -> list[Line]:
    """One line: the message if there is one, else as many labels as fit, the first ones first."""
    if message:
        return [fit([(" ", "text"), (cut(message, width - 2), "accent")], width)]
    line: list[Piece] = [(" ", "text")]
    room = width - 1
    for label in labels:
        size = cell_len(label) + len(GAP)
        if size > room:
            break
        key, _, rest = label.partition(" ")
        line += [(key, "info"), (f" {rest}{GAP}", "dim")]
        room -= size
    return [fit(line, width)]
