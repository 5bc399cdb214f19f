"""The screen's `Collector` over a bundle: an incident that was collected earlier.

Tells the small preview first (no Polars needed), then the whole incident with its analysis.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    PreviewArrived,
    SetupFailed,
    SourceStatus,
    StatusChanged,
    Update,
)

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.incident import Incident
    from timeline.window import Window

Listener = Callable[[Update], None]


class RecordedCollector:
    """Plays one bundle back. Another window of it is cut from what it holds; nothing is fetched."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener: Listener = lambda update: None
        self._incident: Incident | None = None
        self._statuses: tuple[SourceStatus, ...] = ()

    def start(self, window: Window, on_update: Listener) -> None:
        self._listener = on_update
        threading.Thread(target=self._play, args=(window,), name="bundle", daemon=True).start()

    def look_up(self, keys: Sequence[str]) -> None:
        """A bundle holds what it holds: every key it knows is already on the screen."""
        self._listener(CollectionEnded(self._statuses))

    def repin(self, window: Window) -> None:
        threading.Thread(target=self._show, args=(window,), name="bundle", daemon=True).start()

    def keep_reading(self, on: bool) -> bool:
        return False

    def close(self) -> None:
        self._listener = lambda update: None

    def _play(self, window: Window) -> None:
        from halfawake.bundles import open_preview

        try:
            self._listener(PreviewArrived(open_preview(self._path)))
            self._incident, self._statuses = _open(self._path)
        except ValueError as problem:
            from halfawake.exit_codes import ExitCode

            self._listener(SetupFailed(str(problem), ExitCode.USAGE))
            return
        self._listener(StatusChanged(self._statuses))
        self._show(window)

    def _show(self, window: Window) -> None:
        from dataclasses import replace

        if self._incident is None:
            return
        incident = replace(self._incident, window=window)
        self._listener(IncidentGrew(incident, examine(incident)))
        self._listener(CollectionEnded(self._statuses))


def _open(path: Path) -> tuple[Incident, tuple[SourceStatus, ...]]:
    from halfawake.bundles import open_bundle

    return open_bundle(path)


def examine(incident: Incident) -> Analysis:
    """The analysis of a recorded incident by the detectors installed now."""
    from halfawake.plugins import detectors
    from timeline.analysis import analyse

    return analyse(incident, detectors())
