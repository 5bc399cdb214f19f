"""Waiting for sources: what is told of each, going on without one, asking one again."""

from __future__ import annotations

from dataclasses import replace

from tests.tui import story
from tests.tui.conftest import Night, Opening
from timeline.progress import CollectionEnded, Phase, SourceStatus, StatusChanged
from tui.waiting import SLOW_S, progress_words, reading_words, skip_hint, slowest, so_far


def reading(seconds: float, *slow: str) -> tuple[SourceStatus, ...]:
    """The story's five sources: `slow` ones have been read for `seconds`, the rest answered."""
    return tuple(
        replace(status, phase=Phase.READING, elapsed_s=seconds, rows=12_304, bytes_read=14_890_000)
        if status.source in slow
        else status
        for status in story.statuses()
    )


def footer(night: Night) -> str:
    return night.screen_lines()[-1]


def test_progress_is_rows_bytes_time_and_the_deadline() -> None:
    (status,) = (s for s in reading(7.24, "web") if s.source == "web")
    assert progress_words(status) == "12 304 rows, 14.2 MiB, 7.2 s of 30 s"
    assert progress_words(replace(status, phase=Phase.DONE)) == "12 304 rows, 14.2 MiB, 7.2 s"
    assert "bytes" not in progress_words(replace(status, bytes_read=0))


def test_a_lane_tells_rows_and_seconds_in_the_cells_it_has() -> None:
    (status,) = (s for s in reading(7.24, "web") if s.source == "web")
    assert so_far(status, 16) == "12 304 rows, 7 s"
    assert so_far(replace(status, rows=1_204_318, elapsed_s=12.3), 16) == "1 204 318, 12 s"
    assert so_far(replace(status, elapsed_s=0.5), 16) == "12 304 so far"
    assert so_far(replace(status, rows=0), 16) == "reading 7 s"
    assert so_far(replace(status, rows=0, elapsed_s=0.5), 16) == "reading..."
    looking = replace(status, rows=0, phase=Phase.LOOKING_UP)
    assert so_far(looking, 16) == "looking up 7 s"


def test_of_equally_slow_ones_the_one_that_told_least_is_the_slowest() -> None:
    early, late = reading(7.0, "web", "jobs")[0], reading(7.4, "web", "jobs")[2]
    assert slowest((early, replace(late, rows=3))) == replace(late, rows=3)
    assert slowest((early, replace(late, elapsed_s=4.0))) == early
    assert slowest(story.statuses()) is None


def test_a_wait_is_told_once_it_is_worth_it() -> None:
    assert reading_words(reading(0.4, "jobs")) == "Reading jobs."
    assert reading_words(reading(7.4, "jobs", "web")) == (
        "Reading web (7 s of 30 s), jobs (7 s of 30 s)."
    )
    assert skip_hint(reading(SLOW_S - 0.1, "jobs")) == ""
    assert skip_hint(reading(12.3, "jobs")) == "x skip jobs (12 s)"


async def test_the_footer_names_the_slow_source_only_while_it_is_slow(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(StatusChanged(reading(1.0, "jobs")))
        assert "skip" not in footer(night)
        await night.tell(StatusChanged(reading(6.0, "jobs")))
        assert footer(night).strip().startswith("x skip jobs (6 s)")
        await night.tell(CollectionEnded(story.statuses()))
        assert "skip" not in footer(night)


async def test_x_goes_on_without_the_slowest(open_night: Opening) -> None:
    async with open_night() as night:
        await night.press("x")
        assert "Nothing is being waited for." in footer(night)
        await night.tell(StatusChanged(reading(6.0, "jobs")))
        await night.press("x")
        assert night.collector.skipped == ["jobs"]
        assert "Going on without jobs" in footer(night)


async def test_the_page_has_a_cursor_that_skips_and_asks_again(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell_all()
        cut = replace(
            story.statuses()[2], phase=Phase.CUT, problem="skipped by you at 02:44:41 UTC after 7 s"
        )
        statuses = tuple(
            cut if status.source == "jobs" else status for status in reading(6.0, "shop")
        )
        await night.tell(StatusChanged(statuses))
        await night.press("s")
        assert "▸ shop" in night.screen_text()  # it is waited for, so it is the one in question
        assert "x goes on without it" in night.screen_text()
        await night.press("x")
        assert night.collector.skipped == ["shop"]
        await night.press("up")
        assert "▸ jobs" in night.screen_text()
        assert "skipped by you at 02:44:41 UTC after 7 s" in night.screen_text()
        await night.press("r")
        assert night.collector.retried == ["jobs"]
        assert "Asking jobs again" in footer(night)
        await night.tell(CollectionEnded(statuses))
        assert "▸ jobs" in night.screen_text()  # what arrives does not move the cursor


async def test_a_recording_has_nobody_to_ask(open_night: Opening) -> None:
    async with open_night() as night:
        night.collector.is_live = False
        await night.tell(CollectionEnded(story.statuses(Phase.CUT)))
        await night.press("s", "r")
        assert "This is a recording" in footer(night)
        await night.press("x")
        assert "is not being asked anything" in footer(night)


async def test_every_source_and_what_stands_below_them_can_be_reached(open_night: Opening) -> None:
    async with open_night(size=(80, 24)) as night:
        await night.tell_all()
        await night.press("s", *["down"] * 60)
        assert "detectors that could not look" in night.screen_text()
        await night.press(*["up"] * 60)
        assert "▸ web" in night.screen_text()
