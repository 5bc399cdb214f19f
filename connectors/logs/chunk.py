"""One chunk of log bytes into frames: events, their keys, undated records, and a full account.

A chunk begins at a record's first line (or at the head of the file) and ends where another record
begins, so chunks can be read in any order, and nearest to T first.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.logs.dialect import Dialect
from connectors.logs.linecolumns import read_lines
from connectors.logs.lines import lines_of
from connectors.logs.pgformats import NO_TRANSACTION, with_postgresql_keys
from connectors.logs.record import BODY_LIMIT, CUT_MARK, Place
from connectors.logs.requestfields import request_attributes
from connectors.logs.stamps import BROKEN_JSON
from connectors.logs.tally import Tally
from connectors.logs.unwrapped import enveloped, unwrap_lines
from connectors.logs.wholefile import TextShape, lines_of_whole
from timeline.clean import LINE_BREAK, clean, clean_column
from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA, UNDATED_SCHEMA
from timeline.event import Kind, Lane, Meaning
from timeline.keys import KeyRules


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk held; `first_stamp`/`last_stamp` (ns) are by position, not by time."""

    events: pl.DataFrame
    keys: pl.DataFrame
    undated: pl.DataFrame
    tally: Tally
    first_stamp: int | None = None
    last_stamp: int | None = None
    undated_reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How chunks of one file are read: its place, its dialect, the window `[start, end)` (ns)."""

    place: Place
    dialect: Dialect
    key_rules: KeyRules
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes that lines were read from: where they stand, how many, and how much was damaged."""

    base: int
    size: int
    bad_utf8: int = 0


def read_chunk(raw: bytes, base: int, reading: Reading) -> Chunk:
    """Parse the bytes that stand at `base` of the file (or of the decompressed stream)."""
    lines, bad_utf8 = lines_of(raw, base)
    return chunk_of(lines, Extent(base, len(raw), bad_utf8), reading)


def read_whole(raw: bytes, shape: TextShape, reading: Reading) -> Chunk:
    """Parse a file whose records are not lines of UTF-8, from its first byte."""
    lines, damaged = lines_of_whole(raw, shape)
    return chunk_of(lines, Extent(0, len(raw), damaged), reading)


def chunk_of(lines: pl.DataFrame, extent: Extent, reading: Reading) -> Chunk:
    """Parse lines (`text`, `offset`) that were read from the bytes of `extent`."""
    base, size, bad_utf8 = extent.base, extent.size, extent.bad_utf8
    dialect = reading.dialect
    if dialect.envelope is not None:
        lines = unwrap_lines(lines, dialect)
    heads = read_lines(lines.get_column("text"), dialect)
    if dialect.envelope is not None:
        heads = enveloped(heads, lines, dialect)
    if not heads.height:
        tally = Tally(size, orphan_bytes=size, orphan_lines=lines.height, bad_utf8=bad_utf8)
        return Chunk(no_events(), no_keys(), no_undated(), tally)
    records = _with_extent(heads, lines, base + size)
    further = _continuation(records, lines, dialect)
    dated = records.get_column("timestamp").drop_nulls()
    inside = pl.col("timestamp").is_between(reading.start, reading.end, closed="left")
    kept = records.filter(inside)
    undated = records.filter(pl.col("timestamp").is_null())
    bodies, cut = _bodies(kept, further)
    orphan_lines = int(heads.get_column("line")[0])
    event_bytes = _sum(kept, "length")
    undated_bytes = _sum(undated, "length")
    orphan_bytes = int(records.get_column("offset")[0]) - base
    steps = dated.diff()
    tally = Tally(
        bytes_read=size,
        event_bytes=event_bytes,
        undated_bytes=undated_bytes,
        outside_bytes=size - event_bytes - undated_bytes - orphan_bytes,
        orphan_bytes=orphan_bytes,
        events=kept.height,
        orphan_lines=orphan_lines,
        undated=undated.height,
        broken=int((undated.get_column("reason") == BROKEN_JSON).sum()),
        bad_utf8=bad_utf8,
        zone_assumed=_sum(kept, "zone_assumed"),
        zone_ambiguous=_sum(kept, "zone_ambiguous"),
        year_guessed=_sum(kept, "year_guessed"),
        bodies_cut=cut,
        backward=int((steps < 0).sum()),
        farthest_back=max(0, -int(steps.min() or 0)) if dated.len() > 1 else 0,  # type: ignore[arg-type]  # Int64 series
    )
    counted = undated.group_by("reason").len().sort("reason")
    return Chunk(
        _events(kept, bodies, _attributes(kept, lines, dialect), reading.place),
        _keys(kept, lines, further, reading),
        _undated(undated, further, reading.place),
        tally,
        int(dated[0]) if dated.len() else None,
        int(dated[-1]) if dated.len() else None,
        tuple((str(reason), int(count)) for reason, count in counted.iter_rows()),
    )


def _with_extent(heads: pl.DataFrame, lines: pl.DataFrame, end: int) -> pl.DataFrame:
    """Add `record` (row number), `offset` and `length` (bytes, continuation lines included)."""
    begins = lines.get_column("offset").gather(heads.get_column("line"))
    ends = begins.shift(-1, fill_value=end)
    return heads.with_columns(
        begins.alias("offset"), (ends - begins).cast(pl.UInt32).alias("length")
    ).with_row_index("record")


def _continuation(records: pl.DataFrame, lines: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """The lines that continue a record: `line`, `record`, `text`. Empty for most chunks."""
    begins = records.get_column("line")
    if begins.len() == lines.height - int(begins[0]):  # every line from the first begins a record
        return pl.DataFrame(schema={"line": pl.UInt32, "record": pl.UInt32, "text": pl.String})
    numbered = lines.select("text").with_row_index("line").slice(int(begins[0]))
    joined = numbered.join(
        records.select("line", "record"), on="line", how="left", maintain_order="left"
    )
    is_head = joined.get_column("record").is_not_null()
    owner = joined.get_column("record").forward_fill()
    further = joined.with_columns(owner.alias("record")).filter(~is_head)
    for item in dialect.repeating:
        further = further.with_columns(pl.col("text").str.replace(item.repeats, "$1"))
    return further


def _bodies(kept: pl.DataFrame, further: pl.DataFrame) -> tuple[pl.Series, int]:
    """Cleaned one-line bodies of the records, and how many had to be cut."""
    bodies = clean_column(kept.get_column("message").str.strip_chars_end("\n"))
    if further.height:
        texts = further.filter(
            pl.col("record").is_in(kept.get_column("record").implode())
            & (pl.col("text").str.strip_chars() != "")
        )
        cleaned = texts.with_columns(clean_column(texts.get_column("text")).alias("text"))
        joined = cleaned.group_by("record", maintain_order=True).agg(
            pl.col("text").str.join(LINE_BREAK).alias("further")
        )
        frame = kept.select("record", bodies.alias("body")).join(
            joined, on="record", how="left", maintain_order="left"
        )
        whole = pl.concat_str(pl.col("body"), pl.lit(LINE_BREAK), pl.col("further"))
        bodies = frame.select(whole.fill_null(pl.col("body"))).to_series()
    # A text is never longer in characters than in bytes, and bytes are known without counting.
    if int(bodies.str.len_bytes().max() or 0) <= BODY_LIMIT:  # type: ignore[arg-type]  # UInt32 series
        return bodies.alias("body"), 0
    too_long = pl.col("body").str.len_chars() > BODY_LIMIT
    frame = pl.DataFrame({"body": bodies})
    shortened = pl.concat_str(pl.col("body").str.head(BODY_LIMIT), pl.lit(CUT_MARK))
    cut = frame.select(pl.when(too_long).then(shortened).otherwise("body").alias("body"))
    return cut.to_series(), int(frame.select(too_long.sum()).item())


def _attributes(kept: pl.DataFrame, lines: pl.DataFrame, dialect: Dialect) -> pl.Series:
    """Fields of refused requests in structured lines; null everywhere else."""
    json_lines = dialect.json is not None
    logfmt = any(item.name.startswith("logfmt") for item in dialect.formats)
    if not kept.height or not (json_lines or logfmt):
        return _no_attributes(kept.height)
    texts = lines.get_column("text").gather(kept.get_column("line"))
    return request_attributes(texts, json_lines=json_lines)


def _no_attributes(height: int) -> pl.Series:
    return pl.Series("attributes", [None], dtype=pl.String).new_from_index(0, height)


def _events(
    kept: pl.DataFrame, bodies: pl.Series, attributes: pl.Series, place: Place
) -> pl.DataFrame:
    default = clean(place.service)
    fallback = clean(place.fallback_actor)
    weak = pl.when(pl.col("weak_actor") != "").then("weak_actor").otherwise(pl.lit(fallback))
    unnamed = pl.lit(default) if default else weak
    actor = pl.when(pl.col("service") != "").then("service").otherwise(unnamed)
    named = kept.with_columns(actor.alias("actor"))
    return named.select(
        pl.col("timestamp"),
        pl.col("meaning").cast(EVENT_SCHEMA["meaning"])
        if "meaning" in named.columns
        else constant(Meaning.OCCURRED.value, "meaning"),
        pl.col("precision"),
        clean_names(named.get_column("host")).alias("clock"),
        constant(place.source, "source"),
        constant(Lane.LOG.value, "lane"),
        constant(Kind.LOG.value, "kind"),
        pl.col("severity_number"),
        clean_names(named.get_column("actor")).alias("actor"),
        bodies.alias("body"),
        attributes.alias("attributes"),
        constant(None, "ref"),
        constant(place.file, "file"),
        pl.col("offset"),
        pl.col("length"),
        (pl.col("offset") + place.seq_base).cast(pl.UInt64).alias("seq"),
    )


def _keys(
    kept: pl.DataFrame, lines: pl.DataFrame, further: pl.DataFrame, reading: Reading
) -> pl.DataFrame:
    """Keys found in the raw text of every line of the kept records."""
    if not kept.height:
        return no_keys()
    if not reading.dialect.postgresql:
        in_message = reading.dialect.journal
        return _keys_by(kept, lines, further, reading.key_rules, in_message=in_message)
    rules = with_postgresql_keys(reading.key_rules)
    return _keys_by(kept, lines, further, rules).filter(pl.col("key") != NO_TRANSACTION)


def _keys_by(
    kept: pl.DataFrame,
    lines: pl.DataFrame,
    further: pl.DataFrame,
    key_rules: KeyRules,
    *,
    in_message: bool = False,
) -> pl.DataFrame:
    texts = kept.get_column("message")
    if not in_message:
        texts = lines.get_column("text").gather(kept.get_column("line"))
    keys = key_rules.in_column(texts)
    if not further.height:
        return keys
    rows = kept.select("record").with_row_index("row")
    own = further.join(rows, on="record", how="inner", maintain_order="left")
    if not own.height:
        return keys
    found = key_rules.in_column(own.get_column("text"))
    moved = found.with_columns(own.get_column("row").gather(found.get_column("row")))
    both = pl.concat([keys, moved.select("row", "key")])
    return both.unique(maintain_order=True).sort("row", maintain_order=True)


def _undated(undated: pl.DataFrame, further: pl.DataFrame, place: Place) -> pl.DataFrame:
    if not undated.height:
        return no_undated()
    bodies, _ = _bodies(undated, further)
    return undated.select(
        pl.lit(place.source).cast(pl.Categorical).alias("source"),
        pl.col("reason"),
        bodies.alias("body"),
        pl.concat_str(pl.lit(f"{place.file}@"), pl.col("offset")).alias("ref"),
    )


def clean_names(names: pl.Series) -> pl.Series:
    """Cleaned actors or hosts as a category; there are few, so each is cleaned once."""
    distinct = names.unique().to_list()
    changed = {name: plain for name in distinct if (plain := clean(name)) != name}
    return (names.replace(changed) if changed else names).cast(pl.Categorical)


def constant(value: str | None, column: str) -> pl.Expr:
    """One value in every row of an EVENT_SCHEMA column."""
    return pl.lit(value, dtype=pl.String).cast(EVENT_SCHEMA[column]).alias(column)


def _sum(frame: pl.DataFrame, column: str) -> int:
    return int(frame.get_column(column).cast(pl.Int64).sum())


def no_events() -> pl.DataFrame:
    """An empty EVENT_SCHEMA frame."""
    return pl.DataFrame(schema=EVENT_SCHEMA)


def no_keys() -> pl.DataFrame:
    """An empty KEY_SCHEMA frame."""
    return pl.DataFrame(schema=KEY_SCHEMA)


def no_undated() -> pl.DataFrame:
    """An empty UNDATED_SCHEMA frame."""
    return pl.DataFrame(schema=UNDATED_SCHEMA)
