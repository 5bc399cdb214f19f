"""Which files a source is made of: globs, directories and rotation sets, oldest first.

Names only suggest an order; the first stamp inside each file decides it. Standard library only.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from timeline.problems import AccessRefused, Misconfigured, SourceProblem, Unreachable

SEQ_MEMBER_BITS = 44
"""Byte offsets up to 16 TiB; the member's number stands above them in `seq`."""
MOST_MEMBERS = 4_096
"""Files of one source; a wider glob is a mistake worth saying."""
COMPRESSED_SUFFIXES = (".gz", ".zst")

_ROTATION = re.compile(r"(?:\.[0-9]{1,3}|[._-](?:[0-9]{8}(?:[-_.]?[0-9]{2,10})?|[0-9-]{10}))+$")
_CONTAINER_FILES = (
    re.compile(r"/pods/[a-z0-9.-]+_([a-z0-9.-]+)_[0-9a-f-]+/([a-z0-9.-]+)/[0-9]+\.log"),
    re.compile(r"/containers/([a-z0-9.-]+)_[a-z0-9.-]+_([a-z0-9.-]+)-[0-9a-f]{64}\.log"),
    re.compile(r"/containers/[0-9a-f]{64}/([0-9a-f]{12})[0-9a-f]{52}-json\.log"),
)
"""The kubelet's pod and container logs and docker's, whose paths name pod and container."""
_LOG_SUFFIXES = (".log", ".txt", ".json", ".jsonl", ".ndjson", ".csv", ".out", ".err")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a source. `family` is shared by the members of one rotation set."""

    path: str
    family: str
    compressed: bool


@dataclass(frozen=True, slots=True)
class Members:
    """The files found, and a problem for each name that led nowhere."""

    files: tuple[Member, ...]
    problems: tuple[SourceProblem, ...] = field(default=())


def members_of(paths: Sequence[str]) -> Members:
    """Expand files, globs and directories (one level) into members, by family and age."""
    found: dict[str, None] = {}
    problems: list[SourceProblem] = []
    for path in paths:
        try:
            found.update(dict.fromkeys(_expanded(path)))
        except SourceProblem as problem:
            problems.append(problem)
    if len(found) > MOST_MEMBERS:
        raise Misconfigured(
            f"{len(found)} files match, more than {MOST_MEMBERS}",
            where=", ".join(paths),
            remedy="Name a narrower pattern.",
        )
    files = [Member(path, family_of(path), path.endswith(COMPRESSED_SUFFIXES)) for path in found]
    files.sort(key=lambda member: (member.family, [-n for n in _age(member.path)], member.path))
    return Members(tuple(files), tuple(problems))


def family_of(path: str) -> str:
    """The name that a rotation set shares: `app.log` for `app.log.2.gz` and `app.log-20260314`."""
    folder, name = os.path.split(path)
    for suffix in COMPRESSED_SUFFIXES:
        name = name.removesuffix(suffix)
    stem = _ROTATION.sub("", name)
    for suffix in _LOG_SUFFIXES:  # app-2026-03-14.log
        if stem.endswith(suffix):
            stem = (_ROTATION.sub("", stem.removesuffix(suffix)) or stem) + suffix
    return str(Path(folder) / (stem or name))


def stem_of(path: str) -> str:
    """Who a file name says speaks: `web` for `/var/log/shop/web.log.1`, a pod's container."""
    for pattern in _CONTAINER_FILES:
        if (found := pattern.search(path)) is not None:
            return "/".join(found.groups())
    name = Path(family_of(path)).name
    for suffix in _LOG_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _age(path: str) -> list[int]:
    """Numeric rotation suffixes: `.2` is older than `.1`. Dates sort by the path itself."""
    name = path
    for suffix in COMPRESSED_SUFFIXES:
        name = name.removesuffix(suffix)
    match = re.search(r"\.([0-9]{1,3})$", name)
    return [int(match.group(1))] if match else [0]


def _expanded(path: str) -> list[str]:
    home = str(Path(path).expanduser()) if path.startswith("~") else path
    target = Path(home)
    if target.is_dir():
        return _in_directory(home)
    if target.is_file():
        return [home]
    if target.exists():
        raise Misconfigured(
            "This is a pipe or a device, not a file",
            where=path,
            remedy="Save its output to a file, or make it a command source.",
        )
    if glob.has_magic(home):
        names = glob.glob(home, recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern
        found = sorted(name for name in names if Path(name).is_file())
        if found:
            return found
        raise Misconfigured(
            "No file matches this pattern", where=path, remedy="Check the pattern and the folder."
        )
    raise Unreachable("There is no such file", where=path, remedy=_nearest(target))


def _in_directory(folder: str) -> list[str]:
    try:
        names = sorted(entry.path for entry in os.scandir(folder) if entry.is_file())
    except PermissionError as error:
        raise AccessRefused(
            "The folder may not be read", where=folder, remedy="Ask for read access to it."
        ) from error
    logs = [name for name in names if family_of(name).endswith(_LOG_SUFFIXES)]
    if not logs:
        raise Misconfigured(
            "The folder holds no log files",
            where=folder,
            remedy=f"Name files or a pattern; looked for {', '.join(_LOG_SUFFIXES)}.",
        )
    return logs


def _nearest(target: Path) -> str:
    folder = target.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if folder != target.parent:
        return f"The folder {target.parent} does not exist; {folder} does."
    return "Check the name; a pattern like *.log also works."
