"""The second zone: beside UTC, with the offset of each instant, and only when it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from tests.tui import story
from tests.tui.conftest import Opening
from timeline.event import Precision
from tui.zones import Zones, beside, cells_for, zone_name

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
MINUTES = timezone(timedelta(hours=-3, minutes=-30))


def ns(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp()) * story.SECOND


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        ("2026-03-14T02:13:40+00:00", BERLIN, "03:13:40+01"),
        ("2026-07-14T02:13:40+00:00", BERLIN, "04:13:40+02"),
        ("2026-10-25T00:30:00+00:00", BERLIN, "02:30:00+02"),
        ("2026-10-25T01:30:00+00:00", BERLIN, "02:30:00+01"),
        ("2026-03-14T02:13:40+00:00", KOLKATA, "07:43:40+05:30"),
        ("2026-03-14T02:13:40+00:00", MINUTES, "22:43:40-03:30"),
    ],
)
def test_the_offset_is_that_of_the_instant(at: str, zone: tzinfo, shown: str) -> None:
    assert beside(ns(at), Precision.MILLISECOND, zone) == shown
    assert cells_for(zone, ns(at)) >= len(shown)


def test_a_stamp_to_the_minute_gets_no_seconds() -> None:
    assert beside(story.T, Precision.MINUTE, BERLIN) == "03:13+01"


def test_zones_are_looked_up_when_asked_for_and_utc_is_none_of_them() -> None:
    asked = []

    def known() -> list[tzinfo]:
        asked.append(1)
        return [UTC, BERLIN, BERLIN, KOLKATA]

    zones = Zones(known)
    assert zones.shown is None
    assert not asked
    assert [zones.turn(), zones.turn(), zones.turn(), zones.turn()] == [
        BERLIN,
        KOLKATA,
        None,
        BERLIN,
    ]
    assert len(asked) == 1
    assert zone_name(BERLIN, story.T) == "Europe/Berlin +01"
    assert zone_name(MINUTES, story.T) == "UTC-03:30"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_z_shows_a_zone_beside_utc_and_takes_it_away(
    open_night: Opening, size: tuple[int, int]
) -> None:
    async with open_night(size=size) as night:
        night.state.zones = Zones(lambda: [BERLIN])
        await night.tell_all()
        await night.press("Z")
        row = night.screen_lines()[night.timeline.region.y + night.timeline.cursor_line]
        assert row[5:].split()[:2] == ["02:13:40", "03:13:40+01"]
        assert "UTC | Berlin +01" in night.screen_lines()[0]
        assert "recovered 02:08:00" in night.screen_lines()[0]
        assert "Beside UTC: Europe/Berlin +01." in night.screen_text()
        await night.press("at", *"03:10", "enter")
        assert abs(night.read_at - story.at("02:10:00")) < 2 * story.SECOND
        await night.press("Z")
        row = night.screen_lines()[night.timeline.region.y + night.timeline.cursor_line]
        assert "+01" not in row
        assert "Berlin" not in night.screen_lines()[0]


async def test_a_machine_in_utc_says_so(open_night: Opening) -> None:
    async with open_night() as night:
        night.state.zones = Zones(lambda: [UTC])
        await night.tell_all()
        await night.press("Z")
        assert "This machine's zone is UTC, and no other is configured." in night.screen_text()
