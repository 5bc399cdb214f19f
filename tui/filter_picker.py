"""A short list to pick from: what the row under the cursor has, and how many rows would be left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from timeline.filter_terms import Part
from timeline.words import count_of
from tui.filter_words import part_words
from tui.pieces import padded, right

if TYPE_CHECKING:
    from textual.app import ComposeResult

WORDS_CELLS = 42
COUNT_CELLS = 16


class PartPicker(ModalScreen[Part | None]):
    """Gives back the picked condition, or None after Esc."""

    CSS_PATH = "picker.tcss"
    BINDINGS = [("escape,q", "dismiss(None)", "back")]  # noqa: RUF012 - Textual's own declaration

    def __init__(self, parts: Sequence[Part], *, hides: bool) -> None:
        super().__init__()
        self._parts = parts
        self._hides = hides
        self._counts: list[int | None] = [None for _ in parts]

    def compose(self) -> ComposeResult:
        options = OptionList(*(Option(self._words(n)) for n in range(len(self._parts))), id="keys")
        options.border_title = "hide rows with" if self._hides else "show only rows with"
        options.border_subtitle = "rows that stay; esc changes nothing"
        yield options

    def tell(self, place: int, count: int) -> None:
        """How many rows the condition at `place` would leave."""
        self._counts[place] = count
        for options in self.query(OptionList):
            options.replace_option_prompt_at_index(place, self._words(place))

    def _words(self, place: int) -> Content:
        words = part_words(self._parts[place])
        shown = padded(words.removeprefix("not ") if self._hides else words, WORDS_CELLS)
        count = self._counts[place]
        told = "counting" if count is None else count_of(count, "row")
        return Content(f"{shown} {right(told, COUNT_CELLS)}")

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self._parts[message.option_index])
