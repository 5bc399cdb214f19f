"""A file whose format is not in the table: its lines are listed without a time, and said to be."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.logs.chunk import Chunk, no_events, no_keys
from connectors.logs.compressed import head_of
from connectors.logs.formats import NAMES
from connectors.logs.lines import lines_of
from connectors.logs.record import Place
from connectors.logs.sight import Reach
from connectors.logs.sources import OpenMember
from connectors.logs.stamps import NO_TIME
from connectors.logs.tally import Tally
from connectors.logs.wholefile import lines_of_whole
from timeline.batch import Remark
from timeline.clean import clean_column
from timeline.columns import UNDATED_SCHEMA

MOST_BYTES = 8 * 1024 * 1024
"""Of a file nobody can place in time, only the end is listed."""


@dataclass(frozen=True, slots=True)
class UnknownAnswer:
    chunk: Chunk
    remark: Remark
    reach: Reach


def unknown_format(member: OpenMember, rows: int) -> UnknownAnswer:
    """The last lines of the file as undated records, with a remark that names the remedy."""
    if member.log is None:
        base, size = 0, 0
        raw = head_of(member.member.path, MOST_BYTES)
    else:
        size = member.log.size
        base = member.log.line_start(max(0, size - MOST_BYTES))
        raw = member.log.read(base, size - base)
    if member.shape.ordinary:
        chunk, held = undated_chunk(raw, base, member.place, rows)
    else:
        raw, complete = member.whole(MOST_BYTES)
        lines, bad = lines_of_whole(raw, member.shape)
        chunk, held = _undated(lines, len(raw), bad, member.place, rows)
        base = 0 if complete else 1
    remedy = "set format to one of " + ", ".join(NAMES)
    left = base + (0 if chunk.undated.height == held else 1)
    more = "; only its last lines are listed" if left else ""
    sentence = (
        f"the format of {member.name} is not known: {chunk.undated.height:,} lines are listed "
        f"without a time{more}; {remedy}"
    )
    remark = Remark(member.place.source, "format-unknown", sentence, chunk.undated.height)
    reach = Reach(member.name, problem=f"the format of {member.name} is not known", remedy=remedy)
    return UnknownAnswer(chunk, remark, reach)


def undated_chunk(raw: bytes, base: int, place: Place, rows: int) -> tuple[Chunk, int]:
    """The last `rows` non-empty lines as undated records, and how many lines there were."""
    lines, bad = lines_of(raw, base)
    return _undated(lines, len(raw), bad, place, rows)


def _undated(
    lines: pl.DataFrame, size: int, bad: int, place: Place, rows: int
) -> tuple[Chunk, int]:
    told = lines.filter(pl.col("text").str.strip_chars() != "")
    kept = told.tail(rows)
    undated = kept.select(
        pl.lit(place.source).cast(pl.Categorical).alias("source"),
        pl.lit(NO_TIME).alias("reason"),
        clean_column(kept.get_column("text")).alias("body"),
        pl.concat_str(pl.lit(f"{place.file}@"), pl.col("offset")).alias("ref"),
    )
    tally = Tally(bytes_read=size, undated_bytes=size, undated=undated.height, bad_utf8=bad)
    if not undated.height:
        undated = pl.DataFrame(schema=UNDATED_SCHEMA)
    return Chunk(no_events(), no_keys(), undated, tally), told.height
