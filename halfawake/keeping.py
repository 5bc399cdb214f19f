"""What was on the screen, kept beside the autosaved incident and found again by `open`.

A view is a small JSON file of mode 0600 in the folder of autosaved incidents, named like the
incident (its T and environment) and gone with it. A file that cannot be read costs nothing but
the view. The incident itself is autosaved as soon as it is whole, and now and then before, so
that neither a crash nor a closed laptop loses it. What takes long to import waits for that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.event import Event
from timeline.words import day, moment

if TYPE_CHECKING:
    from halfawake.bundles import About
    from timeline.incident import Incident
    from timeline.progress import SourceStatus
    from tui.restore import View

FORMAT, VERSION = "halfawake view", 1
MOST_BYTES = 8 * 2**20
"""A place and some thousand marks; more is not a view."""
MOST_MARKS = 2_000
STILL_READING = "it was still being read when this was kept"
REST_S = 30.0
"""Between two autosaves of an incident that goes on growing."""
REST = 20.0
"""The same as a multiple of what the last one took: at most a twentieth of one core."""


@dataclass
class Keeper:
    """Keeps one incident: a recorded one at `path`, or one that is being collected.

    `notes` gives the notes told so far: an opened file is never written to, so they stand here.
    """

    path: Path | None = None
    about: About | None = None
    notes: Callable[[], Sequence[Event]] = tuple
    left: View | None = None
    sentence: str = ""
    kept_notes: tuple[Event, ...] = ()
    _saved: Incident | None = None
    _saved_marks: tuple[Event, ...] = ()
    _saved_whole: bool = False
    _rest_until: float = 0.0

    def find(self) -> None:
        """Read how this recorded incident was left, once, before the screen is there."""
        if self.about is None:
            return
        from halfawake.bundles import VIEW_SUFFIX
        from tui.restore import View
        from tui.rows import identity

        marks = self.about.marks
        if marks:
            self.left = View(window=self.about.window, marks=marks)
        file = self.folder / f"{self.about.name}{VIEW_SUFFIX}"
        try:
            if not file.is_file():
                return
            saved_at, view, self.kept_notes = read_view(file)
        except (OSError, ValueError, RecursionError) as problem:
            self.sentence = f"What was on the screen cannot be restored ({_short(problem)})."
            return
        if self.path is not None and self.path.stat().st_mtime_ns > saved_at:
            # somebody marked rows in this file since; else a mark that is gone was taken away
            marked = {identity(event): event for event in (*marks, *view.marks)}
            view = replace(view, marks=tuple(marked.values()))
        self.left = view
        today = day(time.time_ns())
        date = "" if day(saved_at) == today else f"{day(saved_at)} "
        self.sentence = (
            f"Restored as you left it at {date}{moment(saved_at):%H:%M} UTC; u starts afresh at T."
        )

    def keep(
        self, view: View, incident: Incident, statuses: Sequence[SourceStatus], *, whole: bool
    ) -> None:
        """Write the view, and the incident if it has changed. A full disk is not told here."""
        try:
            if self.about is None:
                self._autosave(view, incident, statuses, whole=whole)
            self._write(view, incident)
        except OSError:
            return  # said when the screen is left; a full disk does not interrupt the night

    def close(
        self, view: View, incident: Incident, statuses: Sequence[SourceStatus]
    ) -> Path | None:
        """Keep all of it for the last time; the path of an autosaved incident. Raises `OSError`."""
        from halfawake.bundles import autosave, save_bundle

        path = None
        if self.about is None:
            path = autosave(incident, as_left(statuses), self.folder, view.marks)
        elif self.path is not None and self.path.parent == self.folder:
            new_notes = any(note not in self.kept_notes for note in self.notes())
            changed = new_notes or view.marks != self.about.marks
            if changed and incident.window == self.about.window:
                save_bundle(self.path, incident, statuses, view.marks)
        self._write(view, incident)
        return path

    @property
    def folder(self) -> Path:
        from halfawake.bundles import autosave_folder

        return autosave_folder()

    def _autosave(
        self, view: View, incident: Incident, statuses: Sequence[SourceStatus], *, whole: bool
    ) -> None:
        """At once when it has become whole; while it grows, now and then."""
        began = time.monotonic()
        if incident is self._saved and view.marks == self._saved_marks:
            return
        if began < self._rest_until and not (whole and not self._saved_whole):
            return
        from halfawake.bundles import autosave

        autosave(incident, as_left(statuses), self.folder, view.marks)
        self._saved, self._saved_marks, self._saved_whole = incident, view.marks, whole
        ended = time.monotonic()
        self._rest_until = ended + max(REST_S, (ended - began) * REST)

    def _write(self, view: View, incident: Incident) -> None:
        """Beside the recorded incident, or the one that was autosaved; else not at all."""
        from halfawake.bundles import VIEW_SUFFIX, incident_name

        if self.about is not None:
            name = self.about.name
        elif incident.window.pin == view.window.pin:
            name = incident_name(incident.window.pin, incident.environment)
        else:
            return
        write_view(self.folder / f"{name}{VIEW_SUFFIX}", view, tuple(self.notes()))


def as_left(statuses: Sequence[SourceStatus]) -> tuple[SourceStatus, ...]:
    """The statuses of an incident that is kept while some sources were still answering."""
    from timeline.progress import Phase

    return tuple(
        status if status.answered else replace(status, phase=Phase.CUT, problem=STILL_READING)
        for status in statuses
    )


def write_view(file: Path, view: View, notes: tuple[Event, ...]) -> None:
    """Write in one step, mode 0600. Raises `OSError`."""
    import json  # not needed for the first frame

    from timeline.plain_json import to_plain

    view = replace(view, marks=view.marks[-MOST_MARKS:])
    told = {
        "format": FORMAT,
        "version": VERSION,
        "saved_at": time.time_ns(),
        "view": to_plain(view),
        "notes": to_plain(notes),
    }
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(told, stream, ensure_ascii=False)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def read_view(file: Path) -> tuple[int, View, tuple[Event, ...]]:
    """When it was saved (ns UTC), the view, and the notes. Raises `OSError` or ValueError."""
    import json

    from timeline.plain_json import Mismatch, from_plain, tuple_from
    from tui.restore import View

    if file.stat().st_size > MOST_BYTES:
        raise ValueError("the file beside the incident is too large")
    told = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError("the file beside the incident is another's")
    if told.get("version") != VERSION:
        raise ValueError("the file beside the incident is of another version")
    saved_at = told.get("saved_at")
    if not isinstance(saved_at, int) or isinstance(saved_at, bool):
        raise Mismatch("saved_at should be a whole number")
    view = from_plain(View, told.get("view"), "view")
    return saved_at, view, tuple_from(Event, told.get("notes", []), "notes")


def _short(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return problem.strerror or "it cannot be read"
    from json import JSONDecodeError

    if isinstance(problem, JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "the file beside the incident is damaged"
    return str(problem)
