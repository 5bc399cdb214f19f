"""Elements for the formats that are markup: HTML and SVG, in a form that XML parsers take too.

`Markup` is text that may stand in a document; only this file makes it, and the type checker keeps
plain strings out. Text from outside passes `told` and stands between tags only: attributes are
written by us alone. Nothing here makes a script, a link out of the page or anything that loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NewType
from xml.sax.saxutils import escape, quoteattr, unescape

from timeline.clean import LINE_BREAK, clean

if TYPE_CHECKING:
    from timeline.export.redact import Redactor

Markup = NewType("Markup", str)
NOTHING = Markup("")

_EMPTY = frozenset({"meta", "input", "br", "path", "rect", "line", "circle"})
"""Elements that never hold anything; all others get an end tag, as HTML wants."""
_LINES = frozenset({
    "meta", "head", "style", "header", "nav", "section", "article", "h1", "h2", "h3", "p", "dl",
    "dd", "ul", "li", "table", "thead", "tbody", "tr", "details", "summary", "pre", "figure",
    "label", "svg", "title", "desc", "defs", "pattern", "g", "path", "rect", "text",
})  # fmt: skip
"""Elements that end their line: where no space is drawn between them, so that files can be compared
line by line."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) allows in no document, not even escaped."""
_TAG = re.compile(r"(<style>[^<]*</style>|<[^>]*>)")


def told(text: str) -> Markup:
    """Outside text on one line, as text."""
    return _escaped(" ".join(clean(text).split()))


def told_lines(text: str) -> Markup:
    """Outside text with its own line breaks, for a `pre`."""
    lines = re.split(rf"\r\n|\n|{LINE_BREAK}", text)
    return _escaped("\n".join(clean(line) for line in lines))


def own(text: str) -> Markup:
    """Text of ours with its spaces as they are."""
    return _escaped(text)


def tag(name: str, /, *inside: Markup, **attributes: str | float) -> Markup:
    """One element. `class_` and `for_` lose their underscore, others turn it into a hyphen."""
    named = "".join([_attribute(key, value) for key, value in attributes.items()])
    end = "\n" if name in _LINES else ""
    if name in _EMPTY:
        return Markup(f"<{name}{named}/>{end}")
    return Markup(f"<{name}{named}>{''.join(inside)}</{name}>{end}")


def together(parts: Iterable[Markup], between: str = "") -> Markup:
    """Parts one after the other; `between` is our own text."""
    return Markup(_escaped(between).join(parts))


def style(rules: str) -> Markup:
    """A style sheet of ours; it holds no `<` and no `&`, so that HTML and XML read it alike."""
    if "<" in rules or "&" in rules:
        raise ValueError("a style sheet with markup in it would be read differently by XML")
    return tag("style", Markup(rules))


def look_over(text: str, redactor: Redactor) -> str:
    """The last redaction, text by text: one over the whole could take a tag for a secret."""
    parts = _TAG.split(text)
    plain = {part: _unescaped(part) for part in parts[::2] if part.strip()}
    suspects = redactor.suspects(plain.values())
    if not suspects:
        return text
    parts[::2] = [
        _redacted(part, plain[part], redactor) if plain.get(part) in suspects else part
        for part in parts[::2]
    ]
    return "".join(parts)


def number(value: float) -> str:
    """A coordinate with one decimal, the same on every machine; `12` for `12.0`."""
    return f"{value:.1f}".removesuffix(".0")


def _redacted(escaped: str, plain: str, redactor: Redactor) -> str:
    checked = redactor.text(plain)
    return escaped if checked == plain else _escaped(checked)


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)


@lru_cache(maxsize=1024)  # classes and places of a drawing recur ten thousand times in a page
def _attribute(key: str, value: str | float) -> str:
    return f" {key.rstrip('_').replace('_', '-')}={quoteattr(_value(value))}"


def _escaped(text: str) -> Markup:
    if not (text.isascii() and text.isprintable()):
        text = _NO_XML.sub("\ufffd", text)
    return Markup(escape(text))


def _unescaped(text: str) -> str:
    return unescape(text) if "&" in text else text
