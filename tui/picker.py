"""A short list to pick a key from, grouped by what the keys name; or any key, typed.

What is typed is completed from the keys that are known; a key that nobody knows is given back as
well, to be looked up in every source. Completions are found in a thread, the last request wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from timeline.clean import clean
from timeline.words import clock_face, count_of, span_words
from tui.pieces import padded, right

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from timeline.known_keys import KnownKey
    from timeline.store import Snapshot

KEY_CELLS = 32
COUNT_CELLS = 11
PROMPT = "type any key, for example order:4711"
NO_TYPE = "a key has a type and a value: order:4711"


class Picked(NamedTuple):
    """The key, and whether it shall be compared with its like instead of being followed."""

    key: str
    similar: bool = False


class KeyPicker(ModalScreen[Picked | None]):
    """Gives back what was picked, or None after Esc."""

    CSS_PATH = "picker.tcss"
    BINDINGS = [  # noqa: RUF012 - Textual's own declaration
        ("escape,q", "dismiss(None)", "back"),
        ("c", "similar", "compare with its like"),
        ("slash", "type", "type a key"),
    ]

    def __init__(
        self, keys: Sequence[KnownKey], snapshot: Snapshot | None, *, of_row: bool = True
    ) -> None:
        super().__init__()
        self._offered = keys
        self._snapshot = snapshot
        self._of_row = of_row

    def compose(self) -> ComposeResult:
        options = OptionList(*_options(self._offered), id="keys")
        options.border_title = (
            "follow which key?" if self._of_row else "follow which key? (victims)"
        )
        options.border_subtitle = "enter follows, c compares, / types another, esc back"
        yield Vertical(options, Input(placeholder=PROMPT, id="key"))

    def on_mount(self) -> None:
        self.query_one(OptionList if self._of_row and self._offered else Input).focus()

    def action_type(self) -> None:
        self.query_one(Input).focus()

    def action_similar(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            key = options.get_option_at_index(options.highlighted).id
            if key:
                self.dismiss(Picked(key, similar=True))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        if message.option.id:
            self.dismiss(Picked(message.option.id))

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.run_worker(self._complete(_typed(message.value)), exclusive=True)

    async def _complete(self, typed: str) -> None:
        found = self._offered
        if typed and self._snapshot is not None:
            from timeline.known_keys import completions

            found = await asyncio.to_thread(completions, self._snapshot, typed)
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(_options(found))
        subtitle = f"{count_of(len(found), 'known key')}; enter looks it up" if typed else ""
        options.border_subtitle = subtitle or "enter follows, c compares, / types another, esc back"

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        typed = _typed(message.value)
        options = self.query_one(OptionList)
        known = [option.id for option in options.options if option.id]
        if ":" in typed.strip(":"):
            self.dismiss(Picked(typed))
        elif typed and len(known) == 1:
            self.dismiss(Picked(known[0]))
        elif typed:
            options.border_subtitle = NO_TYPE


def _typed(text: str) -> str:
    """A slash in front is the key that leads to the line, pressed once more."""
    return text.strip().lstrip("/")


def _options(keys: Sequence[KnownKey]) -> list[Option]:
    """One line for each key under the name of its group."""
    options: list[Option] = []
    group = ""
    for one in keys:
        if one.group != group:
            group = one.group
            options.append(Option(Content.styled(group, "dim"), disabled=True))
        options.append(Option(Content(_line(one)), id=one.key))
    return options


def _line(one: KnownKey) -> str:
    """`  user:4711      5 rows  02:07:29.110, 191 ms long`."""
    said = f"  {padded(clean(one.key), KEY_CELLS)} {right(count_of(one.rows, 'row'), COUNT_CELLS)}"
    if one.first is not None and one.last is not None:
        said += f"  {clock_face(one.first)}"
        said += f", {span_words(one.last - one.first)} long" if one.last > one.first else ""
    return f"{said}  too common to join on" if one.broad else said
