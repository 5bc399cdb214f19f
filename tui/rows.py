"""The rows of the timeline: first plain preview events, then a frozen snapshot, perhaps filtered.

Rows become `Event` objects only when they are drawn. Dividers (a new day, the onset, T) stand
between rows; `Placed` maps screen lines to rows and back. Never imports Polars by itself.
"""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from timeline.filter_terms import Needle
from timeline.words import DAY_NS

if TYPE_CHECKING:
    import polars as pl

    from timeline.event import Event
    from timeline.store import Snapshot

PAGE_ROWS = 64
"""Rows built at once; a screen shows fewer."""
KEPT_PAGES = 32
SAME_STAMP_ROWS = 20_000
"""Rows of one stamp that are searched for an event; beyond it the first of them is taken."""
MOST_DAYS = 64
"""Day dividers drawn at most; a window with more days is read by its dates in the proof."""


Identity: TypeAlias = tuple[str, str, int]
"""Names one event for ever: several events (a job's transitions) may share one record's id."""


def identity(event: Event) -> Identity:
    """The event's record id, kind and stamp."""
    return event.id, event.kind, event.timestamp


class Positions(Protocol):
    """Ascending row positions; a list or a Polars series."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> int: ...


class Rows(Protocol):
    """Events in total order, addressed by position."""

    def __len__(self) -> int: ...

    def event(self, index: int) -> Event: ...

    def index_at(self, timestamp: int) -> int:
        """Number of rows strictly before `timestamp` (ns)."""
        ...

    def index_of(self, event: Event) -> int | None:
        """Where `event` stands now, or None when it is not among these rows."""
        ...

    def matching(self, needle: Needle) -> Positions | None:
        """Positions of the rows whose body holds `needle`."""
        ...


class PreviewRows:
    """At most a few hundred plain events, in time order."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events = sorted(events, key=lambda e: (e.timestamp, e.source, e.seq, e.ref))
        self._times = [event.timestamp for event in self._events]

    def __len__(self) -> int:
        return len(self._events)

    def event(self, index: int) -> Event:
        return self._events[index]

    def index_at(self, timestamp: int) -> int:
        return bisect.bisect_left(self._times, timestamp)

    def index_of(self, event: Event) -> int | None:
        wanted = identity(event)
        for index in range(self.index_at(event.timestamp), len(self._events)):
            if self._events[index].timestamp != event.timestamp:
                return None
            if identity(self._events[index]) == wanted:
                return index
        return None

    def matching(self, needle: Needle) -> Positions:
        """Literal texts only: expressions wait for the engine that comes with the snapshot."""
        return [i for i, event in enumerate(self._events) if needle.in_literally(event.body)]


class SnapshotRows:
    """A snapshot's total order, or the row numbers of a filter over it (time order)."""

    def __init__(self, snapshot: Snapshot, rows: pl.Series | None = None) -> None:
        self.snapshot = snapshot
        self._rows = snapshot.order if rows is None else rows
        if rows is None:
            self._times = snapshot.times
        else:
            self._times = snapshot.events.get_column("timestamp").gather(rows)
        self._pages: OrderedDict[int, Sequence[Event]] = OrderedDict()

    def __len__(self) -> int:
        return self._rows.len()

    def event(self, index: int) -> Event:
        number, place = divmod(index, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None:
            chosen = self._rows.slice(number * PAGE_ROWS, PAGE_ROWS).to_list()
            page = self._pages[number] = self.snapshot.events_at(chosen)
            if len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        return page[place]

    def index_at(self, timestamp: int) -> int:
        return int(self._times.search_sorted(timestamp, side="left"))

    def index_of(self, event: Event) -> int | None:
        first = self.index_at(event.timestamp)
        count = min(self.index_at(event.timestamp + 1) - first, SAME_STAMP_ROWS)
        if count <= 0:
            return None
        same = self.snapshot.events_at(self._rows.slice(first, count).to_list())
        wanted = identity(event)
        places = (first + i for i, other in enumerate(same) if identity(other) == wanted)
        return next(places, None)

    def matching(
        self, needle: Needle, cancelled: Callable[[], bool] = lambda: False
    ) -> Positions | None:
        """As `Rows.matching`; reads every body, so it is not for the event loop."""
        from timeline.filters import hits_of  # whoever made the snapshot has loaded its library

        return hits_of(self.snapshot, self._rows, needle, cancelled)


class Divider(Protocol):
    """What a divider needs: the row it stands before."""

    @property
    def before(self) -> int: ...


class Placed:
    """Lines of the scrolled view: every row, with dividers in between.

    `dividers` must be sorted by `before`, a row position from 0 to the number of rows.
    """

    def __init__(self, rows: int, dividers: Sequence[Divider]) -> None:
        self.rows = rows
        self.dividers = dividers
        self._lines = [divider.before + number for number, divider in enumerate(dividers)]
        self._before = [divider.before for divider in dividers]

    def __len__(self) -> int:
        return self.rows + len(self.dividers)

    def line_of(self, row: int) -> int:
        return row + bisect.bisect_right(self._before, row)

    def at(self, line: int) -> Divider | int:
        """The divider on that line, or the position of its row."""
        above = bisect.bisect_right(self._lines, line)
        if above and self._lines[above - 1] == line:
            return self.dividers[above - 1]
        return line - above

    def nearest_row(self, line: int) -> int:
        """The row on that line, or the next one below a divider (the last row at the end)."""
        found = self.at(line)
        row = found if isinstance(found, int) else found.before
        return max(min(row, self.rows - 1), 0)


def first_rows_of_days(rows: Rows) -> list[int]:
    """Positions of the first row of every UTC day, at most `MOST_DAYS` of them."""
    found: list[int] = []
    index = 0
    while index < len(rows) and len(found) < MOST_DAYS:
        found.append(index)
        midnight = (rows.event(index).timestamp // DAY_NS + 1) * DAY_NS
        index = rows.index_at(midnight)
    return found
