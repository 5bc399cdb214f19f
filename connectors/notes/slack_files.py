"""Where the messages of a Slack export stand: a zip, a folder, a channel's folder, or one day.

Nothing is unpacked to the disk. Every file is bounded by its unpacked size, so that a small
archive cannot fill the memory; what is left out or broken is one sentence with file and place.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from connectors.logs.jsonshape import JsonValue
from connectors.notes.reading import Reading
from connectors.notes.recognised import DAY_FILE
from timeline.problems import AccessRefused, Misconfigured

MOST_DAY_BYTES = 64 * 1024 * 1024
"""Unpacked, of one day of one channel: a million messages."""
MOST_EXPORT_BYTES = 512 * 1024 * 1024
"""Unpacked, of everything that one reading takes."""
USERS = "users.json"
_PARENTS = 2
"""Folders above a day's file in which `users.json` may stand: the channel's and the export's."""


class Export(Protocol):
    """One opened export."""

    def users(self) -> JsonValue:
        """The content of `users.json`; None without one."""
        ...

    def days(self, wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
        """Channel and name of the files of all wanted days, by name."""
        ...

    def messages(self, member: str) -> list[JsonValue]:
        """The records of one file; none when it cannot be read, which is said."""
        ...


@contextmanager
def opened(path: Path, reading: Reading) -> Iterator[Export]:
    """The export at `path`. Raises `SourceProblem` when it cannot be opened at all."""
    try:
        if path.suffix.lower() != ".zip" or path.is_dir():
            yield _Files(path, reading)
            return
        with zipfile.ZipFile(path) as archive:
            yield _Archive(path, archive, reading)
    except PermissionError:
        raise AccessRefused(
            "The export may not be read", where=str(path), remedy="Ask for read access."
        ) from None
    except zipfile.BadZipFile as error:
        raise Misconfigured(
            f"The archive is broken ({error})", where=str(path), remedy="Download it again."
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"The export cannot be read: {error.strerror}", where=str(path), remedy="Name a file."
        ) from None


class _Parsing:
    """Bounded parsing, shared by both kinds of export."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._left = MOST_EXPORT_BYTES

    def parsed(self, name: str, raw: bytes) -> JsonValue:
        """The JSON value of a file; None when it holds none, which is said."""
        if len(raw) > MOST_DAY_BYTES:
            self._cut(name, f"is larger than {MOST_DAY_BYTES // 2**20} MB unpacked")
            return None
        self._left -= len(raw)
        self._reading.bytes_read += len(raw)
        if self._left < 0:
            self._cut(name, f"lies behind the first {MOST_EXPORT_BYTES // 2**20} MB unpacked")
            return None
        try:
            value: JsonValue = json.loads(raw)
        except json.JSONDecodeError as error:
            self._broken(name, f"line {error.lineno}, column {error.colno}: {error.msg}")
        except (ValueError, RecursionError) as error:
            self._broken(name, f"no JSON ({type(error).__name__})")
        else:
            return value
        return None

    def _cut(self, name: str, why: str) -> None:
        self._reading.cuts.append(f"{name} {why}; it was not read")

    def _broken(self, name: str, why: str) -> None:
        self._reading.problems.append(f"{name}, {why}")


def _records(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        value = value.get("messages")
    return value if isinstance(value, list) else []


def _channel_of(name: str) -> str:
    return name.rpartition("/")[0].rpartition("/")[2]


class _Archive(_Parsing):
    def __init__(self, path: Path, archive: zipfile.ZipFile, reading: Reading) -> None:
        super().__init__(reading)
        self._path, self._archive = path, archive

    def users(self) -> JsonValue:
        named = [name for name in self._archive.namelist() if name.rpartition("/")[2] == USERS]
        return self._value(min(named, key=len)) if named else None

    def days(self, wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
        return [
            (_channel_of(name), name)
            for name in sorted(set(self._archive.namelist()))
            if (found := DAY_FILE.search(name)) is not None and wanted(found["day"])
        ]

    def messages(self, member: str) -> list[JsonValue]:
        return _records(self._value(member))

    def _value(self, name: str) -> JsonValue:
        try:
            with self._archive.open(name) as file:
                raw = file.read(MOST_DAY_BYTES + 1)
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError, EOFError) as error:
            self._broken(f"{self._path.name}: {name}", str(error) or type(error).__name__)
            return None
        except Exception as error:  # zlib and others raise errors of their own for broken data
            self._broken(f"{self._path.name}: {name}", f"cannot be unpacked ({error})")
            return None
        return self.parsed(f"{self._path.name}: {name}", raw)


class _Files(_Parsing):
    def __init__(self, path: Path, reading: Reading) -> None:
        super().__init__(reading)
        self._path = path
        self._root = path if path.is_dir() else path.parent

    def users(self) -> JsonValue:
        folder = self._root
        for _ in range(_PARENTS):
            if (folder / USERS).is_file():
                return self._value(folder / USERS)
            folder = folder.parent
        return None

    def days(self, wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
        if not self._path.is_dir():
            named = DAY_FILE.search(self._path.name)
            return [(self._channel(), self._path.name)] if not named or wanted(named["day"]) else []
        files = sorted([*self._path.glob("*.json"), *self._path.glob("*/*.json")])
        return [
            (self._channel() if file.parent == self._path else file.parent.name,
             str(file.relative_to(self._path)))
            for file in files
            if (found := DAY_FILE.search(file.name)) is not None and wanted(found["day"])
        ]  # fmt: skip

    def messages(self, member: str) -> list[JsonValue]:
        return _records(self._value(self._root / member))

    def _channel(self) -> str:
        return self._root.resolve().name

    def _value(self, path: Path) -> JsonValue:
        try:
            with path.open("rb") as file:
                raw = file.read(MOST_DAY_BYTES + 1)
        except OSError as error:
            self._broken(path.name, error.strerror or type(error).__name__)
            return None
        return self.parsed(str(path.relative_to(self._root.parent)), raw)
