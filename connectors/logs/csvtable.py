"""CSV with a header (`psql --csv`, Kibana and Datadog exports) as events.

Values may hold line breaks, so rows have no byte offsets: a row's reference is its number. All
columns travel as attributes, because an export from a command cannot be read again.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from connectors.logs.chunk import (
    Chunk,
    Reading,
    clean_names,
    constant,
    no_events,
    no_keys,
    no_undated,
)
from connectors.logs.csvhead import TIME_COLUMNS, CsvHead, head_of_csv
from connectors.logs.formats import STAMPS
from connectors.logs.jsonshape import HOST_FIELDS, LEVEL_FIELDS, MESSAGE_FIELDS, SERVICE_FIELDS
from connectors.logs.linecolumns import severity_column
from connectors.logs.locate import text_of
from connectors.logs.record import BODY_LIMIT, CUT_MARK
from connectors.logs.stampcolumns import read_texts
from connectors.logs.tally import Tally
from timeline.batch import Remark
from timeline.clean import clean, clean_column
from timeline.event import Kind, Lane, Meaning


@dataclass(frozen=True, slots=True)
class CsvExport:
    """The rows of an export; `first`/`last` bound the stamps (ns) of all of them."""

    chunk: Chunk
    first: int | None = None
    last: int | None = None
    remarks: tuple[Remark, ...] = ()


def read_csv_export(raw: bytes, reading: Reading) -> CsvExport:
    """Events of the rows inside the window; rows without a usable time become undated."""
    place = reading.place
    tally = Tally(bytes_read=len(raw), outside_bytes=len(raw))
    head = head_of_csv(text_of(raw[:65_536].partition(b"\n")[0]))
    if head is None:
        names = ", ".join(TIME_COLUMNS[:6])
        sentence = f"{place.file} has no header that names a time column ({names}, ...)"
        return _nothing(tally, Remark(place.source, "format-unknown", sentence))
    try:
        table = pl.read_csv(
            raw,
            separator=head.delimiter,
            infer_schema=False,
            truncate_ragged_lines=True,
            encoding="utf8-lossy",
        )
    except pl.exceptions.PolarsError as error:
        sentence = f"{place.file} is not well-formed CSV: {clean(str(error).splitlines()[0])}"
        return _nothing(tally, Remark(place.source, "broken-line", sentence))
    return _export(
        table.rename(dict(zip(table.columns, head.columns, strict=False))), head, reading, len(raw)
    )


def _nothing(tally: Tally, remark: Remark) -> CsvExport:
    return CsvExport(Chunk(no_events(), no_keys(), no_undated(), tally), remarks=(remark,))


def _export(table: pl.DataFrame, head: CsvHead, reading: Reading, size: int) -> CsvExport:
    dialect, place = reading.dialect, reading.place
    texts = table.get_column(head.time).fill_null("")
    stamps = read_texts(texts, tuple(STAMPS), dialect.zone, dialect.not_after)
    told = _pairs(table, head)
    rows = stamps.with_row_index("row", offset=1).with_columns(
        told.alias("told"),
        _role(table, MESSAGE_FIELDS).alias("message"),
        severity_column(_role(table, LEVEL_FIELDS)).alias("severity_number"),
        _role(table, SERVICE_FIELDS).fill_null("").alias("service"),
        _role(table, HOST_FIELDS).fill_null("").alias("host"),
        table.to_struct("attributes").struct.json_encode(),
    )
    inside = pl.col("timestamp").is_between(reading.start, reading.end, closed="left")
    kept = rows.filter(inside)
    undated = rows.filter(pl.col("timestamp").is_null())
    counted = undated.group_by("reason").len().sort("reason")
    steps = rows.get_column("timestamp").drop_nulls()
    tally = Tally(
        bytes_read=size,
        event_bytes=size if kept.height else 0,
        outside_bytes=0 if kept.height else size,
        events=kept.height,
        undated=undated.height,
        zone_assumed=int(kept.get_column("zone_assumed").sum()),
        zone_ambiguous=int(kept.get_column("zone_ambiguous").sum()),
    )
    chunk = Chunk(
        _events(kept, reading),
        reading.key_rules.in_column(kept.get_column("told")) if kept.height else no_keys(),
        undated.select(
            pl.lit(place.source).cast(pl.Categorical).alias("source"),
            pl.col("reason"),
            clean_column(undated.get_column("told")).alias("body"),
            _row_ref(place.file).alias("ref"),
        ),
        tally,
        undated_reasons=tuple((str(reason), int(count)) for reason, count in counted.iter_rows()),
    )
    if not steps.len():
        return CsvExport(chunk)
    ordered = steps.sort()
    return CsvExport(chunk, int(ordered[0]), int(ordered[-1]))


def _pairs(table: pl.DataFrame, head: CsvHead) -> pl.Series:
    """`name=value` of every column but the time: what keys are looked for in."""
    names = [name for name in table.columns if name != head.time]
    pairs = [pl.concat_str(pl.lit(f"{name}="), pl.col(name).fill_null("")) for name in names]
    return table.select(pl.concat_str(pairs, separator=" ").alias("told")).to_series()


def _role(table: pl.DataFrame, names: tuple[str, ...]) -> pl.Series:
    """The first present column of a role (names compared without case), else nulls."""
    lowered = {name.strip().lower(): name for name in table.columns}
    found = next((lowered[name.lower()] for name in names if name.lower() in lowered), None)
    if found is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, table.height)
    return table.get_column(found)


def _events(kept: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    place = reading.place
    bodies = clean_column(kept.select(pl.col("message").fill_null(pl.col("told"))).to_series())
    body = pl.Series("body", bodies)
    too_long = pl.col("body").str.len_chars() > BODY_LIMIT
    shortened = pl.concat_str(pl.col("body").str.head(BODY_LIMIT), pl.lit(CUT_MARK))
    unnamed = pl.lit(clean(place.service)) if place.service else pl.col("host")
    actor = pl.when(pl.col("service") != "").then("service").otherwise(unnamed)
    actor = pl.when(actor != "").then(actor).otherwise(pl.lit(clean(place.fallback_actor)))
    named = kept.with_columns(actor.alias("actor"), body)
    return named.select(
        pl.col("timestamp"),
        constant(Meaning.OCCURRED.value, "meaning"),
        pl.col("precision"),
        clean_names(named.get_column("host")).alias("clock"),
        constant(place.source, "source"),
        constant(Lane.LOG.value, "lane"),
        constant(Kind.LOG.value, "kind"),
        pl.col("severity_number"),
        clean_names(named.get_column("actor")).alias("actor"),
        pl.when(too_long).then(shortened).otherwise("body").alias("body"),
        clean_column(kept.get_column("attributes")).alias("attributes"),
        _row_ref(place.file).alias("ref"),
        constant(None, "file"),
        pl.lit(None, dtype=pl.UInt64).alias("offset"),
        pl.lit(None, dtype=pl.UInt32).alias("length"),
        (pl.col("row").cast(pl.UInt64) + place.seq_base).cast(pl.UInt64).alias("seq"),
    )


def _row_ref(file: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{file}#row "), pl.col("row"))
