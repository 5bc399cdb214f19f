"""Two requests or jobs that read one number of a thing and each wrote another, as lines tell it.

Where a run says what it found and what it left (`on_hand=120`, then `on_hand=118`), two runs
on one thing are read against each other: both found the same number, both left another, and the
second had found its own before the first left his. That the number is handed from run to run shows
in the runs that did not cross. Never says what the database kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from timeline.event import SEVERITY_WARN, Kind, Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.lines import lines_at
from timeline.facts.stated_versions import PERSONS, REFUSES

if TYPE_CHECKING:
    from timeline.incident import Incident

RUN = r"^(?:request|trace|correlation|job|message|task|execution|transaction|session)(?:_[a-z]+)?:"
FIELD = re.compile(r"([A-Za-z_][\w.-]{1,40})[\"']?\s?[:=]\s?[\"']?(-?\d{1,15}(?:\.\d{1,6})?)\b")
NO_STATE = re.compile(
    r"(?i)(?:_|^|\b)(?:id|ms|us|ns|pid|tid|port|line|took|ts|at|time|date|code|status|attempt|try"
    r"|retries|size|bytes|latency|seq|offset|elapsed\w*|duration\w*|\w*seconds?|\w*millis)$|Id$|Ms$"
)
"""Figures of a line that are no state of a thing."""
MOST_THINGS = 5_000
MOST_KEYS_SAMPLED = 200_000
MOST_OF_ONE = 400
"""What more lines name is a tenant or a page: everybody is at it at once."""
MOST_PAIRS = 300
LONGEST_NS = 600_000_000_000
"""A form is saved minutes after it was opened."""
HANDED_ON = 0.8
LEAST_HANDED = 3
"""Runs that did not cross, of which so many and so large a share find what the last one left."""


@dataclass(frozen=True, slots=True)
class CrossedWrites:
    """`key`: `first` and `second` (run keys, of `actors`) both found `found` in `field` and left
    `left`. The rows are both readings, then both writes. `handed` of `others` runs that did not
    cross found what the one before had left."""

    actors: tuple[str, ...]
    key: str
    field: str
    found: str
    left: tuple[str, str]
    first: str
    second: str
    rows: tuple[int, int, int, int]
    stamps: tuple[int, int, int, int]
    handed: int
    others: int

    @property
    def carried(self) -> bool:
        """Whether the number is known to be handed from run to run."""
        return self.handed >= LEAST_HANDED and self.handed >= HANDED_ON * self.others


def crossed_writes(incident: Incident) -> list[CrossedWrites]:
    """By the instant of the second write; fields that are known not to be handed on left out."""
    runs = _runs(incident)
    pairs = _crossing(runs)
    found: list[CrossedWrites] = []
    chains: dict[tuple[tuple[str, ...], str], tuple[int, int]] = {}
    for pair in pairs.iter_rows(named=True):
        for field, value, left in _same_found(pair):
            of = (_actors(pair), field)
            if of not in chains:
                chains[of] = _handed_on(runs, *of)
            handed, others = chains[of]
            if others >= LEAST_HANDED and handed < HANDED_ON * others:
                continue
            found.append(_crossed(pair, field, value, left, handed, others))
            break
    return sorted(found, key=lambda one: (one.stamps[3], one.key))


def _crossed(
    pair: dict[str, Any], field: str, value: str, left: tuple[str, str], handed: int, others: int
) -> CrossedWrites:
    return CrossedWrites(
        actors=_actors(pair),
        key=pair["key"],
        field=field,
        found=value,
        left=left,
        first=pair["run"],
        second=pair["run_2"],
        rows=(pair["read_row"], pair["read_row_2"], pair["wrote_row"], pair["wrote_row_2"]),
        stamps=(pair["read"], pair["read_2"], pair["wrote"], pair["wrote_2"]),
        handed=handed,
        others=others,
    )


def _actors(pair: dict[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((pair["actor"], pair["actor_2"])))


def _things(incident: Incident) -> pl.Series:
    """Keys of what is written to: rows that were updated; without a database, what is named by
    several lines."""
    versions = incident.records.versions
    if versions.height:
        kinds = (Kind.ROW_UPDATED.value, Kind.ROW_VERSION.value)
        written = versions.filter(pl.col("kind").is_in(kinds)).select("record").unique()
        owners = incident.records.owners.join(written.tail(MOST_THINGS), on="record", how="semi")
        return owners.get_column("key").unique()
    keys = incident.snapshot.keys
    step = -(-keys.height // MOST_KEYS_SAMPLED) or 1
    named = keys.select(pl.col("key").gather_every(step))
    counts = entity_pairs(named).get_column("key").value_counts(name="n")
    several = counts.filter(pl.col("n").is_between(4 if step == 1 else 2, MOST_OF_ONE // step))
    several = several.filter(~pl.col("key").str.contains(f"{RUN}|{PERSONS}"))
    return several.sort("n", "key", descending=[True, False]).get_column("key").head(MOST_THINGS)


def _runs(incident: Incident) -> pl.DataFrame:
    """First and last line (`read`, `wrote`) of each run about each thing, where they are two."""
    things = _things(incident)
    pairs = incident.snapshot.keys.filter(pl.col("key").is_in(things.implode())).unique()
    pairs = pairs.filter(pl.len().over("key").is_between(4, MOST_OF_ONE))
    if pairs.is_empty():
        return pairs
    keys = incident.snapshot.keys_of(pairs.get_column("row").unique())
    runs = keys.filter(pl.col("key").str.contains(RUN)).sort("row", "key")
    runs = runs.unique("row", keep="first", maintain_order=True).rename({"key": "run"})
    held = pairs.join(runs, on="row").filter(pl.col("key") != pl.col("run"))
    held = held.filter(pl.len().over("key", "run") > 1)
    held = held.filter(pl.col("run").n_unique().over("key") > 1)
    if held.is_empty():
        return held
    lines = lines_at(incident, held.get_column("row")).filter(pl.col("lane") == Lane.LOG.value)
    told = lines.join(held, on="row").sort("timestamp", "row")
    spans = told.group_by("actor", "key", "run", maintain_order=True).agg(
        read=pl.col("timestamp").first(),
        read_row=pl.col("row").first(),
        read_body=pl.col("body").first(),
        wrote=pl.col("timestamp").last(),
        wrote_row=pl.col("row").last(),
        wrote_body=pl.col("body").last(),
        lines=pl.len(),
        worst=pl.col("severity_number").max(),
    )
    refused = pl.col("wrote_body").str.contains(REFUSES) | (pl.col("worst") >= SEVERITY_WARN)
    spans = spans.filter((pl.col("lines") > 1) & ~refused)
    return spans.sort("key", "read", "read_row")


def _crossing(runs: pl.DataFrame) -> pl.DataFrame:
    """Neighbouring runs on one thing that had both read before either wrote; `…_2` is who wrote
    later, which need not be who read later."""
    if runs.is_empty():
        return runs
    by = ["key"]
    names = ("actor", "run", "read", "read_row", "read_body", "wrote", "wrote_row", "wrote_body")
    after = [pl.col(name).shift(-1).over(by).alias(f"{name}_2") for name in names]
    pairs = runs.with_columns(after).drop_nulls("run_2")
    met = (pl.col("read_2") < pl.col("wrote")) & (pl.col("wrote_2") != pl.col("wrote"))
    last = pl.max_horizontal("wrote", "wrote_2")
    near = last - pl.col("read") <= LONGEST_NS
    inside = pl.col("wrote_2") < pl.col("wrote")
    sides = [(pl.col(name), pl.col(f"{name}_2")) for name in names]
    ordered = [
        pl.when(inside).then(two).otherwise(one).alias(name)
        for (one, two), name in zip(sides, names, strict=True)
    ]
    swapped = [
        pl.when(inside).then(one).otherwise(two).alias(f"{name}_2")
        for (one, two), name in zip(sides, names, strict=True)
    ]
    return pairs.filter(met & near).with_columns(*ordered, *swapped).head(MOST_PAIRS)


def _same_found(pair: dict[str, Any]) -> list[tuple[str, str, tuple[str, str]]]:
    """Fields of which both runs first tell one number and at last each another."""
    found, again, left, over = (
        dict(FIELD.findall(pair[name]))
        for name in ("read_body", "read_body_2", "wrote_body", "wrote_body_2")
    )
    return [
        (name, value, (left[name], over[name]))
        for name, value in found.items()
        if again.get(name) == value
        and name in left
        and name in over
        and len({value, left[name], over[name]}) == 3
        and not NO_STATE.search(name)
    ]


def _handed_on(runs: pl.DataFrame, actors: tuple[str, ...], field: str) -> tuple[int, int]:
    """How many runs found what the run before had left, of all that followed without crossing."""
    pattern = rf"(?:^|[^\w.-]){re.escape(field)}[\"']?\s?[:=]\s?[\"']?(-?\d+(?:\.\d+)?)\b"
    told = runs.filter(pl.col("actor").is_in(actors)).with_columns(
        found=pl.col("read_body").str.extract(pattern, 1),
        left=pl.col("wrote_body").str.extract(pattern, 1),
    )
    told = told.drop_nulls(["found", "left"]).with_columns(
        before=pl.col("left").shift(1).over("key"), ended=pl.col("wrote").shift(1).over("key")
    )
    apart = told.drop_nulls("before").filter(pl.col("ended") < pl.col("read"))
    return int((apart["found"] == apart["before"]).sum()), apart.height
