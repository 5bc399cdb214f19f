"""Pieces that the sections of the page share: citations, lists, named facts, keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from timeline.export.document import Counted
from timeline.export.markup import NOTHING, Markup, own, tag, together, told
from timeline.export.recount_words import count_lines, counted_sentence
from timeline.words import count_of

KEYS_SHOWN = 100
"""Keys of one list; a batch has thousands, and the `keys` export lists them all."""

KEYS_AT_ONCE = 8
"""More than these are counted, and listed with one click and on paper."""

_LABEL = re.compile(r"(\bE[0-9]+\b)")


def linked(text: str) -> Markup:
    """Our own text in which labels of evidence (`E3`) lead to it."""
    parts = _LABEL.split(text)
    return together(
        tag("a", told(part), href=f"#{part}") if index % 2 else own(part)
        for index, part in enumerate(parts)
    )


def bullets(sentences: Sequence[str]) -> Markup:
    return tag("ul", *(tag("li", told(text)) for text in sentences)) if sentences else NOTHING


def facts(pairs: Sequence[tuple[str, Markup]]) -> Markup:
    """A list of named facts; those without content are left out."""
    held = [(name, value) for name, value in pairs if value]
    parts = [tag("dt", told(name)) + tag("dd", value) for name, value in held]
    return tag("dl", *map(Markup, parts)) if parts else NOTHING


def counted(found: Counted | None) -> Markup:
    """How a number of keys was counted, and what counts them again at their sources."""
    if found is None:
        return NOTHING
    lines = []
    for line in count_lines(found):
        query = tag("code", told(line.query)) if line.query else told(line.why_not)
        lines.append(tag("li", told(f"{line.source}, {line.what}:"), Markup(" "), query))
    said = told(counted_sentence(found).replace("`", ""))
    return Markup(said + (tag("ul", *lines) if lines else NOTHING))


def keys(names: Sequence[str]) -> Markup:
    """`2 keys: …`, each as code."""
    shown = [tag("code", told(name)) for name in names[:KEYS_SHOWN]]
    more = len(names) - len(shown)
    rest = (
        told(f" and {count_of(more, 'more', 'more')}, in the keys export") if more > 0 else NOTHING
    )
    counted = count_of(len(names), "key")
    listed = Markup(together(shown, ", ") + rest)
    if len(names) <= KEYS_AT_ONCE:
        return together((told(f"{counted}:"), Markup(" "), listed))
    return tag("details", tag("summary", told(counted), class_="more"), listed)
