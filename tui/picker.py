"""A short list to pick from: the keys of a row, with how many rows carry each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from timeline.words import count_of

if TYPE_CHECKING:
    from textual.app import ComposeResult

KEY_CELLS = 34


class KeyPicker(ModalScreen[str | None]):
    """Gives back the picked key, or None after Esc."""

    BINDINGS = [("escape,q", "dismiss(None)", "back")]  # noqa: RUF012 - Textual's own declaration

    def __init__(self, keys: Sequence[tuple[str, int]], broad: frozenset[str]) -> None:
        super().__init__()
        self._keys = keys
        self._broad = broad

    def compose(self) -> ComposeResult:
        options = OptionList(*(self._option(key, count) for key, count in self._keys), id="keys")
        options.border_title = "follow which key?"
        yield options

    def _option(self, key: str, count: int) -> Option:
        note = "  too common to join on" if key in self._broad else ""
        return Option(Content(f"{key:<{KEY_CELLS}} {count_of(count, 'row')}{note}"), id=key)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(message.option.id)
