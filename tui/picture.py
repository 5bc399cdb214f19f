"""A frame as an SVG that stands alone: no font is fetched from anywhere when it is looked at.

The framework's export names web fonts by URL and puts a digest of the content into every class
name. Both are replaced, so that a picture leaks nothing and two pictures differ only where the
frames do.
"""

from __future__ import annotations

import re

FONTS = '"DejaVu Sans Mono", "Cascadia Mono", Menlo, Consolas, monospace'
"""Local monospace fonts that carry the screen's signs, in order of preference."""

_WEB_FONT = re.compile(r"\s*@font-face \{[^}]*\}")
_FAMILY = re.compile(r"font-family: Fira Code, monospace")
_DIGEST = re.compile(r"terminal-\d+-")


def self_contained(svg: str) -> str:
    """The same picture with local fonts and plain class names."""
    svg = _WEB_FONT.sub("", svg)
    svg = _FAMILY.sub(f"font-family: {FONTS}", svg)
    return _DIGEST.sub("frame-", svg)
