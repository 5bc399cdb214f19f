"""Find a stretch of time in a log file by bisection, reading a few blocks with `pread`.

Standard library only, because the first frame waits for it. No mmap (a truncated file would kill
the process) and never the whole file. Logs are only nearly sorted: callers ask for a target
`RESORT_MARGIN_NS` before (or after) the instant they want.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from connectors.logs.dialect import Dialect, decide
from connectors.logs.zones import ZoneRule

RESORT_MARGIN_NS = 30 * 1_000_000_000
"""How far a line may stand from its place in time before the file counts as unsorted: buffered
writers and threads are late by seconds, not by half a minute."""
LINEAR_BYTES = 16 * 1024
"""Below this distance lines are read one after another instead of bisecting further."""
BYTE_ORDER_MARK = "\ufeff"
BLOCK_BYTES = 8 * 1024
MOST_BLOCK_BYTES = 1024 * 1024
SAMPLE_BYTES = 16 * 1024
SAMPLE_LINES = 40
"""Lines looked at in each of the three places of a sample; enough to pass most stack traces."""
WIDE_SAMPLE_LINES = 1_000
"""Lines looked at when the small sample showed no format: a long banner, a long trace."""
WIDE_SAMPLE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class OpenLog:
    """An open plain log file. The descriptor is held, so rotation does not change what is read."""

    fd: int
    size: int
    """Bytes at opening; what is appended later belongs to the next question."""

    def read(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`, never past the size at opening."""
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        parts = []
        while count > 0:
            part = os.pread(self.fd, count, offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
            count -= len(part)
        return b"".join(parts)

    def lines(self, offset: int, end: int) -> Iterator[tuple[int, str]]:
        """(offset, text) of the lines that begin in `[offset, end)`; a torn first is skipped."""
        begin = self.line_start(offset)
        block, pending = BLOCK_BYTES, b""
        position = begin
        while begin < end:
            raw = self.read(position, block)
            position += len(raw)
            block = min(block * 2, MOST_BLOCK_BYTES)
            pending += raw
            complete, newline, pending = pending.rpartition(b"\n")
            if not raw:  # the last line has no line break
                complete, pending = pending, b""
            elif not newline:
                continue
            for line in complete.split(b"\n") if complete or newline else ():
                if begin >= end:
                    return
                yield begin, text_of(line)
                begin += len(line) + 1
            if not raw:
                return

    def line_start(self, offset: int) -> int:
        """The first byte at or after `offset` that begins a line; the size if there is none."""
        if offset <= 0:
            return 0
        at, block = offset - 1, BLOCK_BYTES
        while at < self.size:
            raw = self.read(at, block)
            if not raw:
                break
            newline = raw.find(b"\n")
            if newline >= 0:
                return at + newline + 1
            at += len(raw)
            block = min(block * 4, MOST_BLOCK_BYTES)
        return self.size


def text_of(line: bytes) -> str:
    """A line's text: bad UTF-8 replaced, without a byte order mark or a Windows line end."""
    return line.decode("utf-8", "replace").removesuffix("\r").removeprefix(BYTE_ORDER_MARK)


def dialect_of(log: OpenLog, zone: ZoneRule, mtime: int, declared: str | None) -> Dialect:
    """Decide the dialect from the head, the middle and the tail of the file."""
    dialect = decide(_sample(log, SAMPLE_BYTES, SAMPLE_LINES), zone, mtime, declared)
    if dialect.known:
        return dialect
    return decide(_sample(log, WIDE_SAMPLE_BYTES, WIDE_SAMPLE_LINES), zone, mtime, declared)


def _sample(log: OpenLog, reach: int, count: int) -> list[str]:
    found: list[str] = []
    for place in sorted({0, max(0, log.size // 2), max(0, log.size - reach)}):
        lines = log.lines(place, min(place + reach, log.size))
        found.extend(line for _, line in islice(lines, count))
    return found


def first_dated(log: OpenLog, dialect: Dialect, offset: int, end: int) -> tuple[int, int] | None:
    """(offset, ns) of the first dated line that begins in `[offset, end)`."""
    for at, line in log.lines(offset, end):
        stamp = dialect.stamp(line)
        if stamp is not None:
            return at, stamp
    return None


def last_dated(log: OpenLog, dialect: Dialect) -> tuple[int, int] | None:
    """(offset, ns) of the last dated line of the file."""
    reach, end = LINEAR_BYTES, log.size
    while end > 0:
        begin = max(0, end - reach)
        found = None
        for at, line in log.lines(begin, end):
            stamp = dialect.stamp(line)
            if stamp is not None:
                found = at, stamp
        if found is not None:
            return found
        end, reach = begin, min(reach * 4, MOST_BLOCK_BYTES)
    return None


def lower_bound(log: OpenLog, dialect: Dialect, target: int) -> int:
    """Offset of the first dated line not before `target` (ns) in a sorted file, else its size.

    In a nearly sorted file the answer is off by no more than the lines themselves are.
    """
    low, high = 0, log.size
    while high - low > LINEAR_BYTES:
        middle = (low + high) // 2
        found = first_dated(log, dialect, middle, high)
        if found is None or found[1] >= target:
            high = middle
        else:
            low = found[0]
    for at, line in log.lines(low, log.size):
        stamp = dialect.stamp(line)
        if stamp is not None and stamp >= target:
            return at
    return log.size


def record_start(log: OpenLog, dialect: Dialect, offset: int) -> int:
    """The first record that begins at or after `offset`, or the size."""
    for at, line in log.lines(offset, log.size):
        if dialect.begins(line):
            return at
    return log.size


def looks_sorted(log: OpenLog, dialect: Dialect, probes: int = 32) -> bool:
    """Whether evenly spread lines are in time order, up to the re-sort margin."""
    latest = None
    for number in range(probes):
        found = first_dated(log, dialect, log.size * number // probes, log.size)
        if found is None:
            continue
        if latest is not None and found[1] < latest - RESORT_MARGIN_NS:
            return False
        latest = found[1] if latest is None else max(latest, found[1])
    return True
