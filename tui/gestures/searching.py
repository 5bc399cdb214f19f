"""Search: words in a row's text, found while they are typed, and the way from match to match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.filter_terms import Needle, needle_of
from tui.gestures.asking import Question
from tui.gestures.filtering import Filtering
from tui.rows import identity

if TYPE_CHECKING:
    from timeline.event import Event


class Searching(Filtering):
    """Finds rows without hiding the others."""

    _searched: Needle | None = None
    """What was searched for before the line was opened."""
    _from: Event | None = None
    """The row the search set out from."""

    def action_search(self) -> None:
        sieve = self._state.sieve
        self._searched, self._from = sieve.needle, self.timeline.event
        value = "" if sieve.needle is None else sieve.needle.typed
        self.ask(
            Question(
                "words in a row's text, or /a regular expression/",
                value,
                typed=self._search_typed,
                entered=self._search_entered,
                left=self._search_left,
            )
        )

    def _search_typed(self, text: str) -> None:
        needle = needle_of(text)
        if needle is not None and (problem := self.pattern_problem(needle)):
            self.say(f"{problem}.")
            return
        self._state.sieve.search(needle)
        self.sift_soon(self._to_first_match)

    def _to_first_match(self) -> None:
        """The first match at or behind the row the search set out from."""
        if self._from is not None:
            self.timeline.go_to_event(self._from)
        place = self._state.sieve.hit_from(self.timeline.cursor - 1, 1)
        if place is not None and self._state.sieve.needle is not None:
            self.timeline.go_to(place)
        self.place_changed()

    def _search_entered(self, text: str) -> bool:
        needle = needle_of(text)
        if needle is not None and (problem := self.pattern_problem(needle)):
            self.say(f"{problem}.")
            return False
        self._state.sieve.search(needle)
        self.sift(self._search_ended)
        return True

    def _search_ended(self) -> None:
        """Go to a match or say that there is none; while sources are read, one may still come."""
        sieve, incident = self._state.sieve, self._state.incident
        if sieve.needle is None or len(sieve.hits):
            self._to_first_match()
        elif incident is not None and incident.reading:
            self._to_first_match()  # back where it set out: who stands there waits for a match
            self.say(f"No row read so far holds {sieve.needle.typed!r}; the sources go on.")
            self.when_rows_come(self._more_was_read)
        else:
            self.say(f"No row holds {sieve.needle.typed!r}{self._where_else()}")
            sieve.search(None)
            self.place_changed()

    def _more_was_read(self) -> None:
        """A match takes nobody away who has moved on; the line above the rows counts it."""
        here = self.timeline.stood_on
        waits = here is None or self._from is None or identity(here) == identity(self._from)
        if waits or not len(self._state.sieve.hits):
            self._search_ended()
        else:
            self.place_changed()

    def _where_else(self) -> str:
        if self._state.sieve.narrowed and not self._state.sieve.among_all:
            return " among the rows that are shown; z shows all rows."
        return "."

    def _search_left(self) -> None:
        self._state.sieve.search(self._searched)
        self.sift(self._back_to_start)

    def _back_to_start(self) -> None:
        if self._from is not None:
            self.timeline.go_to_event(self._from)
        self.place_changed()

    def action_next_match(self) -> None:
        self._to_match(1)

    def action_previous_match(self) -> None:
        self._to_match(-1)

    def _to_match(self, direction: int) -> None:
        sieve = self._state.sieve
        if sieve.needle is None:
            self.say("Nothing is searched for; / searches.")
            return
        place = sieve.hit_from(self.timeline.cursor, direction)
        if place is None:
            self.say("Still searching." if sieve.stale else "No row holds it any more.")
        else:
            self.timeline.go_to(place)
            self.place_changed()
