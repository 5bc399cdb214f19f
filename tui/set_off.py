"""What is set off in a row's body: the search, the filter's texts, the followed value.

An expression is tried by the engine that searched with it, body by body and only for rows on the
screen: its time grows with the text alone, however the expression was typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.cache import LRUCache

from timeline.filter_terms import Field, Needle

if TYPE_CHECKING:
    from timeline.event import Event
    from tui.filter_state import Sieve

KEPT_BODIES = 1024
"""Bodies whose matches are kept: twenty screens."""
BODY_CHARACTERS = 2_000
"""Of a body that are tried; a row shows fewer."""


class SetOff:
    """Texts to set off, by body; forgotten when something else is searched for."""

    def __init__(self) -> None:
        self._patterns: tuple[str, ...] = ()
        self._kept: LRUCache[str, tuple[str, ...]] = LRUCache(KEPT_BODIES)

    def in_event(self, event: Event, sieve: Sieve) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Texts in capitals or not, and texts exactly as they are spelt."""
        needles = [part.needle for field in _TEXTS for part in sieve.wanted.wanted(field)]
        if sieve.needle is not None:
            needles.append(sieve.needle)
        value = sieve.follow.partition(":")[2]
        terms = [value] if value else []
        terms += [one.text for one in needles if not one.regex and not one.minds_case]
        spelt = [one.text for one in needles if not one.regex and one.minds_case]
        return tuple(terms), (*spelt, *self._by_expressions(event.body, needles))

    def _by_expressions(self, body: str, needles: list[Needle]) -> tuple[str, ...]:
        patterns = tuple(one.pattern() for one in needles if one.regex)
        if patterns != self._patterns:
            self._patterns = patterns
            self._kept.clear()
        if not patterns:
            return ()
        found = self._kept.get(body)
        if found is None:
            from timeline.filters import found_in  # loaded by whoever searched

            tried = body[:BODY_CHARACTERS]
            found = tuple(text for pattern in patterns for text in found_in(tried, pattern))
            self._kept[body] = found
        return found


_TEXTS = (Field.TEXT, Field.REGEX)
