"""The files named on the command line: which of them are logs, and which are notes of people.

A FILE counts as notes only when its content leaves no doubt (a Slack export, events of GitLab, a
Markdown list of times); `--notes FILE` says so of any other. Standard library only, a look at the
beginning of each file: it happens before the screen is painted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.cli import UsageProblem

if TYPE_CHECKING:
    from halfawake.setup import PreparedSource, Setup

UNDOUBTED = frozenset([".zip", ".json", ".md", ".markdown", ".notes"])
"""Suffixes of files that are looked into; a folder is looked into as well."""


@dataclass(frozen=True, slots=True)
class Named:
    """What was named. `by_files` is False when a configured environment is to be asked instead."""

    logs: tuple[Path, ...]
    notes: tuple[Path, ...]
    by_files: bool


def named_files(arguments: argparse.Namespace) -> Named:
    """Tell logs and notes apart. Raises `UsageProblem` for a file that is not there."""
    paths = [Path(name) for name in arguments.files]
    told = [Path(name) for name in getattr(arguments, "notes", None) or ()]
    missing = [path for path in (*paths, *told) if not path.exists() and not is_glob(path)]
    if missing:
        raise UsageProblem(f"There is no file {missing[0]}.")
    found = [path for path in paths if _is_notes(path)]
    logs = tuple(path for path in paths if path not in found)
    return Named(logs, (*found, *told), bool(paths))


def with_notes(
    prepare: Callable[[], Setup], notes: Sequence[Path], zone: str | None
) -> Callable[[], Setup]:
    """`prepare` with a source for each file of notes behind its own."""
    if not notes:
        return prepare

    def extended() -> Setup:
        setup = prepare()
        taken = {source.info.name for source in setup.sources}
        return replace(setup, sources=(*setup.sources, *_sources(notes, zone, taken, setup)))

    return extended


def is_glob(path: Path) -> bool:
    """Whether a name is a pattern, which the reader of logs expands."""
    return any(sign in str(path) for sign in "*?[")


def _is_notes(path: Path) -> bool:
    if path.suffix.lower() not in UNDOUBTED and not path.is_dir():
        return False
    from connectors.notes.recognised import is_certain

    return is_certain(path)


def _sources(
    notes: Sequence[Path], zone: str | None, taken: set[str], setup: Setup
) -> list[PreparedSource]:
    from halfawake.setup import notes_source

    made = []
    for path in notes:
        stem = path.stem if not path.is_dir() else path.resolve().name
        name = next(one for one in (stem, f"{stem} notes", str(path)) if one not in taken)
        taken.add(name)
        made.append(notes_source(name, path, zone, setup.key_rules))
    return made
