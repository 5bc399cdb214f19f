"""What is different about the trouble, as a list to pick from: strongest first, side by side.

Pure drawing over `timeline.difference.Differences`; says how it was measured at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.difference import FOLD, MIN_ROWS, Side
from timeline.difference_counts import SAYS, SAYS_WRONG
from timeline.window import MINUTE_NS
from timeline.words import MILLISECOND_NS, clock_face, count_of, grouped, span_words
from tui.pieces import Line, Piece, fit, joined, padded, paragraph, right
from tui.reader import Page

if TYPE_CHECKING:
    from timeline.analysis import CommonTrait
    from timeline.difference import Difference, Differences
    from tui.glyphs import Glyphs
    from tui.theme import Role

TITLE: Line = [(" what is different ", "badge")]
WIDE = 100
"""From this many columns on, rates stand beside the counts."""
COUNT_CELLS, RATE_CELLS, TIMES_CELLS = 8, 11, 14
NEVER = "never"
SHARED = " what was hit has in common: "

_HEADINGS: dict[Side, str] = {
    Side.ONLY_INSIDE: f"only inside ({MIN_ROWS} rows or more)",
    Side.MORE: "more often inside",
    Side.GONE: "gone since it began",
    Side.MISSING: "missing inside, back afterwards",
    Side.LESS: "less often inside",
    Side.SELDOM: "warnings and errors only inside, once or twice",
}
_ROLES: dict[Side, Role] = {
    Side.ONLY_INSIDE: "error",
    Side.MORE: "warning",
    Side.SELDOM: "warning",
}


def difference_page(told: Differences, width: int, place: int, glyphs: Glyphs) -> Page:
    """The differences, the one at `place` under the cursor with how sure it is."""
    cut = told.cut
    end = cut.until - cut.until % MILLISECOND_NS
    title: Line = [
        *TITLE,
        (f" {clock_face(cut.begin)} to {clock_face(end)}", "strong"),
        (f" against the other {span_words(cut.outside_width)} of the window", "dim"),
    ]
    lines = [*_stretches(told, width), *_common(told.common, width), []]
    focus = 0
    if not told.found:
        lines += paragraph(_nothing(told), width, first=" ")
    else:
        lines.append(_columns(width))
    for number, one in enumerate(told.found):
        if number == 0 or one.side is not told.found[number - 1].side:
            lines.append([(f" {_HEADINGS[one.side]}", "info")])
        here = number == place
        if here:
            focus = len(lines)
        lines.append(_line(one, width, glyphs, here=here))
        if here:
            lines += paragraph(_sureness(one), width, "dim", first="     ")
    if told.left_out:
        lines.append([(f"   and {told.left_out} more, weaker ones", "dim")])
    return Page(title, [*lines, [], *_method(told, width)], focus)


def _stretches(told: Differences, width: int) -> list[Line]:
    """Both stretches with their lengths, rows, and how the calm traffic changed."""
    cut = told.cut
    lines: list[Line] = []
    for name, span, rows, calm in (
        ("inside", cut.width, told.rows[0], told.calm[0]),
        ("outside", cut.outside_width, told.rows[1], told.calm[1]),
    ):
        parts: list[Line] = [
            [(f" {name:<8}", "dim"), (f"{span_words(span):<12}", "text")],
            [(count_of(rows, "row"), "text")],
            [(f"{_rate(calm * MINUTE_NS / span)} of them calm", "dim")],
        ]
        lines.append(fit(joined(parts), width))
    return [*lines, *paragraph(told.why, width, "dim", first=" inside is: ")]


def _common(common: tuple[CommonTrait, ...], width: int) -> list[Line]:
    """What everything that was hit has in common, or that nothing stands out."""
    if not common:
        words = "nothing that the others do not have as well"
        return [[(SHARED, "dim"), (words, "dim")]]
    said = "; ".join(
        f"{one.trait} {one.value} ({one.victims_with} of {one.victims} hit, "
        f"{one.others_share:.0%} of the others)"
        for one in common
    )
    return paragraph(said, width, "strong", first=SHARED)


def _nothing(told: Differences) -> str:
    return (
        f"Nothing is {FOLD:g} times as frequent, or half as frequent, in these "
        f"{span_words(told.cut.width)} as in the rest of the window. ] opens a wider one."
    )


def _columns(width: int) -> Line:
    cells = _cells(width)
    heads = ("inside", "outside") if width < WIDE else ("inside", "/min", "outside", "/min")
    sized = (
        (COUNT_CELLS, COUNT_CELLS)
        if width < WIDE
        else (COUNT_CELLS, RATE_CELLS, COUNT_CELLS, RATE_CELLS)
    )
    shown = "".join(right(head, size) for head, size in zip(heads, sized, strict=True))
    return fit([(" " * cells, "text"), (shown, "faint")], width)


def _cells(width: int) -> int:
    """Cells of what is different: all that the figures leave."""
    figures = 2 * COUNT_CELLS + TIMES_CELLS + (2 * RATE_CELLS if width >= WIDE else 0)
    return max(width - figures, 12)


def _line(one: Difference, width: int, glyphs: Glyphs, *, here: bool) -> Line:
    lead: Piece = (f" {glyphs.cursor if here else ' '} ", "accent")
    name = _field(one)
    role: Role = "strong" if here else "text"
    room = _cells(width) - 3 - len(name)
    said: list[Piece] = [lead, (name, "dim"), (padded(one.value, max(room, 4)), role)]
    counts: list[Piece] = [
        (right(grouped(count), COUNT_CELLS), "text") for count in (one.inside, one.outside)
    ]
    figures: list[Piece] = [*counts]
    if width >= WIDE:
        rates = (one.inside_per_minute, one.outside_per_minute)
        shown: list[Piece] = [
            (right(_rate(rate, exact=one.all_read), RATE_CELLS), "dim") for rate in rates
        ]
        figures = [counts[0], shown[0], counts[1], shown[1]]
    return fit([*said, *figures, (f"  {_times(one)}", _ROLES.get(one.side, "info"))], width)


def _field(one: Difference) -> str:
    return "says " if one.field in (SAYS, SAYS_WRONG) else f"{one.field} "


def _rate(per_minute: float, *, exact: bool = True) -> str:
    """`12/min`, `0.3/min`; `~` where it is estimated from a part of the rows."""
    if not per_minute:
        return NEVER
    return f"{'' if exact else '~'}{_figure(per_minute)}/min"


def _figure(value: float) -> str:
    """Two digits, and all of them before the point."""
    return f"{value:.2g}" if value < 10 else grouped(round(value))


def _times(one: Difference) -> str:
    match one.side:
        case Side.ONLY_INSIDE | Side.SELDOM:
            return "only inside"
        case Side.GONE:
            return "gone"
        case Side.MISSING:
            return "missing"
        case Side.LESS:
            return f"1/{_figure(1 / one.times)}"
    return f"{_figure(one.times)} times"


def _sureness(one: Difference) -> str:
    """How sure it is, in one sentence, and who else says the same of the same rows."""
    parts: list[str] = []
    if one.side is not Side.SELDOM:
        direction = "as often" if one.side in (Side.ONLY_INSIDE, Side.MORE) else "as seldom"
        parts.append(f"at least {_figure(one.at_least)} times {direction} (99.7 % Wilson interval)")
    if one.side is Side.SELDOM:
        parts.append("too few to measure")
    elif one.extreme is None:
        parts.append("no equal stretch outside to compare with")
    elif one.side in (Side.ONLY_INSIDE, Side.MORE):
        parts.append(f"its busiest equal stretch outside: {grouped(round(one.extreme))}")
    else:
        parts.append(f"its quietest equal stretch outside: {grouped(round(one.extreme))}")
    if not one.all_read:
        parts.append("counted in a part of the rows")
    if one.also:
        parts.append(f"the same rows: {', '.join(one.also[:3])}")
    return "; ".join(parts)


def _method(told: Differences, width: int) -> list[Line]:
    """How it was measured, and what could not be seen."""
    said = (
        "Only what beats its own busiest (or quietest) equal stretch outside is listed, and what "
        "neither the lengths nor the calm traffic explain. It is what differs, not why. Lines of "
        "log files are read as they stand: fields beside the text stay in the file."
    )
    lines = paragraph(said, width, "dim", first=" how: ")
    for sentence in told.unseen:
        lines += paragraph(sentence, width, "warning", first=" not fully seen: ")
    return lines
