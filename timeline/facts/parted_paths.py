"""Paths that some hosts of one service have and others answer with 404, always the same ones.

Told by the service's own request lines, after a change of it. The hosts are put on two sides so
that each path is there on one side and missing on the other; where that cannot be done, there are
no two builds. Whoever balances the load asks all hosts, so the parting is no chance once several
paths agree on it. Never says which build is the right one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.boots import host_of
from timeline.facts.changes_seen import Change, What, changes_in, is_about, settled
from timeline.facts.sight import read_until
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

PATH = r"(?:^|[\s\"'=(\[:])(?:https?://[^/\s\"]+)?(/[^\s\"'?,;)\]}]*)"
TOOK = r"\b\d+(?:\.\d+)? ?(?:ms|msec|µs|us|ns|s)\b"
MISSING, SERVED = r"(?:^|[^\w.:/-])404(?:[^\w.]|$)", r"(?:^|[^\w.:/-])(?:200|206|304)(?:[^\w.]|$)"
CHANGES = (What.DEPLOY, What.RESTART, What.OTHER)
MOST_CHANGES = 3
MOST_EVENTS = 100_000
"""Events after a change among which answers are looked for: a rollout that stopped shows soon."""
MOST_PATHS = 200
LEAST_PATHS, LEAST_MISSED, LEAST_SERVED = 2, 5, 5
"""Paths that part the hosts, 404s of them in all, and successes of any path on each side."""
SAME_ANSWER = 0.8
"""Of a host's answers for one path: a rollout that goes on turns them over once."""
SEEN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "host": pl.String,
    "actor": pl.String,
    "path": pl.String,
    "missing": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class PartedPaths:
    """Hosts of `service` on two `sides`; `lacks` are the paths that each side answers with 404 and
    the other has. `missed` are the rows of these 404s, `began` and `ended` (ns) their instants;
    `actors` names who speaks from each host."""

    service: str
    change: Change
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    lacks: tuple[tuple[str, ...], tuple[str, ...]]
    missed: tuple[int, ...]
    began: int
    ended: int
    actors: Mapping[str, str]


def parted_paths(incident: Incident) -> list[PartedPaths]:
    """For each service that was changed, the latest change first."""
    changes = [one for one in settled(changes_in(incident)) if one.what in CHANGES]
    found: dict[str, PartedPaths] = {}
    for change in reversed(changes[-MOST_CHANGES:]):
        for service, seen in _answers(incident, change).items():
            parted = _parted(service, change, seen)
            if parted is not None:
                found.setdefault(service, parted)
    return list(found.values())


def _answers(incident: Incident, change: Change) -> dict[str, pl.DataFrame]:
    """SEEN_SCHEMA of the answers of each service that the change is about, from the change on."""
    snapshot = incident.snapshot
    names = snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls().to_list()
    actors = sorted(name for name in names if is_about(change, [name]))
    first = snapshot.position_at(change.timestamp)
    last = min(first + MOST_EVENTS, len(snapshot.times)) - 1
    if not actors or last <= first:
        return {}
    until = min(int(snapshot.times[last]) + 1, read_until(incident))
    told = snapshot.told(
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("actor").is_in(actors)
        & pl.col("timestamp").is_between(change.timestamp, until, "left"),
        "actor",
        "clock",
        "source",
        "body",
    )
    if not told.get_column("body").str.contains("404", literal=True).any():
        return {}
    texts = told.get_column("body")
    seen = told.with_columns(host_of(), body=pl.col("body").str.replace_all(TOOK, " "))
    seen = seen.select(
        "row",
        "timestamp",
        "host",
        pl.col("actor").cast(pl.String),
        path=pl.col("body").str.extract(PATH, 1),
        missing=pl.when(pl.col("body").str.contains(plain_form(texts, MISSING)))
        .then(pl.lit(value=True))
        .when(pl.col("body").str.contains(plain_form(texts, SERVED)))
        .then(pl.lit(value=False)),
    ).drop_nulls()
    return {str(actor): part for (actor,), part in seen.group_by("actor", maintain_order=True)}


def _parted(service: str, change: Change, seen: pl.DataFrame) -> PartedPaths | None:
    """The two sides, if the answers of one service fall on two."""
    if seen.get_column("host").n_unique() < 2:
        return None
    paths = _steady(seen)
    sides = _sides(paths)
    if sides is None:
        return None
    one, other = sides
    split = {True: list[str](), False: list[str]()}
    for path, (_, lacking) in paths.items():
        split[not lacking.isdisjoint(one)].append(path)
    missed = seen.filter(pl.col("missing") & pl.col("path").is_in(list(paths)))
    well = seen.filter(~pl.col("missing"))
    served = [well.filter(pl.col("host").is_in(sorted(side))).height for side in (one, other)]
    if len(paths) < LEAST_PATHS or missed.height < LEAST_MISSED or min(served) < LEAST_SERVED:
        return None
    actors = dict(seen.select("host", "actor").unique().iter_rows())
    return PartedPaths(
        service=service,
        change=change,
        sides=(tuple(sorted(one)), tuple(sorted(other))),
        lacks=(tuple(sorted(split[True])), tuple(sorted(split[False]))),
        missed=tuple(missed.get_column("row").to_list()),
        began=int(missed["timestamp"][0]),
        ended=int(missed["timestamp"][-1]),
        actors=actors,
    )


def _steady(seen: pl.DataFrame) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """(hosts that have it, hosts that lack it) of each path that differs, most asked for first."""
    missing = seen.filter("missing")
    begun = missing.group_by("path").agg(begun=pl.col("timestamp").min())
    held = seen.join(begun, on="path").filter(pl.col("timestamp") >= pl.col("begun"))
    hosts = held.group_by("path", "host").agg(share=pl.col("missing").mean(), asked=pl.len())
    both = hosts.group_by("path").agg(
        asked=pl.col("asked").sum(),
        has=pl.col("host").filter(pl.col("share") <= 1 - SAME_ANSWER).sort(),
        lacks=pl.col("host").filter(pl.col("share") >= SAME_ANSWER).sort(),
        clear=((pl.col("share") >= SAME_ANSWER) | (pl.col("share") <= 1 - SAME_ANSWER)).all(),
    )
    differ = both.filter(
        pl.col("clear") & (pl.col("has").list.len() > 0) & (pl.col("lacks").list.len() > 0)
    )
    differ = differ.sort("asked", "path", descending=[True, False]).head(MOST_PATHS)
    return {
        path: (frozenset(has), frozenset(lacks))
        for path, has, lacks in differ.select("path", "has", "lacks").iter_rows()
    }


def _sides(
    paths: Mapping[str, tuple[frozenset[str], frozenset[str]]],
) -> tuple[frozenset[str], frozenset[str]] | None:
    """All hosts on two sides so that no path is there and missing on one side; None if impossible
    or if the paths do not hang together."""
    one: set[str] = set()
    other: set[str] = set()
    waiting = list(paths.values())
    while waiting:
        fits = next((pair for pair in waiting if _known(pair, (*one, *other))), None)
        if fits is None and one:
            return None
        pair = fits or waiting[0]
        waiting.remove(pair)
        has, lacks = pair
        if not one or not has.isdisjoint(one) or not lacks.isdisjoint(other):
            one, other = one | has, other | lacks
        else:
            one, other = one | lacks, other | has
        if one & other:
            return None
    return (frozenset(one), frozenset(other)) if one else None


def _known(pair: tuple[frozenset[str], frozenset[str]], hosts: Iterable[str]) -> bool:
    return not (pair[0] | pair[1]).isdisjoint(hosts)
