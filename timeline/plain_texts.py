"""A regex as it need only be for texts without any character beyond ASCII: half as dear to read.

`\\w`, `\\d`, `\\s` and `\\b` stand for hundreds of ranges of Unicode. To read a regex that counts
repeats of them takes milliseconds: more than to try it on some thousand texts. On ASCII a short
form of it finds the same in the same places. Nothing is decided about other texts: for them the
regex stays as it is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MOST_TEXTS = 20_000
"""Of more texts the search itself is what costs."""
LISTED = 500
"""Up to so many texts are looked through in Python, sooner than Polars has set up an expression."""
_INSIDE = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\x0b\x0c\r\x20"}
_ASCII = r"\x00-\x7f"
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
"""Brackets in comments are none."""


def plain_form(texts: pl.Series, pattern: str) -> str:
    """A regex that fits `texts` as `pattern` does (the dialect of the `regex` crate): its short
    form where all of them are ASCII, itself elsewhere."""
    return ascii_form(pattern) if _in_ascii(texts) else pattern


def _in_ascii(texts: pl.Series) -> bool:
    if texts.len() <= LISTED:
        return all(text is None or text.isascii() for text in texts.to_list())
    if texts.len() > MOST_TEXTS:
        return False
    return bool((texts.str.len_bytes() == texts.str.len_chars()).all())


@cache
def ascii_form(pattern: str) -> str:
    """`pattern` with classes of ASCII characters; itself where it holds what is not known here:
    classes within classes, `\\b{…}`, `\\B`, comments, or a class of all but digits or the like."""
    if _VERBOSE.search(pattern):
        return pattern
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char, escaped = pattern[at], pattern[at + 1 : at + 2]
        if char == "[":
            shown, end = _class(pattern, at)
            if not shown:
                return pattern
            parts.append(shown)
            at = end
        elif char != "\\":
            parts.append(char)
            at += 1
        elif escaped == "B" or pattern.startswith(r"\b{", at):
            return pattern
        else:
            parts.append(_escape(escaped))
            at += 2
    return "".join(parts)


def _escape(escaped: str) -> str:
    """What stands for a backslash and `escaped` outside of a class."""
    if escaped in _INSIDE:
        return f"[{_INSIDE[escaped]}]"
    if escaped.lower() in _INSIDE:
        return f"[{_ASCII}&&[^{_INSIDE[escaped.lower()]}]]"
    return r"(?-u:\b)" if escaped == "b" else "\\" + escaped


def _class(pattern: str, begin: int) -> tuple[str, int]:
    """The class that opens at `begin`, in ASCII, and the place behind it; empty if not known."""
    at = begin + 1
    negated = pattern.startswith("^", at)
    at += negated
    parts: list[str] = []
    while at < len(pattern) and (pattern[at] != "]" or not parts):
        char, escaped = pattern[at], pattern[at + 1 : at + 2]
        if char == "[" or pattern.startswith(("&&", "--", "~~"), at):
            return "", at
        if char != "\\":
            parts.append(char)
            at += 1
        elif escaped in "DWSpP":
            return "", at
        else:
            parts.append(_INSIDE.get(escaped, "\\" + escaped))
            at += 2
    held = "".join(parts)
    return (f"[{_ASCII}&&[^{held}]]" if negated else f"[{held}]"), at + 1
