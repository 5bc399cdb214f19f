"""The screen's `Collector` over a bundle: an incident that was collected earlier.

Tells the small preview first (no Polars needed), then the whole incident with its analysis.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.progress import (
    Broke,
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
    from timeline.batch import Batch, Preview
    from timeline.incident import Incident, SourceInfo
    from timeline.window import Window

Listener = Callable[[Update], None]


class RecordedCollector:
    """Plays one bundle back. Another window of it is cut from what it holds; nothing is fetched."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener: Listener = lambda update: None
        self._incident: Incident | None = None
        self._statuses: tuple[SourceStatus, ...] = ()
        self._window: Window | None = None
        self._analysis: Analysis | None = None
        self._changing = threading.Lock()

    def start(self, window: Window, on_update: Listener) -> None:
        self._listener = on_update
        self._aside(self._play, window)

    def look_up(self, keys: Sequence[str]) -> None:
        """A bundle holds what it holds: every key it knows is already on the screen."""
        self._listener(CollectionEnded(self._statuses))

    def at_hand(self, window: Window) -> Sequence[Preview]:
        return ()

    def repin(self, window: Window) -> None:
        self._aside(self._show, window)

    def keep_reading(self, on: bool) -> bool:
        return False

    def add(self, info: SourceInfo, batch: Batch) -> bool:
        """Hold what no source gave, a person's notes; False before the bundle is read.

        Blocks while what is held is brought into order: never call it on the screen's loop.
        """
        with self._changing:
            if self._incident is None or self._window is None:
                return False
            self._incident = _joined(self._incident, info, batch)
            incident = replace(self._incident, window=self._window)
            self._listener(IncidentGrew(incident, self._analysis))
        self._show(self._window)
        return True

    def skip(self, source: str) -> bool:
        return False

    def retry(self, source: str) -> bool:
        """A recording has nobody to ask."""
        return False

    def close(self) -> None:
        self._listener = lambda update: None

    def _aside(self, work: Callable[[Window], None], window: Window) -> None:
        """Run `work` in a thread; what goes wrong in it is told, never waited for."""

        def told() -> None:
            try:
                work(window)
            except Exception as error:  # a defect: the screen would wait for ever
                self._listener(Broke(error))

        threading.Thread(target=told, name="bundle", daemon=True).start()

    def _play(self, window: Window) -> None:
        from halfawake.bundles import open_preview

        with suppress(ValueError):  # what it shows stands in the tables as well
            self._listener(PreviewArrived(open_preview(self._path)))
        try:
            self._incident, self._statuses = _open(self._path)
        except ValueError as problem:
            from halfawake.exit_codes import ExitCode

            self._listener(SetupFailed(str(problem), ExitCode.USAGE))
            return
        self._listener(StatusChanged(self._statuses))
        self._show(window)

    def _show(self, window: Window) -> None:
        self._window = window
        if self._incident is None:
            return
        incident = replace(self._incident, window=window)
        analysis = examine(incident)
        with self._changing:
            if window == self._window and len(incident.snapshot) == len(self._incident.snapshot):
                self._analysis = analysis
                self._listener(IncidentGrew(incident, analysis))
        self._listener(CollectionEnded(self._statuses))


def _open(path: Path) -> tuple[Incident, tuple[SourceStatus, ...]]:
    from halfawake.bundles import open_bundle

    return open_bundle(path)


def _joined(incident: Incident, info: SourceInfo, batch: Batch) -> Incident:
    from timeline.bundle_tables import refilled

    held = incident.snapshot
    store = refilled(held.events, held.keys, held.undated, held.coverage, held.remarks, held.counts)
    store.add(batch)
    known = any(source.name == info.name for source in incident.sources)
    sources = incident.sources if known else (*incident.sources, info)
    return replace(incident, snapshot=store.snapshot(), sources=sources)


def examine(incident: Incident) -> Analysis:
    """The analysis of a recorded incident by the detectors installed now."""
    from halfawake.plugins import detectors
    from timeline.analysis import analyse

    return analyse(incident, detectors())
