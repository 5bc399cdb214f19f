"""What a running collection tells whoever watches it: previews, snapshots, analyses, statuses.

The screen knows only this vocabulary and the `Collector` protocol, never a connector. Plain
standard library, so that a screen can be painted before anything else is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from timeline.event import Lane  # bundles read `SourceStatus` by its annotations

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.batch import Preview
    from timeline.incident import Incident
    from timeline.window import Window


class Phase(StrEnum):
    """Where one source is in answering."""

    WAITING = "waiting"
    READING = "reading"
    LOOKING_UP = "looking up"
    DONE = "done"
    CUT = "cut"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source's progress. `problem` and `remedy` are sentences; empty when all is well."""

    source: str
    lane: Lane
    system: str
    """Connector name, for example `postgresql`."""
    phase: Phase
    rows: int = 0
    bytes_read: int = 0
    elapsed_s: float = 0.0
    deadline_s: float = 0.0
    problem: str = ""
    remedy: str = ""

    @property
    def answered(self) -> bool:
        return self.phase in (Phase.DONE, Phase.CUT, Phase.FAILED)

    @property
    def incomplete(self) -> bool:
        """Whether it answered, but not in full: it failed, was cut, or was skipped."""
        return self.phase in (Phase.CUT, Phase.FAILED)


class PreviewArrived(NamedTuple):
    """The first rows of one source, before anything was read in full."""

    preview: Preview


class StatusChanged(NamedTuple):
    """How far every source is now."""

    statuses: tuple[SourceStatus, ...]


class IncidentGrew(NamedTuple):
    """The newest frozen incident; replaces every earlier one. `analysis` may lag behind."""

    incident: Incident
    analysis: Analysis | None = None


class CollectionEnded(NamedTuple):
    """Everything asked for so far has answered, failed or been cut."""

    statuses: tuple[SourceStatus, ...]


class SetupFailed(NamedTuple):
    """Nothing could be collected at all (a bad configuration); the screen leaves with this."""

    sentence: str
    exit_code: int


class Broke(NamedTuple):
    """A defect of ours ended the collection: whoever watches says so instead of waiting on."""

    error: Exception


Update: TypeAlias = (
    PreviewArrived | StatusChanged | IncidentGrew | CollectionEnded | SetupFailed | Broke
)


class Collector(Protocol):
    """What the screen may ask for. Every method returns at once; answers come as updates."""

    def start(self, window: Window, on_update: Callable[[Update], None]) -> None:
        """Collect `window`; `on_update` is called from another thread."""
        ...

    def look_up(self, keys: Sequence[str]) -> None:
        """Fetch everything about `keys`, also outside the window."""
        ...

    def repin(self, window: Window) -> None:
        """Collect another window, keeping what is known."""
        ...

    def keep_reading(self, on: bool) -> bool:
        """Go on reading what is new behind the window's end, or stop at once.

        False when nothing new can come: what is collected is a recording.
        """
        ...

    def skip(self, source: str) -> bool:
        """Wait no longer for one source; what it told stays.

        False when it is not being asked anything.
        """
        ...

    def retry(self, source: str) -> bool:
        """Ask a source that failed, was cut or was skipped for the window once more.

        False when there is nothing to ask: it answered in full, or this is a recording.
        """
        ...

    def close(self) -> None:
        """Cancel what runs (within a second) and end every connection."""
        ...
