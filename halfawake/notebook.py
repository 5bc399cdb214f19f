"""The file that a note goes into: which one it is, and how one line is added to it.

Appending is one write under a lock, so that two people on one machine never mix their lines and a
full disk leaves no half of one. Only files that look like notes are written to: a configuration
that came with a checkout must not turn a note into a line of somebody's shell start-up.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from halfawake.config import ConfigProblem, find_config
from timeline.clean import clean
from timeline.window import SECOND_NS

CONNECTOR = "notes"
FILE_NAME = "notes.md"
MODE = 0o600
"""Notes of an incident name customers; they are nobody else's business."""

INDENT = "    "
"""Before further lines of a note: so deep, none of them is read as a heading or a new note."""


class NotebookProblem(Exception):
    """The note could not be written; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """Where notes go. `remark` says why it is not where the person may expect it.

    `source` and `zone` are those of the configuration, if it is `configured` there; `read_from`
    are all paths of that source, of which `path` is the one that is written to.
    """

    path: Path
    remark: str = ""
    source: str = "notes"
    zone: str = ""
    read_from: tuple[str, ...] = ()
    configured: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One note: an instant (ns UTC), its text and its writer."""

    instant: int
    text: str
    who: str
    to_the_second: bool

    @property
    def stamp(self) -> str:
        """`2026-03-14T02:20:11Z`, or without its seconds where none were given."""
        form = "%Y-%m-%dT%H:%M:%SZ" if self.to_the_second else "%Y-%m-%dT%H:%MZ"
        return datetime.fromtimestamp(self.instant // SECOND_NS, UTC).strftime(form)

    def as_text(self) -> str:
        """A line of a Markdown list; further lines of the text are indented below it."""
        who = clean(self.who).translate({ord("["): "(", ord("]"): ")"}).strip()
        first, *further = [clean(part).strip() for part in self.text.splitlines()] or [""]
        head = f"- {self.stamp} {f'[{who}] ' if who else ''}{first}"
        return "\n".join([head, *(f"{INDENT}{part}" for part in further if part)])

    def as_json(self) -> str:
        """An object of JSON lines."""
        told = {"time": self.stamp, "who": clean(self.who), "text": clean(self.text)}
        return json.dumps({k: v for k, v in told.items() if v}, ensure_ascii=False)


def notebook_for(config: Path | None, environment: str | None, source: str | None) -> Notebook:
    """The file of the environment's notes, else the person's own.

    Raises `NotebookProblem` only for an environment or source that was named and is not there.
    """
    from platformdirs import user_config_path, user_data_path

    own = user_data_path("halfawake") / FILE_NAME
    try:
        path = find_config(config, Path.cwd(), user_config_path("halfawake"))
        data = tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
    except ConfigProblem as problem:
        raise NotebookProblem(str(problem)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Notebook(own, f"the configuration cannot be read ({error}); your own notes are used")
    name, sources = _environment(data, environment)
    holding = {
        key: value
        for key, value in sources.items()
        if isinstance(value, dict) and value.get("connector") == CONNECTOR
    }
    if source is not None and source not in holding:
        known = ", ".join(holding) or "none"
        raise NotebookProblem(f"No source {source!r} holds notes; there is {known}.")
    for key, settings in holding.items():
        if source in (None, key) and (target := _target(settings.get("paths"))) is not None:
            listed = tuple(_writable(settings.get("paths")))
            zone = str(settings.get("zone", ""))
            return Notebook(target, "", key, zone, listed, configured=True)
    return Notebook(own, _how_to_show(own, name) if path is not None else "")


def login_name() -> str:
    """Who writes a note, as the machine knows them; empty when it does not."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return ""


def append(path: Path, line: Line) -> str:
    """Add the note to the end of the file, made if need be; returns what was written."""
    from connectors.notes.files import SUFFIXES

    target = path.resolve()  # what a link leads to must look like notes as well
    if target.suffix.lower() not in SUFFIXES:
        raise NotebookProblem(
            f"{path} does not look like notes, so nothing was written. "
            f"Notes go to files that end in {', '.join(SUFFIXES)}."
        )
    text = line.as_json() if target.suffix.lower() == ".jsonl" else line.as_text()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _append(target, text)
    except OSError as error:
        raise NotebookProblem(
            f"The note was not written: {error.strerror or error} ({path}). It was: {text}"
        ) from None
    return text


def _append(path: Path, text: str) -> None:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    file = os.open(path, flags, MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file).st_size
        ends = size == 0 or os.pread(file, 1, size - 1) == b"\n"
        data = f"{'' if ends else chr(10)}{text}\n".encode("utf-8", "replace")
        if os.write(file, data) != len(data):
            os.ftruncate(file, size)
            raise OSError(28, "the disk is full")
        os.fsync(file)
    finally:
        os.close(file)


def _environment(data: dict[str, object], name: str | None) -> tuple[str, dict[str, object]]:
    """Name and sources of the environment that was asked for, is the default, or the only one."""
    environments = data.get("env")
    known = environments if isinstance(environments, dict) else {}
    if name is not None and name not in known:
        listed = ", ".join(known) or "none"
        raise NotebookProblem(f"No environment {name!r} is configured; there is {listed}.")
    chosen = name or data.get("default_env") or (next(iter(known)) if len(known) == 1 else "")
    one = known.get(chosen)
    sources = one.get("sources") if isinstance(one, dict) else None
    return str(chosen), sources if isinstance(sources, dict) else {}


def _target(paths: object) -> Path | None:
    """The first path that a note can be added to; in a folder, one file for each day (UTC)."""
    for written in _writable(paths):
        if any(sign in written for sign in "*?["):
            continue
        path = Path(os.path.expandvars(written)).expanduser()
        if path.is_dir() or written.endswith("/"):
            return path / f"{datetime.now(UTC):%Y-%m-%d}.md"
        return path
    return None


def _writable(paths: object) -> list[str]:
    """The paths without what a tool exported: that is read and never added to."""
    from connectors.notes.recognised import is_slack_folder

    exported = (".zip", ".json")
    return [
        written
        for written in (paths if isinstance(paths, list) else ())
        if isinstance(written, str)
        and not written.lower().endswith(exported)
        and not is_slack_folder(Path(os.path.expandvars(written)).expanduser())
    ]


def _how_to_show(own: Path, environment: str) -> str:
    name = environment or "NAME"
    return (
        "no source of this environment holds notes. To see this one on the screen, add "
        f'[env.{name}.sources.notes] with connector = "notes" and paths = ["{own}"]'
    )
