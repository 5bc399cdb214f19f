"""The smallest Textual program: the floor that first rows are compared with."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

HELLO = "hello-from-textual"


class Hello(App[None]):
    def compose(self) -> ComposeResult:
        yield Static(HELLO)


if __name__ == "__main__":
    Hello().run()
