"""Whole columns of written time stamps into nanoseconds UTC; agrees with `stamps` line for line.

Dates, zones and guessed years are read by `stamps`, once for every distinct minute; only seconds
and fractions, which differ from line to line, are counted here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from connectors.logs.formats import STAMPS
from connectors.logs.stamps import (
    IMPOSSIBLE,
    LAST_SECOND,
    LEAP_SECOND,
    NOT_A_TIME,
    OUT_OF_RANGE,
    PRECISION_BY_THIRDS,
    SECOND_NS,
    Stamp,
    read_stamp,
)
from connectors.logs.textformat import ISO, words
from connectors.logs.zones import ZoneRule
from timeline.columns import PRECISION

MINUTE_PARTS = words("year month day hour minute zone")
MINUTE_LENGTH = len("2026-03-14T03:14")
STAMP_COLUMNS = (
    "timestamp",
    "precision",
    "reason",
    "zone_assumed",
    "zone_ambiguous",
    "year_guessed",
)


def read_stamps(groups: pl.DataFrame, zone: ZoneRule, not_after: int) -> pl.DataFrame:
    """STAMP_COLUMNS of the named groups of one pattern of `formats`, row by row.

    `timestamp` is null where `reason` is not.
    """
    if "epoch" in groups.columns:
        return _from_epoch(groups.get_column("epoch"))
    return _from_calendar(groups, zone, not_after)


def read_texts(
    times: pl.Series, stamps: Sequence[str], zone: ZoneRule, not_after: int
) -> pl.DataFrame:
    """STAMP_COLUMNS of whole-text stamps, each by the first named pattern of `STAMPS` that fits."""
    if "iso" in stamps and (uniform := _uniform_iso(times, zone, not_after)) is not None:
        return uniform
    rest = pl.DataFrame({"text": times}).with_row_index("row")
    parts: list[pl.DataFrame] = []
    for name in stamps:
        if not rest.height:
            break
        groups = groups_of(rest.get_column("text"), STAMPS[name])
        fits = groups.get_column("epoch" if name == "epoch" else "day").is_not_null()
        if fits.all() and not parts:
            return read_stamps(groups, zone, not_after)
        if fits.any():
            found = read_stamps(groups.filter(fits), zone, not_after)
            parts.append(found.with_columns(rest.get_column("row").filter(fits)))
            rest = rest.filter(~fits)
    if rest.height or not parts:
        parts.append(_unreadable(rest.height).with_columns(rest.get_column("row")))
    whole = parts[0] if len(parts) == 1 else pl.concat(parts).sort("row")
    return whole.drop("row")


def groups_of(texts: pl.Series, pattern: str) -> pl.DataFrame:
    """The named groups of a pattern by row; null for groups and rows that did not match."""
    frame = texts.str.extract_groups(pattern).struct.unnest()
    return frame.select(name for name in frame.columns if not name.isdigit())


def _unreadable(height: int) -> pl.DataFrame:
    frame = pl.DataFrame({"timestamp": pl.Series([None], dtype=pl.Int64).new_from_index(0, height)})
    return frame.with_columns(
        pl.lit(PRECISION_BY_THIRDS[0].value).cast(PRECISION).alias("precision"),
        pl.lit(NOT_A_TIME).alias("reason"),
        *(pl.lit(value=False).alias(name) for name in STAMP_COLUMNS[3:]),
    )


def _from_epoch(texts: pl.Series) -> pl.DataFrame:
    """Seconds, milliseconds, microseconds or nanoseconds, told by the number of digits."""
    frame = pl.DataFrame({"text": texts}).with_columns(
        pl.col("text").str.extract(r"^([0-9]+)", 1).alias("whole"),
        pl.col("text").str.extract(r"\.([0-9]+)$", 1).fill_null("").alias("fraction"),
    )
    digits = pl.col("whole").str.len_bytes()
    unit = (
        pl.when(digits <= 11)
        .then(SECOND_NS)
        .when(digits <= 14)
        .then(1_000_000)
        .when(digits <= 17)
        .then(1_000)
        .otherwise(1)
        .cast(pl.Int64)
    )
    frame = frame.with_columns(unit.alias("unit"), pl.col("whole").cast(pl.Int64, strict=False))
    fits = (pl.col("whole") <= LAST_SECOND * SECOND_NS // pl.col("unit")).fill_null(value=False)
    thirds = pl.col("unit").replace_strict({SECOND_NS: 0, 1_000_000: 1, 1_000: 2, 1: 3})
    thirds = (thirds + pl.col("fraction").str.len_bytes() // 3).clip(0, 3)
    sub_unit = _nanoseconds(pl.col("fraction")) * pl.col("unit") // SECOND_NS
    return frame.select(
        pl.when(fits).then(pl.col("whole") * pl.col("unit") + sub_unit).alias("timestamp"),
        _precision(thirds).alias("precision"),
        pl.when(~fits).then(pl.lit(OUT_OF_RANGE)).alias("reason"),
        *(pl.lit(value=False).alias(name) for name in STAMP_COLUMNS[3:]),
    )


def _from_calendar(groups: pl.DataFrame, zone: ZoneRule, not_after: int) -> pl.DataFrame:
    parts = [name for name in MINUTE_PARTS if name in groups.columns]
    texts = groups.select(
        pl.concat_str((pl.col(name).fill_null("") for name in parts), separator="\0"),
        pl.col("second").cast(pl.Int64),
        (pl.col("fraction") if "fraction" in groups.columns else pl.lit(None, dtype=pl.String))
        .fill_null("")
        .alias("fraction"),
    )

    def read(minute: str) -> Stamp:
        named = dict(zip(parts, minute.split("\0"), strict=True))
        return read_stamp({**named, "second": "00"}, zone, not_after)

    return _by_minute(texts.to_series(), read, texts["second"], texts["fraction"])


def _uniform_iso(times: pl.Series, zone: ZoneRule, not_after: int) -> pl.DataFrame | None:
    """ISO stamps that are all spelled as the first is, read by position; None for any others.

    Nearly every log is such a column, and positions cost a third of what capturing groups does.
    """
    first = re.match(f"{ISO}$", str(times[0] or "")) if times.len() else None
    if first is None:
        return None
    east = first["zone"] or ""
    spelling = re.sub("[0-9]", "[0-9]", re.escape(first.group().removesuffix(east)))
    if not times.str.contains(f"^{spelling}{re.escape(east)}$").fill_null(value=False).all():
        return None
    start, end = first.span("fraction")
    texts = times.to_frame("text").select(
        pl.col("text").str.head(MINUTE_LENGTH).alias("minute"),
        pl.col("text").str.slice(first.start("second"), 2).cast(pl.Int64).alias("second"),
        pl.col("text").str.slice(max(start, 0), end - start).alias("fraction"),
    )

    def read(minute: str) -> Stamp:
        written = re.match(ISO, f"{minute}:00{east}")
        return read_stamp(written.groupdict() if written else {}, zone, not_after)

    return _by_minute(texts["minute"], read, texts["second"], texts["fraction"])


def _by_minute(
    minutes: pl.Series, read: Callable[[str], Stamp], seconds: pl.Series, fractions: pl.Series
) -> pl.DataFrame:
    """STAMP_COLUMNS from the minute's text, the second, and the fraction's digits.

    A log has few distinct minutes, so each is read once and by the one calendar of `stamps`.
    """
    written = minutes.unique().to_list()
    stamps = [read(text) for text in written]
    calendar = pl.DataFrame(
        {
            "minute": pl.Series(written, dtype=pl.String),
            "start": pl.Series([stamp.ns for stamp in stamps], dtype=pl.Int64),
            "reason": pl.Series([stamp.reason or None for stamp in stamps], dtype=pl.String),
            **{name: [getattr(stamp, name) for stamp in stamps] for name in STAMP_COLUMNS[3:]},
        }
    )
    frame = pl.DataFrame({"minute": minutes, "second": seconds, "fraction": fractions})
    if len(written) == 1:
        only = calendar.row(0, named=True)
        frame = frame.with_columns(
            pl.lit(value, calendar.schema[name]).alias(name)
            for name, value in only.items()
            if name != "minute"
        )
    else:
        frame = frame.join(calendar, on="minute", how="left", maintain_order="left")
    second = pl.col("second")
    impossible = (second > 60) | (pl.col("reason") == IMPOSSIBLE)
    leap = pl.when(second == 60).then(pl.lit(LEAP_SECOND)).otherwise("reason")
    frame = frame.with_columns(
        pl.when(impossible).then(pl.lit(IMPOSSIBLE)).otherwise(leap).alias("reason")
    )
    digits = pl.col("fraction").str.len_bytes()
    stamp = pl.col("start") + second * SECOND_NS + _nanoseconds(pl.col("fraction"))
    told = pl.col("reason").is_null()
    return frame.select(
        pl.when(told).then(stamp).alias("timestamp"),
        _precision((digits // 3).clip(0, 3)).alias("precision"),
        "reason",
        *(pl.col(name) & told for name in STAMP_COLUMNS[3:]),
    )


def _nanoseconds(fraction: pl.Expr) -> pl.Expr:
    """Up to nine fraction digits as nanoseconds (or as billionths of any unit)."""
    return fraction.str.slice(0, 9).str.pad_end(9, "0").cast(pl.Int64)


def _precision(thirds: pl.Expr) -> pl.Expr:
    names = pl.Series([precision.value for precision in PRECISION_BY_THIRDS], dtype=PRECISION)
    return pl.lit(names).gather(thirds.cast(pl.UInt32))
