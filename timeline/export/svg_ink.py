"""Colours and small shapes of the picture. Every difference is also one of place or of form.

The colours are those of Okabe and Ito ("Color Universal Design", 2008), which stay apart for the
common kinds of colour blindness; the grey prints. They are written as attributes, so that a page
around the picture can set others by class, and programs without style sheets draw it too.
"""

from __future__ import annotations

from timeline.export.markup import Markup, number, tag

INK = "#000000"
FAINT = "#767676"
PAPER = "#ffffff"
CALM = "#56B4E9"
WARNING = "#E69F00"
ERROR = "#D55E00"
DEPTH = "#0072B2"
MARK = "#CC79A7"
ONSET = "#009E73"

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
SMALL = 12
NORMAL = 13
LARGE = 17


def words(
    x: float, y: float, inside: Markup, *, size: int = SMALL, colour: str = INK,
    anchor: str = "start", weight: str = "normal",
) -> Markup:  # fmt: skip
    """One line of text with its baseline at `y`."""
    return tag(
        "text", inside, class_=_class(colour), x=x, y=y, fill=colour, font_size=size,
        text_anchor=anchor, font_weight=weight,
    )  # fmt: skip


def line(
    x1: float, y1: float, x2: float, y2: float, *, colour: str = INK, width: float = 1,
    dashes: str = "none",
) -> Markup:  # fmt: skip
    return tag(
        "path", class_=_class(colour, stroke=True), d=f"M{_at(x1, y1)}L{_at(x2, y2)}", fill="none",
        stroke=colour, stroke_width=width, stroke_dasharray=dashes,
    )  # fmt: skip


def shape(path: str, *, colour: str, stroke: str = "none", width: float = 1) -> Markup:
    """A filled path."""
    return tag(
        "path", class_=_class(colour), d=path, fill=colour, stroke=stroke, stroke_width=width
    )


def outline(path: str, *, colour: str, width: float = 1.5) -> Markup:
    """A path that is drawn and not filled."""
    return tag(
        "path", class_=_class(colour, stroke=True), d=path, fill="none", stroke=colour,
        stroke_width=width,
    )  # fmt: skip


def box(x: float, y: float, width: float, height: float) -> str:
    """The path of a rectangle; many of them make one element."""
    return f"M{_at(x, y)}h{number(width)}v{number(height)}h{number(-width)}z"


def diamond(x: float, y: float, size: float = 6) -> str:
    return f"M{_at(x, y - size)}L{_at(x + size, y)}L{_at(x, y + size)}L{_at(x - size, y)}z"


def hatches() -> Markup:
    """`blind` is crossed lines, `partial` lines one way only: told apart without a colour."""
    return tag("defs", _hatch("partial", "M0 8L8 0"), _hatch("blind", "M0 8L8 0M0 0L8 8"))


def hatched(x: float, y: float, width: float, height: float, *, is_blind: bool) -> Markup:
    """A stretch that was not seen, or seen in part."""
    fill = "url(#blind)" if is_blind else "url(#partial)"
    return tag("rect", x=x, y=y, width=width, height=height, fill=fill)


def _hatch(name: str, path: str) -> Markup:
    drawn = tag("path", class_="faint-line", d=path, fill="none", stroke=FAINT, stroke_width=0.8)
    return tag("pattern", drawn, id=name, width=8, height=8, patternUnits="userSpaceOnUse")


def _at(x: float, y: float) -> str:
    return f"{number(x)} {number(y)}"


_NAMES = {
    INK: "ink", FAINT: "faint", PAPER: "paper", CALM: "calm", WARNING: "warning", ERROR: "error",
    DEPTH: "depth", MARK: "mark", ONSET: "onset",
}  # fmt: skip


def _class(colour: str, *, stroke: bool = False) -> str:
    """What a page's style sheet sets another colour by."""
    return f"{_NAMES[colour]}-line" if stroke else _NAMES[colour]
