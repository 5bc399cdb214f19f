"""Bundles as files: opened, written with care for the file system, autosaved and expired.

A bundle holds production data, so it is written with mode 0600 and the autosaved ones are
removed after `KEEP_DAYS`. What stands in a bundle is `timeline.bundle`'s business.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from timeline.bundle import BundleProblem, read_preview, read_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.batch import Preview
    from timeline.incident import Incident
    from timeline.progress import SourceStatus
    from timeline.window import Window

SUFFIX = ".halfawake"
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
    with _opened(path) as stream:
        return read_window(stream)


def save_bundle(path: Path, incident: Incident, statuses: Sequence[SourceStatus]) -> None:
    """Write `path` in one step (a half-written bundle never stands there), mode 0600."""
    from timeline.bundle import write_bundle

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            write_bundle(stream, incident, tuple(statuses))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def autosave_folder() -> Path:
    """Where incidents are kept for the morning after."""
    from platformdirs import user_state_path

    return user_state_path("halfawake") / "incidents"


def autosave(incident: Incident, statuses: Sequence[SourceStatus], folder: Path) -> Path:
    """Keep this incident under a name made of its instant; drop what has expired."""
    from datetime import UTC, datetime

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    instant = datetime.fromtimestamp(incident.window.pin / 1e9, UTC)
    name = "-".join(part for part in (f"{instant:%Y%m%dT%H%M%SZ}", incident.environment) if part)
    path = folder / f"{name.replace('/', '_')}{SUFFIX}"
    save_bundle(path, incident, statuses)
    expire(folder)
    return path


def expire(folder: Path) -> None:
    """Remove autosaved incidents older than `KEEP_DAYS`."""
    oldest = time.time() - KEEP_DAYS * 86_400
    for path in folder.glob(f"*{SUFFIX}"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def last_autosaved(folder: Path) -> Path | None:
    """The newest autosaved incident, or None."""
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A bundle file opened for reading; its absence is said in one sentence."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BundleProblem(f"{path} cannot be opened: {error.strerror}.") from None
    with stream:
        try:
            yield stream
        except BundleProblem as problem:
            raise BundleProblem(f"{path}: {problem}") from None
