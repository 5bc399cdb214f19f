"""Whole columns of lines out of their envelopes; agrees with `envelope` line for line."""

from __future__ import annotations

import polars as pl

from connectors.logs.dialect import Dialect
from connectors.logs.envelope import Envelope, docker_fields
from connectors.logs.linecolumns import LINE_SCHEMA, STAMP_GROUPS
from connectors.logs.stampcolumns import STAMP_COLUMNS, groups_of, read_stamps, read_texts
from connectors.logs.stamps import NO_TIME
from timeline.event import Meaning

_DOCKER = pl.Struct({"log": pl.String, "stream": pl.String, "time": pl.String})


def unwrap_lines(lines: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """`text` and `offset` of the lines inside, and `actor`, `read_at`, `read_precision` of each.

    The parts of a line that the runtime split become one row, at the offset of the first.
    """
    envelope = dialect.envelope
    if envelope is None:
        return lines
    text = lines.get_column("text")
    found = _by_pattern(text, envelope, dialect) if envelope.pattern else _docker(text, dialect)
    told = found.with_columns(lines.get_column("offset"))
    return told.drop("stream", "whole") if told["whole"].all() else _glued(told)


def _by_pattern(text: pl.Series, envelope: Envelope, dialect: Dialect) -> pl.DataFrame:
    groups = groups_of(text, f"^(?P<head>{envelope.pattern.removeprefix('^')})")
    stamp = groups.select(name for name in groups.columns if name in STAMP_GROUPS)
    named = groups.with_columns(text, *_read_at(read_stamps(stamp, dialect.zone, 0)))

    def group(name: str) -> pl.Expr:
        return pl.col(name).fill_null("") if name in groups.columns else pl.lit("")

    return named.select(
        pl.coalesce(pl.col("text").str.strip_prefix(pl.col("head")), "text").alias("text"),
        group("actor").alias("actor"),
        "read_at",
        "read_precision",
        group("stream").alias("stream"),
        (group("tag") != "P").alias("whole"),
    )


def _docker(text: pl.Series, dialect: Dialect) -> pl.DataFrame:
    fields = _docker_fields(text)
    log = fields.get_column("log")
    times = read_texts(fields.get_column("time"), ("iso",), dialect.zone, 0)
    inner = log.str.strip_suffix("\n").str.strip_suffix("\r")
    return pl.DataFrame([text.alias("line"), inner.alias("log"), log.alias("raw")]).select(
        pl.coalesce("log", "line").alias("text"),
        pl.lit("").alias("actor"),
        *_read_at(times),
        fields.get_column("stream").fill_null("").alias("stream"),
        pl.col("raw").str.ends_with("\n").fill_null(value=True).alias("whole"),
    )


def _docker_fields(text: pl.Series) -> pl.DataFrame:
    """`log`, `stream`, `time` by column; one torn line makes the engine refuse it, then by line."""
    try:
        fields = text.str.json_decode(_DOCKER).struct.unnest()
    except pl.exceptions.PolarsError:
        fields = None
    if fields is not None and not fields.null_count().sum_horizontal().item():
        return fields
    rows = [docker_fields(line) or dict.fromkeys(_DOCKER.to_schema()) for line in text]
    return pl.DataFrame(rows, schema=_DOCKER.to_schema())


def _read_at(stamps: pl.DataFrame) -> list[pl.Series]:
    return [stamps["timestamp"].alias("read_at"), stamps["precision"].alias("read_precision")]


def _glued(told: pl.DataFrame) -> pl.DataFrame:
    """Rows that go on in the next row of the same writer, put together with it."""
    before = {name: pl.col(name).shift(1) for name in ("whole", "actor", "stream")}
    goes_on = (
        ~before["whole"]
        & (before["actor"] == pl.col("actor"))
        & (before["stream"] == pl.col("stream"))
    )
    numbered = told.with_columns((~goes_on.fill_null(value=False)).cum_sum().alias("group"))
    return (
        numbered.group_by("group", maintain_order=True)
        .agg(
            pl.col("text").str.join(""),
            pl.first("actor", "read_at", "read_precision", "offset"),
        )
        .drop("group")
    )


def enveloped(heads: pl.DataFrame, lines: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """LINE_SCHEMA rows with what the envelope says, and a `meaning` for each.

    A line that begins no record of its own format still begins one when another writer's line
    stands above it: containers speak in turns.
    """
    inside = lines.drop("offset").with_row_index("line")
    joined = inside.join(heads, on="line", how="left", maintain_order="left")
    blank = pl.col("text").str.strip_chars() == ""
    same = (pl.col("actor") == pl.col("actor").shift(1)).fill_null(value=False)
    indented = pl.lit(dialect.inside_known) | pl.col("text").str.contains(r"^\s")
    begun = pl.col("message").is_not_null()
    kept = joined.filter(begun | ~(blank | (same & indented)))
    undated = pl.col("timestamp").is_null()
    by_runtime = undated & pl.col("read_at").is_not_null()
    stamp = pl.coalesce("timestamp", "read_at")
    return kept.with_columns(
        stamp.alias("timestamp"),
        pl.when(by_runtime).then("read_precision").otherwise("precision").alias("precision"),
        pl.when(stamp.is_null()).then(pl.coalesce("reason", pl.lit(NO_TIME))).alias("reason"),
        *(pl.col(name).fill_null(value=False) for name in STAMP_COLUMNS[3:]),
        pl.col("severity_number").fill_null(0),
        pl.when(pl.col("actor") != "").then("actor").otherwise("service").fill_null("")
        .alias("service"),
        *(pl.col(name).fill_null("") for name in ("weak_actor", "host")),
        pl.coalesce("message", "text").alias("message"),
        pl.when(by_runtime).then(pl.lit(Meaning.INGESTED.value))
        .otherwise(pl.lit(Meaning.OCCURRED.value)).alias("meaning"),
    ).select(*LINE_SCHEMA, "meaning")  # fmt: skip
