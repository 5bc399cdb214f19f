"""Whole columns of written time stamps into nanoseconds UTC; agrees with `stamps` line for line.

Everything is integer arithmetic on the pattern's groups: the library's own date parsing wraps
years that do not fit and reads a leap second as the next minute.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from connectors.logs.formats import STAMPS
from connectors.logs.stamps import (
    DAY_S,
    IMPOSSIBLE,
    LAST_SECOND,
    LEAP_SECOND,
    MONTHS,
    NOT_A_TIME,
    OUT_OF_RANGE,
    PRECISION_BY_THIRDS,
    SECOND_NS,
    SKIPPED_LOCAL_TIME,
    UNKNOWN_ZONE,
    guess_year,
)
from connectors.logs.zones import ZoneRule, written_offset
from timeline.columns import PRECISION

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
    guessed = "year" not in groups.columns
    frame = _with_year(_with_month(groups), not_after)
    for name in ("fraction", "zone"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    frame = frame.select(
        *(pl.col(n).cast(pl.Int64) for n in ("year", "month", "day", "hour", "minute", "second")),
        pl.col("fraction").fill_null(""),
        pl.col("zone").str.strip_chars(),
        pl.col("year_guessed") if not guessed else pl.lit(value=True).alias("year_guessed"),
    )
    frame = frame.with_columns(_reason().alias("reason"), _local_seconds().alias("local"))
    frame = _with_offset(frame, zone)
    fraction = _nanoseconds(pl.col("fraction"))
    stamp = (pl.col("local") - pl.col("offset")) * SECOND_NS + fraction
    return frame.select(
        pl.when(pl.col("reason").is_null()).then(stamp).alias("timestamp"),
        _precision((pl.col("fraction").str.len_bytes() // 3).clip(0, 3)).alias("precision"),
        "reason",
        "zone_assumed",
        "zone_ambiguous",
        "year_guessed",
    )


def _with_month(groups: pl.DataFrame) -> pl.DataFrame:
    month = groups.get_column("month")
    if month.str.contains("^[A-Z]").any():
        number = month.replace_strict(MONTHS, default=0, return_dtype=pl.Int64)
    else:
        number = month.cast(pl.Int64, strict=False)
    return groups.with_columns(number.alias("month"), groups["day"].cast(pl.Int64))


def _with_year(frame: pl.DataFrame, not_after: int) -> pl.DataFrame:
    """Fill the years that were not written, by the rule of `guess_year`."""
    if "year" in frame.columns:
        frame = frame.with_columns(pl.col("year").is_null().alias("year_guessed"))
        if not frame.get_column("year_guessed").any():
            return frame
    else:
        frame = frame.with_columns(
            pl.lit(None, dtype=pl.String).alias("year"), pl.lit(value=True).alias("year_guessed")
        )
    dates = frame.select("month", "day").unique()
    years = [guess_year(month, day, not_after) for month, day in dates.iter_rows()]
    dates = dates.with_columns(pl.Series("guess", years, dtype=pl.Int64))
    joined = frame.join(dates, on=["month", "day"], how="left", maintain_order="left")
    year = pl.col("year").cast(pl.Int64).fill_null(pl.col("guess"))
    return joined.with_columns(year.alias("year")).drop("guess")


def _reason() -> pl.Expr:
    year, month, day = pl.col("year"), pl.col("month"), pl.col("day")
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    length = (
        pl.when(month == 2)
        .then(28 + leap.cast(pl.Int64))
        .when(month.is_in([4, 6, 9, 11]))
        .then(30)
        .otherwise(31)
    )
    possible = (
        month.is_between(1, 12)
        & (day >= 1)
        & (day <= length)
        & (pl.col("hour") <= 23)
        & (pl.col("minute") <= 59)
        & (pl.col("second") <= 60)
    )
    return (
        pl.when(~possible)
        .then(pl.lit(IMPOSSIBLE))
        .when(pl.col("second") == 60)
        .then(pl.lit(LEAP_SECOND))
        .when(_local_seconds().abs() > LAST_SECOND - DAY_S)
        .then(pl.lit(OUT_OF_RANGE))
    )


def _local_seconds() -> pl.Expr:
    """Wall-clock seconds since 1970-01-01; the arithmetic of `stamps.days_from_civil`."""
    shifted = pl.col("year") - (pl.col("month") <= 2).cast(pl.Int64)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * ((pl.col("month") + 9) % 12) + 2) // 5 + pl.col("day") - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    days = era * 146_097 + day_of_era - 719_468
    time = pl.col("hour") * 3_600 + pl.col("minute") * 60 + pl.col("second")
    return days * DAY_S + time


def _with_offset(frame: pl.DataFrame, zone: ZoneRule) -> pl.DataFrame:
    """Add `offset` (s), `zone_assumed` and `zone_ambiguous`; each distinct zone is read once."""
    zones = frame.get_column("zone").unique().drop_nulls().to_list()
    known = {text: east for text in zones if (east := written_offset(text)) is not None}
    offset = pl.lit(None, dtype=pl.Int64)
    if known:
        offset = pl.col("zone").replace_strict(known, default=None, return_dtype=pl.Int64)
    frame = frame.with_columns(offset.alias("offset"))
    zoneless = frame.get_column("offset").is_null()
    if not zoneless.any():
        return frame.with_columns(
            pl.lit(value=False).alias("zone_assumed"), pl.lit(value=False).alias("zone_ambiguous")
        )
    minutes = frame.filter(zoneless & frame["reason"].is_null())["local"] // 60
    readings = pl.DataFrame({"minute": minutes.unique()}, schema={"minute": pl.Int64})
    read = [zone.at(minute * 60) for minute in readings.get_column("minute")]
    readings = readings.with_columns(
        pl.Series("local_offset", [item.offset for item in read], dtype=pl.Int64),
        pl.Series("ambiguous", [item.ambiguous for item in read], dtype=pl.Boolean),
    )
    frame = frame.with_columns(zoneless.alias("zoneless"), (pl.col("local") // 60).alias("minute"))
    frame = frame.join(readings, on="minute", how="left", maintain_order="left")
    unknown = pl.col("zoneless") & (pl.col("zone").is_not_null() & zone.assumed)
    skipped = pl.col("zoneless") & pl.col("local_offset").is_null()
    reason = (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(unknown)
        .then(pl.lit(UNKNOWN_ZONE))
        .when(skipped)
        .then(pl.lit(SKIPPED_LOCAL_TIME))
    )
    return frame.with_columns(reason.alias("reason")).with_columns(
        pl.col("offset").fill_null(pl.col("local_offset")),
        (pl.col("zoneless") & zone.assumed & pl.col("reason").is_null()).alias("zone_assumed"),
        (pl.col("zoneless") & pl.col("ambiguous").fill_null(value=False)).alias("zone_ambiguous"),
    )


def _nanoseconds(fraction: pl.Expr) -> pl.Expr:
    """Up to nine fraction digits as nanoseconds (or as billionths of any unit)."""
    return fraction.str.slice(0, 9).str.pad_end(9, "0").cast(pl.Int64)


def _precision(thirds: pl.Expr) -> pl.Expr:
    names = {number: precision.value for number, precision in enumerate(PRECISION_BY_THIRDS)}
    return thirds.cast(pl.Int64).replace_strict(names, return_dtype=PRECISION)
