"""Which texts a rule could match at all, asked of a whole column in one go.

A gate is a regular expression of Rust's `regex` crate that matches wherever its rule does, and
seldom else: no assertion about what stands beside, no bound that only saves time. It runs in linear
time whatever it is given, so a clean text never meets the rule itself. All gates are searched for
at once, so each begins at few places: behind a sign that is no part of a word (`BEGUN`), or with a
rare one. A gate must never be narrower than its rule: `tests/export/test_gates.py` compares them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from timeline.export.redact_places import NEAR, Stretch, merged

if TYPE_CHECKING:
    import polars as pl

    from timeline.export.rule import Rule

LONG_TEXT = 8_192
"""Bytes from which on it is found out where in a text a rule can match, too."""
WIDEST = 1_024
"""Signs of the widest match that a gate needs, and by how much pieces of a long text overlap."""
PIECE = 16 * WIDEST
"""Characters of the pieces in which a long text is searched for any gate."""
SEPARATOR = r"""\\{0,16}["']?\s{0,3}(?:=>|:=|={1,2}|:)"""
"""Between a field name and its value, as far as a gate needs it."""
BEGUN = "(?:^|[^0-9A-Za-z])"
"""Nothing, or a sign of no word, before what a rule does not look for within words."""

Where: TypeAlias = "dict[int, tuple[Stretch, ...] | None]"
"""By the index of a text, in which stretches of it; None: anywhere."""

_NO_LETTER_BEFORE = "(?<![A-Za-z])"
_STARTS_HERE = "(?:^|(?u-i:[^A-Za-z]))"
"""The same, said with a sign that is consumed. Case is not folded in it: `ſ` is no ASCII letter."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASSERTION = re.compile(r"\(\?<?[!=][^()]*\)")


@dataclass(frozen=True, slots=True)
class Opened:
    """A rule that could match a text, and in a long one where such a match can begin."""

    rule: Rule
    within: tuple[Stretch, ...] | None = None


def without_assertions(pattern: str) -> str:
    """`pattern` of Python's `re` without what it says of the signs beside a match."""
    return _ASSERTION.sub("", pattern)


def of_fields(fields: str) -> str:
    """The gate of a rule that knows its secret by a field name."""
    begun = without_assertions(fields.replace(_NO_LETTER_BEFORE, _STARTS_HERE))
    return f"(?i-u:(?:{begun}){SEPARATOR})"


def opened_by_text(texts: Sequence[str], rules: Sequence[Rule]) -> dict[int, list[Opened]]:
    """For each text that some rule could match, by its index in ascending order, those rules.

    One search for any of the gates first: most texts end there. A rule without a gate could match
    anything.
    """
    gates = list(dict.fromkeys(rule.gate for rule in rules if rule.gate))
    column, texts = _column(texts)
    long = column.str.len_bytes() >= LONG_TEXT
    by_gate: dict[str, Where] = {gate: {} for gate in gates}
    if gates and not long.all():
        short = (~long).arg_true()
        for gate, rows in _rows_by_gate(column.gather(short), gates).items():
            by_gate[gate].update(dict.fromkeys(short.gather(rows).to_list()))
    if gates and long.any():
        for gate, where in _stretches(texts, long.arg_true().to_list(), gates).items():
            by_gate[gate].update(where)
    found: dict[int, list[Opened]] = {}
    for rule in rules:
        whole = Opened(rule)
        if not rule.gate:
            for row in range(len(texts)):
                found.setdefault(row, []).append(whole)
            continue
        for row, within in by_gate[rule.gate].items():
            one = whole if within is None else Opened(rule, within)
            found.setdefault(row, []).append(one)
    return {row: found[row] for row in sorted(found)}


def _rows_by_gate(column: pl.Series, gates: Sequence[str]) -> dict[str, list[int]]:
    """For each gate the indices of the texts that it lets through, ascending."""
    suspect = column.str.contains(_any_of(gates)).arg_true()
    if not len(suspect):
        return {}
    opened = _told_apart(column.gather(suspect), gates)
    return {gate: suspect.gather(rows).to_list() for gate, rows in opened.items()}


def _told_apart(column: pl.Series, gates: Sequence[str]) -> dict[str, list[int]]:
    """For each gate that lets a text through the indices of those, each gate on its own."""
    import polars as pl

    each = [pl.col("text").str.contains(gate).alias(gate) for gate in gates]
    opened = pl.LazyFrame({"text": column}).select(each).collect()
    return {gate: opened[gate].arg_true().to_list() for gate in gates if opened[gate].any()}


def _stretches(texts: Sequence[str], rows: Sequence[int], gates: Sequence[str]) -> dict[str, Where]:
    """For each gate, by the index of a long text, where in it a match can begin."""
    near = _near_gates(texts, rows, gates)
    if not near:
        return {}
    column, _ = _column([texts[row][start:end] for row, start, end in near])
    found: dict[str, Where] = {}
    for gate, numbers in _told_apart(column, gates).items():
        begins: dict[int, list[Stretch]] = {}
        matches = column.gather(numbers).str.extract_all(gate).to_list()
        for number, matched in zip(numbers, matches, strict=True):
            row, start, end = near[number]
            begins.setdefault(row, []).extend(
                (max(first - NEAR, 0), last + 1)
                for first, last in _places(matched, texts[row], start, end)
            )
        found[gate] = {row: tuple(merged(stretches)) for row, stretches in begins.items()}
    return found


def _near_gates(
    texts: Sequence[str], rows: Sequence[int], gates: Sequence[str]
) -> list[tuple[int, int, int]]:
    """Of the texts in `rows` the stretches, apart, which hold every match of every gate."""
    pieces = [
        (row, start, min(start + PIECE, len(texts[row])))
        for row in rows
        for start in range(0, max(len(texts[row]) - WIDEST, 1), PIECE - WIDEST)
    ]
    column, _ = _column([texts[row][start:end] for row, start, end in pieces])
    near: dict[int, list[Stretch]] = {}
    for (row, start, end), matched in zip(
        pieces, column.str.extract_all(_any_of(gates)).to_list(), strict=True
    ):
        for first, last in _places(matched, texts[row], start, end):
            near.setdefault(row, []).append((first, last + WIDEST))
    return [(row, *stretch) for row in rows for stretch in merged(near.get(row, ()))]


def _places(matched: Sequence[str], text: str, start: int, end: int) -> Iterator[Stretch]:
    """Where the matches of a gate between `start` and `end` of `text` stand.

    None of them can stand before where its signs are found first: it would have matched there.
    """
    for found in matched:
        place = text.index(found, start, end)
        start = place + len(found)
        yield place, start


def _any_of(gates: Iterable[str]) -> str:
    return "|".join(f"(?:{gate})" for gate in gates)


def _column(texts: Sequence[str]) -> tuple[pl.Series, Sequence[str]]:
    """The texts as a column, and as they stand in it: it holds no half of a surrogate pair."""
    import polars as pl

    try:
        return pl.Series("text", texts, dtype=pl.String), texts
    except UnicodeEncodeError:
        whole = [_SURROGATE.sub("\ufffd", text) for text in texts]
        return pl.Series("text", whole, dtype=pl.String), whole
