"""Conditions in words, and why they leave nothing. Texts only; no drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.clean import clean
from timeline.event import Lane
from timeline.filter_terms import Field, Part
from timeline.words import LANE_WORDS, clock_face, count_of, grouped

if TYPE_CHECKING:
    from tui.filter_state import Sieve


def part_words(part: Part) -> str:
    """A condition in words: `source web`, `not "some words"`, `ERROR and worse`."""
    words = clean(_words(part))
    return f"not {words}" if part.hides else words


def _words(part: Part) -> str:
    match part.field:
        case Field.TEXT:
            return f'"{part.value}"'
        case Field.REGEX:
            return f"/{part.value}/"
        case Field.LEVEL:
            return f"{part.value.upper()} and worse"
        case Field.LANE:
            return f"lane {LANE_WORDS[Lane(part.value)]}"
        case Field.LIKE:
            return f"like: {part.value}"
        case Field.FROM | Field.TO:
            return f"{part.field} {clock_face(part.at)}Z"
        case _:
            return f"{part.field} {part.value}"


def nothing_words(sieve: Sieve) -> str:
    """Why a filter or a followed key leaves no row, and what to press."""
    if sieve.stale:
        return "Working out which rows pass."
    if sieve.follow and not sieve.wanted:
        return f"No row carries {sieve.follow} yet; it is being looked up. Esc shows all rows."
    if sieve.missing is not None:
        return (
            f"None of {count_of(sieve.total, 'row')} passes {part_words(sieve.missing)!s}. "
            "Esc takes back the last step, backspace shows all rows, w changes the filter."
        )
    return (
        f"Every condition has rows, but no row of {grouped(sieve.total)} meets them all"
        f"{' in the story of ' + sieve.follow if sieve.follow else ''}. "
        "Esc takes back the last step, backspace shows all rows."
    )
