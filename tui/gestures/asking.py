"""The line below the footer: one question at a time, typed, understood as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tui import actions
from tui.gestures.base import Gestures

if TYPE_CHECKING:
    from textual.widgets import Input

_OPENERS = frozenset(action.name for action in actions.of("incident") if action.at_once)


class Question(NamedTuple):
    """What is asked; `entered` says whether the line is done with."""

    placeholder: str
    value: str
    typed: Callable[[str], None]
    entered: Callable[[str], bool]
    left: Callable[[], None]
    goes_on: bool = False
    """Whether one types on behind the value; otherwise the first letter replaces it."""


class Asking(Gestures):
    """Opens the line for whoever asks and hands over what is typed."""

    _line: Input | None = None
    """Made when it is first opened: the first frame does not need it."""
    _question: Question | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What opens the line is a letter once it is open."""
        return not (action in _OPENERS and self._question is not None)

    def ask(self, question: Question) -> None:
        self._question = question
        line = self._opened_line()
        line.placeholder, line.select_on_focus = question.placeholder, not question.goes_on
        with self.prevent(line.Changed):
            line.value = question.value
        line.cursor_position = len(line.value)
        line.display = True
        self.set_focus(line)  # at once: the next key is the first letter

    def _opened_line(self) -> Input:
        if self._line is None:
            from textual.widgets import Input

            self._line = Input(id="search")
            self.mount(self._line)
        return self._line

    def on_input_changed(self, message: Input.Changed) -> None:
        if self._question is not None:
            self._question.typed(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        question = self._question
        if question is not None and question.entered(message.value):
            self._close_line()

    def leave_line(self) -> bool:
        """Close the line without an answer; False when it is not open."""
        question = self._question
        if question is None:
            return False
        self._close_line()
        question.left()
        return True

    def _close_line(self) -> None:
        self._question = None
        if self._line is not None:
            self._line.display = False
        self.timeline.focus()
        self.place_changed()
