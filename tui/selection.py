"""A stretch of time being selected over the lanes: where it begins and ends, and what it holds.

Pure: no drawing, no Textual. Counts what the lanes count; a stretch that an engine counted in bars
is told as `about`. Never looks at a record outside the selection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from timeline.event import SEVERITY_ERROR
from timeline.window import SECOND_NS, Window
from timeline.words import FAILED_KINDS, count_of, span_words

if TYPE_CHECKING:
    from tui.state import ScreenState

SMALLEST_NS = 2 * SECOND_NS
"""Shortest window a selection opens; a shorter one is widened around its middle."""


class Stretch(NamedTuple):
    """`[start, end)` in ns UTC: a row's instant, or the time of one cell of the lanes."""

    start: int
    end: int


class Selection(NamedTuple):
    """From where it was begun to where the person is now, either of which may be earlier."""

    anchor: Stretch
    head: Stretch

    @property
    def start(self) -> int:
        return min(self.anchor.start, self.head.start)

    @property
    def end(self) -> int:
        return max(self.anchor.end, self.head.end)

    def extended(self, head: Stretch) -> Selection:
        return Selection(self.anchor, head)

    def window(self, around: Window) -> Window:
        """The window that shows it alone, cut from `around`.

        T stays where it is when it was selected; otherwise it is pinned at the end nearest to it,
        so that what came before T still does. A window without its T could not be read.
        """
        start, end = max(self.start, around.start), min(self.end, around.end)
        if end - start < SMALLEST_NS:
            middle = (start + end) // 2
            start, end = middle - SMALLEST_NS // 2, middle + SMALLEST_NS // 2
        return Window(min(max(around.pin, start), end - 1), start, end)


class Held(NamedTuple):
    """What a selection holds. `exact` is False where an engine's bars were counted."""

    rows: int
    errors: int
    exact: bool


def held_in(state: ScreenState, selection: Selection) -> Held:
    """Rows and errors of the selection, from what was counted when the snapshot arrived."""
    start, end = selection.start, selection.end
    if state.incident is None or state.density is None:
        inside = [e for e in state.preview_events if start <= e.timestamp < end]
        wrong = (e.severity_number >= SEVERITY_ERROR or e.kind in FAILED_KINDS for e in inside)
        return Held(len(inside), sum(wrong), exact=True)
    if state.density.is_counted:
        return Held(*state.density.counted_between(start, end), exact=False)
    snapshot = state.incident.snapshot
    rows = snapshot.position_at(end) - snapshot.position_at(start)
    return Held(rows, state.density.errors_between(start, end), exact=True)


def selection_words(state: ScreenState, selection: Selection) -> str:
    """`12.4 s, 212 rows, 7 errors`."""
    held = held_in(state, selection)
    length = span_words(selection.end - selection.start)
    about = "" if held.exact else "about "
    rows, errors = count_of(held.rows, "row"), count_of(held.errors, "error")
    return f"{length}, {about}{rows}, {errors}"
