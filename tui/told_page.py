"""A page over facts that take a moment to work out: told in a thread, drawn when they are there.

When the incident grows, the facts are worked out anew for what is known last: never twice at once,
so that a stream of new rows cannot pile work up. A page may hold places to pick from; up and down
go from place to place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeAlias, TypeVar

from timeline.clean import clean
from tui import actions
from tui.reader import Page, Reader

if TYPE_CHECKING:
    from textual.binding import BindingType

    from timeline.analysis import Analysis
    from timeline.incident import Incident
    from tui.canvas import Brush
    from tui.pieces import Line
    from tui.state import ScreenState

T = TypeVar("T")

Work: TypeAlias = "Callable[[Incident, Analysis | None], T]"
"""Runs in a thread; a ValueError's message is shown in the place of the facts."""


class ToldPage(Reader, Generic[T]):
    """`draw(facts, width)` as a page, once `work` has told the facts."""

    def __init__(
        self,
        brush: Brush,
        state: ScreenState,
        title: Line,
        work: Work[T],
        draw: Callable[[T, int], Page],
    ) -> None:
        super().__init__(brush, self._page)
        self._state = state
        self._heading = title
        self._work = work
        self._draw_told = draw
        self._sentence = "Working it out."
        self._of: tuple[Incident | None, Analysis | None] = None, None
        self._working = False
        self.told: T | None = None

    def on_mount(self) -> None:  # beside the base class's own, which the framework calls as well
        self._begin()

    def reload(self, *, keep_place: bool = True) -> None:
        super().reload(keep_place=keep_place)
        self._begin()

    def _begin(self) -> None:
        if self._state.incident is None:
            self._sentence = "Nothing has been read yet: this page fills when the first rows are."
        elif not self._working:
            self._working = True
            self.run_worker(self._tell())

    async def _tell(self) -> None:
        """Work it out for what is known now, and again if more came to be known meanwhile."""
        state = self._state
        try:
            while (incident := state.incident) is not None and self._is_news():
                self._of = incident, state.analysis
                try:
                    self.told = await asyncio.to_thread(self._work, incident, state.analysis)
                except ValueError as problem:
                    self.told, self._sentence = None, clean(str(problem))
                super().reload()
        finally:
            self._working = False

    def _is_news(self) -> bool:
        incident, analysis = self._of
        return self._state.incident is not incident or self._state.analysis is not analysis

    def _page(self, width: int) -> Page:
        if self.told is None:
            return Page(self._heading, [[], [(f" {self._sentence}", "text")]])
        return self._draw_told(self.told, width)


class PickPage(ToldPage[T]):
    """Such a page with places to pick from; `picked` is called with the facts and the place."""

    BINDINGS: ClassVar[list[BindingType]] = [*actions.bindings("pick")]
    SCOPES = ("pick", "reader")

    def __init__(
        self,
        brush: Brush,
        state: ScreenState,
        title: Line,
        work: Work[T],
        draw: Callable[[T, int, int], Page],
        places: Callable[[T], int],
        picked: Callable[[T, int], None],
    ) -> None:
        super().__init__(brush, state, title, work, self._draw_picked)
        self._draw_place = draw
        self._places = places
        self._picked = picked
        self.place = 0

    def _draw_picked(self, told: T, width: int) -> Page:
        return self._draw_place(told, width, self._within(told, self.place))

    def _within(self, told: T, place: int) -> int:
        """The place or the last one: newer facts may hold fewer."""
        return max(0, min(place, self._places(told) - 1))

    def _move(self, by: int) -> None:
        if self.told is None:
            return
        self.place = self._within(self.told, self.place + by)
        self._text.load()

    def action_line_up(self) -> None:
        self._move(-1)

    def action_line_down(self) -> None:
        self._move(1)

    def action_pick(self) -> None:
        if self.told is not None and self._places(self.told):
            told, place = self.told, self._within(self.told, self.place)
            self.dismiss()
            self._picked(told, place)
