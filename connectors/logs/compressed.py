"""Decompressed gzip and zstd streams, block by block; a damaged end costs only what it damaged."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from timeline.problems import BadAnswer, MissingDriver

READ_BYTES = 256 * 1024
"""Compressed bytes per step."""
GZIP_WINDOW = 31
"""zlib's `wbits` for a gzip header around the widest window."""


class _Inflater(Protocol):
    """What zlib's and zstandard's decompression objects have in common; one per stream member."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def decompressed(path: str) -> Iterator[bytes]:
    """Decompressed blocks, in order.

    Raises `BadAnswer` after the last good block of a truncated or damaged stream, and
    `MissingDriver` for a zstd file when the library is not installed.
    """
    new_inflater, failure = _gzip() if path.endswith(".gz") else _zstd(path)
    good = 0
    with Path(path).open("rb") as raw:
        inflater, begun = new_inflater(), False
        pending = raw.read(READ_BYTES)
        while pending:
            try:
                block = inflater.decompress(pending)
            except failure as error:
                raise _damaged(path, good, raw.tell()) from error
            begun = True
            good += len(block)
            if block:
                yield block
            pending = b""
            if inflater.eof:  # members may follow one another, as `cat a.gz b.gz` leaves them
                pending = inflater.unused_data.lstrip(b"\0")
                inflater, begun = new_inflater(), False
            pending = pending or raw.read(READ_BYTES)
        if begun:
            raise _damaged(path, good, raw.tell())


def head_of(path: str, count: int) -> bytes:
    """The first `count` decompressed bytes, or fewer."""
    head = b""
    try:
        for block in decompressed(path):
            head += block
            if len(head) >= count:
                break
    except BadAnswer:
        pass  # what was good serves as a sample; the full read tells of the damage
    return head[:count]


def _gzip() -> tuple[Callable[[], _Inflater], type[Exception]]:
    return lambda: zlib.decompressobj(GZIP_WINDOW), zlib.error


def _zstd(path: str) -> tuple[Callable[[], _Inflater], type[Exception]]:
    try:
        import zstandard
    except ImportError as error:
        raise MissingDriver(
            "Reading .zst files needs the zstandard package",
            where=path,
            remedy='Install it: pip install "halfawake[all]".',
        ) from error
    return lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError


def _damaged(path: str, good: int, position: int) -> BadAnswer:
    return BadAnswer(
        f"The compressed file ends too early or is damaged; {good:,} bytes of text before that "
        "were kept",
        where=f"{path}, near byte {position:,}",
        remedy="Copy the file again; it may still have been written.",
    )
