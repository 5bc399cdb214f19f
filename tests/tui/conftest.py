"""A running screen over the hand-made story, told by a fake collector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.tui import story
from timeline.progress import CollectionEnded, IncidentGrew, PreviewArrived, StatusChanged, Update
from tui.app import HalfawakeApp
from tui.rows import Identity, identity
from tui.state import ScreenState
from tui.timeline import Timeline

if TYPE_CHECKING:
    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def _one_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same colours whatever terminal the tests run in."""
    monkeypatch.setenv("HALFAWAKE_THEME", "safe")
    monkeypatch.delenv("NO_COLOR", raising=False)


class Night:
    """One running screen with what stands around it."""

    def __init__(self, size: tuple[int, int], encoding: str) -> None:
        self.collector = story.FakeCollector()
        self.handover = story.FakeHandover()
        self.app = HalfawakeApp(
            self.collector,
            story.WINDOW,
            environment="prod eu-1",
            title="shop",
            now=lambda: story.NOW,
            handover=self.handover,
            encoding=encoding,
        )
        self.size = size
        self.pilot: Pilot[str]

    @property
    def state(self) -> ScreenState:
        return self.app.state

    @property
    def timeline(self) -> Timeline:
        return self.app.incident_screen.timeline

    @property
    def read(self) -> Identity:
        """The event under the cursor."""
        assert self.timeline.event is not None
        return identity(self.timeline.event)

    @property
    def read_at(self) -> int:
        """Stamp of the event under the cursor, ns."""
        return self.read[2]

    async def tell(self, *updates: Update) -> None:
        self.collector.tell(*updates)
        await self.pilot.pause()

    async def tell_all(self) -> None:
        """Preview, snapshot, analysis, end: the whole story."""
        await self.tell(StatusChanged(story.statuses(answered=0)))
        await self.tell(PreviewArrived(story.preview()))
        await self.tell(IncidentGrew(story.incident(), story.ANALYSIS))
        await self.tell(CollectionEnded(story.statuses()))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def screen_lines(self) -> list[str]:
        """What the terminal shows, line by line, without styles."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        return [strip.text[:width] for strip in strips[:height]]

    def screen_text(self) -> str:
        return "\n".join(self.screen_lines())


Opening: TypeAlias = Callable[..., AbstractAsyncContextManager[Night]]


@pytest.fixture
def open_night() -> Opening:
    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (120, 40), encoding: str = "utf-8"
    ) -> AsyncIterator[Night]:
        night = Night(size, encoding)
        async with night.app.run_test(size=size) as pilot:
            night.pilot = pilot
            await pilot.pause()
            for _ in range(100):  # the first frame is painted before the collector is started
                if night.collector.on_update is not None:
                    break
                await pilot.pause(0.02)
            yield night

    return opened
