"""Which rows are shown and which of them are found: what a person asked for, and the answer.

What is asked may change faster than a million rows are read: `asked` is what is wanted now,
`sifted` works it out (pure, for any thread), and `take` shows the answer. Until then the rows
before stay. No drawing, no Textual, and no Polars before there is a snapshot.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from timeline.filter_terms import Filter, Needle, Part
from tui.rows import Positions, PreviewRows, Rows, SnapshotRows

if TYPE_CHECKING:
    import polars as pl

    from timeline.event import Event
    from timeline.store import Snapshot

AT_ONCE_ROWS = 20_000
"""Up to so many rows an answer takes a few milliseconds, less than handing it to a thread."""


class Draft(NamedTuple):
    """A filter that is being typed: understood so far, or why not."""

    wanted: Filter
    problem: str = ""
    rows: int | None = None
    """How many rows would be shown; None while they are counted."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Everything that the rows and what is found among them depend on."""

    snapshot: Snapshot
    follow: str
    wanted: Filter
    needle: Needle | None

    def same_rows(self, other: Asked) -> bool:
        return self.snapshot is other.snapshot and self.same_wish(other)

    def same_wish(self, other: Asked) -> bool:
        return (self.follow, self.wanted) == (other.follow, other.wanted)

    @property
    def plain(self) -> bool:
        """Whether every row is asked for."""
        return not self.follow and not self.wanted


@dataclass(frozen=True, eq=False)
class Sifted:
    """The answer; `missing` is a condition that no row at all meets, when no row is left."""

    asked: Asked
    rows: SnapshotRows
    hits: Positions
    missing: Part | None = None


def sifted(
    asked: Asked, known: Sifted | None, cancelled: Callable[[], bool] = lambda: False
) -> Sifted | None:
    """Work it out; rows that are `known` are not read again. None once `cancelled()`."""
    rows, missing = (known.rows, known.missing) if known is not None else (None, None)
    if rows is None:
        numbers = None if asked.plain else rows_for(asked, cancelled)
        if numbers is None and not asked.plain:
            return None
        rows = SnapshotRows(asked.snapshot, numbers)
        if not len(rows):
            missing = _missing(asked)
    hits = rows.matching(asked.needle, cancelled) if asked.needle is not None else ()
    return None if hits is None else Sifted(asked, rows, hits, missing)


def rows_for(asked: Asked, cancelled: Callable[[], bool] = lambda: False) -> pl.Series | None:
    """Row numbers (time order) of what is followed and passes the filter."""
    from timeline.filters import rows_of  # whoever made the snapshot has loaded its library
    from timeline.story import story_rows

    if not asked.follow:
        return rows_of(asked.snapshot, asked.wanted, cancelled)
    story = story_rows(asked.snapshot, asked.follow)
    if not asked.wanted:
        return story
    passing = rows_of(asked.snapshot, asked.wanted, cancelled)
    return None if passing is None else story.filter(story.is_in(passing.implode()))


def _missing(asked: Asked) -> Part | None:
    from timeline.filters import rows_of

    for part in asked.wanted.parts:
        passing = rows_of(asked.snapshot, Filter((part,)))
        if passing is not None and passing.is_empty():
            return part
    return None


class Sieve:
    """What one person wants to see of all rows, and what is shown."""

    def __init__(self) -> None:
        self.rows: Rows = PreviewRows()
        self.hits: Positions = ()
        self.missing: Part | None = None
        self.follow = ""
        self.wanted = Filter()
        self.needle: Needle | None = None
        self.draft: Draft | None = None
        self.among_all = False
        """Whether all rows are shown for a moment although a filter or a key is set."""
        self.place: Event | None = None
        """The row of the filtered place that `among_all` left."""
        self._before: list[tuple[str, Filter]] = []
        self._snapshot: Snapshot | None = None
        self._answers: list[Sifted] = []
        """The newest first, and the one before: going back and forth reads nothing again."""

    # -- asking ------------------------------------------------------------------------------

    @property
    def narrowed(self) -> bool:
        """Whether some rows are meant to be hidden."""
        return bool(self.follow or self.wanted)

    @property
    def total(self) -> int:
        """How many rows there are in all."""
        return len(self.rows) if self._snapshot is None else len(self._snapshot)

    def narrow(self, follow: str, wanted: Filter) -> None:
        """Follow this key under this filter; `widen` goes back."""
        if (follow, wanted) != (self.follow, self.wanted):
            self._before.append((self.follow, self.wanted))
            self.follow, self.wanted = follow, wanted
        self.among_all, self.place = False, None
        self.settle()

    def widen(self) -> bool:
        """Take back the last narrowing; False when there is none."""
        if not self._before:
            return False
        self.follow, self.wanted = self._before.pop()
        self.among_all, self.place = False, None
        self.settle()
        return True

    def clear(self) -> None:
        """Show every row, search nothing."""
        self._before, self.needle = [], None
        self.follow, self.wanted = "", Filter()
        self.among_all, self.place = False, None
        self.settle()

    def search(self, needle: Needle | None) -> None:
        self.needle = needle
        self.settle()

    def step_aside(self, event: Event | None) -> None:
        """Show all rows, remembering the row of the filtered place; without one, go back."""
        self.among_all, self.place = event is not None, event
        self.settle()

    # -- answering ---------------------------------------------------------------------------

    def over_preview(self, rows: PreviewRows) -> None:
        """Rows that came before the first snapshot: all are shown, whatever is asked."""
        self.rows = rows
        self.hits = rows.matching(self.needle) if self.needle is not None else ()

    def over(self, snapshot: Snapshot) -> None:
        """Ask the same of another snapshot."""
        self._snapshot = snapshot
        self._answers = [one for one in self._answers if one.asked.snapshot is snapshot]
        self.settle()

    def asked(self) -> Asked | None:
        """What is wanted now; None before there is a snapshot."""
        if self._snapshot is None:
            return None
        if self.among_all:
            return Asked(self._snapshot, "", Filter(), self.needle)
        return Asked(self._snapshot, self.follow, self.wanted, self.needle)

    @property
    def stale(self) -> bool:
        """Whether what is shown is not what is asked for."""
        asked = self.asked()
        return asked is not None and not (self._answers and _same(self._answers[0].asked, asked))

    def known(self, asked: Asked) -> Sifted | None:
        """An answer with the same rows, if one is kept."""
        return next((one for one in self._answers if one.asked.same_rows(asked)), None)

    def still_wants(self, asked: Asked) -> bool:
        """Whether an answer is worth waiting for; that newer rows have come does not void it."""
        now = self.asked()
        return now is not None and now.same_wish(asked) and now.needle == asked.needle

    def settle(self) -> None:
        """Answer at once what costs little; the rest stays asked until `take`."""
        asked = self.asked()
        if asked is None:
            if isinstance(self.rows, PreviewRows):
                self.over_preview(self.rows)
            return
        if not self.stale:
            return
        known = self.known(asked)
        if len(asked.snapshot) > AT_ONCE_ROWS:
            if not asked.plain and known is None:
                return
            asked = replace(asked, needle=None)  # the rows now, what is found among them later
        answer = sifted(asked, known)
        if answer is not None:
            self.take(answer)

    def take(self, answer: Sifted) -> None:
        """Show an answer."""
        others = [one for one in self._answers if not one.asked.same_rows(answer.asked)]
        self._answers = [answer, *others[:1]]
        self.rows, self.hits, self.missing = answer.rows, answer.hits, answer.missing

    # -- found rows --------------------------------------------------------------------------

    def hit_number(self, row: int) -> int | None:
        """Which of the found rows (from 1) row `row` is; None when it is none of them."""
        place = bisect.bisect_left(self.hits, row)
        return place + 1 if place < len(self.hits) and self.hits[place] == row else None

    def hit_from(self, row: int, direction: int) -> int | None:
        """The next (1) or previous (-1) found row, going round at the ends."""
        if not len(self.hits):
            return None
        if direction > 0:
            place = bisect.bisect_right(self.hits, row) % len(self.hits)
        else:
            place = bisect.bisect_left(self.hits, row) - 1
        return int(self.hits[place])


def _same(one: Asked, other: Asked) -> bool:
    return one.same_rows(other) and one.needle == other.needle
