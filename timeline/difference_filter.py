"""A difference as a condition on rows, where the columns of a filter can say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from timeline.difference_counts import SAYS, SAYS_WRONG
from timeline.filter_terms import Field, Part

if TYPE_CHECKING:
    from timeline.difference import Difference

_REQUEST = re.compile(r"^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\S+) ([1-5]\d\d)$")


def part_of(one: Difference, *, key: str = "", body: str = "") -> Part | None:
    """The condition under which rows show `one`; None when no filter can say it.

    `key` is the key it names, if it names one; `body` is the body of a row that shows it: an
    attribute can only be filtered where its value also stands in the text.
    """
    match one.field:
        case "source":
            return Part(Field.SOURCE, one.value)
        case "actor":
            return Part(Field.ACTOR, one.value)
        case "severity":
            return Part(Field.LEVEL, one.value.lower())
        case "kind":
            return None
    if one.field in (SAYS, SAYS_WRONG):
        answered = _REQUEST.match(one.value)
        return Part(Field.REGEX, _pattern(*answered.groups())) if answered else _like(one.value)
    if key:
        return Part(Field.KEY, key)
    return Part(Field.TEXT, one.value) if one.value in body else None


def _like(shape: str) -> Part | None:
    """Lines of this template; a template without a word would be like every line."""
    return Part(Field.LIKE, shape) if re.search(r"[^\W\d_]{2,}", shape) else None


def _pattern(method: str, route: str, status: str) -> str:
    """Request lines of one route and answer, in Rust's syntax."""
    path = re.escape(route).replace(":ids", r"[^/\s\"]+").replace(":id", r"[^/\s\"]+")
    return rf"\b{method} (?:https?://[^/\s]+)?{path}(?:[?#;]\S*)?(?: HTTP/[0-9.]+)?\"? {status}\b"
