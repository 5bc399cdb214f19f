"""Blocks of a decompressed (or piped) stream that begin and end at records, and cover a window.

A stream has no random access: blocks before the window are passed over by their first and last
stamps alone, and reading ends behind the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.logs.compressed import decompressed
from connectors.logs.dialect import Dialect
from connectors.logs.locate import text_of
from connectors.logs.plan import PIECE_BYTES
from connectors.logs.sources import OpenMember
from timeline.problems import BadAnswer


def window_blocks(member: OpenMember, early: int, late: int) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of the record-aligned blocks that may hold stamps in `[early, late]`."""
    for base, raw in record_blocks(decompressed(member.member.path), member.dialect):
        first, last = _outermost(raw, member.dialect)
        if last is not None and last < early:
            continue
        yield base, raw
        if first is not None and first > late:
            return


def record_blocks(
    pieces: Iterable[bytes], dialect: Dialect, size: int = PIECE_BYTES
) -> Iterator[tuple[int, bytes]]:
    """Regroup a byte stream into blocks of about `size` bytes that end before a record's start.

    When the stream fails, what was good is handed over before the failure is raised.
    """
    blocks = RecordBlocks(dialect, size)
    failure: BadAnswer | None = None
    try:
        for piece in pieces:
            yield from blocks.push(piece)
    except BadAnswer as problem:
        failure = problem
    yield from blocks.rest()
    if failure is not None:
        raise failure


class RecordBlocks:
    """Takes bytes as they come and gives them back in record-aligned blocks with their offsets."""

    def __init__(self, dialect: Dialect, size: int) -> None:
        self._dialect = dialect
        self._size = size
        self._wanted = size
        self._parts: list[bytes] = []
        self._held = 0
        self._base = 0

    def push(self, piece: bytes) -> list[tuple[int, bytes]]:
        """The block that `piece` completes, if it completes one."""
        self._parts.append(piece)
        self._held += len(piece)
        if self._held < self._wanted:
            return []
        raw = b"".join(self._parts)
        edge = _last_record(raw, self._dialect)
        self._parts, self._held = [raw[edge:]], len(raw) - edge
        if edge == 0:  # one record fills it all: look again when it has doubled
            self._wanted = 2 * len(raw)
            return []
        self._wanted = self._size
        block = (self._base, raw[:edge])
        self._base += edge
        return [block]

    def rest(self) -> list[tuple[int, bytes]]:
        """What is left when the stream has ended."""
        raw = b"".join(self._parts)
        self._parts, self._held = [], 0
        return [(self._base, raw)] if raw else []


def _last_record(raw: bytes, dialect: Dialect) -> int:
    """Offset of the last complete line in `raw` that begins a record; 0 if only the first does."""
    end = raw.rfind(b"\n") + 1
    while end > 0:
        start = raw.rfind(b"\n", 0, end - 1) + 1
        if dialect.begins(text_of(raw[start : end - 1])):
            return start
        end = start
    return 0


def _outermost(raw: bytes, dialect: Dialect) -> tuple[int | None, int | None]:
    """Stamps (ns) of the first and the last dated line of a block."""
    first = last = None
    start = 0
    while first is None and start < len(raw):
        end = raw.find(b"\n", start)
        end = len(raw) if end < 0 else end
        first = dialect.stamp(text_of(raw[start:end]))
        start = end + 1
    end = len(raw)
    while last is None and end > 0:
        start = raw.rfind(b"\n", 0, end) + 1
        last = dialect.stamp(text_of(raw[start:end]))
        end = start - 1
    return first, last
