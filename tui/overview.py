"""Lanes and findings: side by side on a wide terminal, stacked on a narrow one.

Pure drawing of one block. Its height depends on the terminal and the number of sources alone:
answers never move the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.header import WIDE
from tui.lanes import LABEL_CELLS, axis_line, columns_for, known_sources, lane_lines, wanted_lines
from tui.panel import owned_lines, panel_lines, story_line, story_lines

if TYPE_CHECKING:
    from tui.glyphs import Glyphs
    from tui.pieces import Line
    from tui.state import ScreenState

LANES_SHARE_PERCENT = 52
"""The bands need room for their shape, the findings for a sentence."""
LANES_STACKED_PERCENT = 56
"""Most of a stacked block that lanes may take: one line for each of five sources at 80x24."""
SMALLEST = 16
"""Below this many rows only the sentence, the story line and the rows are drawn."""

_WIDE_ROWS = ((48, 10), (40, 9), (34, 8), (28, 7), (22, 6), (SMALLEST, 3))
_NARROW_ROWS = ((40, 16), (32, 13), (24, 9), (20, 6), (SMALLEST, 3))
"""From this terminal height on: least lines of lanes and findings side by side, or stacked."""
WIDE_MOST_PERCENT = 35
"""Share of a wide terminal's height that many sources may make of it."""


def overview_height(state: ScreenState, width: int, height: int) -> int:
    """Lines of lanes, findings, axis and story line together.

    Grows with the number of sources, which is known before the first row, and with nothing else.
    """
    if height < SMALLEST:
        return 1
    table = _WIDE_ROWS if width >= WIDE else _NARROW_ROWS
    lines = next(lines for least, lines in table if height >= least)
    if width >= WIDE:
        lines = max(lines, min(wanted_lines(state), height * WIDE_MOST_PERCENT // 100))
    return lines + 2


def lanes_width(width: int) -> int:
    """Cells of the bands with their labels and counts."""
    return width * LANES_SHARE_PERCENT // 100 if width >= WIDE else width


def stacked_lanes(state: ScreenState, height: int) -> int:
    """Lines that lanes take on a narrow terminal; the findings above them have the rest."""
    return min(len(known_sources(state)), (height - 2) * LANES_STACKED_PERCENT // 100)


def overview_lines(
    state: ScreenState, width: int, height: int, terminal: int, here: int | None, glyphs: Glyphs
) -> list[Line]:
    """All lines of the block; `here` is the stamp under the cursor, `terminal` the full height."""
    if terminal < SMALLEST:
        return [story_line(state, width, glyphs)]
    story = story_lines(state, width, glyphs)
    if width < WIDE:
        lanes = stacked_lanes(state, height)
        findings = height - 1 - len(story) - lanes
        return [
            *panel_lines(state, width, findings, glyphs),
            *lane_lines(state, width, lanes, glyphs),
            axis_line(state, width, here, glyphs),
            *story,
        ]
    left, rows = lanes_width(width), height - 1 - len(story)
    bands = lane_lines(state, left, rows, glyphs)
    panel = panel_lines(state, width - left - 2, rows, glyphs)
    wall = (f"{glyphs.wall} ", "faint")
    both: list[Line] = [[*a, wall, *b] for a, b in zip(bands, panel, strict=True)]  # type: ignore[list-item]
    corner = f"{glyphs.corner}{glyphs.rule * (width - left - 1)}"
    axis: Line = [*axis_line(state, left, here, glyphs), (corner, "faint")]
    return [*both, axis, *story]


def cursor_cell(state: ScreenState, width: int, here: int | None) -> int | None:
    """Where the cursor's instant falls on the axis; the block is redrawn only when it changes."""
    return None if here is None else columns_for(state, lanes_width(width)).cell(here)


def lane_cell_at(
    state: ScreenState, x: int, y: int, width: int, height: int, *, inside: bool
) -> int | None:
    """The cell of the lanes (T's own counted) at a place of the block, for the mouse.

    None beside the lanes; without `inside` the nearest one, as a drag may leave them.
    """
    columns = columns_for(state, lanes_width(width))
    cell = x - LABEL_CELLS
    if not inside:
        return min(max(cell, 0), columns.cells - 1)
    first = 0 if width >= WIDE else height - 2 - stacked_lanes(state, height)
    return cell if 0 <= cell < columns.cells and first <= y < height - 1 else None


def finding_at(
    state: ScreenState, x: int, y: int, width: int, height: int, glyphs: Glyphs
) -> int | None:
    """Number of the finding (from 1) drawn at a place of the block, for the mouse."""
    left = lanes_width(width) if width >= WIDE else -2
    below = 1 + len(story_lines(state, width, glyphs))
    lines = height - below - (0 if width >= WIDE else stacked_lanes(state, height))
    if x <= left or not 0 <= y < lines:
        return None
    return owned_lines(state, width - left - 2, lines, glyphs)[y][0] or None
