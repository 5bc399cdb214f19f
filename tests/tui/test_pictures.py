"""Snapshots of whole frames. A changed picture is looked at before it is accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from tests.tui import story
from timeline.progress import CollectionEnded, IncidentGrew, PreviewArrived, StatusChanged
from tui.app import HalfawakeApp

if TYPE_CHECKING:
    from textual.pilot import Pilot

Compare = Callable[..., bool]
Before = Callable[["Pilot[str]"], Awaitable[None]]


def screen() -> HalfawakeApp:
    return HalfawakeApp(
        story.FakeCollector(),
        story.WINDOW,
        environment="prod eu-1",
        title="shop",
        now=lambda: story.NOW,
        handover=story.FakeHandover(),
        encoding="utf-8",
    )


def telling(app: HalfawakeApp, *keys: str, until: int = 4) -> Before:
    """Tell the first `until` updates of the story, then press keys."""

    async def before(pilot: Pilot[str]) -> None:
        await pilot.pause()
        updates = (
            StatusChanged(story.statuses(answered=2)),
            PreviewArrived(story.preview()),
            IncidentGrew(story.incident(), story.ANALYSIS),
            CollectionEnded(story.statuses()),
        )
        for update in updates[:until]:
            app._from_collector(update)
            await pilot.pause()
        await pilot.press(*keys)
        await app.workers.wait_for_complete()
        await pilot.pause()

    return before


SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


@SIZES
def test_collecting(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = screen()
    assert snap_compare(app, terminal_size=size, run_before=telling(app, until=2))


@SIZES
def test_collected(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = screen()
    assert snap_compare(app, terminal_size=size, run_before=telling(app))


@SIZES
def test_walking_a_finding(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = screen()
    assert snap_compare(app, terminal_size=size, run_before=telling(app, "2", "n", "n", "n"))


@SIZES
def test_proof(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = screen()
    assert snap_compare(app, terminal_size=size, run_before=telling(app, "2", "n", "enter"))


def test_sources(snap_compare: Compare) -> None:
    app = screen()
    assert snap_compare(app, terminal_size=(120, 40), run_before=telling(app, "s"))


def test_follow(snap_compare: Compare) -> None:
    app = screen()
    keys = ("2", "f", "enter")
    assert snap_compare(app, terminal_size=(120, 40), run_before=telling(app, *keys))
