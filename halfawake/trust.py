"""Commands in a project's configuration run only after the person has seen them once.

A `halfawake.toml` in the working folder may come with a checkout. Its `via`, `password_command`
and `command` sources are shown and asked about; the answer is kept per file and exact commands.
The configuration in the user's own folder needs no question.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from halfawake.config import ConfigProblem, EnvironmentConfig
from halfawake.plugins import UnknownPlugin, connector_class
from timeline.clean import clean


def commands_in(environment: EnvironmentConfig) -> tuple[str, ...]:
    """Every command line the sources of an environment would run, sorted."""
    found: set[str] = set()
    for settings in environment.sources.values():
        found.update(_words(settings.via), _words(settings.password_command))
        for option in _running_options(settings.connector):
            found.update(_words(settings.options.get(option)))
    return tuple(sorted(found))


def ensure_trusted(path: Path, commands: Sequence[str], state: Path) -> None:
    """Return if the person has agreed to `commands` of `path`, asking once on a terminal.

    Raises `ConfigProblem` when the answer is no or nobody can be asked.
    """
    if not commands:
        return
    known = _read(state)
    digest = hashlib.sha256("\0".join((str(path.resolve()), *commands)).encode()).hexdigest()
    if digest in known:
        return
    listed = "".join(f"    {clean(command)}\n" for command in commands)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigProblem(
            f"{path} wants to run commands that nobody has agreed to yet:\n{listed}"
            "Run halfawake once in a terminal to look at them and agree."
        )
    sys.stderr.write(f"{path} wants to run:\n{listed}Run these, now and from now on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigProblem(f"The commands of {path} were not agreed to; nothing was run.")
    state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    state.write_text(json.dumps(sorted({*known, digest})), encoding="utf-8")


def _running_options(connector: str) -> tuple[str, ...]:
    """Options of a connector that name a program; none for a connector that cannot be loaded."""
    try:
        return tuple(getattr(connector_class(connector), "runs", ()))
    except (UnknownPlugin, ImportError):  # said when the source is prepared
        return ()


def _read(state: Path) -> frozenset[str]:
    try:
        return frozenset(json.loads(state.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()


def _words(command: object) -> tuple[str, ...]:
    if isinstance(command, str):
        return (command,)
    if isinstance(command, (list, tuple)):
        return (" ".join(str(word) for word in command),)
    return ()
