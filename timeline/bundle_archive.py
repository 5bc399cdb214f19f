"""The ZIP around a bundle: members put in, and taken out of a file that nobody vouches for.

Only stored members are read, whole and never more of them than they may hold, so that no file
unpacks to more than it is. Names outside the format are ignored: nothing is ever extracted. Every
problem is one sentence that ends in what to do.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from timeline.plain_json import Mismatch

MANIFEST, PREVIEW = "manifest.json", "preview.json"
EVENTS, KEYS, UNDATED = "events.parquet", "keys.parquet", "undated.parquet"
COUNTS = "counts.parquet"
"""Only where a source was counted."""
LESSER = {
    UNDATED: "records without a time are left out",
    COUNTS: "what engines counted is left out, so a stretch that was only counted looks silent",
}
"""Tables without which the others still make sense, and what their loss means."""
MOST_BYTES: dict[str, int] = {
    MANIFEST: 16 * 2**20,
    PREVIEW: 16 * 2**20,
    EVENTS: 4 * 2**30,
    KEYS: 4 * 2**30,
    UNDATED: 2**30,
    COUNTS: 2**30,
}
"""The most that a member may claim to hold: of tables ten times what ten million events need, of
JSON a hundred times the largest that was seen (JSON takes thirty times its bytes in memory)."""
MOST_MEMBERS = 64
MOST_DIRECTORY_BYTES = 64 * 2**10
"""Of the list of members at the end; what a bundle writes takes less than 1 kB."""

COPY_AGAIN = "copy it again from where it was made"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest stamp a ZIP can carry
_LOCAL_HEADER = b"PK\x03\x04"

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LONGEST_COMMENT = 0xFFFF
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
"""End records as PKWARE's APPNOTE.TXT 6.3 lays them out in 4.3.14 to 4.3.16."""


class BundleProblem(ValueError):
    """The file cannot be read as a bundle; the message is one sentence for the person."""


def put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Store one member; equal content gives equal bytes."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system, entry.external_attr = 3, 0o600 << 16
    archive.writestr(entry, content)


@contextmanager
def opened(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever is wrong with it leaves as a `BundleProblem`."""
    try:
        _look_at_the_end(stream)
        with zipfile.ZipFile(stream) as archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise _too_many()
            yield archive
    except BundleProblem:
        raise
    except (zipfile.BadZipFile, EOFError, struct.error) as error:
        raise BundleProblem(
            f"this is no halfawake bundle, or it is damaged ({error}); {COPY_AGAIN}"
        ) from None
    except Mismatch as error:
        raise BundleProblem(f"the bundle is damaged: {error}; {COPY_AGAIN}") from None
    except MemoryError:
        raise BundleProblem(
            "the bundle needs more memory than there is; open it elsewhere"
        ) from None
    except (ValueError, NotImplementedError, RecursionError, RuntimeError, OverflowError) as error:
        raise BundleProblem(f"the bundle cannot be read ({error}); {COPY_AGAIN}") from None


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a stored member, never more than it may hold."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise BundleProblem(f"the bundle is damaged: {name} is missing; {COPY_AGAIN}") from None
    if Counter(archive.namelist())[name] > 1:
        raise BundleProblem(f"the bundle is damaged: it holds {name} twice; {COPY_AGAIN}")
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise BundleProblem(
            f"{name} is compressed; halfawake writes and reads stored members only: {COPY_AGAIN}, "
            "or zip it anew without compression (zip -0)"
        )
    if entry.file_size > MOST_BYTES[name]:
        size = f"{entry.file_size:,} bytes"
        raise BundleProblem(
            f"{name} claims {size}; at most {MOST_BYTES[name]:,} are read: capture a shorter window"
        )
    if archive.fp is None or entry.header_offset + entry.file_size > _size(archive.fp):
        raise BundleProblem(f"the bundle is damaged: {name} was cut short; {COPY_AGAIN}")
    return archive.read(entry)


def _size(stream: IO[bytes]) -> int:
    place = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(place)
    return size


def _look_at_the_end(stream: BinaryIO) -> None:
    """Refuse before the list of members is read: `zipfile` keeps all of it, however long it is."""
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        raise BundleProblem(f"this is no halfawake bundle: the file is empty; {COPY_AGAIN}")
    stream.seek(max(size - _END.size - _LONGEST_COMMENT, 0))
    tail = stream.read()
    at = tail.rfind(_END_SIGNATURE)
    stream.seek(0)
    if at < 0 or len(tail) - at < _END.size:
        if stream.read(4) != _LOCAL_HEADER:
            raise BundleProblem(
                "this is no halfawake bundle, which is a ZIP file; a log is read with "
                "halfawake at TIME FILE"
            )
        raise BundleProblem(
            f"this is no halfawake bundle, or it was cut short: its end is missing; {COPY_AGAIN}"
        )
    members, length = _END.unpack_from(tail, at)[4:6]
    if (long := _end_64(stream, size, size - len(tail) + at)) is not None:
        members, length = max(members, long[0]), max(length, long[1])
    if members > MOST_MEMBERS or length > MOST_DIRECTORY_BYTES:
        raise _too_many()


def _end_64(stream: BinaryIO, size: int, end: int) -> tuple[int, int] | None:
    """Members and bytes of the list as the end record of a long archive claims them."""
    at = end - _LOCATOR.size
    if at < 0:
        return None
    stream.seek(at)
    signature, _, place, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if signature != b"PK\x06\x07":
        return None
    if place + _END_64.size > size:
        raise zipfile.BadZipFile("the end of a long archive is missing")
    stream.seek(place)
    record = _END_64.unpack(stream.read(_END_64.size))
    return record[7], record[8]


def _too_many() -> BundleProblem:
    return BundleProblem(
        f"this is no halfawake bundle: it has more than {MOST_MEMBERS} members, and no bundle has"
    )
