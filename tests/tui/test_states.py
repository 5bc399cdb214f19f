"""Snapshots of every state that matters: each demo, each theme, and every way of knowing little.

A changed picture is looked at before it is accepted. Words are tested beside the pictures: what is
told by a colour must be told by a word as well.
"""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.night import night
from halfawake.bundles import open_window
from halfawake.demo import story_path
from halfawake.plugins import detectors
from halfawake.recorded import RecordedCollector
from tests.tui import story
from tests.tui.conftest import Opening
from tests.tui.test_pictures import Before, Compare, screen
from timeline.analysis import Analysis, analyse
from timeline.incident import Incident
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    SourceStatus,
    StatusChanged,
    Update,
)
from timeline.window import MINUTE_NS
from tui.app import HalfawakeApp
from tui.theme import OWN_THEMES

if TYPE_CHECKING:
    from textual.pilot import Pilot

DEMOS = ("night-hiccup", "signup-race", "friday-batch", "kicked-can")
SIZES = pytest.mark.parametrize("size", [(140, 42), (80, 24)], ids=["wide", "narrow"])
READ_WITHIN_S = 60.0
MILLION = 1_000_000


def demo(name: str) -> HalfawakeApp:
    """The recorded incident as its command opens it, looked at half an hour after T."""
    recording = story_path(name)
    window = open_window(recording)
    return HalfawakeApp(
        RecordedCollector(recording),
        window,
        environment="",
        title=f"demo:{name}",
        now=lambda: window.pin + 31 * MINUTE_NS,
        handover=story.FakeHandover(),
        encoding="utf-8",
    )


def read(app: HalfawakeApp, *keys: str) -> Before:
    """Wait until everything was read, then press keys."""

    async def before(pilot: Pilot[str]) -> None:
        async with asyncio.timeout(READ_WITHIN_S):
            while not app.state.ended:
                await pilot.pause(0.05)
        app.state.headline_changed_at = None  # the marker fades; a picture shows what stays
        app.incident_screen.facts_changed(rows=False)
        await pilot.press(*keys)
        await pilot.pause()

    return before


def told(app: HalfawakeApp, *updates: Update, keys: tuple[str, ...] = ()) -> Before:
    async def before(pilot: Pilot[str]) -> None:
        await pilot.pause()
        for update in updates:
            app._from_collector(update)
            await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return before


@SIZES
@pytest.mark.parametrize("name", DEMOS)
def test_each_demo(snap_compare: Compare, name: str, size: tuple[int, int]) -> None:
    app = demo(name)
    assert snap_compare(app, terminal_size=size, run_before=read(app, "n", "n"))


@pytest.mark.parametrize("theme", [theme.name for theme in OWN_THEMES])
def test_each_theme(snap_compare: Compare, theme: str) -> None:
    app = demo("night-hiccup")
    app.theme = theme
    assert snap_compare(app, terminal_size=(120, 40), run_before=read(app, "3", "n"))


def test_no_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = demo("night-hiccup")
    assert snap_compare(app, terminal_size=(120, 40), run_before=read(app, "3", "n"))


EMPTY = story.incident([])
STATES: dict[str, tuple[Update, ...]] = {
    "loading": (StatusChanged(story.statuses(answered=0)),),
    "empty": (
        IncidentGrew(EMPTY, analyse(EMPTY, detectors())),
        CollectionEnded(story.statuses()),
    ),
    "one failed": (
        StatusChanged(story.statuses(answered=5)),
        IncidentGrew(story.incident(), story.ANALYSIS),
        CollectionEnded(
            tuple(
                SourceStatus(
                    one.source, one.lane, one.system, Phase.FAILED, deadline_s=30.0,
                    elapsed_s=10.0,
                    problem="connection refused by shop-db:5432",
                    remedy="is the port forwarded?",
                )
                if one.source == "shop"
                else one
                for one in story.statuses()
            )
        ),
    ),
    "all failed": (CollectionEnded(story.statuses(Phase.FAILED)),),
}  # fmt: skip


@SIZES
@pytest.mark.parametrize("state", sorted(STATES))
def test_each_way_of_knowing_little(
    snap_compare: Compare, state: str, size: tuple[int, int]
) -> None:
    app = screen()
    assert snap_compare(app, terminal_size=size, run_before=told(app, *STATES[state]))


@cache
def _million() -> tuple[Incident, Analysis]:
    incident = night(MILLION, 50_000, 50_000)
    return incident, analyse(incident, detectors())


def test_a_million_rows(snap_compare: Compare) -> None:
    incident, analysis = _million()
    app = HalfawakeApp(
        story.FakeCollector(),
        incident.window,
        environment="prod eu-1",
        title="shop",
        now=lambda: incident.window.pin + 31 * MINUTE_NS,
        handover=story.FakeHandover(),
        encoding="utf-8",
    )
    updates = (IncidentGrew(incident, analysis), CollectionEnded(story.statuses()))
    assert snap_compare(app, terminal_size=(140, 42), run_before=told(app, *updates))


async def test_severity_and_verdict_are_words(open_night: Opening) -> None:
    async with open_night() as night:
        await night.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        for finding in story.ANALYSIS.findings:
            assert finding.verdict.value in night.screen_text()
        seen = ""
        for row in range(0, len(night.state.rows), 20):
            night.timeline.go_to(row)
            await night.pilot.pause()
            seen += night.screen_text()
        for word in ("ERROR", "WARN", "FAILED"):
            assert word in seen


def test_pictures_name_no_folder_of_this_machine() -> None:
    for picture in (Path(__file__).parent / "__snapshots__").rglob("*.svg"):
        assert str(Path.home()) not in picture.read_text(encoding="utf-8")
