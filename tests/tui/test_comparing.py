"""What is different (`b`) and two side by side (`c`): keys, pages, and the way back."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import timeline.difference
from tests.tui import story
from tests.tui.conftest import Night, Opening
from timeline.event import Event, Kind
from timeline.progress import IncidentGrew
from tui.reader import Reader
from tui.rows import identity

if TYPE_CHECKING:
    import pytest

    from timeline.analysis import Analysis
    from timeline.difference import Differences
    from timeline.incident import Incident


async def shown(night: Night, *keys: str) -> str:
    """The screen once what the keys asked for is worked out."""
    await night.press(*keys)
    await night.app.workers.wait_for_complete()
    await night.pilot.pause()
    return night.screen_text()


def line_with(text: str, words: str) -> str:
    found = [line for line in text.splitlines() if words in line]
    assert found, f"no line says {words!r}"
    return found[0]


async def test_b_shows_what_is_only_inside_with_counts_and_lengths(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        text = await shown(night, "b")
        assert "what is different  02:07:29 to 02:08:00" in text
        assert "from the onset to the recovery" in text
        assert re.search(r"inside +31 s", text) and re.search(r"outside +3\d min", text)
        line = line_with(text, "says Timeout reading from * retrying")
        assert re.search(r"38 +\d+/min +0 +never +only inside", line)
        assert "what was hit has in common: actor web-1 (4 of 4 hit, 50% of the others)" in text
        assert "not fully seen: mailer: silent since 02:12:40" in text


async def test_the_picked_difference_filters_the_rows(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        text = await shown(night, "b")
        place = [line for line in text.splitlines() if "only inside" in line or "times" in line]
        wanted = next(n for n, line in enumerate(place) if "says Timeout reading" in line)
        under = next(n for n, line in enumerate(place) if "▸" in line)
        await shown(night, *["down"] * (wanted - under), "enter")
        assert not isinstance(night.app.screen, Reader)
        assert len(night.state.rows) == 38
        await night.press("escape")
        assert len(night.state.rows) == len(story.CAST) + len(story.crowd())


async def test_b_waits_for_the_onset_and_fills_when_it_is_known(open_night: Opening) -> None:
    async with open_night() as night:
        text = await shown(night, "b")
        assert "Nothing has been read yet" in text
        found = story.incident()
        await night.tell(IncidentGrew(found))
        assert "The onset is not known yet" in await shown(night)
        await night.tell(IncidentGrew(found, story.ANALYSIS))
        assert "only inside" in await shown(night)
        await night.press("escape")
        assert not isinstance(night.app.screen, Reader)


async def test_a_stream_of_snapshots_is_worked_out_one_at_a_time(
    open_night: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, last = 0, 0, None

    def slow(incident: Incident, analysis: Analysis) -> Differences:
        nonlocal at_once, most, last
        at_once += 1
        most, last = max(most, at_once), incident
        time.sleep(0.3)
        at_once -= 1
        return told(incident, analysis)

    async with open_night() as night:
        await night.tell_all()
        await shown(night, "b")
        told = timeline.difference.differences
        monkeypatch.setattr(timeline.difference, "differences", slow)
        for grown in [story.incident() for _ in range(6)]:
            await night.tell(IncidentGrew(grown, story.ANALYSIS))
        await shown(night)
        assert most == 1 and last is night.state.incident


async def test_the_cursor_stays_within_a_list_that_became_shorter(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await shown(night, "b", *["down"] * 40)
        fewer = [event for event in story.crowd() if event.source == "web"]
        await night.tell(IncidentGrew(story.incident(fewer), story.ANALYSIS))
        assert "▸" in await shown(night)
        await shown(night, "enter")
        assert not isinstance(night.app.screen, Reader)


async def test_the_pages_are_drawn_in_plain_ascii_as_well(open_night: Opening) -> None:
    async with open_night(encoding="ascii") as night:
        await tell_with_another(night)
        for keys in (("b",), ("escape", "2", "n", "c", "c"), ("escape", "F"), ("escape", "f")):
            assert (await shown(night, *keys)).isascii()


async def test_every_difference_fits_a_narrow_screen(open_night: Opening) -> None:
    async with open_night((80, 24)) as night:
        await night.tell_all()
        lines = (await shown(night, "b")).splitlines()
        assert re.search(r"38 +0  only inside", line_with("\n".join(lines), "says Timeout read"))
        assert all(len(line) <= 80 for line in lines)


def well() -> list[Event]:
    """Another sign-up whose mail was sent, some seconds earlier."""
    return [
        story.job("02:07:20.181020", Kind.JOB_ENQUEUED, "welcome_mail(user_id=4700) on mailers",
                  number="77aa", user=4700, actor="mailers"),
        story.job("02:07:20.191310", Kind.JOB_STARTED, "welcome_mail(user_id=4700)",
                  number="77aa", user=4700, actor="worker-1"),
        story.job("02:07:20.301200", Kind.JOB_FINISHED, "welcome_mail(user_id=4700)",
                  number="77aa", user=4700, actor="worker-1"),
    ]  # fmt: skip


async def tell_with_another(night: Night) -> None:
    await night.tell_all()
    events = [*story.CAST, *story.crowd(), *well()]
    await night.tell(IncidentGrew(story.incident(events), story.ANALYSIS))


async def test_c_on_two_rows_puts_their_keys_side_by_side(open_night: Opening) -> None:
    async with open_night((140, 40)) as night:
        await tell_with_another(night)
        night.timeline.go_to_event(story.STARTED)
        await night.press("c")
        assert "job:8f2c is the first" in night.screen_text()
        night.timeline.go_to_event(well()[0])
        text = await shown(night, "c")
        assert "job:8f2c and job:77aa" in text
        assert "failed" in line_with(text, " left   job:8f2c")
        assert "finished" in line_with(text, " right  job:77aa")
        assert re.search(r"< +10x slower", text)
        assert re.search(r"FAILED welcome_mail.*│ ! differs|only left", text)
        await night.press("escape")
        assert night.read == identity(well()[0])


async def test_c_twice_on_one_row_finds_its_like_that_went_well(open_night: Opening) -> None:
    async with open_night((80, 24)) as night:
        await tell_with_another(night)
        night.timeline.go_to_event(story.FAILED)
        text = await shown(night, "c", "c")
        assert "job:8f2c and job:77aa" in text
        assert re.search(r"! differs|> only right", text)
        assert all(len(line) <= 80 for line in text.splitlines())


async def test_without_a_like_the_page_says_what_was_looked_for(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.FAILED)
        assert "No other welcome_mail" in await shown(night, "c", "c")


async def test_a_row_without_a_key_says_so(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        night.timeline.go_to_event(story.PAGED)
        await night.press("c")
        assert "This row carries no key" in night.screen_text()
