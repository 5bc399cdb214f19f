"""Who has a column of a sequence diagram, and where everything in it stands.

Pure arithmetic on cells. The layout depends on the steps and the width alone, never on the step
being read: walking a proof moves no column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from timeline.actors import columns
from timeline.clean import clean
from timeline.words import LANE_WORDS, count_of, wall_time
from tui.pieces import ELLIPSIS
from tui.row import DISTANCE_CELLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.event import Event
    from timeline.finding import Step
    from tui.glyphs import Glyphs

NARROWEST, WIDEST = 9, 16
"""Cells of a column: room for a name and an arrow; more only pulls the steps apart."""
LEAST_FOLDED = 4
"""Fewer columns than these, of which one is `7 others`, say less than a list does."""
SENTENCE_CELLS = 34
"""From this room on a step's sentence stands beside it; below, its role does."""
ROLE_CELLS = 14
SHORT_DIGITS, LONG_DIGITS = 3, 6
LONG_DIGITS_FROM = 110
"""From this many columns on there is room for microseconds; the record always has all digits."""


class Column(NamedTuple):
    """One actor, or all that have no column of their own."""

    name: str
    lane: str
    middle: int
    """Cell of its lifeline, counted from the left edge of the diagram."""


class Layout(NamedTuple):
    """Where everything stands; the same for every step of one proof."""

    width: int
    digits: int
    stamp: int
    role: int
    """Cells of the role beside the stamp; 0 when the sentence has room at the right."""
    cells: int
    """Cells of one column."""
    columns: tuple[Column, ...]
    places: tuple[int, ...]
    """For every step the number of its column."""
    folded: tuple[str, ...]
    """Names without a column of their own; they share the last one."""
    number: int
    sign: int
    """Cells of the order's sign in the gutter."""

    @property
    def gutter(self) -> int:
        """Cells of the cursor, the step's number and its order's sign."""
        return 5 + self.number + self.sign

    @property
    def lead(self) -> int:
        """Cells left of the diagram."""
        return self.gutter + self.stamp + 1 + DISTANCE_CELLS + 2 + self.role

    @property
    def drawn(self) -> int:
        return self.cells * len(self.columns)

    @property
    def sentence(self) -> int:
        return 0 if self.role else self.width - self.lead - self.drawn - 2


def layout_of(steps: Sequence[Step], width: int, glyphs: Glyphs) -> Layout | None:
    """Every actor beside the sentences, else beside the roles, else some folded; None for a list.

    A small terminal folds nobody: its list names everybody who acted.
    """
    if len(steps) < 2:
        return None
    names = [actor_of(step.event) for step in steps]
    wanted = len(set(names))
    beside = _bare(steps, width, glyphs, role=0)
    tight = _bare(steps, width, glyphs, role=_role_cells(steps))
    rooms = (width - beside.lead - SENTENCE_CELLS - 2, width - tight.lead - 1)
    most = [max(room, 0) // NARROWEST for room in rooms]
    for bare, fitting, room in zip((beside, tight), most, rooms, strict=True):
        if fitting >= wanted:
            return _with_columns(bare, names, wanted, room)
    if most[0] >= LEAST_FOLDED:
        return _with_columns(beside, names, most[0], rooms[0])
    return None


def actor_of(event: Event) -> tuple[str, str]:
    """Who acted and in which lane: a queue and a service may bear one name."""
    return clean(event.actor or event.source) or "?", LANE_WORDS[event.lane]


def _role_cells(steps: Sequence[Step]) -> int:
    return min(max(cell_len(clean(step.role)) for step in steps), ROLE_CELLS) + 2


def _bare(steps: Sequence[Step], width: int, glyphs: Glyphs, *, role: int) -> Layout:
    """The layout before anybody has a column."""
    digits = LONG_DIGITS if width >= LONG_DIGITS_FROM else SHORT_DIGITS
    stamps = (wall_time(s.event.timestamp, s.event.precision, digits) for s in steps)
    stamp, number = max(map(len, stamps)), len(str(len(steps)))
    sign = 2 if glyphs.ascii_only else 1
    return Layout(width, digits, stamp, role, 0, (), (), (), number, sign)


def _with_columns(bare: Layout, names: Sequence[tuple[str, str]], most: int, room: int) -> Layout:
    """Columns in the order of their first step; the busiest keep one when there are too many."""
    kept, rest = columns(names, most)
    heads = [*kept, _shared(rest)] if rest else kept
    widest = max(cell_len(name) for name, _ in heads) + 2
    cells = min(max(widest, NARROWEST), WIDEST, room // len(heads))
    drawn = tuple(
        Column(name, lane, place * cells + cells // 2) for place, (name, lane) in enumerate(heads)
    )
    places = tuple(kept.index(name) if name in kept else len(kept) for name in names)
    folded = tuple(name for name, _ in rest)
    return bare._replace(cells=cells, columns=drawn, places=places, folded=folded)


def _shared(rest: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The head of the column of all others, with their lane when it is one."""
    lanes = {lane for _, lane in rest}
    return count_of(len(rest), "other"), lanes.pop() if len(lanes) == 1 else ""


def shortened(name: str, width: int) -> str:
    """`name` in at most `width` cells; its end is kept, numbered workers differ there."""
    if cell_len(name) <= width:
        return name
    tail = ""
    for letter in reversed(name):
        if cell_len(letter + tail) > (width - 1) // 2:
            break
        tail = letter + tail
    head = set_cell_size(name, max(width - 1 - cell_len(tail), 0)).rstrip()
    return f"{head}{ELLIPSIS}{tail}" if width > 0 else ""
