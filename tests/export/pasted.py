"""What a page makes of pasted Markdown, as data: rendered by a CommonMark parser with GFM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

_PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": True})

REFERENCES = re.compile(
    r"(?<![\w`])@[\w-]"  # a mention
    r"|(?<!\w)#[0-9]|[\w/-]#[0-9]|(?<!\w)[!$%&~^][0-9]"  # an issue, a merge request, a milestone
    r"|\bGH-[0-9]|:[a-z_+-]+:"  # an issue, an emoji
    r"|<!|https?://|www\."
)
"""What trackers turn into something outside of code, in the text that is left after rendering."""


@dataclass
class Page:
    """The parts of a rendered page that hostile text must not be able to add to."""

    headings: list[str] = field(default_factory=list)
    cells_by_row: list[int] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    """Token types that must not occur at all: images, links, HTML, quotes, rules."""
    plain: list[str] = field(default_factory=list)
    """All text outside of code."""
    commands: list[str] = field(default_factory=list)
    """Lines outside of code that a tracker would carry out: those that begin with a slash."""
    fences: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


FORBIDDEN = {"image", "link_open", "html_inline", "html_block", "hr", "blockquote_open",
             "code_block", "lheading_open", "s_open"}  # fmt: skip


def page(markdown: str) -> Page:
    """Render `markdown` and take it apart."""
    found = Page()
    tokens = _PARSER.parse(markdown)
    for index, token in enumerate(_flat(tokens)):
        if token.type in FORBIDDEN:
            found.forbidden.append(f"{index} {token.type} {token.content[:40]!r}")
        if token.type == "inline":
            lines = token.content.split("\n")
            found.commands.extend(line for line in lines if line.lstrip().startswith("/"))
        if token.type == "heading_open":
            found.headings.append(token.tag)
        elif token.type == "tr_open":
            found.cells_by_row.append(0)
        elif token.type in ("td_open", "th_open"):
            found.cells_by_row[-1] += 1
        elif token.type == "fence":
            found.fences.append(token.content)
        elif token.type == "code_inline":
            found.code.append(token.content)
        elif token.type == "text":
            found.plain.append(token.content)
    return found


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])
