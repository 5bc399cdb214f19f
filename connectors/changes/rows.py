"""The rows of a deployment table as texts by name: CSV with or without a header, JSON, JSON lines.

A row that cannot be read is counted and costs no other. Standard library only.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from connectors.logs.jsonshape import JsonValue
from connectors.logs.zones import ZoneRule
from connectors.written_times import read_written
from timeline.problems import AccessRefused, Misconfigured

Row: TypeAlias = dict[str, str]
MOST_BYTES = 16 * 1024 * 1024
"""Of one file; of a larger one the newest rows are read, which tools append at the end."""
MOST_ROWS = 200_000
DELIMITERS = ",;\t|"
_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Rows:
    """What one file holds. `rows` carry their number, from 1."""

    rows: list[tuple[int, Row]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    broken: int = 0
    first_broken: int = 0
    cut: str = ""
    bytes_read: int = 0

    def refuse(self, number: int) -> None:
        """Count a row that cannot be read."""
        self.broken += 1
        self.first_broken = self.first_broken or number


def rows_of(path: Path) -> Rows:
    """Read one file. Raises `SourceProblem` when it cannot be opened at all."""
    found = Rows()
    raw = _content(path, found)
    text = raw.decode("utf-8", "replace").replace("\0", "\ufffd")
    begin = text.lstrip()
    if begin.startswith(("[", "{")):
        for number, value in _objects(text, found):
            if len(found.rows) == MOST_ROWS:
                found.cut = f"only the first {MOST_ROWS:,} rows were read"
                break
            found.rows.append((number, {name: _word(item) for name, item in value.items()}))
        names = dict.fromkeys(name for _, row in found.rows for name in row)
        found.columns = tuple(names)
    elif begin:
        _read_csv(text, found)
    return found


def _content(path: Path, found: Rows) -> bytes:
    if path.exists() and not path.is_file():  # a pipe would never end
        raise Misconfigured("This is no file", where=str(path), remedy="Name a file in deploys.")
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            raw = file.read(MOST_BYTES).removeprefix(_MARK)
            if size > MOST_BYTES:
                header = raw.partition(b"\n")[0]
                file.seek(size - MOST_BYTES)
                tail = file.read(MOST_BYTES).partition(b"\n")[2]
                raw = tail if header.lstrip().startswith(b"{") else header + b"\n" + tail
                found.cut = f"{path.name} is large: its last {MOST_BYTES // 2**20} MB were read"
    except FileNotFoundError:
        raise Misconfigured(
            "There is no such file", where=str(path), remedy="Correct deploys."
        ) from None
    except PermissionError:
        raise AccessRefused(
            "The file may not be read", where=str(path), remedy="Ask for read access to it."
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"The file cannot be read: {error.strerror}", where=str(path), remedy="Name a file."
        ) from None
    found.bytes_read = len(raw)
    return raw


def _objects(text: str, found: Rows) -> Iterator[tuple[int, dict[str, JsonValue]]]:
    """The objects of a list, of a list inside an object, or of lines."""
    try:
        whole: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if whole is None:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip(" \t[],"):
                yield from _object_of(line.strip().rstrip(","), number, found)
        return
    listed = whole if isinstance(whole, list) else _inner_list(whole)
    for number, item in enumerate(listed, 1):
        if isinstance(item, dict):
            yield number, item
        else:
            found.refuse(number)


def _object_of(line: str, number: int, found: Rows) -> Iterator[tuple[int, dict[str, JsonValue]]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        yield number, value
    else:
        found.refuse(number)


def _inner_list(whole: JsonValue) -> list[JsonValue]:
    """`{"deploys": [...]}`, or one object alone."""
    if not isinstance(whole, dict):
        return []
    lists = [item for item in whole.values() if isinstance(item, list)]
    return lists[0] if len(lists) == 1 and all(isinstance(i, dict) for i in lists[0]) else [whole]


def _word(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_csv(text: str, found: Rows) -> None:
    lines = text.splitlines(keepends=True)
    delimiter = max(DELIMITERS, key=lines[0].count)
    try:
        table = csv.reader(lines, delimiter=delimiter)
        first = next(table, [])
        found.columns = tuple(name.strip() for name in first)
        if _is_record(first):
            found.columns = _unnamed(first)
            found.rows.append((1, dict(zip(found.columns, first, strict=True))))
        for number, cells in enumerate(table, 2):
            if len(found.rows) == MOST_ROWS:
                found.cut = f"only the first {MOST_ROWS:,} rows were read"
                return
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(found.columns):
                found.refuse(number)
                continue
            found.rows.append((number, dict(zip(found.columns, cells, strict=False))))
    except csv.Error:  # a field larger than csv allows: a quote that never ends
        found.refuse(len(found.rows) + 2)


def _is_record(cells: Sequence[str]) -> bool:
    """Whether the first row holds a time already, and so is no header."""
    return any(read_written(cell, ZoneRule()).ns is not None for cell in cells)


def _unnamed(cells: Sequence[str]) -> tuple[str, ...]:
    """Names for a table without a header: the first time is the time, the first text says what."""
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        is_time = read_written(cell, ZoneRule()).ns is not None
        wanted = "time" if is_time else "what"
        names.append(wanted if wanted not in names else f"column {place}")
    return tuple(names)
