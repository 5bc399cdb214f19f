"""Every entry of a stretch, page by page, from T outwards; none twice, none lost at a page's edge.

Loki pages by time alone, and entries may share a nanosecond: the next page therefore begins at the
last stamp again, and what was told is left out. A stamp that more entries share than one page
holds is asked for with larger pages; when the server allows none, what is left is said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from connectors.loki.api import Entry, Loki
from connectors.loki.lines import reference

MOST_PAGE = 5_000
"""Loki's own default limit; a larger page is refused as a rule."""


@dataclass
class Walk:
    """One direction through `[start, end)` (ns). After the pages: how far it went, what it lost."""

    query: str
    start: int
    end: int
    forward: bool
    reached: int | None = None
    """Stamp of the last entry that was told."""
    crowded: int | None = None
    """A stamp of which not all entries could be had."""

    async def pages(self, loki: Loki, deadline: float) -> AsyncIterator[list[Entry]]:
        """Pages of new entries, nearest to where the walk begins first."""
        start, end, limit, most = self.start, self.end, loki.page_size, MOST_PAGE
        told: set[str] = set()
        while start < end:
            found, taken = await loki.entries(
                self.query, start, end, forward=self.forward, limit=limit, deadline=deadline
            )
            if taken < limit:
                limit = most = taken
            fresh = [entry for entry in found if reference(entry) not in told]
            if fresh:
                self.reached = fresh[-1].timestamp
                yield fresh
            if len(found) < limit:
                return
            edge = found[-1].timestamp
            if found[0].timestamp == edge and limit < most:
                told.update(reference(entry) for entry in fresh)
                limit = min(2 * limit, most)
                continue
            if found[0].timestamp == edge:
                self.crowded = edge
                told = set()
                start, end = (edge + 1, end) if self.forward else (start, edge)
                continue
            told = {reference(entry) for entry in found if entry.timestamp == edge}
            start, end = (edge, end) if self.forward else (start, edge + 1)
