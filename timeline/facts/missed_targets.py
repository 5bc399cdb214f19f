"""Paths that were there, were answered with 404, and were there again: as access logs tell it.

A request that made or found something under one path, a 404 for the same path soon after, and a
success after that without anything between that would have made it anew: somebody read where it had
not arrived yet. A path that goes on being missing, or that was deleted, is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.requests import parent_of, under

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_TARGETS = 500
"""Missing paths that are followed, the earliest; scanners ask for thousands."""
MOST_PARENTS = 8
"""Paths above these of which all requests are read; each makes the search wider."""
ID = r"/[^/.]*\d[^/.]*/?(?:\?.*)?$"
"""A last part that may name one thing: it holds a digit and no dot, as files do."""
SOON_NS = 60_000_000_000
"""A path that is missing later than this after its success is missing for another reason."""
WITHIN_NS = 300_000_000_000
"""And one that comes back later than this was made again, or a service was down."""
MISSING, GONE = 404, 410
READS, MAKES = ("GET", "HEAD"), ("PUT", "POST", "PATCH")


@dataclass(frozen=True, slots=True)
class MissedTarget:
    """`target` was there at `there` (ns), answered with 404 `times` times from `missed` on, and
    there again at `back`. `made` is whether the success before was a write. Rows are events."""

    target: str
    route: str
    source: str
    actor: str
    made: bool
    there: int
    missed: int
    last: int
    back: int
    times: int
    there_row: int
    missed_row: int
    back_row: int
    pk: str


def missed_targets(incident: Incident) -> list[MissedTarget]:
    """By the first 404 of each."""
    missing = incident.turned_away.filter(
        (pl.col("status") == MISSING) & pl.col("method").is_in([*READS, ""])
    )
    if missing.is_empty():
        return []
    first = missing.unique("target", keep="first", maintain_order=True).head(MOST_TARGETS)
    named = first.with_columns(parent=parent_of(pl.col("target"))).filter(
        (pl.col("parent") != "") & pl.col("target").str.contains(ID)
    )
    parents = named.group_by("parent").len().sort("len", "parent", descending=[True, False])
    parents = parents.head(MOST_PARENTS)
    targets = named.join(parents, on="parent", how="semi").get_column("target")
    if targets.is_empty():
        return []
    every = under(incident, parents.get_column("parent").to_list())
    every = every.filter(pl.col("target").is_in(targets.implode()))
    found = []
    for _, part in every.sort("timestamp", "row").group_by("target", maintain_order=True):
        one = _missed(part)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (one.missed, one.target))


def _missed(part: pl.DataFrame) -> MissedTarget | None:
    """The first time that one path was there, missing and there again."""
    asked = part.select(
        "row", "timestamp", "source", "actor", "method", "target", "route", "status"
    ).rows(named=True)
    there = None
    misses: list[dict[str, object]] = []
    for one in asked:
        good = 200 <= one["status"] < 300
        if one["status"] in (MISSING, GONE) and one["method"] in (*READS, ""):
            if there is not None:
                misses.append(one)
            continue
        if not good or one["method"] == "DELETE":
            there, misses = None, []
            continue
        if misses and there is not None and one["method"] in (*READS, ""):
            return _told(there, misses, one)
        there, misses = one, []
    return None


def _told(
    there: dict[str, object], misses: list[dict[str, object]], back: dict[str, object]
) -> MissedTarget | None:
    first, last = misses[0], misses[-1]
    stamps = [int(str(one["timestamp"])) for one in (there, first, last, back)]
    if stamps[1] - stamps[0] > SOON_NS or stamps[3] - stamps[2] > WITHIN_NS:
        return None
    target = str(first["target"])
    return MissedTarget(
        target=target,
        route=f"{target.rpartition('/')[0]}/:id",
        source=str(first["source"]),
        actor=str(first["actor"]),
        made=there["method"] in MAKES,
        there=stamps[0],
        missed=stamps[1],
        last=stamps[2],
        back=stamps[3],
        times=len(misses),
        there_row=int(str(there["row"])),
        missed_row=int(str(first["row"])),
        back_row=int(str(back["row"])),
        pk=target.partition("?")[0].rstrip("/").rpartition("/")[2],
    )
