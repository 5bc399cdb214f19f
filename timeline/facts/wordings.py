"""Whether a few texts can fit a regex at all, asked before the regex is read.

To read a regex costs more than to try it on some hundred texts: up to several milliseconds, and
Polars keeps 32 of them. What stands in every match is derived from the regex itself (`marks_of`),
so the answer is never a guess: texts without any of the marks hold no match. Nothing is decided
about texts that do hold one.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import polars as pl

from timeline.plain_texts import plain_form

MOST_BYTES = 65_536
"""Of texts that are looked through; more are left to the regex."""
LEAST_BYTES = 3
"""A shorter mark stands nearly everywhere."""

_Marks: TypeAlias = frozenset[str]
_NOTHING: _Marks = frozenset()
"""No text is sure to stand in a match."""
_OPENING = ("P<", "<")
_WIDTHLESS = "bBAz"
_CLASSES = "dDwWsS"


def may_hold(texts: pl.Series, *patterns: str) -> bool:
    """False if none of `texts` can fit any of the regexes `patterns`; True says nothing."""
    marks = [marks_of(pattern) for pattern in patterns]
    if texts.is_empty():
        return False
    if not all(marks) or int(texts.str.len_bytes().sum()) > MOST_BYTES:
        return True
    told = "\n".join(text for text in texts.to_list() if text is not None).casefold()
    return any(mark in told for some in marks for mark in some)


def holding(frame: pl.DataFrame, pattern: str, column: str = "body") -> pl.DataFrame:
    """Those of `frame` whose `column` fits the regex `pattern`."""
    if not may_hold(frame.get_column(column), pattern):
        return frame.clear()
    shown = plain_form(frame.get_column(column), pattern)
    return frame.filter(pl.col(column).str.contains(shown))


@cache
def marks_of(pattern: str) -> tuple[str, ...]:
    """Texts, casefolded, of which one at least stands in every match of the regex `pattern` (the
    dialect of the `regex` crate); empty where none is sure."""
    reader = _Reader(pattern)
    found = reader.alternatives(verbose=False)
    if not reader.ended:
        return ()
    return tuple(sorted(one for one in found if not any(o != one and o in one for o in found)))


class _Reader:
    """Reads a regex from left to right; what it does not know ends a literal and promises less."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether all of it was read: a bracket too many leaves a rest."""
        return self._at >= len(self._text)

    def alternatives(self, *, verbose: bool) -> _Marks:
        """The marks of everything up to the bracket that closes, or to the end."""
        parts: list[_Marks] = []
        while True:
            marks, verbose = self._sequence(verbose=verbose)
            parts.append(marks)
            if not self._take("|"):
                break
        return frozenset().union(*parts) if all(parts) else _NOTHING

    def _sequence(self, *, verbose: bool) -> tuple[_Marks, bool]:
        """The best marks of one alternative, and whether blanks are still no text after it."""
        run, best = "", _NOTHING
        while not self.ended and self._text[self._at] not in "|)":
            literal, marks = "", _NOTHING
            char = self._next()
            if verbose and char.isspace():
                continue
            if verbose and char == "#":
                self._skip_to("\n")
                continue
            if char in "^$" or (char == "\\" and self._peek() in _WIDTHLESS):
                self._at += char == "\\"
                continue
            if char == "(":
                flags = self._flags()
                if flags is not None and self._take(")"):
                    verbose = "x" in flags.partition("-")[0] or verbose
                    continue
                marks = self.alternatives(verbose=verbose or "x" in (flags or "").partition("-")[0])
                self._take(")")
            elif char == "[":
                self._skip_class()
            elif char == "\\":
                literal = self._escaped()
            elif char != ".":
                literal = char.casefold()
            least, once = self._repeated()
            if literal and least:
                run += literal
            if literal and least and once:
                continue
            best = max(best, _one(run), marks if least else _NOTHING, key=_worth)
            run = ""
        return max(best, _one(run), key=_worth), verbose

    def _repeated(self) -> tuple[bool, bool]:
        """Whether what was just read stands there at least once, and exactly once."""
        found = (True, True)
        if self._peek() in ("?", "*", "+"):
            found = (self._next() == "+", False)
        elif self._peek() == "{":
            begin = self._at
            self._skip_to("}")
            found = (not self._text[begin + 1 :].startswith(("0", ",")), False)
        else:
            return found
        self._take("?")
        return found

    def _flags(self) -> str | None:
        """The flags of a group that has just been opened, its name passed over; None for none."""
        if not self._take("?"):
            return None
        for opening in _OPENING:
            if self._text.startswith(opening, self._at):
                self._skip_to(">")
                return None
        begin = self._at
        while self._peek() and self._peek() not in ":)":
            self._at += 1
        flags = self._text[begin : self._at]
        self._take(":")
        return flags

    def _escaped(self) -> str:
        """The character that a backslash stands before; empty for a class of characters."""
        char = self._next()
        if char in "pPxuU":
            self._skip_to("}") if self._peek() == "{" else self._next()
            if char in "xuU":  # hexadecimal digits without braces: not worth reading
                self._at = len(self._text) + 1
            return ""
        return "" if char.isalnum() else char

    def _skip_class(self) -> None:
        """Past the bracket that closes a class; a class may hold classes."""
        self._take("^")
        self._take("]")
        depth = 1
        while depth and not self.ended:
            char = self._next()
            if char == "\\":
                self._at += 1
            depth += (char == "[") - (char == "]")

    def _skip_to(self, char: str) -> None:
        found = self._text.find(char, self._at)
        self._at = found + 1 if found >= 0 else len(self._text)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _take(self, char: str) -> bool:
        found = self._peek() == char
        self._at += found
        return found


def _one(run: str) -> _Marks:
    return frozenset((run,)) if len(run.encode()) >= LEAST_BYTES else _NOTHING


def _worth(marks: _Marks) -> tuple[int, int]:
    """Long marks are rare; of equally long ones few are sooner looked for."""
    return (min(map(len, marks)), -len(marks)) if marks else (0, 0)
