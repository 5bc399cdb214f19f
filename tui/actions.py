"""The one registry of what a person can do. Keys, footer, palette and help are made from it.

Adding an action is one line here and one method `action_<name>` on the screen named by `scope`.
"""
# ruff: noqa: E501 - the registry is a table and reads as one

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from textual.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Iterator

Scope: TypeAlias = Literal["incident", "reader", "proof"]

KEY_NAMES = {
    "enter": "enter",
    "escape": "esc",
    "space": "space",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "full_stop": ".",
    "comma": ",",
    "up": "up",
    "down": "down",
    "pageup": "page up",
    "pagedown": "page down",
    "home": "home",
    "end": "end",
}
"""Textual's names of keys and what is printed for them; other keys are printed as they are."""


class Action(NamedTuple):
    """One thing a person can do.

    `footer` orders the footer (lowest first, 0 keeps it out) under the short `label`; `title` is
    the palette's line as `noun: Verb object`; `help` is one sentence for help and palette.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    title: str
    help: str
    group: str
    footer: int = 0
    scope: Scope = "incident"
    numbered: bool = False
    """The key itself is the argument: `1` calls `action_finding(1)`."""
    at_once: bool = False
    """Done before the next key is looked at, which then goes where this one put the focus."""

    def bindings(self) -> Iterator[Binding]:
        """One binding for each key."""
        for key in self.keys:
            call = f"{self.name}({key})" if self.numbered else self.name
            name = f"{self.scope}.{self.name}.{key}"
            yield Binding(key, call, self.title, show=False, priority=self.at_once, id=name)

    @property
    def key_text(self) -> str:
        """`n`, `1-7`, `[`: what to press, in print."""
        if self.numbered:
            return f"{self.keys[0]}-{self.keys[-1]}"
        return " or ".join(KEY_NAMES.get(key, key) for key in self.keys)


MOVE, FINDINGS, LOOK, TIME, HAND_OVER, TRUST = (
    "Move",
    "Findings",
    "Look closer",
    "Time",
    "Hand over",
    "Trust and help",
)

# One action is one line, so that the registry reads as the table it is.
# fmt: off
ACTIONS: tuple[Action, ...] = (
    Action("next_step", ("n",), "n/p step", "finding: Go to the next step", "Walks the evidence step by step and on into the next finding.", FINDINGS, 1),
    Action("previous_step", ("p",), "", "finding: Go to the previous step", "Walks the evidence backwards.", FINDINGS),
    Action("finding", tuple("1234567"), "1-7 finding", "finding: Go to a finding", "Puts the cursor on the first step of that finding.", FINDINGS, 2, numbered=True),
    Action("proof", ("enter",), "enter proof", "finding: Show the proof", "Shows the proof behind the row: every step, how sure its order is, and the raw record.", FINDINGS, 3),
    Action("follow", ("f",), "f follow", "rows: Follow a key", "Lists the keys of the row; the one picked is looked up everywhere and shown alone.", LOOK, 4),
    Action("onset", ("o",), "o onset", "time: Go to the onset", "Goes to where it began; T may be late, an alert usually is.", TIME, 5),
    Action("pin", ("t",), "t pin", "time: Pin T at the cursor", "Makes the row under the cursor the new T and collects around it.", TIME, 9),
    Action("narrow", ("left_square_bracket",), "[ ] window", "time: Halve the window", "Collects half as long before and after T.", TIME, 10),
    Action("widen", ("right_square_bracket",), "", "time: Double the window", "Collects twice as long before and after T.", TIME),
    Action("undo", ("u",), "u undo", "time: Undo the last pin or window", "Goes back to the T and the window before.", TIME, 15),
    Action("live", ("l",), "l live", "time: Read on live", "Keeps reading what arrives behind the window, and stops again; the cursor stays.", TIME, 16),
    Action("to_pin", ("0",), "0 to T", "time: Go to T", "Goes back to the pinned instant.", TIME, 14),
    Action("mark", ("space",), "space mark", "rows: Mark the row", "Marked rows go into the export's timeline.", LOOK, 8),
    Action("search", ("slash",), "/ search", "rows: Search", "Finds rows whose text holds the words, in capitals or not.", LOOK, 7, at_once=True),
    Action("next_match", ("full_stop",), "", "rows: Go to the next match", "Goes to the next row that matches the search.", LOOK),
    Action("previous_match", ("comma",), "", "rows: Go to the previous match", "Goes to the previous row that matches the search.", LOOK),
    Action("back", ("escape",), "", "rows: Go one step back", "Takes back one thing: the search, then the followed key, then the step.", LOOK),
    Action("export", ("e",), "e export", "hand over: Export the timeline", "Writes the redacted timeline for the postmortem and says where.", HAND_OVER, 11),
    Action("status", ("y",), "y status", "hand over: Copy a status for the chat", "Sends three redacted lines to the terminal's clipboard.", HAND_OVER, 12),
    Action("sources", ("s",), "s sources", "trust: Show every source", "Shows what each source answered, what it could not see, and what to do about it.", TRUST, 13),
    Action("help", ("question_mark",), "? help", "help: Show keys and words", "Shows every key and what the words mean.", TRUST, 6),
    Action("palette", ("colon",), ": all", "help: Show all actions", "Lists every action by name.", TRUST, 17),
    Action("quit", ("q",), "q quit", "help: Quit", "Leaves; nothing under investigation was changed.", TRUST, 18),
    Action("cursor_up", ("up", "k"), "", "rows: Up", "One row up.", MOVE),
    Action("cursor_down", ("down", "j"), "", "rows: Down", "One row down.", MOVE),
    Action("page_up", ("pageup", "ctrl+u"), "", "rows: Page up", "One page up.", MOVE),
    Action("page_down", ("pagedown", "ctrl+d"), "", "rows: Page down", "One page down.", MOVE),
    Action("first", ("home", "g"), "", "rows: First row", "To the first row.", MOVE),
    Action("last", ("end", "G"), "", "rows: Last row", "To the last row.", MOVE),
    Action("close", ("escape", "q"), "esc back", "page: Back", "Back to where you were.", MOVE, 1, "reader"),
    Action("line_up", ("up", "k"), "", "page: Up", "One line up.", MOVE, 0, "reader"),
    Action("line_down", ("down", "j"), "up/down scroll", "page: Down", "One line down.", MOVE, 4, "reader"),
    Action("page_up", ("pageup", "ctrl+u"), "", "page: Page up", "One page up.", MOVE, 0, "reader"),
    Action("page_down", ("pagedown", "ctrl+d", "space"), "", "page: Page down", "One page down.", MOVE, 0, "reader"),
    Action("top", ("home", "g"), "", "page: Top", "To the top.", MOVE, 0, "reader"),
    Action("bottom", ("end", "G"), "", "page: End", "To the end.", MOVE, 0, "reader"),
    Action("close", ("enter",), "enter back", "proof: Back to the rows", "Back to the rows.", FINDINGS, 3, "proof"),
    Action("next_step", ("n",), "n/p step", "proof: Next step", "Shows the next step and its record.", FINDINGS, 2, "proof"),
    Action("previous_step", ("p",), "", "proof: Previous step", "Shows the previous step and its record.", FINDINGS, 0, "proof"),
)
# fmt: on


def of(*scopes: Scope) -> tuple[Action, ...]:
    """The actions of the given screens."""
    return tuple(action for action in ACTIONS if action.scope in scopes)


def key_of(name: str) -> str:
    """What to press for the action `name` of the incident screen, in print."""
    return next(action.key_text for action in of("incident") if action.name == name)


def bindings(*scopes: Scope) -> list[Binding]:
    """Bindings for a screen class."""
    return [binding for action in of(*scopes) for binding in action.bindings()]


def footer_labels(*scopes: Scope) -> list[str]:
    """`n/p step`, `1-7 finding`, ... in the order of their rank."""
    ranked = sorted((a for a in of(*scopes) if a.footer), key=lambda action: action.footer)
    return [action.label for action in ranked]
