"""Whatever a system writes, only text reaches the terminal, and columns stay where they are."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.tui import story
from tests.tui.conftest import Night, Opening
from tests.tui.hostile import HOSTILE, hostile_incident
from timeline.clean import UNSAFE_PATTERN
from timeline.progress import CollectionEnded, IncidentGrew
from tui.actions import ACTIONS

UNSAFE = re.compile(UNSAFE_PATTERN)
LEAVES = {"quit", "live", "pin", "narrow", "widen"}
"""Actions that end the screen or ask for another window, which the fake does not answer."""
STAMP = re.compile(r"\d\d:\d\d:\d\d\.\d{3}")


def _assert_only_text(night: Night) -> None:
    width, height = night.app.size
    strips = night.app.screen._compositor.render_strips()[:height]
    for strip in strips:
        assert not UNSAFE.search(strip.text), repr(strip.text)
        assert cell_len(strip.text) == width, repr(strip.text)
        for segment in strip:
            assert segment.control is None
            assert segment.style is None or segment.style.link is None


async def _told(night: Night) -> None:
    await night.tell(IncidentGrew(hostile_incident(), story.ANALYSIS))
    await night.tell(CollectionEnded(story.statuses()))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["wide", "narrow"])
async def test_every_row_is_text_and_its_columns_are_aligned(
    open_night: Opening, size: tuple[int, int]
) -> None:
    async with open_night(size) as night:
        await _told(night)
        places: set[int] = set()
        for _ in range(len(HOSTILE)):
            night.timeline.move(-3)
            await night.pilot.pause()
            _assert_only_text(night)
            rows = night.screen_lines()[-size[1] // 2 : -1]
            places |= {found.start() for row in rows if (found := STAMP.search(row))}
        assert len(places) == 1


@pytest.mark.parametrize(
    "key", sorted({a.keys[0] for a in ACTIONS if a.scope == "incident" and a.name not in LEAVES})
)
async def test_every_panel_shows_only_text(open_night: Opening, key: str) -> None:
    async with open_night() as night:
        await _told(night)
        for row in (1, 14, 30):
            night.timeline.go_to(row)
            await night.press(key)
            _assert_only_text(night)
            await night.press("down", "enter")
            _assert_only_text(night)
            await night.press("escape", "escape")
