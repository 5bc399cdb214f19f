"""The screen as a person meets it: what is shown when, and what every key does."""

from __future__ import annotations

import dataclasses

from textual.widgets import Input

from tests.tui import story
from tests.tui.conftest import Opening
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    PreviewArrived,
    SetupFailed,
    StatusChanged,
)
from timeline.window import Window
from tui.gestures.travelling import LIVE_WITHIN_NS
from tui.rows import identity


async def test_paints_before_anything_has_answered(open_night: Opening) -> None:
    async with open_night() as night:
        text = night.screen_text()
        assert "prod eu-1" in text
        assert "T 02:13:40Z" in text
        assert "reaching the sources" in text
        assert night.collector.windows == [story.WINDOW]


async def test_says_how_many_have_answered_while_collecting(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(StatusChanged(story.statuses(answered=2)))
        assert "2 of 5 answered" in night.screen_lines()[0]
        assert "Reading jobs, shop, deploys." in night.screen_text()
        await night.tell(StatusChanged(story.statuses(answered=5)))
        assert "looking up keys" in night.screen_lines()[0]
        await night.tell(CollectionEnded(story.statuses()))
        assert "looking up" not in night.screen_lines()[0]


async def test_preview_rows_are_drawn_without_a_snapshot(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(PreviewArrived(story.preview()))
        assert "alert: welcome mails missing" in night.screen_text()
        assert night.state.incident is None
        assert night.read == identity(story.PAGED)


async def test_keys_move_the_cursor_row_by_row_and_page_by_page(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        here = night.timeline.cursor
        height = night.timeline.size.height
        await night.press("down", "j", "up")
        assert night.timeline.cursor == here + 1
        await night.press("pagedown")
        assert night.timeline.cursor == here + 1 + height - 2
        await night.press("home")
        assert night.timeline.cursor == 0
        await night.press("end")
        assert night.timeline.cursor == len(night.state.rows) - 1
        assert any(line.startswith("▸") for line in night.screen_lines())


async def test_a_headline_that_changes_says_so(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        assert "changed" not in night.screen_lines()[1]
        other = dataclasses.replace(story.ANALYSIS, headline="Redis was down for 2.1 s.")
        await night.tell(IncidentGrew(story.incident(), other))
        assert "changed" in night.screen_lines()[1]
        assert "Redis was down for 2.1 s." in night.screen_lines()[1]


async def test_the_first_screen_answers_the_first_questions(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        text = night.screen_text()
        for answer in (
            "31 min ago",
            "onset 02:07:29 (-6 min 11 s)",
            "recovered 02:08:00",
            "Web lost Redis for 2.1 s",
            "Next: Look up 4711 and 4715",
            "Blind: mailer: silent since 02:12:40",
            "zone assumed: mailer",
            "3 undated (web)",
            "12 out of order (web)",
            "not evaluated: lost-update",
        ):
            assert answer in text


async def test_narrow_terminal_keeps_sentence_findings_and_every_lane(open_night: Opening) -> None:
    async with open_night(size=(80, 24)) as night:
        await night.tell_all()
        await night.press("2")
        text = night.screen_text()
        for answer in (
            "Web lost Redis",
            "onset 02:07:29",
            "certain",
            "possible",
            "deploys",
            "shop",
        ):
            assert answer in text
        assert "finding 2 step 1/5" in text


async def test_tiny_terminal_still_shows_sentence_and_rows(open_night: Opening) -> None:
    async with open_night(size=(50, 12)) as night:
        await night.tell_all()
        text = night.screen_text()
        assert "Web lost Redis" in text
        assert "alert" in text and "WARN" in text


async def test_n_and_p_walk_steps_and_roll_into_the_next_finding(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        places = []
        for _ in range(4):
            await night.press("n")
            places.append((night.state.finding, night.state.step))
        assert places == [(0, 0), (0, 1), (0, 2), (1, 0)]
        assert night.read == identity(story.INSERTED)
        await night.press("p")
        assert night.read == identity(story.RECOVERED)


async def test_a_number_goes_to_that_finding_and_a_missing_one_is_said(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2")
        assert night.read == identity(story.INSERTED)
        assert "finding 2 step 1/5" in night.screen_text()
        await night.press("6")
        assert "There is no finding 6" in night.screen_text()
        assert night.state.finding == 1


async def test_pin_here_collects_around_the_cursor_and_undo_goes_back(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "t")
        pinned = night.collector.windows[-1]
        assert pinned.pin == story.INSERTED.timestamp
        assert night.read == identity(story.INSERTED)
        await night.press("u")
        assert night.collector.windows[-1] == story.WINDOW
        await night.press("u")
        assert len(night.collector.windows) == 3
        assert "Nothing to undo" in night.screen_text()


async def test_answers_to_a_window_that_was_left_are_ignored(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("2", "t")
        held = night.state.incident
        await night.tell(IncidentGrew(story.incident(list(story.CAST))))
        assert night.state.incident is held
        there = Window.around(story.INSERTED.timestamp, now=story.NOW)
        await night.tell(IncidentGrew(story.incident(list(story.CAST), there)))
        assert night.state.incident is not held


async def test_window_halves_and_doubles(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("left_square_bracket")
        half = night.collector.windows[-1]
        assert half.end - half.start == (story.WINDOW.end - story.WINDOW.start) // 2
        await night.press("right_square_bracket")
        assert night.collector.windows[-1] == story.WINDOW


async def test_onset_and_back_to_t(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("o")
        assert abs(night.read_at - story.ONSET) < 2 * story.SECOND
        await night.press("0")
        assert night.read == identity(story.PAGED)


async def test_search_finds_walks_and_ends(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("home", "slash", *"LookupError", "enter")
        assert night.read == identity(story.NOT_FOUND)
        await night.press("full_stop")
        assert night.read == identity(story.FAILED)
        await night.press("comma")
        assert night.read == identity(story.NOT_FOUND)
        await night.press("escape")
        assert night.state.search == ""
        await night.press("slash", *"nowhere", "enter")
        assert "No row holds 'nowhere'" in night.screen_text()


async def test_the_first_letter_after_the_slash_is_searched_for(open_night: Opening) -> None:
    """A paste or a fast hand sends slash and words in one go, without a pause between."""
    async with open_night() as night:
        await night.tell_all()
        for key in ("slash", "q", "n", "2"):
            night.app.simulate_key(key)
        await night.pilot.pause()
        assert night.app.is_running
        assert night.app.query_one("#search", Input).value == "qn2"
        assert night.state.step == -1


async def test_digits_and_letters_typed_into_a_search_are_not_gestures(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await night.press("slash", "2", "t", "q", "slash")
        assert night.app.query_one("#search", Input).value == "2tq/"
        await night.press("escape")
        assert night.state.step == -1
        assert len(night.collector.windows) == 1
        assert night.app.is_running


async def test_the_mouse_reaches_rows_and_findings(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        lines = night.screen_lines()
        y = next(n for n, line in enumerate(lines) if "GET /orders/4833" in line)
        await night.pilot.click("#timeline", offset=(30, y - night.timeline.region.y))
        await night.pilot.pause()
        event = night.timeline.event
        assert event is not None and "orders/4833" in event.body
        y = next(n for n, line in enumerate(lines) if "3 possible" in line)
        overview = night.app.incident_screen.query_one("#overview")
        await night.pilot.click("#overview", offset=(90, y - overview.region.y))
        await night.pilot.pause()
        assert night.state.finding == 2


async def test_a_source_still_reading_claims_no_count(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(StatusChanged(story.statuses(answered=0)))
        await night.tell(PreviewArrived(story.preview()))
        lanes = [line for line in night.screen_lines() if line.startswith((" log ", " queue "))]
        assert len(lanes) == 3
        assert all("reading..." in line or "so far" in line for line in lanes)
        assert not any("0 rows" in line for line in lanes)


async def test_all_sources_failed_is_one_sentence(open_night: Opening) -> None:
    async with open_night() as night:
        failed = tuple(
            dataclasses.replace(s, phase=Phase.FAILED, problem="no route to host")
            for s in story.statuses()
        )
        await night.tell(CollectionEnded(failed))
        assert "No source answered. Press s to see why" in night.screen_text()
        assert "failed: no route to host" in night.screen_text()


async def test_an_empty_window_does_not_claim_more_than_was_seen(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(IncidentGrew(story.incident([])), CollectionEnded(story.statuses()))
        text = night.screen_text()
        assert "not everything could be seen (mailer, jobs)" in text
        assert "Nothing happened" not in text


async def test_t_outside_the_rows_is_said(open_night: Opening) -> None:
    async with open_night() as night:
        early = [e for e in story.crowd() if e.timestamp < story.at("01:50:00")]
        await night.tell(IncidentGrew(story.incident(early)))
        text = night.screen_text()
        assert "T lies after the last row (01:49:5" in text
        assert "after the last row" in text


async def test_failed_setup_leaves_with_its_sentence_and_code(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(SetupFailed("halfawake.toml line 3: unknown key 'tabel'.", 2))
    assert night.app.return_value == "halfawake.toml line 3: unknown key 'tabel'."
    assert night.app.return_code == 2


async def test_quitting_closes_the_collector(open_night: Opening) -> None:
    async with open_night() as night:
        await night.press("q")
    assert night.collector.closed == 1
    assert night.app.return_code == 0


async def test_plain_ascii_terminal_gets_plain_ascii(open_night: Opening) -> None:
    async with open_night(encoding="ascii") as night:
        await night.tell_all()
        await night.press("2", "n")
        assert night.screen_text().isascii()
        await night.press("enter")
        assert night.screen_text().isascii()


async def test_a_recording_and_an_old_window_say_why_they_stay(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.state.now = lambda: night.state.window.end
        night.collector.is_live = False
        await night.press("l")
        assert "recording" in night.screen_lines()[-1]
        night.collector.is_live = True
        night.state.now = lambda: night.state.window.end + 2 * LIVE_WITHIN_NS
        await night.press("l")
        assert "2 h ago" in night.screen_lines()[-1]
        assert not night.state.live
