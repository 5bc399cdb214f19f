"""Batches whose items a run named one by one before it began, and the lines that tell of each.

Both are lines of one writer that name one thing each: a burst that names all, then lines of another
form at the pace of the work. Only a gap that chance would not draw is taken for one: the end of the
list, or all items of one part. What is merely chosen here and there was never meant for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_ERROR
from timeline.facts.entities import entity_pairs
from timeline.facts.shapes import aligned, stopped_after
from timeline.facts.spoken import PLAN_MARKS, lines_with, spoken_with
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
OF_ONE, ELSEWHERE, HALF = 0.8, 0.1, 0.5
"""Of what is left, how much lies in the part that stopped; how much of the other parts may be left
for reasons of its own; and how much of its own the part must have left."""
PART = r"(\w+)[=:]\s?\"?([\w.-]+)"
"""A part of the work that a line names beside its item: shard=1, region: eu."""
MAX_PARTS = 12


def announced(incident: Incident) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """(name, keys, lines): the items in their order (`key`), and the lines that tell of each
    (`key` and the columns of `timeline.facts.spoken`), in time order."""
    spoken = spoken_with(incident, PLAN_MARKS).filter(pl.col("timestamp") >= incident.window.start)
    if not MIN_ANNOUNCED <= spoken.height <= MAX_PLANNED:
        return
    plans = _keyed(incident, spoken)
    per = ["service", "template", "kind"]
    for _, part in plans.group_by(per, maintain_order=True):
        listed = part.unique("key", keep="first", maintain_order=True)
        span = int(listed["timestamp"][-1]) - int(listed["timestamp"][0])
        if listed.height < MIN_ANNOUNCED or span > BURST_NS:
            continue
        later = _later(incident, listed)
        if later is None:
            continue
        told = _most_told(later)
        if _stands_out(listed, told, span):
            failed = later.filter(pl.col("severity_number") >= SEVERITY_ERROR)
            lines = pl.concat([told, failed.join(told, on="key", how="anti")])
            yield str(listed["template"][0]), listed.select("key"), lines.sort("timestamp", "row")


def _keyed(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` with each entity `key` they name, its `kind`, and their `service` and `template`."""
    pairs = entity_pairs(incident.snapshot.keys_of(lines.get_column("row")))
    joined = pairs.join(lines, on="row").sort("timestamp", "row")
    return joined.with_columns(
        kind=pl.col("key").str.extract(r"^([^:]+):", 1),
        service=service_of(pl.col("actor")),
        template=template_of(pl.col("body")),
    )


def _later(incident: Incident, listed: pl.DataFrame) -> pl.DataFrame | None:
    """The later lines of the same service, of other forms, that name what was `listed`."""
    rows = incident.snapshot.rows_with(listed.get_column("key"))
    if rows.len() > MAX_TOLD:
        return None
    lines = lines_with(incident, pl.col("row").is_in(rows.implode()))
    later = lines.filter(pl.col("timestamp") >= listed["timestamp"][0])
    named = _keyed(incident, later).join(listed.select("key"), on="key", how="semi")
    other = named.filter(
        (pl.col("service") == listed["service"][0]) & (pl.col("template") != listed["template"][0])
    )
    return None if other.is_empty() else other


def _most_told(lines: pl.DataFrame) -> pl.DataFrame:
    """Those of one form that name the most."""
    sizes = lines.group_by("template").agg(n=pl.n_unique("key"))
    most = sizes.sort(["n", "template"], descending=[True, False])["template"][0]
    return lines.filter(pl.col("template") == most)


def _stands_out(listed: pl.DataFrame, told: pl.DataFrame, span: int) -> bool:
    done = set(told.get_column("key").to_list())
    places = {key: place for place, key in enumerate(listed.get_column("key").to_list())}
    left = set(places) - done
    took = int(told["timestamp"][-1]) - int(told["timestamp"][0])
    if min(len(done), len(left)) < MIN_EACH or span > FASTER * took:
        return False
    if stopped_after([places[key] for key in done], [places[key] for key in left]):
        return True
    parts = _parts(listed)
    if aligned(left, done, parts) is not None:
        return True
    return any(_stopped_in_one(values, places, done) for values in parts.values())


def _stopped_in_one(
    values: Mapping[str, str], places: Mapping[str, int], done: Collection[str]
) -> bool:
    """Whether nearly all that is left belongs to one part, which went through its items in order
    and stopped, while of the other parts hardly anything is left."""
    left = [key for key in places if key not in done]
    gone = Counter(values.get(key, "") for key in left)
    part, number = max(gone.items(), key=lambda pair: (pair[1], pair[0]))
    mine = [key for key in places if values.get(key) == part]
    others = len(places) - len(mine)
    elsewhere = len(left) - number
    if not part or number < MIN_EACH or number < OF_ONE * len(left):
        return False
    if not others or elsewhere > ELSEWHERE * others or number < HALF * len(mine):
        return False
    tried = [places[key] for key in mine if key in done]
    few = len(tried) < MIN_EACH
    return few or stopped_after(tried, [places[key] for key in mine if key not in done])


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
