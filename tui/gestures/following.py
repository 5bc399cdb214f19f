"""Following a key: its rows alone, looked up beyond the window, and its story told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from timeline.clean import clean
from tui.actions import key_of
from tui.filter_state import AT_ONCE_ROWS
from tui.gestures.comparing import Comparing

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.chapters import Chapters
    from timeline.incident import Incident
    from timeline.known_keys import KnownKey
    from tui.picker import Picked

MOST_VICTIMS = 20
"""Keys offered where the row carries none: those that were hit."""


class Following(Comparing):
    """Picks a key from the row, or any key that is typed."""

    async def action_follow(self) -> None:
        from tui.picker import KeyPicker  # not needed for the first frame

        incident, event = self._state.incident, self.timeline.event
        if incident is None:
            self.say("Nothing has been read yet that could be followed.")
            return
        of_row = event is not None and bool(event.keys)
        keys = list(event.keys) if event is not None and of_row else self._victims()
        few = len(incident.snapshot) <= AT_ONCE_ROWS
        known = _known(incident, keys) if few else await asyncio.to_thread(_known, incident, keys)
        self.app.push_screen(KeyPicker(known, incident.snapshot, of_row=of_row), self._picked_key)

    def _victims(self) -> list[str]:
        analysis = self._state.analysis
        return list(analysis.state.victims[:MOST_VICTIMS]) if analysis else []

    def _picked_key(self, picked: Picked | None) -> None:
        if picked is None:
            return
        if picked.similar:
            self.compare_with_similar(picked.key)
            return
        self._state.follow_key(picked.key)
        self._collector.look_up([picked.key])
        self.sift()
        self.run_worker(self._sum_up(picked.key), group="story", exclusive=True)

    async def _sum_up(self, key: str) -> None:
        """One sentence about the whole story, in the footer."""
        incident = self._state.incident
        if incident is None:
            return
        try:
            told = await asyncio.to_thread(_chapters, incident, key)
        except ValueError as problem:
            self.say(clean(str(problem)))
        else:
            self.say(f"{told.sentence}. {key_of('story')} tells it.")

    def _story_key(self) -> str:
        event, incident = self.timeline.event, self._state.incident
        if event is None or incident is None:
            return ""
        from timeline.similar import story_key  # whoever made the snapshot has loaded its library

        held = incident.snapshot
        return story_key(event, held.broad_keys, lambda key: held.rows_with([key]).len())

    def action_story(self) -> None:
        """The story of what is followed, else of the thing, job or request that the row names."""
        from tui.story_page import TITLE, story_page  # not needed for the first frame
        from tui.told_page import ToldPage

        key = self._state.sieve.follow or self._story_key()
        if not key:
            self.say(f"This row carries no key; {key_of('follow')} follows any key.")
            return
        self._collector.look_up([key])
        pin = self._state.window.pin

        def work(incident: Incident, _: Analysis | None) -> Chapters:
            return _chapters(incident, key)

        self.app.push_screen(
            ToldPage(
                self._brush, self._state, TITLE, work,
                lambda told, width: story_page(told, pin, width),
            )
        )  # fmt: skip


def _known(incident: Incident, keys: list[str]) -> list[KnownKey]:
    from timeline.known_keys import described

    return described(incident.snapshot, keys)


def _chapters(incident: Incident, key: str) -> Chapters:
    from timeline.chapters import chapters_of

    return chapters_of(incident, key)
