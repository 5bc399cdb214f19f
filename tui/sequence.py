"""A proof as a sequence diagram: who acted as columns, steps as rows, order as arrows between them.

Pure drawing. Every cell of the diagram is one sign of one cell, so that no name, however wide or
hostile, can shift a column; `tui.sequence_layout` gives each its place. An arrow claims what the
step's order claims: an undecided one has no head, and where no order is claimed nothing is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from timeline.clean import clean
from timeline.order import Verdict
from timeline.window import SECOND_NS
from timeline.words import count_of, signed_distance, span_words, wall_time
from tui.pieces import Line, Piece, cut, padded, right, wrap
from tui.row import DISTANCE_CELLS, severity_role
from tui.sequence_layout import Layout, actor_of, layout_of, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.finding import Step
    from timeline.order import Order
    from tui.glyphs import Glyphs
    from tui.theme import Role

GAP_NS = SECOND_NS
"""From this distance on the time between two steps has a line of its own: one can feel it."""


class Signs(NamedTuple):
    """What the diagram is drawn with; bodies and heads by certainty."""

    life: str
    gap: str
    """A stretch of time that is not drawn to scale: beside its length, and as a lifeline."""
    tee_right: str
    tee_left: str
    certain: str
    certain_heads: str
    """Pointing left, pointing right."""
    likely: str
    likely_heads: str
    undecided: str = "~"
    contradicted: str = "x"


UNICODE_SIGNS = Signs("│", "┊", "├", "┤", "─", "←→", "╌", "⇠⇢")
ASCII_SIGNS = Signs("|", ":", "+", "+", "-", "<>", "=", "<>")


class Pen(NamedTuple):
    """What every line of one diagram is drawn with."""

    layout: Layout
    signs: Signs
    glyphs: Glyphs
    pin: int


class Diagram(NamedTuple):
    """The drawn lines; `focus` is the last line of the step that is being read."""

    lines: list[Line]
    focus: int


def diagram_of(
    steps: Sequence[Step], here: int, pin: int, own: Sequence[str], width: int, glyphs: Glyphs
) -> Diagram | None:
    """The steps drawn in `width` cells, or None when a list says more.

    `here` is the place of the step being read (-1 for none) and `own` what is told of it alone.
    """
    layout = layout_of(steps, width, glyphs)
    if layout is None:
        return None
    pen = Pen(layout, ASCII_SIGNS if glyphs.ascii_only else UNICODE_SIGNS, glyphs, pin)
    lines: list[Line] = [*_heads(layout), *_others(layout)]
    focus = 0
    for place, step in enumerate(steps):
        before = steps[place - 1].event if place else None
        gap = step.event.timestamp - before.timestamp if before is not None else 0
        if abs(gap) >= GAP_NS:
            lines.append(_gap_line(gap, pen))
        lines += _step_lines(pen, place, step, own if place == here else None)
        if place == here:
            focus = len(lines) - 1
    return Diagram(lines, focus)


def legend(glyphs: Glyphs) -> Line:
    """What arrows and gaps mean, in one line that fits 80 cells."""
    signs = ASCII_SIGNS if glyphs.ascii_only else UNICODE_SIGNS
    told = [(glyphs.order_sign(v), word) for v, word in _VERDICT_WORDS]
    told += [(signs.contradicted, "contradicted"), (signs.gap, "time between")]
    pieces: list[Piece] = [(" steps ", "info")]
    for sign, word in told:
        pieces += [(f"  {sign} ", "accent"), (word, "dim")]
    return pieces


_VERDICT_WORDS = (
    (Verdict.CERTAIN, "certain"),
    (Verdict.LIKELY, "likely"),
    (Verdict.POSSIBLE, "undecided"),
)


# -- lines -----------------------------------------------------------------------------------


def _heads(layout: Layout) -> list[Line]:
    """Names, and below them what kind of thing each is."""
    gutter = " " * layout.gutter
    titles = padded("time", layout.stamp) + right("from T", DISTANCE_CELLS + 1)
    lead = padded(gutter + titles, layout.lead)
    names = "".join(_centred(column.name, layout.cells) for column in layout.columns)
    lanes = "".join(_centred(column.lane, layout.cells) for column in layout.columns)
    return [
        [(lead, "dim"), (names, "info")],
        [(" " * layout.lead, "text"), (lanes, "dim")],
    ]


def _centred(name: str, cells: int) -> str:
    """In exactly `cells` cells, the middle of the name over the lifeline."""
    told = shortened(name, cells - 1)
    before = max(cells // 2 - (cell_len(told) - 1) // 2, 0)
    return set_cell_size(" " * before + told, cells)


def _others(layout: Layout) -> list[Line]:
    """The names in the shared column, as many as fit one line."""
    if not layout.folded:
        return []
    lead = f" {count_of(len(layout.folded), 'other')}: "
    names = cut(", ".join(layout.folded), layout.width - cell_len(lead))
    return [[(lead, "dim"), (names, "dim")]]


def _lifelines(layout: Layout, sign: str) -> list[Piece]:
    cells: list[Piece] = [(" ", "text")] * layout.drawn
    for column in layout.columns:
        cells[column.middle] = (sign, "faint")
    return cells


def _gap_line(gap: int, pen: Pen) -> Line:
    """The time between two steps; one stamped before the step above it says so."""
    layout, signs = pen.layout, pen.signs
    words = f"{signs.gap} {span_words(gap)}" + ("" if gap > 0 else " back")
    indent = " " * layout.gutter
    role: Role = "dim" if gap > 0 else "warning"
    lead = padded(words, layout.lead - len(indent))
    return [(indent, "text"), (lead, role), *_lifelines(layout, signs.gap)]


def _step_lines(pen: Pen, place: int, step: Step, own: Sequence[str] | None) -> list[Line]:
    """One step; `own` is what is told of it alone while it is being read, None otherwise."""
    layout, here = pen.layout, own is not None
    role: Role = "strong" if here else "text"
    first = [*_lead(pen, place, step, role), *_arrow(pen, place, step, here=here)]
    texts: list[tuple[str, Role]] = [(_told(step, layout, place), role)]
    texts += [(clean(text), "dim") for text in own or ()]
    if not layout.role:
        return _beside(pen, first, texts)
    indent = " " * layout.gutter
    room = layout.width - layout.gutter - 1
    below = [(part, role) for text, role in texts for part in wrap(text, room)] if here else []
    return [first, *([(indent, "text"), piece] for piece in below)]


def _lead(pen: Pen, place: int, step: Step, role: Role) -> list[Piece]:
    """Cursor, number, how it follows, wall time and distance from T, its role where there is room
    for nothing else."""
    layout, event = pen.layout, step.event
    stamp = wall_time(event.timestamp, event.precision, layout.digits)
    distance = signed_distance(event.timestamp - pen.pin, event.precision)
    here = role == "strong"
    cursor = pen.glyphs.cursor if here else " "
    sign = f"{pen.glyphs.order(step.order):<{layout.sign}}"
    number = f" {cursor} {place + 1:>{layout.number}} {sign} "
    beside = f"{padded(clean(step.role), layout.role - 2)}  " if layout.role else ""
    return [
        (number, "accent" if here else "dim"),
        (padded(stamp, layout.stamp), role),
        (right(distance, DISTANCE_CELLS + 1), "dim"),
        (f"  {beside}", role),
    ]


def _told(step: Step, layout: Layout, place: int) -> str:
    """Why the step matters; who it was where the column does not say."""
    told = f"{clean(step.role)}: {clean(step.why)}"
    if layout.folded and layout.places[place] == len(layout.columns) - 1:
        return f"{actor_of(step.event)[0]}, {told}"
    return told


def _beside(pen: Pen, first: Line, texts: Sequence[tuple[str, Role]]) -> list[Line]:
    """The sentences right of the diagram, lifelines going on beside their further lines."""
    layout = pen.layout
    blank: Line = [(" " * layout.lead, "text"), *_lifelines(layout, pen.signs.life)]
    parts = [(part, role) for text, role in texts for part in wrap(text, layout.sentence)]
    return [[*(blank if n else first), ("  ", "text"), piece] for n, piece in enumerate(parts)]


def _arrow(pen: Pen, place: int, step: Step, *, here: bool) -> list[Piece]:
    """Lifelines with the step's sign on its own, and an arrow from the step before it."""
    layout, signs = pen.layout, pen.signs
    cells = _lifelines(layout, signs.life)
    role: Role = "accent" if here else "text"
    came_from, place = layout.places[max(place - 1, 0)], layout.places[place]
    end = layout.columns[place].middle
    if came_from != place and step.order is not None:
        start = layout.columns[came_from].middle
        body, heads = _strokes(step.order, signs)
        towards = 1 if start < end else -1
        for cell in range(start + towards, end, towards):
            cells[cell] = (body, role)
        cells[end - towards] = (heads[towards > 0], role)
        if body == signs.certain:
            cells[start] = (signs.tee_right if towards > 0 else signs.tee_left, role)
    cells[end] = (pen.glyphs.mark, "accent" if here else severity_role(step.event))
    return cells


def _strokes(order: Order, signs: Signs) -> tuple[str, str]:
    """What an arrow of this order is drawn with: its body, and its heads to left and right."""
    if order.verdict is None:
        return signs.certain, signs.contradicted * 2
    if order.verdict is Verdict.CERTAIN:
        return signs.certain, signs.certain_heads
    if order.verdict is Verdict.LIKELY:
        return signs.likely, signs.likely_heads
    return signs.undecided, signs.undecided * 2
