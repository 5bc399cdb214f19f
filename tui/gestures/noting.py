"""A note of one's own among the rows: typed below the footer, understood as it is typed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from tui.gestures.asking import Asking, Question

if TYPE_CHECKING:
    from timeline.noted import Meant

PLACEHOLDER = "what was done or seen, now; or when: @02:13 what, @-6m what, @10m ago what"


class Notes(Protocol):
    """Where notes go. What is written comes back as a row, like what others write."""

    def add(self, at: int, text: str, *, to_the_second: bool) -> str:
        """Write a note at `at` (ns UTC); the words returned say where it is. Blocks.

        Raises ValueError with a sentence when it could not be written.
        """
        ...


class Noting(Asking):
    """Asks for a note, says how it was understood, and hands it over."""

    notes: Notes | None = None

    def action_note(self) -> None:
        if self.notes is None:
            self.say("Notes cannot be taken here; halfawake note TEXT writes one from any shell.")
        else:
            self._ask_for_note("")

    def _ask_for_note(self, text: str) -> None:
        self.ask(Question(PLACEHOLDER, text, self._note_typed, self._note_entered, _nothing))

    def _meant(self, text: str) -> Meant:
        """What is typed, understood; ValueError says why it is not."""
        from timeline.noted import note_meant  # not needed for the first frame

        state = self._state
        return note_meant(text, state.window, state.now(), state.zones.of_the_person)

    def _note_typed(self, text: str) -> None:
        try:
            words = f"Note at {self._meant(text).words}" if text.strip() else ""
        except ValueError as problem:
            words = str(problem)
        self.say(words)

    def _note_entered(self, text: str) -> bool:
        if not text.strip():
            return True
        try:
            meant = self._meant(text)
        except ValueError as problem:
            self.say(str(problem))
            return False
        self.run_worker(self._write(text, meant), exit_on_error=False)
        return True

    async def _write(self, typed: str, meant: Meant) -> None:
        assert self.notes is not None  # noqa: S101 - without notes nothing is asked for
        add = self.notes.add
        try:
            where = await asyncio.to_thread(
                add, meant.at, meant.text, to_the_second=meant.to_the_second
            )
        except ValueError as problem:
            self._ask_for_note(typed)  # what was typed is not lost
            self.say(str(problem))
        else:
            self.say(f"Noted at {meant.words}: {where}.")


def _nothing() -> None:
    """A note that was not entered leaves nothing behind."""
