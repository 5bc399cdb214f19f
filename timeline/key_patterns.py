"""Configured key patterns: checked once, then translated so that Python and Rust agree.

A pattern is written in the common ground of both engines: no look-around, no back-references, no
possessive or atomic groups. `\\d`, `\\w`, `\\s` and `\\b` mean ASCII. The value is read from the
matched text alone, so what a pattern needs to see must be part of its match.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.clean import clean, clean_column
from timeline.key_fields import matches

if TYPE_CHECKING:
    import polars as pl

MAXIMUM_VALUE = 200
"""Characters. A longer capture is a whole message rather than an id, and is ignored."""

_TOKENS = r"""(?sx)(?P<escape>\\.)
      | (?P<group>\(\?(?:P?<[A-Za-z_]|[a-zA-Z-]+[:)]|:|P[=>]|<?[=!]|.))
      | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<possessive>[*+?}]\+)
      | (?P<end>\$)
      | (?P<other>.)"""
_ASCII_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r" \t\n\r\f\v"}
_SAME_IN_BOTH = r"(?s)\(\?(?::|P<.|[is]+[:)])"


@dataclass(frozen=True, slots=True)
class PortablePattern:
    """One configured pattern, compiled for Python and spelt for Rust."""

    python: re.Pattern[str]
    rust: str

    def values(self, text: str) -> Iterator[str]:
        """The values in one text, cleaned."""
        for match in self.python.finditer(text):
            alone = self.python.search(match.group())
            if alone is not None and 0 < len(value := alone.group(1) or "") <= MAXIMUM_VALUE:
                yield clean(value)

    def column_values(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Frame `row`, `value` for a frame `row`, `text`, in text order."""
        import polars as pl

        try:
            found = matches(lines, self.rust)
        except pl.exceptions.ComputeError as error:
            raise _refused(
                self.python.pattern, f"it cannot be run over columns ({error})"
            ) from None
        if found.is_empty():
            return found.rename({"match": "value"})
        length = pl.col("value").str.len_chars()
        found = found.select("row", pl.col("match").str.extract(self.rust, 1).alias("value"))
        found = found.filter((length > 0) & (length <= MAXIMUM_VALUE))
        return found.with_columns(clean_column(found.get_column("value")).alias("value"))


def portable(pattern: str) -> PortablePattern:
    """Compile a configured pattern; `ValueError` says what it must not contain."""
    try:
        with warnings.catch_warnings():  # on "[[": a bracket is spelt out for Rust below
            warnings.simplefilter("ignore", FutureWarning)
            groups = re.compile(pattern).groups
    except re.error as error:
        raise _refused(pattern, f"it is not a regular expression: {error}") from None
    if groups != 1:
        raise _refused(pattern, f"it has {groups} groups; exactly one must hold the value")
    pairs = [_translated(pattern, token) for token in re.finditer(_TOKENS, pattern)]
    python = re.compile("".join(pair[0] for pair in pairs), re.ASCII)
    if python.fullmatch(""):
        raise _refused(pattern, "it matches an empty text")
    return PortablePattern(python, "".join(pair[1] for pair in pairs))


def _translated(pattern: str, token: re.Match[str]) -> tuple[str, str]:
    text = token.group()
    match token.lastgroup:
        case "escape":
            return _escape(pattern, text)
        case "class":
            inside = text.removeprefix("[^").removeprefix("[")[:-1]
            if "--" in inside:
                raise _refused(pattern, r"a dash inside [...] must be written \-")
            both = text[: len(text) - len(inside) - 1] + _class(pattern, inside) + "]"
            return both, both
        case "group" if not re.fullmatch(_SAME_IN_BOTH, text):
            raise _refused(pattern, f"{text} (look-around and the like) is not possible here")
        case "possessive":
            raise _refused(pattern, f"{text} (possessive) is not possible here")
        case "end":
            return r"\Z", r"\z"
    return text, text


def _escape(pattern: str, text: str) -> tuple[str, str]:
    letter = text[1]
    if letter.isdigit() or letter == "B":
        raise _refused(pattern, f"{text} is not possible here")
    if letter == "b":
        return text, r"(?-u:\b)"
    if letter == "Z":
        return text, r"\z"
    if letter.lower() in _ASCII_CLASSES:
        both = f"[{'^' if letter.isupper() else ''}{_ASCII_CLASSES[letter.lower()]}]"
        return both, both
    return text, text


def _class(pattern: str, inside: str) -> str:
    def spelt(part: re.Match[str]) -> str:
        text = part.group()
        if text[0] == "\\":
            if text[1] in "DWSBb" or text[1].isdigit():
                raise _refused(pattern, f"{text} inside [...] is not possible here")
            return _ASCII_CLASSES.get(text[1], text)
        return "\\" + text

    return re.sub(r"\\.|[\[\]&~]", spelt, inside, flags=re.DOTALL)


def _refused(pattern: str, reason: str) -> ValueError:
    return ValueError(f"key pattern {pattern!r}: {reason}")
