"""Lines like this one: the shape of a body and the regular expression that finds its like.

A shape is the template of a line (`timeline.templates`) as a text: words stay, what differs each
time is `*`. Lines of the same template always match; so does a line that a person would call the
same, such as one whose value stands where another has a number. One pass over a million bodies
instead of a template of each of them.
"""

from __future__ import annotations

import re

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.templates import CHARACTERS, HOLE, TRACEBACK, template_of

CUT = " \u2026"
"""Ends the shape of a line that is longer than templates read."""
LEAST_WORDS = 1
"""Words a shape needs: one of holes alone would be like every line."""

_QUOTED = r""""[^"]*"|'[^']*'|`[^`]*`"""
_ALONE = rf"(?:(?:{_QUOTED}|\S)*[0-9/](?:{_QUOTED}|\S)*|{_QUOTED}|\*)"
_AFTER_EQUALS = rf"(?:{_QUOTED}|[^\s,;)\]}}])+"
_INSIDE = rf"(?:{_QUOTED}|\*)"
_TRACE = rf"{re.escape(TRACEBACK)}(?s:.*){LINE_BREAK}"


def shape_of(body: str) -> str:
    """The shape of a body, or nothing when it has no word that others could share."""
    shape = str(pl.select(template_of(pl.lit(body))).item() or "")
    first = body.rpartition(LINE_BREAK)[2] if body.startswith(TRACEBACK) else body
    if len(first.partition(LINE_BREAK)[0]) > CHARACTERS:
        shape = shape.rpartition(" ")[0] + CUT
    words = re.findall(r"[^\W\d_]{2,}", shape)
    return shape if len(words) >= LEAST_WORDS else ""


def shape_pattern(shape: str) -> str:
    """The regular expression (Rust's syntax) that the bodies of a shape match."""
    whole = shape.removesuffix(CUT)
    end = "" if whole != shape else rf"\s*(?:{LINE_BREAK}|$)"
    pieces = re.split(r"(\s+)", whole)
    inner = "".join(piece if piece.isspace() else _token(piece) for piece in pieces)
    return rf"^(?:{_TRACE})?\s*{inner}{end}"


def _token(token: str) -> str:
    if token == HOLE:
        return _ALONE
    pattern, before = "", ""
    for character in token:
        if character != HOLE:
            pattern += re.escape(character)
        else:
            pattern += _AFTER_EQUALS if before == "=" else _INSIDE
        before = character
    return pattern
