"""What the screen knows and where the person stands in it; no drawing, no Textual.

Updates from the collector go in through `take`; gestures are methods that return where the cursor
should go. Nothing here moves the cursor because rows arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from timeline.event import Event
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    PreviewArrived,
    SourceStatus,
    StatusChanged,
    Update,
)
from timeline.summary import empty_words
from tui.filter_state import Sieve
from tui.filter_words import nothing_words
from tui.past import WindowPast
from tui.rows import Identity, PreviewRows, Rows, identity
from tui.zones import Zones

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.finding import Finding, Step
    from timeline.incident import Incident
    from timeline.window import Window
    from tui.density import Density
    from tui.drafts import Draft, Format
    from tui.selection import Selection

CHANGED_FOR_NS = 8_000_000_000
"""How long a first line that changed says so: time to look up from a row and back."""

FINDINGS_SHOWN = 7
"""More than seven findings are a list, not an answer; the rest is in the export."""


class Handover(Protocol):
    """What leaves the screen. The implementation redacts and writes; the screen only asks."""

    def formats(self) -> tuple[Format, ...]:
        """The registered formats, the usual one first."""
        ...

    def draft(
        self, incident: Incident, analysis: Analysis, marked: Sequence[Event], name: str
    ) -> Draft:
        """What would be written in the format `name`. Works for a while: never on the loop."""
        ...

    def write(self, draft: Draft) -> str:
        """Write it; the sentence returned says where. Raises `OSError`."""
        ...

    def status(self, incident: Incident, analysis: Analysis | None) -> str:
        """Three redacted lines for the chat."""
        ...


class ScreenState:
    """One person's view of one incident while it is being collected."""

    def __init__(
        self, window: Window, *, environment: str, title: str, now: Callable[[], int]
    ) -> None:
        self.window = window
        self.environment = environment
        self.title = title
        self.now = now
        self.statuses: tuple[SourceStatus, ...] = ()
        self.incident: Incident | None = None
        self.analysis: Analysis | None = None
        self.density: Density | None = None
        self.ended = False
        self.live = False
        self.sieve = Sieve()
        self.finding = 0
        self.step = -1
        self.marks: dict[Identity, Event] = {}
        self.selection: Selection | None = None
        self.past = WindowPast()
        self.zones = Zones()
        self.headline_changed_at: int | None = None
        self._previews: dict[str, tuple[Event, ...]] = {}

    # -- what the collector tells ------------------------------------------------------------

    def take(self, update: Update, density: Density | None = None) -> None:
        """Replace what an update makes old."""
        match update:
            case PreviewArrived(preview):
                self._previews[preview.source] = preview.events
                if self.incident is None:
                    self.sieve.over_preview(PreviewRows(self.preview_events))
            case StatusChanged(statuses):
                self.statuses = statuses
                self.ended = False
            case CollectionEnded(statuses):
                self.statuses = statuses
                self.ended = True
            case IncidentGrew(incident, analysis):
                self._grow(incident, analysis, density)
            case _:
                pass

    def _grow(self, incident: Incident, analysis: Analysis | None, density: Density | None) -> None:
        if (incident.window.pin, incident.window.start) != (self.window.pin, self.window.start):
            return  # the answer to a window that was left
        were_reading = self.incident is not None and bool(self.incident.reading)
        self.incident = incident
        self.window = incident.window  # its end moves while new rows are read
        if density is not None:
            if density.running is None and self.density is not None:
                density.running = self.density.running
            self.density = density
        if analysis is not None:
            self._say(analysis, were_reading=were_reading)
        self._rebuild()

    def _say(self, analysis: Analysis, *, were_reading: bool) -> None:
        before = self.analysis
        told = before is not None and (before.findings or not were_reading)
        if before is not None and told and before.headline != analysis.headline:
            self.headline_changed_at = self.now()
        walked = self.current_finding if self.step >= 0 else None
        self.analysis = analysis
        if walked is None:
            self.finding = 0
        else:
            self._keep_finding(walked)

    def _keep_finding(self, before: Finding) -> None:
        """Stay on the same finding and step although the list around it changed."""
        events = tuple(identity(step.event) for step in before.steps)
        for number, finding in enumerate(self.findings):
            same = tuple(identity(step.event) for step in finding.steps)
            if finding.term == before.term and (same == events or finding.keys == before.keys):
                self.finding = number
                self.step = min(self.step, len(finding.steps) - 1)
                return
        self.finding, self.step = 0, -1

    def _rebuild(self) -> None:
        if self.incident is not None:
            self.sieve.over(self.incident.snapshot)

    @property
    def rows(self) -> Rows:
        """The rows that are shown."""
        return self.sieve.rows

    @property
    def follow(self) -> str:
        """The key whose story alone is shown; empty for all rows."""
        return self.sieve.follow

    @property
    def search(self) -> str:
        """What is searched for; empty for nothing."""
        return "" if self.sieve.needle is None else self.sieve.needle.typed

    @property
    def preview_events(self) -> tuple[Event, ...]:
        """Every preview event, for lanes drawn before a snapshot exists."""
        return tuple(event for part in self._previews.values() for event in part)

    @property
    def place(self) -> str:
        """The environment: as it was asked for, or as the incident itself says."""
        return self.environment or (self.incident.environment if self.incident else "")

    @property
    def answered(self) -> int:
        return sum(status.answered for status in self.statuses)

    @property
    def failed(self) -> tuple[SourceStatus, ...]:
        return tuple(s for s in self.statuses if s.phase is Phase.FAILED)

    @property
    def headline_is_new(self) -> bool:
        """Whether the first line changed so recently that it must say so."""
        changed = self.headline_changed_at
        return changed is not None and self.now() - changed < CHANGED_FOR_NS

    # -- findings ----------------------------------------------------------------------------

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.analysis.findings[:FINDINGS_SHOWN] if self.analysis else ()

    def continues(self, finding: Finding) -> bool:
        """Whether it goes on with the story of the finding above it."""
        chains = self.analysis.chains if self.analysis is not None else ()
        return any(finding is one for chain in chains for one in chain.findings[1:])

    @property
    def current_finding(self) -> Finding | None:
        return self.findings[self.finding] if self.finding < len(self.findings) else None

    @property
    def current_step(self) -> Step | None:
        finding = self.current_finding
        if finding is None or not 0 <= self.step < len(finding.steps):
            return None
        return finding.steps[self.step]

    def go_to_finding(self, number: int) -> Step | None:
        """Select finding `number` (1 to 7) and its first step."""
        if not 1 <= number <= len(self.findings):
            return None
        self.finding, self.step = number - 1, 0
        return self.current_step

    def walk(self, direction: int) -> Step | None:
        """The next (1) or previous (-1) step, rolling into the neighbouring finding."""
        places = [
            (f, s) for f, finding in enumerate(self.findings) for s in range(len(finding.steps))
        ]
        if not places:
            return None
        here = (self.finding, self.step)
        if direction > 0:
            place = next((p for p in places if p > here), places[0])
        else:
            place = next((p for p in reversed(places) if p < here), places[-1])
        self.finding, self.step = place
        return self.current_step

    def step_number(self, event: Event) -> int | None:
        """Position (from 1) of the event among the current finding's steps."""
        finding = self.current_finding
        if finding is None:
            return None
        wanted = identity(event)
        places = (n for n, s in enumerate(finding.steps, 1) if identity(s.event) == wanted)
        return next(places, None)

    def select_step_of(self, event: Event) -> bool:
        """Select the finding that cites `event`, the current one first; False if none does."""
        order = [self.finding, *(n for n in range(len(self.findings)) if n != self.finding)]
        for number in order:
            if number >= len(self.findings):
                continue
            for position, step in enumerate(self.findings[number].steps):
                if identity(step.event) == identity(event):
                    self.finding, self.step = number, position
                    return True
        return False

    # -- gestures ----------------------------------------------------------------------------

    def toggle_mark(self, event: Event) -> bool:
        """Mark or unmark; True when it is marked now."""
        if self.marks.pop(identity(event), None) is not None:
            return False
        self.marks[identity(event)] = event
        return True

    def follow_key(self, key: str) -> None:
        """Show only the story of `key` (its rows, requests, jobs); an empty key shows all again."""
        self.sieve.narrow(key, self.sieve.wanted)

    def open_window(self, window: Window) -> None:
        """Look at another window; the old one can be had back with `undo_window`."""
        self.past.leave(self.window)
        self._enter(window)

    def undo_window(self) -> Window | None:
        """Back to the window before; None when there is none."""
        return self._entered(self.past.back(self.window))

    def redo_window(self) -> Window | None:
        """Forward again to the window that was undone; None when there is none."""
        return self._entered(self.past.forth(self.window))

    def _entered(self, window: Window | None) -> Window | None:
        if window is not None:
            self._enter(window)
        return window

    def _enter(self, window: Window) -> None:
        self.window = window
        self.ended = False
        self.density = None
        self.selection = None

    def nothing_sentence(self) -> str:
        """Why there are no rows, and what to do about it."""
        if self.sieve.narrowed:
            return nothing_words(self.sieve)
        if self.statuses and len(self.failed) == len(self.statuses):
            return "No source answered. Press s to see why and what to do."
        if self.incident is not None and self.ended:
            return f"{empty_words(self.incident, self.statuses)} Press ] for a wider window."
        return "No row has arrived yet."
