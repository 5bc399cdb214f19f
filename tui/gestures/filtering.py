"""Which rows are shown: the typed filter, rows like the one under the cursor, and all for a moment.

What reads many rows is worked out in a thread; the last wish wins and the rows before stay until
it is answered, so that no key waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from timeline.filter_terms import Filter, Needle, Part
from tui.filter_state import AT_ONCE_ROWS, Asked, Draft, rows_for, sifted
from tui.gestures.asking import Asking, Question
from tui.lanes import known_sources

if TYPE_CHECKING:
    from textual.timer import Timer

    from timeline.event import Event
    from timeline.jump import Instant
    from tui.filter_picker import PartPicker
    from tui.rows import Rows

TYPING_PAUSE_S = 0.12
"""A search over many rows begins when nothing was typed for so long."""


class Filtering(Asking):
    """Hides rows, and shows them again."""

    _sifting = False
    _then: Callable[[], None] | None = None
    _soon: Timer | None = None
    _drawn: Rows | None = None

    # -- answers -----------------------------------------------------------------------------

    def sift(self, then: Callable[[], None] | None = None) -> None:
        """Have the rows that are asked for shown, then do `then`; the last call wins.

        Before the first rows are read, nobody can say what is not among them: it is done then.
        """
        self._forget_soon()
        self._then = then
        if self._state.sieve.asked() is None:
            self.place_changed()
        elif not self._state.sieve.stale:
            self._show_answer()
        elif not self._sifting:
            self._sifting = True
            self.run_worker(self._sift_in_thread(), group="sift")

    def sift_soon(self, then: Callable[[], None]) -> None:
        """The same once the typing pauses, if it is more than a moment's work."""
        if not self._state.sieve.stale:
            self.sift(then)
        else:
            self._forget_soon()
            self._soon = self.set_timer(TYPING_PAUSE_S, partial(self.sift, then))

    def when_rows_come(self, then: Callable[[], None]) -> None:
        """Do `then` once the same is answered for newer rows, unless something else is asked."""
        self._then = then

    def _forget_soon(self) -> None:
        """A wish that waits for a pause is older than the one that comes now."""
        if self._soon is not None:
            self._soon.stop()
            self._soon = None

    async def _sift_in_thread(self) -> None:
        sieve = self._state.sieve
        try:
            while sieve.stale and (asked := sieve.asked()) is not None:
                gone = partial(_gone, sieve.still_wants, asked)
                answer = await asyncio.to_thread(sifted, asked, sieve.known(asked), gone)
                if answer is not None and sieve.still_wants(asked):
                    sieve.take(answer)
                    self._show_answer()
        finally:
            self._sifting = False

    def _rows_shown(self) -> None:
        """The timeline has taken the state's rows; better ones may be asked for."""
        self._drawn = self._state.rows
        wanted = self._state.sieve.stale or self._then is not None
        if wanted and not self._sifting and self._soon is None:
            self.sift(self._then)

    def _show_answer(self) -> None:
        if self._drawn is not self._state.rows:
            self.facts_changed(rows=True)
        then, self._then = self._then, None
        if then is not None:
            then()
        else:
            self.place_changed()

    def pattern_problem(self, needle: Needle) -> str:
        """Why an expression cannot be used; empty when it can."""
        if not needle.regex:
            return ""
        from timeline.filters import pattern_problem  # not needed for the first frame

        return pattern_problem(needle.text)

    # -- the typed filter --------------------------------------------------------------------

    def action_filter(self) -> None:
        from timeline.filter_line import EXAMPLE, spelt  # not needed for the first frame

        sieve = self._state.sieve
        sieve.draft = Draft(sieve.wanted)
        self.ask(
            Question(
                EXAMPLE,
                f"{spelt(sieve.wanted)} " if sieve.wanted else "",
                typed=self._filter_typed,
                entered=self._filter_entered,
                left=self._filter_left,
                goes_on=True,
            )
        )
        self._count_draft()
        self.place_changed()

    def _understood(self, line: str) -> Draft:
        from timeline.filter_line import FilterProblem, parse_filter

        names = [known.name for known in known_sources(self._state)]
        try:
            return Draft(parse_filter(line, sources=names, instant=self._instant_at))
        except FilterProblem as problem:
            return Draft(Filter(), str(problem))

    def instant_of(self, text: str) -> Instant:
        """What a time typed over this window means; ValueError says why it means nothing."""
        from timeline.jump import instant_of  # not needed for the first frame

        return instant_of(text, self._state.window, self._state.zones.of_the_person)

    def _instant_at(self, text: str) -> int:
        return self.instant_of(text).at

    def _filter_typed(self, line: str) -> None:
        self._state.sieve.draft = self._understood(line)
        self._count_draft()
        self.place_changed()

    def _filter_entered(self, line: str) -> bool:
        draft = self._understood(line)
        if draft.problem:
            self._state.sieve.draft = draft
            self.place_changed()
            return False
        self._state.sieve.draft = None
        self.narrow(draft.wanted)
        return True

    def _filter_left(self) -> None:
        self._state.sieve.draft = None
        self.place_changed()

    def narrow(self, wanted: Filter) -> None:
        """Show what passes `wanted`; the row under the cursor or the nearest one stays in place."""
        sieve = self._state.sieve
        sieve.narrow(sieve.follow, wanted)
        self.sift()

    def _count_draft(self) -> None:
        """How many rows the typed filter would show; told when it is known."""
        sieve, asked = self._state.sieve, self._state.sieve.asked()
        draft = sieve.draft
        if draft is None or draft.problem or asked is None or not draft.wanted:
            return
        would = Asked(asked.snapshot, sieve.follow, draft.wanted, None)
        if len(asked.snapshot) <= AT_ONCE_ROWS:
            rows = rows_for(would)
            sieve.draft = draft._replace(rows=None if rows is None else rows.len())
        else:
            self.run_worker(self._count_in_thread(draft, would), group="count", exclusive=True)

    async def _count_in_thread(self, draft: Draft, would: Asked) -> None:
        await asyncio.sleep(TYPING_PAUSE_S)  # a newer letter cancels this
        sieve = self._state.sieve
        rows = await asyncio.to_thread(rows_for, would, lambda: sieve.draft is not draft)
        if rows is not None and sieve.draft is draft:
            sieve.draft = draft._replace(rows=rows.len())
            self.place_changed()

    # -- rows like this one ------------------------------------------------------------------

    def action_only_such(self) -> None:
        self._pick(hides=False)

    def action_hide_such(self) -> None:
        self._pick(hides=True)

    def _pick(self, *, hides: bool) -> None:
        event, asked = self.timeline.event, self._state.sieve.asked()
        if event is None or asked is None:
            self.say("Nothing has been read yet that could be filtered.")
            return
        from timeline.filter_offers import offers_for  # not needed for the first frame
        from tui.filter_picker import PartPicker

        wish = Asked(asked.snapshot, self._state.sieve.follow, self._state.sieve.wanted, None)
        parts = offers_for(event, hides=hides)
        picker = PartPicker(parts, hides=hides)
        self.app.push_screen(picker, self._picked)
        self.run_worker(_count_into(picker, wish, parts), group="offers", exclusive=True)

    def _picked(self, part: Part | None) -> None:
        if part is not None:
            self.narrow(self._state.sieve.wanted.adding(part))

    # -- all of them -------------------------------------------------------------------------

    def action_show_all(self) -> None:
        sieve = self._state.sieve
        if not sieve.narrowed and sieve.needle is None:
            self.say("Nothing is hidden and nothing searched for.")
            return
        sieve.clear()
        self.sift()

    def action_among_all(self) -> None:
        """All rows around this one, and back to the filtered place."""
        sieve, event = self._state.sieve, self.timeline.event
        if sieve.among_all:
            self.back_among_filtered()
        elif not sieve.narrowed:
            self.say("All rows are shown; w filters them.")
        elif event is not None:
            sieve.step_aside(event)
            self.sift()

    def back_among_filtered(self) -> None:
        sieve = self._state.sieve
        place = sieve.place
        sieve.step_aside(None)
        self.sift(partial(self._return_to, place))

    def _return_to(self, place: Event | None) -> None:
        if place is not None:
            self.timeline.go_to_event(place)
        self.place_changed()


def _gone(still_wants: Callable[[Asked], bool], asked: Asked) -> bool:
    return not still_wants(asked)


async def _count_into(picker: PartPicker, wish: Asked, parts: list[Part]) -> None:
    """Tell the open list how many rows each of `parts` would leave, one after another."""
    for place, part in enumerate(parts):
        would = Asked(wish.snapshot, wish.follow, wish.wanted.adding(part), None)
        few = len(wish.snapshot) <= AT_ONCE_ROWS
        rows = rows_for(would) if few else await asyncio.to_thread(rows_for, would)
        if rows is None or picker not in picker.app.screen_stack:
            return
        picker.tell(place, rows.len())
