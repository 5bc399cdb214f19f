"""Heaps by the logs of their collectors: what a process still held after each collection.

What is left after a collection of everything is what the process truly holds; after a partial one
it is that and some garbage. So the size of the heap counts as a limit only where several full
collections in a row left it nearly full: a young collection may leave as much and mean nothing.

Formats: HotSpot (`-verbose:gc`, `-Xlog:gc`: Serial, Parallel, CMS, G1, Shenandoah, ZGC), V8
(`--trace-gc`) and Go (`GODEBUG=gctrace=1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.spoken import CHANGE_MARKS, spoken_with

if TYPE_CHECKING:
    from timeline.incident import Incident

COLLECTION = (
    r"Pause (?:Young|Full)|Garbage Collection|M(?:ajor|inor) Collection|Full GC|\[GC[ (]"
    r"|Concurrent cleanup|Mark-[Ss]weep|Mark-Compact|Scavenge|MB goal"
)
FULL = r"Pause Full|Full GC|Garbage Collection|Major Collection|Mark-[Ss]weep|Mark-Compact|MB goal"
"""Collections of the whole heap; Go has no others."""
NOT_THE_HEAP = r"(?:\[?(?:Metaspace|CMS Perm|Perm|Class space|NonClass|Class)\W{1,3}[^\]]*\]?)"
"""Spaces of a HotSpot process beside the heap, which follow it in the same line."""
HOTSPOT = (
    r"\d+(?:\.\d+)?[BKMG](?:\([^()]{1,16}\))?->\d+(?:\.\d+)?[BKMG](?:\(\d+(?:\.\d+)?[BKMG]\))?"
)
"""`812M->310M(4096M)`: before, after, size of the heap. Its parts stand before the whole."""
HOTSPOT_AFTER = r"->(\d+(?:\.\d+)?)([BKMG])"
HOTSPOT_SIZE = r"->[^(]*\((\d+(?:\.\d+)?)([BKMG])\)$"
V8_AFTER = r"\d+(?:\.\d+)? \(\d+(?:\.\d+)?\) -> (\d+(?:\.\d+)?) \(\d+(?:\.\d+)?\) MB"
GO_AFTER = r"\b\d+->\d+->(\d+) MB, \d+ MB goal"
UNITS = {"B": 1.0, "K": 2.0**10, "M": 2.0**20, "G": 2.0**30}
NEARLY = 0.9
"""Share of the heap that a full collection leaves where there is next to nothing to be had."""
IN_VAIN = 3
"""Full collections, the latest, that must have left as much."""


@dataclass(frozen=True, slots=True)
class Heap:
    """One process: `points` is (row, timestamp, value in bytes) after each collection, time order.

    `clock` is the host or pod that wrote the log. `limit` (bytes) is the size of the heap where the
    last full collections freed next to nothing of it, else None.
    """

    source: str
    actor: str
    clock: str
    points: pl.DataFrame
    limit: float | None


def heaps(incident: Incident) -> list[Heap]:
    """Every process whose collector's log was read, by source, actor and host."""
    lines = spoken_with(incident, CHANGE_MARKS)
    if lines.is_empty():
        return []
    body = pl.col("body")
    lines = lines.filter(body.str.contains(COLLECTION))
    if lines.is_empty():
        return []
    whole = body.str.replace_all(NOT_THE_HEAP, "").str.extract_all(HOTSPOT).list.last()
    megabytes = pl.coalesce(body.str.extract(V8_AFTER, 1), body.str.extract(GO_AFTER, 1))
    told = lines.with_columns(
        value=pl.coalesce(
            _bytes(whole, HOTSPOT_AFTER), megabytes.cast(pl.Float64, strict=False) * UNITS["M"]
        ),
        size=_bytes(whole, HOTSPOT_SIZE),
        full=body.str.contains(FULL),
    ).drop_nulls("value")
    return [
        Heap(
            str(source),
            str(actor),
            str(clock),
            part.select("row", "timestamp", "value"),
            _limit(part),
        )
        for (source, actor, clock), part in told.group_by(
            ["source", "actor", "clock"], maintain_order=True
        )
    ]


def _bytes(text: pl.Expr, pattern: str) -> pl.Expr:
    number = text.str.extract(pattern, 1).cast(pl.Float64, strict=False)
    unit = text.str.extract(pattern, 2)
    return number * unit.replace_strict(UNITS, default=None, return_dtype=pl.Float64)


def _limit(part: pl.DataFrame) -> float | None:
    """The heap's one size, if the latest full collections were in vain; see the module."""
    sizes = part.get_column("size").drop_nulls().unique()
    last = part.filter("full").tail(IN_VAIN)
    if sizes.len() != 1 or last.height < IN_VAIN:
        return None
    size = float(sizes[0])
    return size if (last.get_column("value") >= NEARLY * size).all() else None
