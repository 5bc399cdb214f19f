"""The row that a person reads stays where it is, whatever arrives and however it is drawn."""

from __future__ import annotations

import dataclasses

from tests.tui import story
from tests.tui.conftest import Night, Opening
from timeline.progress import (
    IncidentGrew,
    PreviewArrived,
)
from tui.rows import identity


async def test_rows_that_arrive_do_not_move_the_row_being_read(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(PreviewArrived(story.preview()))
        await night.press("up", "up", "up")
        read = night.read
        before = _line_of_cursor(night)
        early = [event for event in [*story.CAST, *story.crowd()] if event.timestamp < story.T]
        await night.tell(IncidentGrew(story.incident([*early[: len(early) // 2], story.PAGED])))
        await night.tell(IncidentGrew(story.incident()))
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        assert len(night.state.rows) == len(story.CAST) + len(story.crowd())
        assert night.read == read
        assert _line_of_cursor(night) == before


async def test_until_the_person_moves_t_stays_in_sight(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(PreviewArrived(story.preview("mailer")))
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        assert night.read == identity(story.PAGED)
        assert any("T 02:13:40Z" in line for line in night.screen_lines()[15:])


async def test_scrolled_away_from_the_cursor_the_top_row_stays(open_night: Opening) -> None:
    async with open_night() as night:
        half = [event for number, event in enumerate(story.crowd()) if number % 2]
        await night.tell(IncidentGrew(story.incident([*story.CAST, *half])))
        night.timeline.scroll_to(y=200, animate=False, immediate=True, force=True)
        await night.pilot.pause()
        top = _first_row(night)
        await night.tell(IncidentGrew(story.incident()))
        assert _first_row(night) == top


async def test_finer_stamps_realign_rows_that_were_drawn_before(open_night: Opening) -> None:
    async with open_night() as night:
        coarse = [e for e in story.crowd() if e.source == "web"]
        await night.tell(IncidentGrew(story.incident([*coarse, story.PAGED])))
        await night.tell(IncidentGrew(story.incident([*coarse, story.PAGED, story.INSERTED])))
        rows = [line for line in night.screen_lines() if "GET /orders" in line]
        assert len(rows) > 5
        assert len({row.index("GET /orders") for row in rows}) == 1


async def test_resizing_keeps_the_row_being_read_in_sight(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "n")
        for size in ((80, 24), (140, 50), (60, 14), (120, 40)):
            await night.pilot.resize_terminal(*size)
            await night.pilot.pause()
            assert night.read == identity(story.ENQUEUED)
            assert any(line.startswith("▸") and " 2 " in line for line in night.screen_lines())


async def test_a_new_first_finding_does_not_take_the_walk_away(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "n")
        turned = dataclasses.replace(story.ANALYSIS, findings=tuple(reversed(story.FINDINGS)))
        added = dataclasses.replace(turned, findings=(story.FINDINGS[0], *turned.findings))
        await night.tell(IncidentGrew(story.incident(), added))
        assert night.state.current_finding is story.FINDINGS[1]
        assert night.state.step == 1


def _line_of_cursor(night: Night) -> int:
    lines = night.screen_lines()
    return next(n for n, line in enumerate(lines) if line.startswith("▸") and ":" in line[5:14])


def _first_row(night: Night) -> str:
    lines = night.screen_lines()
    start = next(n for n, line in enumerate(lines) if "T" in line and "01:43:40" in line) + 2
    return next(line for line in lines[start:] if ":" in line[5:14])[5:]


async def test_reading_live_keeps_the_cursor_and_stops_at_once(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.state.now = lambda: night.state.window.end
        read = night.read
        await night.press("l")
        assert night.collector.reading_on
        assert " live" in night.screen_lines()[0]
        grown = dataclasses.replace(
            story.incident(), window=dataclasses.replace(story.WINDOW, end=story.WINDOW.end + 1)
        )
        await night.tell(IncidentGrew(grown, story.ANALYSIS))
        assert night.read == read
        assert night.state.window.end == story.WINDOW.end + 1
        await night.press("l")
        assert not night.collector.reading_on
        assert " live" not in night.screen_lines()[0]
