"""Files whose records are no lines of UTF-8: a JSON array, UTF-16 text, an export of the journal.

None can be bisected, so they are read from the beginning up to the budget. Offsets stay those
of the bytes on disk. `shape_of_text` uses the standard library alone; the rest loads Polars.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from connectors.logs.journal import export_entries, is_export

if TYPE_CHECKING:
    import polars as pl

MARKS: tuple[tuple[bytes, str], ...] = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
"""Byte order marks (Unicode 15, section 23.8); PowerShell's `>` writes the first."""
UNIT_BYTES = 2
_UTF8_MARK = b"\xef\xbb\xbf"
_SPACE = " \t\r\n"
MOST_DAMAGED = 100
"""Damaged objects passed over one by one; each may cost a scan of all that follows it."""


@dataclass(frozen=True, slots=True)
class TextShape:
    """How the bytes of such a file make records."""

    encoding: str = "utf-8"
    mark_bytes: int = 0
    array: bool = False
    export: bool = False
    """`journalctl -o export`: blocks of fields, some of them binary."""

    @property
    def ordinary(self) -> bool:
        """Whether it is UTF-8 in lines, and so no business of this module."""
        return self.encoding == "utf-8" and not self.array and not self.export

    def text(self, raw: bytes) -> str:
        """The text after the byte order mark; what cannot be decoded becomes U+FFFD."""
        return raw[self.mark_bytes :].decode(self.encoding, "replace")

    def byte_length(self, text: str) -> int:
        """Bytes that a piece of decoded text takes on disk (exact where nothing was damaged)."""
        return len(text.encode(self.encoding, "replace"))


ORDINARY = TextShape()


def shape_of_text(head: bytes) -> TextShape:
    """What the first bytes of a file (or of a decompressed stream) say."""
    encoding, mark = "utf-8", len(_UTF8_MARK) if head.startswith(_UTF8_MARK) else 0
    for octets, name in MARKS:
        if head.startswith(octets):
            encoding, mark = name, len(octets)
    if is_export(head):
        return TextShape(export=True)
    shape = TextShape(encoding, mark)
    begin = shape.text(head).lstrip(_SPACE)
    array = begin.startswith("[") and begin[1:].lstrip(_SPACE).startswith("{")
    return TextShape(encoding, mark, array)


def lines_of_whole(raw: bytes, shape: TextShape) -> tuple[pl.DataFrame, int]:
    """Columns `text` and `offset` of the records or lines, and how many held damaged text."""
    if shape.export:
        return _exported(raw)
    return _objects(raw, shape) if shape.array else _wide_lines(raw, shape)


def _exported(raw: bytes) -> tuple[pl.DataFrame, int]:
    import polars as pl

    entries = list(export_entries(raw))
    frame = pl.DataFrame(
        {
            "text": pl.Series([text for _, text in entries], dtype=pl.String),
            "offset": pl.Series([offset for offset, _ in entries], dtype=pl.UInt64),
        }
    )
    return frame, int(frame["text"].str.contains("\ufffd", literal=True).sum())


def sample_of_whole(raw: bytes, shape: TextShape, count: int) -> list[str]:
    """The first `count` objects or lines, for deciding on a format."""
    if shape.export:
        return [text for _, text in islice(export_entries(raw), count)]
    text = shape.text(raw)
    if not shape.array:
        return [line.removesuffix("\r") for line in text.split("\n", count)[:count]]
    found = []
    for start, end in object_spans(text):
        found.append(text[start:end])
        if len(found) == count:
            break
    return found


def object_spans(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end, in characters, of each object of an array; a torn last one ends it.

    What stands between two objects and is none (a number, a stray word) is passed over to the
    next line that begins an object, so that one damaged record costs no other.
    """
    scan = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode
    at, damaged = text.find("{"), 0
    while at >= 0:
        try:
            _, end = scan(text, at)
        except (ValueError, RecursionError):
            damaged += 1
            end = _next_line_object(text, at + 1) if damaged <= MOST_DAMAGED else -1
            if end < 0:
                yield at, len(text)  # torn: listed as broken
                return
            yield at, end
            at = end
            continue
        yield at, end
        at = text.find("{", end)


def _next_line_object(text: str, at: int) -> int:
    while (line := text.find("\n", at)) >= 0:
        at = line + 1
        begin = text[at : at + 80].lstrip(_SPACE)
        if begin.startswith("{"):
            return text.index("{", at)
    return -1


def _objects(raw: bytes, shape: TextShape) -> tuple[pl.DataFrame, int]:
    import polars as pl

    text = shape.text(raw)
    texts: list[str] = []
    offsets: list[int] = []
    offset, reached = shape.mark_bytes, 0
    for start, end in object_spans(text):
        offset += shape.byte_length(text[reached:start])
        reached = start
        texts.append(text[start:end].rstrip(_SPACE + ","))
        offsets.append(offset)
    frame = pl.DataFrame(
        {"text": pl.Series(texts, dtype=pl.String), "offset": pl.Series(offsets, dtype=pl.UInt64)}
    )
    return frame, int(frame["text"].str.contains("\ufffd", literal=True).sum())


def _wide_lines(raw: bytes, shape: TextShape) -> tuple[pl.DataFrame, int]:
    import polars as pl

    text = shape.text(raw)
    texts = pl.Series([text.removesuffix("\n")], dtype=pl.String).str.split("\n").explode()
    beyond = texts.str.count_matches("[\U00010000-\U0010ffff]")
    sizes = (texts.str.len_chars() + beyond + 1).cast(pl.UInt64) * UNIT_BYTES
    begins = sizes.cum_sum().shift(1, fill_value=0) + shape.mark_bytes
    damaged = int(texts.str.contains("\ufffd", literal=True).sum())
    return pl.DataFrame({"text": texts.str.strip_suffix("\r"), "offset": begins}), damaged
