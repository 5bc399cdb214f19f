"""The first rows: up to 200 events around T, by the standard library alone, in a millisecond or so.

Called by the command line before anything heavy is imported. It reads a few blocks of each plain
file, whatever its size. Compressed files, CSV exports, JSON arrays, UTF-16 text and files that are
not in time order are left to the full load; so is every remark: a preview says nothing about what
is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from connectors.logs.csvhead import looks_like_csv
from connectors.logs.dialect import Dialect
from connectors.logs.formats import CSV
from connectors.logs.locate import OpenLog, dialect_of, lower_bound
from connectors.logs.members import SEQ_MEMBER_BITS, members_of, stem_of
from connectors.logs.record import Place, Record, event_of, records_in
from connectors.logs.wholefile import shape_of_text
from connectors.logs.zones import ZoneRule
from timeline.batch import PREVIEW_ROWS, Preview
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.problems import SourceProblem
from timeline.window import Window

SIDE_ROWS = 64
"""Records of one file on either side of T; more would be off the screen."""
FIRST_REACH_BYTES = 32 * 1024
MOST_REACH_BYTES = 1024 * 1024
"""How far from T rows are looked for on either side before fewer rows must do."""
SHAPE_BYTES = 4 * 1024
"""Enough to see a byte order mark or the bracket that opens an array."""

Dated: TypeAlias = tuple[int, Record]
"""A record with its time in ns UTC."""


def preview_files(
    source: str,
    paths: Sequence[str],
    window: Window,
    *,
    zone: str | None = None,
    service: str | None = None,
    format_name: str | None = None,
    key_rules: KeyRules | None = None,
) -> Preview:
    """Up to `PREVIEW_ROWS` events of the files nearest the pinned instant, in time order.

    Files that cannot be read are passed over: the full load names them. ValueError when the zone
    is not one.
    """
    rule = ZoneRule.named(zone)
    found: list[Event] = []
    try:
        members = members_of(paths).files
    except SourceProblem:
        members = ()
    for number, member in enumerate(members):
        if member.compressed or format_name == CSV:
            continue
        place = Place(
            source, member.path, number << SEQ_MEMBER_BITS, service or "", stem_of(member.path)
        )
        try:
            found += _of_file(place, window, rule, format_name, key_rules or KeyRules())
        except OSError:
            continue
    nearest = sorted(found, key=lambda event: abs(event.timestamp - window.pin))[:PREVIEW_ROWS]
    nearest.sort(key=lambda event: (event.timestamp, event.seq))
    return Preview(source, tuple(nearest))


def open_log(path: str) -> tuple[OpenLog, int]:
    """Open a plain file and tell its mtime (epoch seconds). The caller closes the descriptor."""
    fd = os.open(Path(path), os.O_RDONLY | os.O_CLOEXEC)
    stat = os.fstat(fd)
    return OpenLog(fd, stat.st_size), int(stat.st_mtime)


def _of_file(
    place: Place, window: Window, zone: ZoneRule, format_name: str | None, key_rules: KeyRules
) -> list[Event]:
    log, mtime = open_log(place.file)
    try:
        if format_name is None and looks_like_csv(_first_lines(log)):
            return []
        if not shape_of_text(log.read(0, SHAPE_BYTES)).ordinary:
            return []
        dialect = dialect_of(log, zone, mtime, format_name)
        if not dialect.known:
            return []
        middle = lower_bound(log, dialect, window.pin)
        records = [*_before(log, dialect, middle, window), *_after(log, dialect, middle, window)]
        return [event_of(record, stamp, place, key_rules, dialect) for stamp, record in records]
    finally:
        os.close(log.fd)


def _first_lines(log: OpenLog) -> list[str]:
    return [line for _, line in islice(log.lines(0, log.size), 20)]


def _before(log: OpenLog, dialect: Dialect, middle: int, window: Window) -> list[Dated]:
    """The last `SIDE_ROWS` records of the window that begin before `middle`.

    A record from before the window ends the search: what stands before it is older still.
    """
    reach = FIRST_REACH_BYTES
    while True:
        begin = max(0, middle - reach)
        dated = list(_dated(log, dialect, (begin, middle)))
        inside = [pair for pair in dated if window.contains(pair[0])]
        too_old = bool(dated) and dated[0][0] < window.start
        if len(inside) >= SIDE_ROWS or too_old or begin == 0 or reach >= MOST_REACH_BYTES:
            return inside[-SIDE_ROWS:]
        reach *= 4


def _after(log: OpenLog, dialect: Dialect, middle: int, window: Window) -> list[Dated]:
    """The first `SIDE_ROWS` records of the window that begin at `middle` or after."""
    span = (middle, min(log.size, middle + MOST_REACH_BYTES))
    inside = (pair for pair in _dated(log, dialect, span) if window.contains(pair[0]))
    return list(islice(inside, SIDE_ROWS))


def _dated(log: OpenLog, dialect: Dialect, span: tuple[int, int]) -> Iterator[Dated]:
    for record in records_in(log.lines(*span), dialect):
        if record.line.stamp.ns is not None:
            yield record.line.stamp.ns, record
