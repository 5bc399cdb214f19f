"""A note on the screen: typed below the footer, understood as it is typed, never lost."""

from __future__ import annotations

import pytest

from tests.tui import story
from tests.tui.conftest import Night, Opening
from timeline.window import SECOND_NS


class FakeNotes:
    """Keeps what it is given; refuses when told to."""

    def __init__(self) -> None:
        self.added: list[tuple[int, str, bool]] = []
        self.problem = ""

    def add(self, at: int, text: str, *, to_the_second: bool) -> str:
        if self.problem:
            raise ValueError(self.problem)
        self.added.append((at, text, to_the_second))
        return "in notes.md"


@pytest.fixture
def notes() -> FakeNotes:
    return FakeNotes()


async def typed(night: Night, notes: FakeNotes, text: str) -> None:
    night.app.incident_screen.notes = notes
    await night.press("a", *text)


def footer(night: Night) -> str:
    return "\n".join(night.screen_lines()[-2:])


async def test_a_note_is_understood_while_it_is_typed(
    open_night: Opening, notes: FakeNotes
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, notes, "@02:13 paused")
        assert "Note at 02:13:00Z, T -40.000s" in footer(night)
        assert notes.added == []


async def test_enter_hands_it_over_and_says_where_it_is(
    open_night: Opening, notes: FakeNotes
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, notes, "paused mailers / queue?")
        await night.press("enter")
        await night.app.workers.wait_for_complete()
        await night.pilot.pause()
        assert notes.added == [(story.NOW, "paused mailers / queue?", True)]
        assert "Noted at now, 02:44:40Z" in footer(night)
        assert "in notes.md" in footer(night)
        read = night.read
        await night.press("up")  # keys mean rows again
        assert night.read != read


async def test_what_cannot_be_understood_keeps_the_line_open(
    open_night: Opening, notes: FakeNotes
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, notes, "@soon x")
        await night.press("enter")
        assert notes.added == []
        assert "'soon' is no time" in footer(night)
        await night.press(*["backspace"] * 7, *"@-6m y", "enter")
        await night.app.workers.wait_for_complete()
        assert notes.added == [(story.T - 360 * SECOND_NS, "y", False)]


async def test_a_note_that_cannot_be_written_is_not_lost(
    open_night: Opening, notes: FakeNotes
) -> None:
    async with open_night() as night:
        await night.tell_all()
        notes.problem = "The note was not written: the disk is full."
        await typed(night, notes, "paused")
        await night.press("enter")
        await night.app.workers.wait_for_complete()
        await night.pilot.pause()
        assert "the disk is full" in footer(night)
        notes.problem = ""
        await night.press("enter")
        await night.app.workers.wait_for_complete()
        assert [text for _, text, _ in notes.added] == ["paused"]


async def test_escape_and_an_empty_line_leave_nothing_behind(
    open_night: Opening, notes: FakeNotes
) -> None:
    async with open_night() as night:
        await night.tell_all()
        await typed(night, notes, "paused")
        await night.press("escape")
        await night.press("a", "enter")
        assert notes.added == []
        read = night.read
        await night.press("up")
        assert night.read != read


async def test_where_no_notes_can_be_taken_it_says_what_can(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("a")
        assert "halfawake note" in footer(night)
