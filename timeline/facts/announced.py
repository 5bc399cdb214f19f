"""Batches whose items a run named one by one before it began, and the lines that tell of each.

Both are lines of one writer that name one thing each: a burst that names all, then lines of another
form at the pace of the work. Only a gap that chance would not draw is taken for one: the end of the
list, or all items of one part. What is merely chosen here and there was never meant for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.entities import entity_pairs
from timeline.facts.shapes import aligned, stopped_after
from timeline.facts.spoken import PLAN_MARKS, lines_with, marked
from timeline.templates import service_of, template_of
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_ANNOUNCED = 20
"""Things named in one burst before they are taken for a list of what is to be done."""
MIN_EACH = 5
"""Of them, how many must be done and how many left."""
BURST_NS = 60 * SECOND_NS
"""A list is written out within so long, or within `FASTER` of the work that follows."""
FASTER = 0.5
MAX_PLANNED = 5_000
MAX_TOLD = 50_000
"""Lines that announce, and lines about what was announced, that are looked at."""
PART = r"(\w+)[=:]\s?\"?([\w.-]+)"
"""A part of the work that a line names beside its item: shard=1, region: eu."""
MAX_PARTS = 12


def announced(incident: Incident) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """(name, keys, lines): the items in their order (`key`), and the lines that tell of each
    (`key` and the columns of `timeline.facts.spoken`), in time order."""
    spoken = marked(incident.spoken, PLAN_MARKS).filter(
        pl.col("timestamp") >= incident.window.start
    )
    if not MIN_ANNOUNCED <= spoken.height <= MAX_PLANNED:
        return
    plans = _keyed(incident, spoken)
    per = ["service", "template", "kind"]
    for _, part in plans.group_by(per, maintain_order=True):
        listed = part.unique("key", keep="first", maintain_order=True)
        span = int(listed["timestamp"][-1]) - int(listed["timestamp"][0])
        if listed.height < MIN_ANNOUNCED or span > BURST_NS:
            continue
        told = _told(incident, listed)
        if told is not None and _stands_out(listed, told, span):
            yield str(listed["template"][0]), listed.select("key"), told


def _keyed(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` with each entity `key` they name, its `kind`, and their `service` and `template`."""
    pairs = entity_pairs(incident.snapshot.keys_of(lines.get_column("row")))
    joined = pairs.join(lines, on="row").sort("timestamp", "row")
    return joined.with_columns(
        kind=pl.col("key").str.extract(r"^([^:]+):", 1),
        service=service_of(pl.col("actor")),
        template=template_of(pl.col("body")),
    )


def _told(incident: Incident, listed: pl.DataFrame) -> pl.DataFrame | None:
    """The later lines of one form and the same service that name most of what was `listed`."""
    rows = incident.snapshot.rows_with(listed.get_column("key"))
    if rows.len() > MAX_TOLD:
        return None
    lines = lines_with(incident, pl.col("row").is_in(rows.implode()))
    later = lines.filter(pl.col("timestamp") >= listed["timestamp"][0])
    named = _keyed(incident, later).join(listed.select("key"), on="key", how="semi")
    other = named.filter(
        (pl.col("service") == listed["service"][0]) & (pl.col("template") != listed["template"][0])
    )
    if other.is_empty():
        return None
    sizes = other.group_by("template").agg(n=pl.n_unique("key"))
    most = sizes.sort(["n", "template"], descending=[True, False])["template"][0]
    return other.filter(pl.col("template") == most)


def _stands_out(listed: pl.DataFrame, told: pl.DataFrame, span: int) -> bool:
    done = set(told.get_column("key").to_list())
    places = {key: place for place, key in enumerate(listed.get_column("key").to_list())}
    left = set(places) - done
    took = int(told["timestamp"][-1]) - int(told["timestamp"][0])
    if min(len(done), len(left)) < MIN_EACH or span > FASTER * took:
        return False
    if stopped_after([places[key] for key in done], [places[key] for key in left]):
        return True
    return aligned(left, done, _parts(listed)) is not None


def _parts(listed: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Values that the announcing lines give beside their items, where few of them differ."""
    found: dict[str, dict[str, str]] = {}
    texts = listed.select("key", part=pl.col("body").str.extract_all(PART)).explode("part")
    split = texts.select(
        "key", name=pl.col("part").str.extract(PART, 1), value=pl.col("part").str.extract(PART, 2)
    ).drop_nulls()
    for (name,), part in split.group_by("name", maintain_order=True):
        if 1 < part.get_column("value").n_unique() <= MAX_PARTS:
            found[str(name)] = dict(part.select("key", "value").iter_rows())
    return found
