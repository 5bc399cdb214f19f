"""All marks that lines are searched for at once: as few as find the same lines."""

from __future__ import annotations

import polars as pl

from timeline.facts import spoken
from timeline.facts.spoken import MOST_MARKS, shortest

ALL = [
    mark
    for name, marks in vars(spoken).items()
    if name.endswith("_MARKS") and isinstance(marks, tuple)
    for mark in marks
]


def test_one_search_for_all_marks_takes_the_faster_automaton() -> None:
    assert len(ALL) > MOST_MARKS > len(shortest(ALL))


def test_a_mark_within_which_another_stands_is_not_needed() -> None:
    assert shortest(["version=", "Version", "x->", " -> ", "->", "ÄND"]) == ["version", "->", "ÄND"]


def test_the_same_lines_are_found() -> None:
    lines = pl.Series([f"pre{mark.upper() if mark.isascii() else mark}post" for mark in ALL])
    assert lines.str.contains_any(shortest(ALL), ascii_case_insensitive=True).all()
