"""Is this text a CSV export, and which column holds the time? Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.logs.formats import STAMPS
from connectors.logs.textformat import words

TIME_COLUMNS = words(
    "timestamp @timestamp time ts datetime date created_at occurred_at logged_at log_time "
    "event_time inserted_at updated_at"
)
"""Names of time columns, best first; compared without case."""
_DELIMITERS = ",;\t"
_NAMES = re.compile("|".join(re.escape(name) for name in TIME_COLUMNS), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvHead:
    """The header row: delimiter, column names, and the one that holds the time."""

    delimiter: str
    columns: tuple[str, ...]
    time: str


def head_of_csv(first_line: str) -> CsvHead | None:
    """The header, if the line is one and names a time column."""
    line = first_line.removeprefix("\ufeff")
    if line.startswith("{") or not _NAMES.search(line):
        return None
    import csv  # most logs never come this far

    for delimiter in _DELIMITERS:
        columns = next(csv.reader([line], delimiter=delimiter), [])
        if len(columns) < 2 or len(set(columns)) < len(columns):
            continue
        lowered = {name.strip().lower(): name for name in columns}
        time = next((lowered[name] for name in TIME_COLUMNS if name in lowered), None)
        if time is not None:
            return CsvHead(delimiter, tuple(columns), time)
    return None


def looks_like_csv(lines: Sequence[str]) -> bool:
    """Whether the head of a file is a CSV export with a time where its header says so."""
    head = head_of_csv(lines[0]) if lines else None
    if head is None:
        return False
    import csv

    place = head.columns.index(head.time)
    rows = csv.reader(lines[1:20], delimiter=head.delimiter)
    return any(len(row) > place and _is_time(row[place]) for row in rows)


def _is_time(text: str) -> bool:
    return any(re.search(pattern, text) for pattern in STAMPS.values())
