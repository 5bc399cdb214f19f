"""What stands at its instant in every lane: T, the onset, changes, and a stretch being selected.

Pure drawing over cells that are already there. Nothing but T hides what a cell counted, and only
a selection quietens cells: those outside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from timeline.clean import clean
from tui.pieces import cut

if TYPE_CHECKING:
    from tui.density import Columns
    from tui.glyphs import Glyphs
    from tui.pieces import Piece
    from tui.state import ScreenState
    from tui.theme import Role

SHORTEST_NAME = 3
"""Cells below which a change's name says nothing."""
_LIFTED: dict[Role, Role] = {"faint": "strong", "dim": "strong", "text": "strong"}


def with_marks(
    state: ScreenState, cells: list[Piece], columns: Columns, glyphs: Glyphs
) -> list[Piece]:
    """T in a cell of its own; changes and the onset only where they hide nothing."""
    drawn = list(cells)
    drawn.insert(columns.before, (glyphs.pin, "pin"))
    for change in state.density.changes if state.density is not None else ():
        _into_empty(drawn, columns.cell(change.at), (glyphs.passing, "info"), glyphs)
    onset = state.analysis.onset if state.analysis else None
    if onset is not None:
        _into_empty(drawn, columns.cell(onset), (glyphs.onset, "accent"), glyphs)
    return _selected(state, drawn, columns, glyphs)


def change_names(state: ScreenState, cells: list[Piece], columns: Columns) -> list[Piece]:
    """The names of changes behind their marks, each in the room up to the next mark or T.

    `cells` are a lane's cells without T.
    """
    named = list(cells)
    taken = {n for n, (sign, _) in enumerate(cells) if sign != " "}
    for change in state.density.changes if state.density is not None else ():
        first = columns.column(change.at) + 1
        ends = [n for n in (*taken, columns.before, len(cells)) if n >= first]
        room = min(ends, default=first) - first - 1
        if room < SHORTEST_NAME or first - 1 not in taken:
            continue
        letters = _in_cells(cut(f" {clean(change.name)}", room))
        for place, letter in enumerate(letters, first):
            named[place] = (letter, "dim")
            taken.add(place)
    return named


def _in_cells(text: str) -> list[str]:
    """What stands in each cell: nothing in a wide letter's second, marks with their letter.

    Nothing at all where letters join to something of another width, as some emoji do.
    """
    cells: list[str] = []
    for letter in text:
        width = cell_len(letter)
        if not width and cells:
            cells[-1] += letter
        cells += [letter, ""][:width]
    return cells if len(cells) == cell_len(text) else []


def selected_axis(state: ScreenState, line: list[Piece], columns: Columns, glyphs: Glyphs) -> None:
    """Brackets around the selection on the rule below the lanes, a heavier rule between them."""
    ends = _ends(state, columns)
    if ends is None:
        return
    for cell in range(ends[0], ends[1] + 1):
        if line[cell][0] == glyphs.rule:
            line[cell] = (glyphs.heavy_rule, "accent")
    line[ends[1]] = ("]", "strong")
    line[ends[0]] = ("[", "strong")


def _into_empty(drawn: list[Piece], cell: int | None, sign: Piece, glyphs: Glyphs) -> None:
    if cell is not None and drawn[cell][0] == glyphs.empty:
        drawn[cell] = sign


def _selected(
    state: ScreenState, drawn: list[Piece], columns: Columns, glyphs: Glyphs
) -> list[Piece]:
    """Cells of the selection lifted, all others quiet, a wall at its ends where nothing stands."""
    ends = _ends(state, columns)
    if ends is None:
        return drawn
    for cell in ends:
        _into_empty(drawn, cell, (glyphs.wall, "accent"), glyphs)
    return [
        (sign, _LIFTED.get(role, role) if ends[0] <= cell <= ends[1] else _quiet(role))
        for cell, (sign, role) in enumerate(drawn)
    ]


def _quiet(role: Role) -> Role:
    return role if role == "pin" else "faint"


def _ends(state: ScreenState, columns: Columns) -> tuple[int, int] | None:
    """First and last cell of the selection."""
    if state.selection is None:
        return None
    start, end = state.selection.start, state.selection.end
    first, last = columns.nearest_cell(start), columns.nearest_cell(end - 1)
    return min(first, last), max(first, last)
