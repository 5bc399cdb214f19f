"""Lines of styled text before they meet a terminal: pure, so that drawing is tested without one.

A `Line` is a sequence of (text, role) pieces; `tui.theme` turns roles into colours. Widths are
terminal cells as `rich.cells` counts them, never characters. Text is never parsed as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size

from tui.theme import Role

Piece: TypeAlias = tuple[str, Role]
Line: TypeAlias = Sequence[Piece]

ELLIPSIS = "\u2026"


def plain(line: Line) -> str:
    """The text of a line without its roles."""
    return "".join(text for text, _ in line)


def width_of(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def cut(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """`text` in at most `width` cells, an ellipsis saying that more follows."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - cell_len(ellipsis), 0)).rstrip() + ellipsis


def padded(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """`text` in exactly `width` cells, left aligned."""
    return set_cell_size(cut(text, width, ellipsis), width)


def right(text: str, width: int) -> str:
    """`text` in exactly `width` cells, right aligned, cut at its left end if it must be."""
    missing = width - cell_len(text)
    return " " * missing + text if missing >= 0 else text[-width:]


def fit(line: Line, width: int) -> list[Piece]:
    """The line in exactly `width` cells: padded, or cropped with an ellipsis that says so."""
    size = width_of(line)
    if size <= width:
        return [*line, (" " * (width - size), "text")]
    return [*crop(line, width - 1), (ELLIPSIS, "dim")]


def crop(line: Line, width: int) -> list[Piece]:
    """The first `width` cells of a line that has at least as many."""
    kept: list[Piece] = []
    room = width
    for text, role in line:
        size = cell_len(text)
        if size >= room:
            kept.append((set_cell_size(text, room), role))
            break
        kept.append((text, role))
        room -= size
    return kept


def joined(parts: Sequence[Line], gap: str = "   ") -> list[Piece]:
    """Several lines one after another with `gap` between those that say something."""
    result: list[Piece] = []
    for part in parts:
        if not width_of(part):
            continue
        if result:
            result.append((gap, "text"))
        result.extend(part)
    return result


def wrap(text: str, width: int) -> list[str]:
    """`text` broken at spaces into pieces of at most `width` cells; long words are chopped."""
    width = max(width, 1)
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        candidate = f"{current} {word}" if current else word
        if cell_len(candidate) <= width:
            current = candidate
            continue
        if current:
            lines.append(current)
        chunks = chop_cells(word, width) if cell_len(word) > width else [word]
        lines.extend(chunks[:-1])
        current = chunks[-1] if chunks else ""
    if current or not lines:
        lines.append(current)
    return lines


def paragraph(
    text: str, width: int, role: Role = "text", *, first: str = "", rest: str | None = None
) -> list[Line]:
    """`text` wrapped under a leading `first`, later lines indented by `rest` (or as wide)."""
    indent = " " * cell_len(first) if rest is None else rest
    pieces = wrap(text, width - max(cell_len(first), cell_len(indent)))
    return [
        [(indent if number else first, "dim"), (piece, role)] for number, piece in enumerate(pieces)
    ]
