"""Printed entries into events with a cursor each, and what they say of journald itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from connectors.logs.chunk import Chunk, Reading, read_chunk
from connectors.logs.dialect import Dialect
from connectors.logs.jsonshape import JOURNAL
from connectors.logs.lines import lines_of
from connectors.logs.record import Place
from timeline.clean import clean_column
from timeline.coverage import Coverage, Sight
from timeline.event import intrinsic_seq
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Window

RATE_INTERVAL_NS = 30 * SECOND_NS
"""RateLimitIntervalSec's default (journald.conf(5)): the stretch that a suppression speaks of."""
SUPPRESSED = r"^Suppressed ([0-9]+) messages from (.+)$"
MISSED = r"^Missed ([0-9]+) kernel messages"
ATTRIBUTES_LIMIT = 16 * 1024
"""Characters of one printed entry that are kept beside its message."""
CLOCK_STEP_NS = SECOND_NS // 2
"""NTP slews smaller differences away; a larger one between two entries is a clock that was set."""
_CURSOR = r'"__CURSOR"\s*:\s*"([^"\\]+)"'
_NUMBER = r";i=([0-9a-f]+);"
_BOOT = r'"_BOOT_ID"\s*:\s*"([0-9a-f]{32})"'
_MONOTONIC = r'"__MONOTONIC_TIMESTAMP"\s*:\s*"([0-9]+)"'
_REALTIME = r'"__REALTIME_TIMESTAMP"\s*:\s*"([0-9]+)"'
DIALECT = Dialect(JOURNAL)


@dataclass(frozen=True, slots=True)
class Page:
    """One block of entries. `first`/`last` are arrivals (ns) by position; `steps` clock settings.

    `boots` are the boot ids of the block, each once, in the order of the block.
    """

    chunk: Chunk
    first: int | None
    last: int | None
    boots: tuple[str, ...]
    steps: tuple[tuple[int, int], ...]
    """(arrival ns after the step, by how many ns)."""


def read_entries(raw: bytes, source: str, key_rules: KeyRules, window: Window) -> Page:
    """The entries of a block of `journalctl --output=json`, those inside the window as events."""
    reading = Reading(Place(source, source), DIALECT, key_rules, window.start, window.end)
    chunk = read_chunk(raw, 0, reading)
    lines, _ = lines_of(raw, 0)
    text = pl.col("text")
    told = lines.filter(text.str.starts_with("{")).with_columns(
        text.str.extract(_CURSOR).alias("cursor"),
        text.str.extract(_BOOT).fill_null("").alias("boot"),
        (text.str.extract(_MONOTONIC).cast(pl.Int64) * 1_000).alias("monotonic"),
        (text.str.extract(_REALTIME).cast(pl.Int64, strict=False) * 1_000).alias("arrived"),
    )
    arrived = told.get_column("arrived").drop_nulls()
    return Page(
        replace(chunk, events=_named(chunk.events, told, source)),
        int(arrived[0]) if arrived.len() else None,
        int(arrived[-1]) if arrived.len() else None,
        tuple(told.get_column("boot").unique(maintain_order=True).to_list()),
        _steps(told),
    )


def _named(events: pl.DataFrame, told: pl.DataFrame, source: str) -> pl.DataFrame:
    """Events named by their cursor, in the journal's own order, with the entry beside them."""
    own = events.select("offset").join(told, on="offset", how="left", maintain_order="left")
    cursors = own.get_column("cursor")
    numbers = cursors.str.extract(_NUMBER).str.to_integer(base=16, strict=False, dtype=pl.UInt64)
    short = own.get_column("text").str.len_chars() <= ATTRIBUTES_LIMIT
    unnamed = pl.concat_str(pl.lit("entry at "), events["timestamp"])
    return events.with_columns(
        pl.coalesce(cursors, unnamed).alias("ref"),
        numbers.fill_null(intrinsic_seq(source)).alias("seq"),
        clean_column(own.select(pl.when(short).then("text")).to_series()).alias("attributes"),
        pl.lit(None, dtype=pl.Categorical).alias("file"),
        pl.lit(None, dtype=pl.UInt64).alias("offset"),
        pl.lit(None, dtype=pl.UInt32).alias("length"),
    ).select(events.columns)


def _steps(told: pl.DataFrame) -> tuple[tuple[int, int], ...]:
    """Where the wall clock moved against the monotonic one of the same boot."""
    apart = (pl.col("arrived") - pl.col("monotonic")).alias("apart")
    ordered = told.select("boot", "arrived", "monotonic", apart).drop_nulls()
    ordered = ordered.sort("boot", "monotonic")
    moved = ordered.with_columns(pl.col("apart").diff().over("boot").alias("step")).filter(
        pl.col("step").abs() > CLOCK_STEP_NS
    )
    return tuple(moved.select("arrived", "step").sort("arrived").head(20).iter_rows())


def losses(events: pl.DataFrame, source: str) -> list[Coverage]:
    """What journald says it dropped, as stretches that were seen in part only."""
    found = []
    for pattern, words in ((SUPPRESSED, "rate limit"), (MISSED, "the kernel's buffer overran")):
        hits = events.filter(pl.col("body").str.contains(pattern)).select("timestamp", "body")
        for timestamp, body in hits.head(200).iter_rows():
            found.append(
                Coverage(
                    source,
                    int(timestamp) - RATE_INTERVAL_NS,
                    int(timestamp) + 1,
                    Sight.PARTIAL,
                    f"journald says: {body} ({words})",
                    "raise RateLimitBurst in journald.conf, or LogRateLimitBurst of the unit",
                )
            )
    return found
