"""Which lines begin a record and what they say; agrees with `Dialect.read` line for line."""

from __future__ import annotations

import polars as pl

from connectors.logs import journal
from connectors.logs.dialect import ESCAPES, Dialect
from connectors.logs.jsoncolumns import json_texts, with_errors
from connectors.logs.jsonshape import JsonShape
from connectors.logs.levels import SEVERITY, SYSLOG_SEVERITY
from connectors.logs.stampcolumns import groups_of, read_stamps, read_texts
from connectors.logs.stamps import BROKEN_JSON
from connectors.logs.textformat import TextFormat, words
from timeline.columns import PRECISION
from timeline.event import Meaning

LINE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.UInt32,
    "timestamp": pl.Int64,
    "precision": PRECISION,
    "reason": pl.String,
    "zone_assumed": pl.Boolean,
    "zone_ambiguous": pl.Boolean,
    "year_guessed": pl.Boolean,
    "severity_number": pl.UInt8,
    "service": pl.String,
    "weak_actor": pl.String,
    "host": pl.String,
    "message": pl.String,
}
"""One row per line that begins a record; `line` is its row among the lines."""

STAMP_GROUPS = words("year month day hour minute second fraction zone epoch")


def read_lines(texts: pl.Series, dialect: Dialect) -> pl.DataFrame:
    """LINE_SCHEMA rows of a column of lines, in order."""
    rest = pl.DataFrame({"text": texts}).with_row_index("line")
    parts: list[pl.DataFrame] = []
    if dialect.json is not None:
        is_object = pl.col("text").str.starts_with("{")
        found = rest.filter(is_object)
        rest = rest.filter(~is_object)
        if found.height:
            parts.append(_read_json(found, dialect.json, dialect))
    for item in dialect.repeating:
        rest = rest.filter(~pl.col("text").str.contains(item.repeats))
    for item in dialect.formats:
        if not rest.height:
            break
        matches = pl.col("text").str.contains(item.pattern)
        found = rest.filter(matches)
        rest = rest.filter(~matches)
        if found.height:
            parts.append(_read_text(found, item, dialect))
    if not parts:
        return pl.DataFrame(schema=LINE_SCHEMA)
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort("line")


def _read_json(lines: pl.DataFrame, shape: JsonShape, dialect: Dialect) -> pl.DataFrame:
    text = lines.get_column("text")
    fields = json_texts(text, shape)
    times = fields.get_column("time")
    stamps = read_texts(times, shape.stamps, dialect.zone, dialect.not_after)
    broken = fields.get_column("broken")
    messages = fields.get_column("message")
    if messages.null_count():
        silent = pl.lit(journal.UNPRINTED) if shape.journal else text
        messages = messages.to_frame("m").select(pl.col("m").fill_null(silent)).to_series()
    if shape.postgresql:
        messages = _after_process(messages, fields.get_column("process"))
    if shape.journal:
        arrived = fields.get_column("written").is_null()
        stamps = stamps.with_columns(
            pl.when(arrived)
            .then(pl.lit(Meaning.INGESTED.value))
            .otherwise(pl.lit(Meaning.OCCURRED.value))
            .alias("meaning")
        )
    return stamps.with_columns(
        lines.get_column("line"),
        pl.when(broken).then(pl.lit(BROKEN_JSON)).otherwise(pl.col("reason")).alias("reason"),
        severity_column(fields.get_column("level")).alias("severity_number"),
        fields.get_column("service").fill_null("").alias("service"),
        pl.coalesce(fields["host"], fields["logger"], pl.lit("")).alias("weak_actor"),
        fields.get_column("host").fill_null("").alias("host"),
        with_errors(text, messages, shape).alias("message"),
    ).select(*LINE_SCHEMA, *(["meaning"] if shape.journal else []))


def _read_text(lines: pl.DataFrame, item: TextFormat, dialect: Dialect) -> pl.DataFrame:
    text = lines.get_column("text")
    groups = groups_of(text, item.with_head)
    stamp_groups = groups.select(name for name in groups.columns if name in STAMP_GROUPS)
    stamps = read_stamps(stamp_groups, dialect.zone, dialect.not_after)
    sides = {f"side_{role}": _side(text, pattern, item) for role, pattern in item.sides}
    sides |= {f"label_{label}": _side(text, pattern, item) for label, pattern in item.labelled}
    told = groups.with_columns(text, **sides)

    def first(*names: str) -> pl.Expr:
        present = [pl.col(name) for name in names if name in told.columns]
        return pl.coalesce(*present, pl.lit("")) if present else pl.lit("")

    told = told.with_columns(first("side_level", "level").alias("any_level"))
    severity = severity_column(told.get_column("any_level"))
    if "pri" in told.columns:
        code = told.get_column("pri").cast(pl.Int64) % 8
        severity = code.replace_strict(dict(enumerate(SYSLOG_SEVERITY)), return_dtype=pl.UInt8)
        severity = severity.fill_null(0)
    frame = told.select(
        lines.get_column("line"),
        severity.alias("severity_number"),
        first("side_actor", "actor").alias("service"),
        first("side_host", "host").alias("weak_actor"),
        first("side_host", "host").alias("host"),
        _message(told, item).alias("message"),
    )
    return pl.concat([stamps, frame], how="horizontal").select(*LINE_SCHEMA)


def _message(told: pl.DataFrame, item: TextFormat) -> pl.Expr:
    """`lead message`, then the error of a logfmt line; the whole line where none is marked out."""
    if item.sides:
        message = pl.coalesce("side_message", "text")
    else:
        message = pl.col("text").str.strip_prefix(pl.col("head"))
    if "lead" in told.columns or "process" in told.columns:
        lead = _database_lead() if "process" in told.columns else pl.col("lead").fill_null("")
        gap = pl.when((lead != "") & (message != "")).then(pl.lit(" ")).otherwise(pl.lit(""))
        message = pl.concat_str(lead, gap, message)
    message = pl.when(message == "").then("text").otherwise(message)
    if "side_error" in told.columns:
        error = pl.col("side_error").fill_null("")
        is_new = (error != "") & ~message.str.contains(error, literal=True)
        message = (
            pl.when(is_new).then(pl.concat_str(message, pl.lit("\n"), error)).otherwise(message)
        )
    for label, _ in item.labelled:
        text = pl.col(f"label_{label}").fill_null("")
        line = pl.when(text != "").then(pl.concat_str(pl.lit(f"\n{label}:  "), text))
        message = pl.concat_str(message, line.otherwise(pl.lit("")))
    return message


def _database_lead() -> pl.Expr:
    """`[process] user@database`, or `[process]` of a process without either."""
    user, database = pl.col("user").fill_null(""), pl.col("database").fill_null("")
    account = pl.concat_str(pl.lit(" "), user, pl.lit("@"), database)
    known = pl.when((user != "") | (database != "")).then(account).otherwise(pl.lit(""))
    return pl.concat_str(pl.lit("["), pl.col("process"), pl.lit("]"), known)


def _after_process(messages: pl.Series, processes: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"message": messages, "process": processes})
    told = pl.concat_str(pl.lit("["), "process", pl.lit("] "), "message")
    return frame.select(pl.coalesce(told, "message")).to_series()


def _side(text: pl.Series, pattern: str, item: TextFormat) -> pl.Series:
    """The first group that took part, with the escapes of its format undone."""
    groups = text.str.extract_groups(pattern).struct.unnest()
    value = groups.select(pl.coalesce(pl.all())).to_series()
    if item.doubled_quotes:
        return value.str.replace_all('""', '"', literal=True)
    escaped = value.str.contains("\\", literal=True).fill_null(value=False)
    if escaped.any():
        for written, plain in ESCAPES:
            value = value.str.replace_all(written, plain, literal=True)
    return value


def severity_column(levels: pl.Series) -> pl.Series:
    """OpenTelemetry severity numbers of level texts; 0 where the level is absent or unknown."""
    written = levels.drop_nulls().unique().to_list()  # a handful in real logs
    numbers = {text: SEVERITY.get(text.lower(), 0) for text in written}
    return levels.replace_strict(numbers, default=0, return_dtype=pl.UInt8).fill_null(0)
