"""Where a person stood, as plain data: enough to bring the screen back as it was left.

Pure: taken from `ScreenState` and the timeline, put back into fresh ones. Writing and reading the
file is not this room's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from timeline.event import Event
from timeline.filter_terms import Filter, needle_of
from timeline.window import Window
from tui.rows import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident
    from timeline.progress import SourceStatus
    from tui.state import ScreenState
    from tui.timeline import Timeline


@dataclass(frozen=True, slots=True)
class View:
    """One person's place in one incident. `line` is the cursor's line of the rows, from the top."""

    window: Window
    before: tuple[Window, ...] = ()
    """The windows that `u` goes back through, the oldest first."""
    cursor: Event | None = None
    line: int = 0
    follow: str = ""
    wanted: Filter = field(default_factory=Filter)
    search: str = ""
    term: str = ""
    """Of the finding that was walked; empty when none was."""
    finding: int = 0
    step: int = -1
    marks: tuple[Event, ...] = ()
    """In the order in which they were made."""


class Keeping(Protocol):
    """Keeps what is on the screen. Every method may block; none is called on the screen's loop
    but `left`, which was read before."""

    @property
    def left(self) -> View | None:
        """How this incident was left; None when it was not, or cannot be known."""
        ...

    @property
    def sentence(self) -> str:
        """What is said at the beginning: as it was left when, or why not. May be empty."""
        ...

    def keep(
        self, view: View, incident: Incident, statuses: Sequence[SourceStatus], *, whole: bool
    ) -> None:
        """Keep `view` and the incident; `whole` when every source has answered."""
        ...


def view_of(state: ScreenState, timeline: Timeline) -> View:
    """Where the person stands now."""
    sieve = state.sieve
    finding = state.current_finding if state.step >= 0 else None
    return View(
        window=state.window,
        before=state.past.before,
        cursor=timeline.stood_on,
        line=timeline.cursor_line,
        follow=sieve.follow,
        wanted=sieve.wanted,
        search="" if sieve.needle is None else sieve.needle.typed,
        term="" if finding is None else finding.term,
        finding=state.finding,
        step=state.step if finding is not None else -1,
        marks=tuple(state.marks.values()),
    )


def restore(view: View, state: ScreenState, timeline: Timeline) -> None:
    """Stand where `view` was taken, before anything has been collected."""
    state.window = view.window
    state.past.refill(view.before)
    state.sieve.narrow(view.follow, view.wanted)
    state.sieve.search(needle_of(view.search))
    state.marks = {identity(event): event for event in view.marks}
    if view.cursor is not None:
        timeline.stand_on(view.cursor, view.line)


def restore_step(view: View, state: ScreenState) -> bool:
    """Walk the same finding again once it is found; False when it is not among the findings."""
    findings = state.findings
    numbers = [view.finding, *range(len(findings))]
    for number in numbers:
        if number >= len(findings) or findings[number].term != view.term:
            continue
        if 0 <= view.step < len(findings[number].steps):
            state.finding, state.step = number, view.step
            return True
    return False
