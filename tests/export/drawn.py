"""What a parser of pages makes of an exported page or picture: its elements, and which must not be.

The recorded nights as files are `tests.export.goldens`'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from tests.export.goldens import FOLDER, STORIES
from timeline.export.contract import Exporter
from timeline.export.html_ import HtmlExporter
from timeline.export.svg import SvgExporter

NIGHTS = STORIES
FORMATS: tuple[type[Exporter], ...] = (HtmlExporter, SvgExporter)

_SHAPE = {"class", "d", "fill", "stroke", "stroke-width", "stroke-dasharray"}
_BOX = {"class", "x", "y", "width", "height", "fill"}
ALLOWED: dict[str, set[str]] = {
    **{name: set() for name in ("head", "style", "header", "nav", "h1", "h2", "h3", "p", "dl",
                                "dt", "dd", "ul", "li", "strong", "code", "pre", "small", "br",
                                "figure", "table", "thead", "tbody", "th", "details", "summary",
                                "desc", "defs", "body")},
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "title": {"id"},
    "desc": {"id"},
    "a": {"href"},
    "summary": {"class"},
    "figure": {"class"},
    "p": {"class"},
    "section": {"class", "id"},
    "article": {"id"},
    "span": {"class"},
    "strong": {"class"},
    "tr": {"class"},
    "td": {"class"},
    "input": {"type", "name", "id", "class", "checked"},
    "label": {"for", "class"},
    "svg": {"xmlns", "width", "height", "viewbox", "role", "aria-labelledby", "font-family"},
    "g": {"class", "transform"},
    "path": _SHAPE,
    "rect": _BOX,
    "pattern": {"id", "width", "height", "patternunits"},
    "text": {"class", "x", "y", "fill", "font-size", "text-anchor", "font-weight"},
}  # fmt: skip
"""Every element that an export may hold, with every attribute it may have."""
NAMESPACE = "http://www.w3.org/2000/svg"
_LOADS = re.compile(r"url\((?!#(?:partial|blind)\))|@import|://|javascript:|data:", re.IGNORECASE)


@dataclass
class Seen(HTMLParser):
    """The elements of a page as a browser reads it, what must not be in it, and its text."""

    elements: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in ALLOWED:
            self.forbidden.append(f"<{tag}>")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name not in ALLOWED.get(tag, set()):
            self.forbidden.append(f"{tag} {name}")
        if name == "href" and not re.fullmatch(r"#[A-Za-z0-9-]+", value):
            self.forbidden.append(f"{tag} {name}={value}")
        if name == "http-equiv" and value != "Content-Security-Policy":
            self.forbidden.append(f"{tag} {name}={value}")
        is_ours = name == "content" or value == NAMESPACE
        if not is_ours and _LOADS.search(value):
            self.forbidden.append(f"{tag} {name}={value}")
        if name == "id":
            self.ids.append(value)
        if name == "href":
            self.targets.append(value.removeprefix("#"))

    def handle_data(self, data: str) -> None:
        (self.styles if self.elements[-1:] == ["style"] else self.text).append(data)

    def handle_comment(self, data: str) -> None:
        self.forbidden.append(f"<!--{data}-->")

    def handle_pi(self, data: str) -> None:
        self.forbidden.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.forbidden.append(f"<![{data}]>")


def seen(markup: str) -> Seen:
    parser = Seen()
    parser.feed(markup)
    parser.close()
    if any(_LOADS.search(style) for style in parser.styles):
        parser.forbidden.append("a style sheet that loads something")
    return parser


def golden(story: str, exporter: type[Exporter]) -> Path:
    return FOLDER / f"{story}{exporter.suffix}"
