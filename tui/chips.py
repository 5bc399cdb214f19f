"""The line above the rows that says which of them are shown, and which are found.

Pure drawing over the `Sieve`; there only while something narrows the rows or is searched for. A
chip is words and its colour second; what hides says so in a word. Values come from outside: they
are pieces, cut and never markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.clean import clean
from timeline.words import count_of, grouped
from tui.filter_words import part_words
from tui.pieces import Line, Piece, cut, fit, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.filter_terms import Filter
    from tui.filter_state import Draft, Sieve
    from tui.theme import Role

CHIP_CELLS = 34
"""Widest value of a chip while there are several."""
LEAST_CELLS = 12
"""Narrowest value of a chip; below it chips are counted instead."""


def is_shown(sieve: Sieve) -> bool:
    """Whether there is anything to say."""
    return bool(sieve.narrowed or sieve.needle is not None or sieve.draft is not None)


def chips_line(sieve: Sieve, row: int, width: int) -> Line:
    """The line in exactly `width` cells; `row` is the cursor's, for "3 of 212"."""
    if sieve.draft is not None:
        return _draft_line(sieve.draft, sieve, width)
    counts, keys = _counts(sieve, row), _keys(sieve)
    told: list[Piece] = [*counts, (f"  {keys[0]}", "dim")]
    chips = _chips(sieve, width - width_of(told) - 2)
    room = width - width_of(chips) - width_of(told) - 1
    for key in keys[1:]:
        words = f" \u00b7 {key}"
        room -= len(words)
        if room < 0:
            break
        told.append((words, "dim"))
    return fit([(" ", "text"), *chips, *told], width)


def _counts(sieve: Sieve, row: int) -> list[Piece]:
    """How many rows are shown, and which of the found ones this is."""
    counts: list[Piece] = []
    if sieve.needle is not None:
        counts += [(_found_words(sieve, row), "accent"), ("  ", "text")]
    if sieve.among_all:
        counts.append((f"among all {count_of(sieve.total, 'row')}", "warning"))
    elif sieve.narrowed:
        words = "working it out" if sieve.stale else f"{grouped(len(sieve.rows))} shown"
        counts.append((f"{words} of {count_of(sieve.total, 'row')}", "strong"))
    return counts


def _keys(sieve: Sieve) -> list[str]:
    """What to press from here, the way back first."""
    walk = [". , walk"] if sieve.needle is not None else []
    if sieve.among_all:
        return ["z or esc back", *walk]
    if sieve.narrowed:
        return ["esc one back", *walk, "backspace all", "z among all"]
    return ["esc ends", *walk]


def _found_words(sieve: Sieve, row: int) -> str:
    if sieve.stale:
        return "searching"
    number = sieve.hit_number(row)
    found = len(sieve.hits)
    return f"{grouped(number)} of {grouped(found)}" if number else f"{grouped(found)} found"


def _chips(sieve: Sieve, room: int) -> list[Piece]:
    words: list[tuple[str, Role]] = []
    if sieve.follow:
        words.append((f"following {sieve.follow}", "badge"))
    words += part_chips(sieve.wanted)
    if sieve.among_all:  # what is set aside for the moment must not look as if it held
        words = [(f"aside: {text}", "dim") for text, _ in words]
    if sieve.needle is not None:
        words.append((_needle_words(sieve), "badge"))
    return chips_of(words, room)


def part_chips(wanted: Filter) -> list[tuple[str, Role]]:
    """A chip for each condition; what hides says so in words and stands out."""
    return [(part_words(part), "alarm" if part.hides else "badge") for part in wanted.parts]


def _needle_words(sieve: Sieve) -> str:
    assert sieve.needle is not None  # noqa: S101 - the caller has looked
    slash = "/" if sieve.needle.regex else ""
    return f"/{sieve.needle.text}{slash}"


def chips_of(words: Sequence[tuple[str, Role]], room: int) -> list[Piece]:
    """Chips in at most `room` cells: all of them, shortened, or the last ones and a count."""
    words = [(clean(text), role) for text, role in words]  # cells are counted below
    for cells in (CHIP_CELLS * 2, CHIP_CELLS, CHIP_CELLS // 2, LEAST_CELLS):
        line = _laid_out(words, cells)
        if width_of(line) <= room:
            return line
    for left_out in range(1, len(words)):
        line = [(f"+{left_out} ", "dim"), *_laid_out(words[left_out:], LEAST_CELLS)]
        if width_of(line) <= room:
            return line
    return [(f"{len(words)} conditions ", "badge"), (" ", "text")]


def _laid_out(words: Sequence[tuple[str, Role]], cells: int) -> list[Piece]:
    line: list[Piece] = []
    for text, role in words:
        line += [(f" {cut(text, cells)} ", role), (" ", "text")]
    return line


def _draft_line(draft: Draft, sieve: Sieve, width: int) -> Line:
    """What a typed filter was understood as, before it is applied."""
    if draft.problem:
        return fit([(" ", "text"), (cut(draft.problem, width - 2), "warning")], width)
    if not draft.wanted:
        words = (
            "Nothing typed: enter shows every row." if sieve.wanted else "Type what rows must have."
        )
        return fit([(" ", "text"), (words, "dim")], width)
    shown = "" if draft.rows is None else f"{grouped(draft.rows)} of "
    told: list[Piece] = [
        (f"{shown}{count_of(sieve.total, 'row')}", "strong"),
        ("  enter shows", "dim"),
    ]
    chips = chips_of(part_chips(draft.wanted), width - width_of(told) - 3)
    return fit([(" ", "text"), *chips, *told], width)
