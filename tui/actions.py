"""The one registry of what a person can do. Keys, footer, palette and help are made from it.

Adding an action is one line here and one method `action_<name>` on the screen named by `scope`.
"""
# ruff: noqa: E501 - the registry is a table and reads as one

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from textual.binding import Binding

from tui.footer import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

Scope: TypeAlias = Literal["incident", "reader", "proof", "sources", "export", "pick"]

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
    "plus": "+",
    "minus": "-",
    "at": "@",
    "ampersand": "&",
    "comma": ",",
    "up": "up",
    "left": "left",
    "right": "right",
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
    def first_call(self) -> str:
        """The action as Textual runs it for the first of the keys."""
        return f"{self.name}({self.keys[0]})" if self.numbered else self.name

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
    Action("story", ("F",), "", "rows: Tell the followed key's story", "Sums up what is followed: requests, rows, jobs, effects, and what cannot be known.", LOOK),
    Action("difference", ("b",), "", "rows: Show what is different", "Shows what rows say inside the trouble and not outside it, with counts and rates.", LOOK),
    Action("compare", ("c",), "", "rows: Compare two", "Picks the row's job, request, order or row, then compares it with another; twice on one row finds its like that went well.", LOOK),
    Action("onset", ("o",), "o onset", "time: Go to the onset", "Goes to where it began; T may be late, an alert usually is.", TIME, 5),
    Action("pin", ("t",), "t pin", "time: Pin T at the cursor", "Makes the row under the cursor the new T and collects around it.", TIME, 9),
    Action("narrow", ("left_square_bracket",), "[ ] window", "time: Halve the window", "Collects half as long before and after T.", TIME, 10),
    Action("widen", ("right_square_bracket",), "", "time: Double the window", "Collects twice as long before and after T.", TIME),
    Action("undo", ("u",), "u undo", "time: Undo the last pin or window", "Goes back to the T and the window before.", TIME, 15),
    Action("redo", ("U", "ctrl+r"), "", "time: Redo what was undone", "Goes forward again to the T and the window that undo left.", TIME),
    Action("go_to_time", ("at",), "", "time: Go to a time", "Takes 02:13, 02:13:40.5, -6m or +90s from T, an ISO stamp or an epoch, and says what it understood.", TIME, at_once=True),
    Action("zone", ("Z",), "", "time: Show a second zone", "Shows this machine's zone, then a configured one, in a column beside UTC; UTC stays first.", TIME),
    Action("select", ("v",), "", "time: Select a stretch", "Selects from the row on: move or left and right extend, enter looks at it alone, esc lets go.", TIME),
    Action("earlier", ("left",), "", "time: Go one cell earlier", "Goes to what happened one cell of the lanes earlier.", TIME),
    Action("later", ("right",), "", "time: Go one cell later", "Goes to what happened one cell of the lanes later.", TIME),
    Action("live", ("l",), "l live", "time: Read on live", "Keeps reading what arrives behind the window, and stops again; the cursor stays.", TIME, 16),
    Action("to_pin", ("0",), "0 to T", "time: Go to T", "Goes back to the pinned instant.", TIME, 14),
    Action("mark", ("space",), "space mark", "rows: Mark the row", "Marked rows go into the export's timeline.", LOOK, 8),
    Action("search", ("slash",), "/ search", "rows: Search", "Finds rows whose text holds the words while they are typed; a capital letter minds case, /.../ is an expression.", LOOK, 7, at_once=True),
    Action("next_match", ("full_stop",), "", "rows: Go to the next match", "Goes to the next row that matches the search.", LOOK),
    Action("previous_match", ("comma",), "", "rows: Go to the previous match", "Goes to the previous row that matches the search.", LOOK),
    Action("filter", ("w", "ampersand"), "", "rows: Filter", "Shows only rows that have what is typed: words, /expressions/, level:, source:, lane:, actor:, key:, like:, from:, to:; a dash hides.", LOOK, at_once=True),
    Action("only_such", ("plus",), "", "rows: Show only rows like this one", "Picks what the row has, its lines, level, source, actor or keys, and hides all others.", LOOK),
    Action("hide_such", ("minus",), "", "rows: Hide rows like this one", "Picks what the row has and hides every row that has it.", LOOK),
    Action("among_all", ("z",), "", "rows: Show the row among all rows", "Leaves the filter for a moment; the same key goes back to the filtered place.", LOOK),
    Action("show_all", ("backspace",), "", "rows: Show all rows", "Ends filter, followed key and search at once.", LOOK),
    Action("back", ("escape",), "", "rows: Go one step back", "Takes back one thing: the typed line, the search, the last filter or followed key, the step.", LOOK),
    Action("note", ("a",), "", "hand over: Add a note", "Adds a note of your own as a row, now or at a time (@02:13 paused mailers); it goes into the export.", HAND_OVER, at_once=True),
    Action("export", ("e",), "e export", "hand over: Export the timeline", "Shows the redacted timeline for the postmortem in every format; enter there writes it, y copies it.", HAND_OVER, 11),
    Action("status", ("y",), "y status", "hand over: Copy a status for the chat", "Sends three redacted lines to the terminal's clipboard.", HAND_OVER, 12),
    Action("sources", ("s",), "s sources", "trust: Show every source", "Shows what each source answered, what it could not see, and what to do about it.", TRUST, 13),
    Action("skip_slowest", ("x",), "", "trust: Skip the slowest source", "Waits no longer for the source that takes longest; its rows so far stay, the rest is named a blind spot.", TRUST),
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
    Action("line_up", ("up", "k"), "", "sources: Up", "The source above, or one line up.", MOVE, 0, "sources"),
    Action("line_down", ("down", "j"), "", "sources: Down", "The source below, or one line down.", MOVE, 0, "sources"),
    Action("skip", ("x",), "x skip", "sources: Skip the source", "Waits no longer for the source at the cursor.", TRUST, 2, "sources"),
    Action("retry", ("r",), "r ask again", "sources: Ask the source again", "Asks the source at the cursor again for this window, if it failed, was cut or was skipped.", TRUST, 3, "sources"),
    Action("line_up", ("up", "k"), "", "page: Line above", "To the line above.", MOVE, 0, "pick"),
    Action("line_down", ("down", "j"), "", "page: Line below", "To the line below.", MOVE, 0, "pick"),
    Action("pick", ("enter",), "enter show", "page: Show the rows", "Shows the rows that the line is about.", LOOK, 2, "pick"),
    Action("write", ("enter",), "enter write", "export: Write the file", "Writes what is shown to a new file and says where.", HAND_OVER, 2, "export"),
    Action("copy", ("y",), "y copy", "export: Copy the text", "Sends what is shown to the terminal's clipboard.", HAND_OVER, 3, "export"),
    Action("next_format", ("tab", "right"), "tab format", "export: Next format", "Shows the next format.", HAND_OVER, 3, "export"),
    Action("previous_format", ("shift+tab", "left"), "", "export: Previous format", "Shows the format before.", HAND_OVER, 0, "export"),
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


def footer_labels(*scopes: Scope) -> list[Label]:
    """`n/p step`, `1-7 finding`, ... in the order of their rank."""
    ranked = sorted((a for a in of(*scopes) if a.footer), key=lambda action: action.footer)
    return [Label(action.label, action.first_call) for action in ranked]
