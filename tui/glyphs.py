"""The signs of the screen, each one cell wide, in Unicode and in plain ASCII.

Which set is used depends on the terminal's encoding alone. No emoji: terminals disagree on them.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from timeline.words import order_glyph

if TYPE_CHECKING:
    from timeline.order import Order, Verdict


class Glyphs(NamedTuple):
    """One sign per meaning."""

    bars: str
    """Rising blocks for a density; the first is the smallest that is not empty."""
    empty: str
    pin: str
    onset: str
    rule: str
    heavy_rule: str
    """The rule along a selection."""
    wall: str
    corner: str
    """Where the wall between lanes and findings meets the rule below."""
    cursor: str
    mark: str
    tick: str
    ticks: str
    unseen: str
    """A stretch that a source could not fully see."""
    unended: str
    """A job that began and whose end nobody told."""
    change: str
    passing: str
    """A change's instant in the lanes of others."""
    here: str
    dash: str
    shared: str
    goes_on: str
    """Before a finding that goes on with the story of the one above it."""
    ascii_only: bool

    def order(self, order: Order | None) -> str:
        """How a step follows the one before it."""
        return order_glyph(order, ascii_only=self.ascii_only)

    def order_sign(self, verdict: Verdict) -> str:
        """The sign of an order of this certainty."""
        from timeline.order import Order  # not needed for the first frame

        return order_glyph(Order(verdict, ""), ascii_only=self.ascii_only)

    def shown(self, text: str) -> str:
        """`text` in letters the terminal has, every cell kept: outside text becomes `?`."""
        if not self.ascii_only or text.isascii():
            return text
        text = text.translate(_ONE_CELL)
        return "".join(c if c.isascii() else "?" * cell_len(c) for c in text)


_ONE_CELL = str.maketrans("\u00b7\u00b1\u2026\u2192\u21e2\u2013\u240a", "-~.>>-|")
"""Signs of our own sentences and what stands for each, one cell for one cell."""

UNICODE = Glyphs(
    bars="\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588",
    empty=" ",
    pin="\u2503",
    onset="\u250a",
    rule="\u2500",
    heavy_rule="\u2501",
    wall="\u2502",
    corner="\u2534",
    cursor="\u25b8",
    mark="\u25cf",
    tick="\u00b7",
    ticks="\u2022",
    unseen="\u2591",
    unended="\u254c",
    change="\u25c6",
    passing="\u254e",
    here="\u25b4",
    dash="\u2013",
    shared="=",
    goes_on="\u2514",
    ascii_only=False,
)

ASCII = Glyphs(
    bars=".:-=+*%#",
    empty=" ",
    pin="|",
    onset=":",
    rule="-",
    heavy_rule="=",
    wall="|",
    corner="+",
    cursor=">",
    mark="*",
    tick=".",
    ticks="o",
    unseen="?",
    unended="~",
    change="*",
    passing="!",
    here="^",
    dash="-",
    shared="=",
    goes_on="`",
    ascii_only=True,
)


def glyphs_for(encoding: str | None) -> Glyphs:
    """Unicode signs when the encoding can carry them (any UTF), ASCII otherwise."""
    try:
        name = codecs.lookup(encoding or "ascii").name
    except LookupError:
        return ASCII
    return UNICODE if name.startswith("utf") else ASCII
