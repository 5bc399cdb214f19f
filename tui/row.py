"""One event as one line: gutter, wall time, distance from T, actor, what it is, body.

Pure drawing. Severity is a word before it is a colour; a stamp shows only the digits its source
wrote; a body is never markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from timeline.clean import LINE_BREAK
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Event, Lane
from timeline.words import (
    FAILED_KINDS,
    LANE_WORDS,
    clock_face,
    count_of,
    day,
    signed_distance,
    span_words,
    wall_time,
    what_word,
)
from tui.pieces import Line, Piece, cut, fit, padded, right

if TYPE_CHECKING:
    from tui.glyphs import Glyphs
    from tui.theme import Role

GUTTER_CELLS = 5
DISTANCE_CELLS = 9
MICROSECONDS_FROM = 116
"""From this many columns on there is room for microseconds; the proof always has all digits."""
LANE_FROM = 98
"""From this many columns on the lane has a column: a wide terminal less its scrollbar."""
ACTOR_FROM = 72
"""Below this many columns the actor leaves its room to the body."""
BODY_CHARACTERS = 2_000
"""Longest stretch of a body that is measured for a line; the proof shows more."""
FAR_NS = 60_000_000_000
"""From this distance to the nearest row on, T's line says how far away the rows are."""


class RowLayout(NamedTuple):
    """Widths of the columns; equal for every row of one frame."""

    width: int
    time_digits: int
    """Fraction digits there is room for: 3 on a narrow screen, up to 6 on a wide one."""
    actor: int
    lane: int
    beside: int = 0
    """Cells of the second zone's column, for whoever asked for one."""

    @classmethod
    def for_width(cls, width: int, beside: int = 0) -> RowLayout:
        """Columns depend on the width alone: finer stamps that arrive later shift nothing."""
        if width >= MICROSECONDS_FROM:
            return cls(width, 6, 12, 7, beside)
        if width >= LANE_FROM:
            return cls(width, 3, 12, 7, beside)
        return cls(width, 3, 9 if width >= ACTOR_FROM else 0, 0, beside)

    @property
    def time(self) -> int:
        return 8 + 1 + self.time_digits


class RowState(NamedTuple):
    """Everything besides the event that its pixels depend on; part of the strip cache's key."""

    cursor: bool = False
    marked: bool = False
    step: int | None = None
    terms: tuple[str, ...] = ()
    """Texts to set off in the body, in capitals or not: the search and the followed value."""
    spelt: tuple[str, ...] = ()
    """Texts to set off exactly as they are spelt: what an expression found in this body."""
    beside: str = ""
    """The stamp in the second zone."""


def row_line(event: Event, pin: int, layout: RowLayout, state: RowState, glyphs: Glyphs) -> Line:
    """The row in exactly `layout.width` cells."""
    what = what_word(event)
    lane = LANE_WORDS[event.lane]
    stamp = wall_time(event.timestamp, event.precision, layout.time_digits)
    distance = signed_distance(event.timestamp - pin, event.precision)
    label: list[Piece] = (
        [(padded(lane, layout.lane), "dim"), (padded(what, 8), severity_role(event))]
        if layout.lane
        else [(padded(what or lane, 8), severity_role(event))]
    )
    head: list[Piece] = [
        *_gutter(state, glyphs),
        (padded(stamp, layout.time), "text"),
        (f" {padded(state.beside, layout.beside)}" if layout.beside else "", "dim"),
        (right(distance, DISTANCE_CELLS), "dim"),
        ("  ", "text"),
        (padded(event.actor or event.source, layout.actor), "info"),
        (" " if layout.actor else "", "text"),
        *label,
    ]
    return fit([*head, *_body(event, state.terms, state.spelt)], layout.width)


def _gutter(state: RowState, glyphs: Glyphs) -> list[Piece]:
    step = "" if state.step is None else str(state.step) if state.step < 10 else "+"
    return [
        (glyphs.cursor if state.cursor else " ", "strong"),
        (glyphs.mark if state.marked else " ", "accent"),
        (f"{step:<3}", "accent"),
    ]


def severity_role(event: Event) -> Role:
    """How loud the word beside the row is."""
    if event.severity_number >= SEVERITY_ERROR or event.kind in FAILED_KINDS:
        return "error"
    if event.severity_number >= SEVERITY_WARN:
        return "warning"
    return "dim" if event.lane is Lane.LOG else "info"


def _body(event: Event, terms: tuple[str, ...], spelt: tuple[str, ...]) -> list[Piece]:
    first, more, rest = event.body.partition(LINE_BREAK)
    pieces = set_off(first[:BODY_CHARACTERS], terms, spelt)
    if more:
        lines = rest.count(LINE_BREAK) + 1
        pieces.append((f"  +{count_of(lines, 'line')}", "dim"))
    return pieces


def set_off(
    text: str, terms: tuple[str, ...], spelt: tuple[str, ...] = (), role: Role = "text"
) -> list[Piece]:
    """`text` with every occurrence of `terms` (in capitals or not) and `spelt` as a piece."""
    wanted = [f"(?i:{re.escape(term)})" for term in terms if term]
    wanted += [re.escape(term) for term in spelt if term]
    if not wanted:
        return [(text, role)]
    parts = re.split(f"({'|'.join(wanted)})", text)
    return [(part, "match" if n % 2 else role) for n, part in enumerate(parts) if part]


class RowMark(NamedTuple):
    """A divider between rows: a new day, the onset, or T."""

    before: int
    """Position of the row it stands above."""
    kind: str
    """`day`, `onset` or `pin`."""
    at: int
    note: str = ""


def divider_line(mark: RowMark, pin: int, width: int, glyphs: Glyphs) -> Line:
    """A rule with a word: `-- T 02:13:40Z --`."""
    words, role = _divider_words(mark, pin)
    text = cut(f" {words} ", width - 8)
    lead = glyphs.rule * 4
    line: list[Piece] = [(lead, "faint"), (text, role)]
    return fit([*line, (glyphs.rule * max(width - 4 - len(text), 0), "faint")], width)


def _divider_words(mark: RowMark, pin: int) -> tuple[str, Role]:
    if mark.kind == "day":
        return f"{day(mark.at)} UTC", "dim"
    if mark.kind == "onset":
        side = "before" if mark.at <= pin else "after"
        return f"onset {clock_face(mark.at)}, {span_words(pin - mark.at)} {side} T", "accent"
    return f"T {clock_face(mark.at)}Z{mark.note}", "pin"
