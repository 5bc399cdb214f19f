"""Which texts a rule could match at all, asked of a whole column in one go.

A gate is a regular expression of Rust's `regex` crate that matches wherever its rule does, and
seldom else: no assertion about what stands beside, no bound that only saves time. It runs in linear
time whatever it is given, so a clean text never meets the rule itself. A gate must never be
narrower than its rule: `tests/export/test_gates.py` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import polars as pl

    from timeline.export.rule import Rule

Replace: TypeAlias = Callable[[re.Match[str]], str]

LONG_TEXT = 8_192
"""Characters from which on a text is looked at in pieces."""
PIECE = 2_048
"""Characters of a piece. Half of it is more than any gate's match and than what a rule's match may
begin before its gate (an address before its `@`: 128)."""
LOOKAHEAD = 16_384
"""Characters behind a stretch that a match may need to be one at all: a token's two halves."""
SEPARATOR = r"""\\{0,16}["']?\s{0,3}(?:=>|:=|={1,2}|:)"""
"""Between a field name and its value, as far as a gate needs it."""

_NO_LETTER_BEFORE = "(?<![A-Za-z])"
_STARTS_HERE = "(?:^|(?u-i:[^A-Za-z]))"
"""The same, said with a sign that is consumed. Case is not folded in it: `ſ` is no ASCII letter."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASSERTION = re.compile(r"\(\?<?[!=][^()]*\)")


def without_assertions(pattern: str) -> str:
    """`pattern` of Python's `re` without what it says of the signs beside a match."""
    return _ASSERTION.sub("", pattern)


def of_fields(fields: str) -> str:
    """The gate of a rule that knows its secret by a field name."""
    begun = without_assertions(fields.replace(_NO_LETTER_BEFORE, _STARTS_HERE))
    return f"(?i-u:(?:{begun}){SEPARATOR})"


def rules_by_text(texts: Sequence[str], rules: Sequence[Rule]) -> dict[int, list[Rule]]:
    """For each text that some rule could match, by its index in ascending order, those rules.

    One search for any of the gates first: most texts end there. A rule without a gate could match
    anything.
    """
    found: dict[int, list[int]] = {}
    gates = list(dict.fromkeys(rule.gate for rule in rules if rule.gate))
    opened = _opened(texts, gates) if gates else {}
    for number, rule in enumerate(rules):
        for row in opened[rule.gate] if rule.gate else range(len(texts)):
            found.setdefault(row, []).append(number)
    return {row: [rules[number] for number in found[row]] for row in sorted(found)}


def replaced(rule: Rule, text: str, replace: Replace) -> str:
    """`rule.pattern.sub(replace, text)`; of a long text only what is near an open gate is read."""
    if len(text) < LONG_TEXT or not rule.gate:
        return rule.pattern.sub(replace, text)
    told: list[str] = []
    done = 0
    for start, end in _around_gates(rule.gate, text):
        place = max(start, done)
        while place < end:
            # what is found near the end of the stretch is matched again without that end
            near = rule.pattern.search(text, place, end + LOOKAHEAD)
            if near is None or near.start() >= end:
                break
            whole = rule.pattern.match(text, near.start())
            place = near.start() + 1
            if whole is not None and whole.end() > whole.start():
                told += (text[done : whole.start()], replace(whole))
                done = place = whole.end()
    return "".join((*told, text[done:]))


def _opened(texts: Sequence[str], gates: Sequence[str]) -> dict[str, list[int]]:
    """For each gate the indices of the texts that it lets through, ascending."""
    import polars as pl

    column = _column(texts)
    owners = pl.Series("row", range(len(texts)), dtype=pl.UInt32)
    if (column.str.len_bytes() >= LONG_TEXT).any():
        cut = [(row, piece) for row, text in enumerate(texts) for _, piece in _pieces(text)]
        owners = pl.Series("row", [row for row, _ in cut], dtype=pl.UInt32)
        column = _column([piece for _, piece in cut])
    suspect = column.str.contains("|".join(f"(?:{gate})" for gate in gates))
    if not suspect.any():
        return {gate: [] for gate in gates}
    column, owners = column.filter(suspect), owners.filter(suspect)
    each = [pl.col("text").str.contains(gate).alias(gate) for gate in gates]
    open_for = pl.LazyFrame({"text": column}).select(each).collect()
    return {gate: owners.filter(open_for[gate]).unique().sort().to_list() for gate in gates}


def _column(texts: Sequence[str]) -> pl.Series:
    """The texts as a column, which holds no half of a surrogate pair."""
    import polars as pl

    try:
        return pl.Series("text", texts, dtype=pl.String)
    except UnicodeEncodeError:
        whole = [_SURROGATE.sub("\ufffd", text) for text in texts]
        return pl.Series("text", whole, dtype=pl.String)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """A long text in overlapping pieces with their offsets: no gate's match is longer than half."""
    if len(text) < LONG_TEXT:
        yield 0, text
        return
    for start in range(0, len(text), PIECE // 2):
        yield start, text[start : start + PIECE]


def _around_gates(gate: str, text: str) -> Iterator[tuple[int, int]]:
    """The stretches of `text` in which a match can begin, ascending and apart."""
    import polars as pl

    starts, pieces = zip(*_pieces(text), strict=True)
    opened = _column(pieces).str.contains(gate)
    stretch: tuple[int, int] | None = None
    for start in pl.Series(starts).filter(opened).to_list():
        begin, end = max(start - PIECE // 2, 0), min(start + PIECE, len(text))
        if stretch is not None and begin <= stretch[1]:
            stretch = (stretch[0], end)
            continue
        if stretch is not None:
            yield stretch
        stretch = (begin, end)
    if stretch is not None:
        yield stretch
