"""Everything can be clicked: labels of the footer, rows, findings, pages."""

from __future__ import annotations

from tests.tui import story
from tests.tui.conftest import Night, Opening
from tui.incident_screen import IncidentScreen
from tui.reader import Reader


async def _click_label(night: Night, text: str) -> None:
    lines = night.screen_lines()
    place = lines[-1].index(text)
    await night.pilot.click(offset=(place, len(lines) - 1))
    await night.pilot.pause()


async def test_a_click_on_a_label_does_what_its_key_does(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        await _click_label(night, "onset")
        assert night.read_at <= story.ONSET < story.T
        await _click_label(night, "1-7")
        assert (night.state.finding, night.state.step) == (0, 0)
        await _click_label(night, "help")
        assert isinstance(night.app.screen, Reader)
        await _click_label(night, "back")
        assert isinstance(night.app.screen, IncidentScreen)


async def test_a_click_beside_the_labels_or_on_a_message_does_nothing(open_night: Opening) -> None:
    async with open_night(size=(80, 24)) as night:
        await night.tell_all()
        before = night.read
        night.app.incident_screen.say("onset onset onset onset onset")
        await night.pilot.pause()
        await _click_label(night, "onset onset")
        assert night.read == before


async def test_two_clicks_on_a_row_show_its_record(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        region = night.timeline.region
        await night.pilot.click(offset=(40, region.y + 3), times=2)
        await night.pilot.pause()
        assert isinstance(night.app.screen, Reader)
        await night.press("escape")
        assert isinstance(night.app.screen, IncidentScreen)
