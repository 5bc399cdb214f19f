"""The screen comes back as it was left: row, line, windows, key, search, filter, marks, step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.tui import story
from tests.tui.conftest import Night
from timeline.filter_terms import Field, Filter, Part
from timeline.incident import Incident
from timeline.plain_json import from_plain, to_plain
from timeline.progress import CollectionEnded, IncidentGrew, PreviewArrived, SourceStatus
from timeline.window import Window
from tui.gestures import returning
from tui.restore import View, view_of
from tui.rows import identity

if TYPE_CHECKING:
    import pytest

SENTENCE = "Restored as you left it at 03:41 UTC; u starts afresh at T."


@dataclass
class FakeKeeping:
    """Gives back a view, and remembers what it was asked to keep."""

    left: View | None = None
    sentence: str = ""
    kept: list[View] = field(default_factory=list)
    whole: list[Incident] = field(default_factory=list)

    def keep(
        self, view: View, incident: Incident, statuses: Sequence[SourceStatus], *, whole: bool
    ) -> None:
        self.kept.append(view)
        if whole:
            self.whole.append(incident)


@asynccontextmanager
async def reopened(view: View | None, sentence: str = SENTENCE) -> AsyncIterator[Night]:
    """A fresh screen over the same incident, as `open --last` makes it."""
    night = Night((120, 40), "utf-8")
    keeping = FakeKeeping(view, sentence)
    night.app.incident_screen.return_to(keeping)
    night.keeping = keeping  # type: ignore[attr-defined]
    async with night.app.run_test(size=night.size) as pilot:
        night.pilot = pilot
        await pilot.pause()
        yield night


def view(night: Night) -> View:
    return view_of(night.state, night.timeline)


def footer(night: Night) -> str:
    return night.screen_lines()[-1]


async def test_what_was_on_the_screen_is_there_again() -> None:
    wider = Window.around(story.T, 2 * 1_800 * story.SECOND)
    async with reopened(None, "") as night:
        await night.tell_all()
        await night.press("right_square_bracket")
        assert night.state.window.start == wider.start
        await night.tell(IncidentGrew(story.incident(window=night.state.window), story.ANALYSIS))
        night.state.sieve.narrow("user:4711", Filter((Part(Field.TEXT, "4711"),)))
        night.app.incident_screen.sift()
        await night.press("2", "n", "n", "space", "slash", *"Lookup", "enter")
        await night.pilot.pause()
        left, lines = view(night), night.screen_lines()[:-1]
        assert left.follow == "user:4711"
        assert left.search == "Lookup"
        assert left.step == 2
        assert left.before == (story.WINDOW,)
        assert len(left.marks) == 1
    again = from_plain(View, to_plain(left), "view")  # what a file does to it
    assert again == left
    async with reopened(again) as night:
        await night.tell(PreviewArrived(story.preview()))
        await night.tell(IncidentGrew(story.incident(window=left.window)))
        await night.tell(IncidentGrew(story.incident(window=left.window), story.ANALYSIS))
        await night.tell(CollectionEnded(story.statuses()))
        assert SENTENCE in footer(night)
        assert night.collector.windows == [left.window]
        assert view(night) == left
        assert night.screen_lines()[1:-1] == lines[1:]


async def test_the_row_keeps_its_line_in_another_terminal() -> None:
    cursor = story.NOT_FOUND
    async with reopened(View(story.WINDOW, cursor=cursor, line=200)) as night:
        await night.tell_all()
        assert night.read == identity(cursor)
        assert "LookupError" in night.screen_text()  # in sight although the old one was taller


async def test_u_starts_afresh_but_first_takes_back_what_was_opened_since() -> None:
    left = View(story.WINDOW, cursor=story.NOT_FOUND, follow="user:4711", marks=(story.NOT_FOUND,))
    async with reopened(left) as night:
        await night.tell_all()
        await night.press("right_square_bracket", "u")
        assert night.state.window == story.WINDOW
        assert night.state.follow == "user:4711"
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        await night.press("u")
        await night.pilot.pause()
        assert night.state.follow == ""
        assert night.read == identity(story.PAGED)
        assert list(night.state.marks) == [identity(story.NOT_FOUND)]
        assert "Afresh" in footer(night)
        await night.press("u")
        assert "Nothing to undo" in footer(night)


async def test_afresh_is_the_window_of_the_incident() -> None:
    other = story.WINDOW.repinned(story.ONSET)
    async with reopened(View(other, before=(story.WINDOW,))) as night:
        await night.tell(IncidentGrew(story.incident(window=other), story.ANALYSIS))
        await night.press("u")
        assert night.state.window == story.WINDOW
        assert night.collector.windows == [other, story.WINDOW]


async def test_a_finding_that_is_gone_is_not_walked() -> None:
    async with reopened(View(story.WINDOW, term="lost-update", finding=1, step=1)) as night:
        await night.tell_all()
        assert night.state.step == -1
        await night.press("n")
        assert night.state.step == 0


async def test_the_view_is_kept_when_it_changed_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(returning, "KEEP_EVERY_S", 3600.0)  # kept by this test alone
    async with reopened(None, "") as night:
        keeping: FakeKeeping = night.keeping  # type: ignore[attr-defined]
        keep = night.app.incident_screen._keep_soon
        keep()
        assert keeping.kept == []  # nothing is there to come back to
        await night.tell_all()
        for _ in range(3):
            keep()
            await night.app.workers.wait_for_complete()
        assert len(keeping.kept) == 1
        assert len(keeping.whole) == 1
        await night.press("up", "space")
        keep()
        await night.app.workers.wait_for_complete()
        assert [len(one.marks) for one in keeping.kept] == [0, 1]
        assert keeping.kept[-1] == view(night)


async def test_nothing_half_restored_is_kept() -> None:
    left = View(story.WINDOW, term="job-before-commit", finding=1, step=2)
    async with reopened(left) as night:
        keeping: FakeKeeping = night.keeping  # type: ignore[attr-defined]
        await night.tell(IncidentGrew(story.incident()))
        night.app.incident_screen._keep_soon()
        await night.app.workers.wait_for_complete()
        assert keeping.kept == []
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        night.app.incident_screen._keep_soon()
        await night.app.workers.wait_for_complete()
        assert [one.step for one in keeping.kept] == [2]


def test_marks_keep_the_order_in_which_they_were_made() -> None:
    marks = (story.PAGED, story.INSERTED, story.NOT_FOUND)
    again = from_plain(View, to_plain(View(story.WINDOW, marks=marks)), "view")
    assert again.marks == marks
    assert replace(again, marks=()) == View(story.WINDOW)
