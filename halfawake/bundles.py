"""Bundles as files: opened, written with care for the file system, autosaved and expired.

A bundle holds production data, so it is written with mode 0600 and the autosaved ones are
removed after `KEEP_DAYS`. What stands in a bundle is `timeline.bundle`'s business.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from timeline.bundle import read_manifest, read_preview
from timeline.bundle_archive import BundleProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.batch import Preview
    from timeline.event import Event
    from timeline.incident import Incident
    from timeline.progress import SourceStatus
    from timeline.window import Window

SUFFIX = ".halfawake"
VIEW_SUFFIX = ".view.json"
"""Of what was on the screen; `halfawake.keeping` writes and reads it."""
_REMEDIES = {
    errno.ENOENT: "; halfawake open --last opens the newest that was autosaved",
    errno.EACCES: "; ask its owner for a copy",
}
KEEP_DAYS = 14
"""Autosaved incidents are for the morning after and the postmortem, not an archive."""


def open_bundle(path: Path) -> tuple[Incident, tuple[SourceStatus, ...]]:
    """The incident and source statuses in `path`. Raises `BundleProblem`."""
    from timeline.bundle import read_bundle

    with _opened(path) as stream:
        return read_bundle(stream)


def open_preview(path: Path) -> Preview:
    """The few events around T, without Polars. Raises `BundleProblem`."""
    with _opened(path) as stream:
        return read_preview(stream)


def open_window(path: Path) -> Window:
    """The pinned instant and window of a bundle. Raises `BundleProblem`."""
    return open_about(path).window


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a bundle before its rows are read."""

    window: Window
    name: str
    """What its files are called in the folder of autosaved incidents, without a suffix."""
    marks: tuple[Event, ...] = ()


def open_about(path: Path) -> About:
    """The pinned instant, window, name and marks of a bundle. Raises `BundleProblem`."""
    with _opened(path) as stream:
        manifest = read_manifest(stream)
    name = incident_name(manifest.window.pin, manifest.environment)
    return About(manifest.window, name, manifest.marks)


def save_bundle(
    path: Path,
    incident: Incident,
    statuses: Sequence[SourceStatus],
    marks: Sequence[Event] = (),
) -> None:
    """Write `path` in one step (a half-written bundle never stands there), mode 0600."""
    from timeline.bundle import write_bundle

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            write_bundle(stream, incident, tuple(statuses), marks)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def autosave_folder() -> Path:
    """Where incidents are kept for the morning after."""
    from platformdirs import user_state_path

    return user_state_path("halfawake") / "incidents"


def incident_name(pin: int, environment: str) -> str:
    """`20260314T021340Z-prod`: an incident is known by its T (ns UTC) and its environment."""
    from datetime import UTC, datetime

    instant = datetime.fromtimestamp(pin // 10**9, UTC)
    name = "-".join(part for part in (f"{instant:%Y%m%dT%H%M%SZ}", environment) if part)
    return name.replace("/", "_")


def autosave(
    incident: Incident,
    statuses: Sequence[SourceStatus],
    folder: Path,
    marks: Sequence[Event] = (),
) -> Path:
    """Keep this incident under its name; drop what has expired."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{incident_name(incident.window.pin, incident.environment)}{SUFFIX}"
    save_bundle(path, incident, statuses, marks)
    expire(folder)
    return path


def expire(folder: Path) -> None:
    """Remove autosaved incidents, and what was on the screen of any, older than `KEEP_DAYS`."""
    oldest = time.time() - KEEP_DAYS * 86_400
    kept = [f"*{SUFFIX}", f"*{VIEW_SUFFIX}"]
    unfinished = [f".{pattern}.*" for pattern in kept]  # of a process that was killed meanwhile
    for path in (path for pattern in (*kept, *unfinished) for path in folder.glob(pattern)):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def last_autosaved(folder: Path) -> Path | None:
    """The newest autosaved incident, or None."""
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A bundle file opened for reading; what is wrong with it is said in one sentence."""
    try:
        mode = path.stat().st_mode  # looked at first: to open a pipe would wait for its writer
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise BundleProblem(f"{path} is {kind}; name a .halfawake file.")
        stream = path.open("rb")
    except OSError as error:
        raise BundleProblem(f"{path} cannot be opened: {_why(error)}.") from None
    with stream:
        try:
            yield stream
        except BundleProblem as problem:
            raise BundleProblem(f"{path}: {problem}.") from None
        except OSError as error:
            raise BundleProblem(f"{path} cannot be read: {_why(error)}.") from None


def _why(error: OSError) -> str:
    """The system's words, and what to do where that is known."""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{error.strerror or error}{remedy}"
