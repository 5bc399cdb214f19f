"""Two of a kind side by side, each step with a sign and a word for how the sides differ.

Pure drawing over `timeline.compare.Comparison`. Distances are counted from each side's own
beginning. On a narrow terminal the sides share one column: a step is one line with both distances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.clean import LINE_BREAK, clean
from timeline.compare_steps import Mark
from timeline.words import clock_face, count_of, signed_distance, span_words, what_word
from tui.pieces import Line, Piece, fit, padded, paragraph, right
from tui.reader import Page
from tui.row import severity_role

if TYPE_CHECKING:
    from timeline.compare import Comparison
    from timeline.compare_sides import Side
    from timeline.compare_steps import Step
    from timeline.event import Event
    from tui.glyphs import Glyphs
    from tui.theme import Role

TITLE: Line = [(" side by side ", "badge")]
SIDE_BY_SIDE_FROM = 110
"""From this many columns on there is room for two; below it both share one."""
AT_CELLS = 9
MARK_CELLS = 15
NAME_CELLS = 16

_WORDS: dict[Mark, tuple[str, Role]] = {
    Mark.SAME: ("=", "faint"),
    Mark.LEFT: ("< only left", "warning"),
    Mark.RIGHT: ("> only right", "warning"),
    Mark.OTHERWISE: ("! differs", "error"),
    Mark.MOVED: ("~ other place", "dim"),
    Mark.LEFT_SLOWER: ("< ", "error"),
    Mark.RIGHT_SLOWER: ("> ", "error"),
}


def compare_page(told: Comparison, width: int, glyphs: Glyphs, by: str = "") -> Page:
    """Both sides: how each began, lasted and ended, then step by step, then what else differs."""
    title: Line = [*TITLE, (f" {clean(told.left.key)} and {clean(told.right.key)}", "strong")]
    lines: list[Line] = [[]]
    lines += _side("left", told.left, width, "")
    lines += _side("right", told.right, width, by)
    lines += [[], *_headings(width, glyphs)]
    wide = width >= SIDE_BY_SIDE_FROM
    for step in told.steps:
        lines.append(_beside(step, told, width, glyphs) if wide else _stacked(step, told, width))
    for name, side in (("left", told.left), ("right", told.right)):
        if side.more:
            lines.append([(f" {name}: {count_of(side.more, 'more row')} not compared", "warning")])
    lines += _attributes(told, width)
    lines += [[], *_closing(told, width)]
    return Page(title, lines)


def _side(name: str, side: Side, width: int, by: str) -> list[Line]:
    ended: Role = "success" if side.outcome.well else "error"
    if side.outcome.well is None:
        ended = "warning"
    lines: list[Line] = [
        fit(
            [
                (f" {name:<7}", "dim"),
                (f"{clean(side.key)}  ", "strong"),
                (side.outcome.words, ended),
                (f"  {clock_face(side.began)}, {span_words(side.lasted)} long", "dim"),
                (f"  ({by})" if by else "", "dim"),
            ],
            width,
        )
    ]
    return lines


def _headings(width: int, glyphs: Glyphs) -> list[Line]:
    if width < SIDE_BY_SIDE_FROM:
        heads = right("left", AT_CELLS) + right("right", AT_CELLS)
        return [[(" " * (MARK_CELLS + 1), "text"), (heads, "faint")]]
    half = _half(width)
    head: Line = [
        (padded(f"{right('since', AT_CELLS)}  left", half), "faint"),
        (f" {glyphs.wall} ", "faint"),
        (padded("", MARK_CELLS), "faint"),
        (f"{glyphs.wall} ", "faint"),
        (padded(f"{right('since', AT_CELLS)}  right", half), "faint"),
    ]
    return [fit(head, width)]


def _half(width: int) -> int:
    return (width - MARK_CELLS - 5) // 2


def _beside(step: Step, told: Comparison, width: int, glyphs: Glyphs) -> Line:
    words, role = _words(step)
    half = _half(width)
    return fit(
        [
            *fit(_half_line(step.left, told.left), half),
            (f" {glyphs.wall} ", "faint"),
            (padded(words, MARK_CELLS), role),
            (f"{glyphs.wall} ", "faint"),
            *fit(_half_line(step.right, told.right), half),
        ],
        width,
    )


def _half_line(event: Event | None, side: Side) -> Line:
    if event is None:
        return []
    return [(right(_at(event, side), AT_CELLS), "dim"), ("  ", "text"), *_said(event)]


def _stacked(step: Step, told: Comparison, width: int) -> Line:
    words, role = _words(step)
    event = step.left or step.right
    said = [] if event is None else _said(event)
    left = _at(step.left, told.left) if step.left else ""
    other = _at(step.right, told.right) if step.right else ""
    distances: Piece = (right(left, AT_CELLS) + right(other, AT_CELLS), "dim")
    return fit([(f" {padded(words, MARK_CELLS)}", role), distances, ("  ", "text"), *said], width)


def _words(step: Step) -> tuple[str, Role]:
    """`> 30x slower`: the sign points to the side that the word is about."""
    words, role = _WORDS[step.mark]
    if step.mark in (Mark.LEFT_SLOWER, Mark.RIGHT_SLOWER):
        times = step.times
        figure = f"{times:.0f}" if times < 1_000 else "1000+"
        return f"{words}{figure}x slower", role
    return words, role


def _at(event: Event, side: Side) -> str:
    return signed_distance(event.timestamp - side.began, event.precision)


def _said(event: Event) -> list[Piece]:
    what, body = what_word(event), event.body.partition(LINE_BREAK)[0]
    return [
        (f"{event.actor or event.source} ", "info"),
        (f"{what} " if what else "", severity_role(event)),
        (body, "text"),
    ]


def _attributes(told: Comparison, width: int) -> list[Line]:
    if not told.attributes:
        return []
    lines: list[Line] = [[], [(" what else differs", "info")]]
    for name, left, other in told.attributes:
        said = f"{left or '(not told)'}  against  {other or '(not told)'}"
        lines += paragraph(said, width, first=f"   {padded(name, NAME_CELLS)} ", rest=" " * 6)
    return lines


def _closing(told: Comparison, width: int) -> list[Line]:
    slow = [step for step in told.steps if step.mark in (Mark.LEFT_SLOWER, Mark.RIGHT_SLOWER)]
    lines: list[Line] = []
    for step in slow[:3]:
        event = step.left or step.right
        if event is None:
            continue
        took = " against ".join(span_words(part) for part in step.took)
        said = f"{took} since the step before, to: {event.body.partition(LINE_BREAK)[0]}"
        lines += paragraph(said, width, first=" slower: ")
    how = (
        "Steps are paired by what they say, not by their stamps. Slower means by the stamps, and "
        "by more than the clocks leave open."
    )
    lines += paragraph(how, width, "dim", first=" how: ")
    for sentence in told.unseen:
        lines += paragraph(sentence, width, "warning", first=" not fully seen: ")
    return lines
