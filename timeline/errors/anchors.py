"""What is searched for: of every text of the table one literal, its anchor, made once.

A text with gaps is anchored at its last part, so that where a hit ends is known exactly. Owns the
literals and the facts that belong to each; `timeline.errors.matcher` searches and decides.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from timeline.errors import peers
from timeline.errors.codes import NEUTRAL_CODES
from timeline.errors.kinds import MAX_GAP_CHARS, Fragment
from timeline.errors.table import FRAGMENTS
from timeline.errors.translations import TRANSLATIONS

PREFILTER_CHARS = 14
"""Length of an anchor's end in the first pass: long enough to be rare in healthy lines, short
enough for the automaton to stay cached (whole anchors cost 0.5 ms for every line that matched)."""
FEW_BYTES = 65_536
"""Up to here it is cheaper to read all words of the candidates first, and to look only for anchors
whose longest word is among them: the automaton of all anchors takes ten milliseconds to build."""

_WORDS = re.compile(r"[a-z0-9_]+")


def possible(bodies: pl.Series) -> list[str]:
    """The anchors that may occur in `bodies` (ASCII); one at least, as an automaton needs one."""
    if bodies.str.len_bytes().sum() > FEW_BYTES:
        return every()
    words = " ".join(set(_WORDS.findall("\n".join(bodies.to_list()).lower())))
    found = [anchor for word, anchors in _by_word() if word in words for anchor in anchors]
    return found or every()[:1]


@cache
def ends() -> list[str]:
    """The ends of all anchors and translated wordings; these are told in their own capitals.

    For Aho-Corasick, whose time depends on the length of a text alone. One regex of them all is as
    fast while lines repeat, but its automaton grows with every new wording: where lines differ it
    takes 0.8 ms for each of them, and a minute for a hundred thousand.
    """
    ends = {_anchor(fragment).lower()[-PREFILTER_CHARS:] for fragment in FRAGMENTS}
    return sorted(ends | {text[-PREFILTER_CHARS:] for text in TRANSLATIONS})


@cache
def every() -> list[str]:
    """Every literal that is searched for, once."""
    return sorted(set(table()["anchor"]))


@cache
def _by_word() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The anchors by their longest word; empty for one that has none."""
    found: dict[str, list[str]] = {}
    for anchor in every():
        found.setdefault(max(_WORDS.findall(anchor), key=len, default=""), []).append(anchor)
    return tuple((word, tuple(anchors)) for word, anchors in found.items())


@cache
def table() -> pl.DataFrame:
    """The fragments as columns; `anchor` is the literal that is searched for."""
    return pl.DataFrame(
        {
            "anchor": [_anchor(f).lower() for f in FRAGMENTS],
            "exact_anchor": [_anchor(f) for f in FRAGMENTS],
            "text": [f.text for f in FRAGMENTS],
            "error_class": [f.error_class.value for f in FRAGMENTS],
            "outcome": [f.outcome.value for f in FRAGMENTS],
            "evidence": [int(f.evidence) for f in FRAGMENTS],
            "weak": [f.weak for f in FRAGMENTS],
            "exact_case": [f.capitals_matter for f in FRAGMENTS],
            "at_end": [f.at_end for f in FRAGMENTS],
            "word_start": ["*" not in f.text and _is_word(f.text[0]) for f in FRAGMENTS],
            "word_end": [_is_word(f.text[-1]) for f in FRAGMENTS],
            "gap_pattern": [_gap_pattern(f) for f in FRAGMENTS],
            "errno": [f.errno for f in FRAGMENTS],
            "sqlstate": [f.sqlstate for f in FRAGMENTS],
            "neutral": [f.client in NEUTRAL_CODES for f in FRAGMENTS],
            "system": [peers.CLIENT_SYSTEMS.get(f.client) for f in FRAGMENTS],
        },
        schema_overrides={"errno": pl.Int32, "sqlstate": pl.String, "gap_pattern": pl.String},
    )


def _anchor(fragment: Fragment) -> str:
    """The last literal part of the text: where a hit ends is then known exactly."""
    return [part for part in fragment.text.split("*") if part.strip()][-1]


def _gap_pattern(fragment: Fragment) -> str | None:
    """Regex for a text with gaps; None for a plain text, which the anchor covers whole."""
    if "*" not in fragment.text:
        return None
    gap = rf"[^\n]{{0,{MAX_GAP_CHARS}}}?"
    return "(?i)" + gap.join(re.escape(part) for part in fragment.text.split("*"))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
