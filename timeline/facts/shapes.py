"""The shape of what is missing from a batch: its end, one part of it, or items here and there.

Pure counting over items in order. A shape is only named when chance would hardly draw it; small
sets have none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from timeline.incident import Incident

CHANCE = 0.001
"""A shape is named when chance would draw one like it less often than this."""
NORMAL_FROM = 10
"""From so many items on either side the normal law stands in for counting (Mann and Whitney)."""
PREFIX_OVERLAP = 0.02
"""Of all pairs (one tried, one not), how many may stand in the wrong order when it stopped."""
ALIGNED_RATE = 0.9
"""Of the items with one trait, how many must be missing;"""
ALIGNED_SHARE = 0.8
"""of the missing ones, how many must have it;"""
ALIGNED_ELSEWHERE = 0.2
"""and of the others, how many may be missing."""
MIN_ALIGNED = 3
CAPS = frozenset((100, 200, 250, 500, 999, 1000, 1001, 1024, 2000, 2048, 5000, 10_000))
"""Page sizes and input limits that are met in practice; PHP drops input beyond 1000 variables
(`max_input_vars`)."""
STABLE = 0.8
"""Likeness (shared of all) of what failed in two runs from which the items are at fault."""
TRAITS = (
    "region",
    "zone",
    "shard",
    "tenant",
    "tenant_id",
    "host",
    "queue",
    "worker",
    "country",
    "locale",
    "plan",
    "cluster",
    "partition",
)
"""Attributes and columns by which work is divided."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`name`: prefix, cap, aligned, stable, unstable, scattered. `words` say it to a person;
    `trait` and `value` are set for aligned, `index` (items before the stop) for prefix and cap."""

    name: str
    words: str
    trait: str = ""
    value: str = ""
    index: int | None = None


def stopped_after(tried: Sequence[int], missing: Sequence[int]) -> bool:
    """Whether the positions `tried` come before the positions `missing`, beyond chance."""
    one, two = len(tried), len(missing)
    if not one or not two:
        return False
    wrong = _inversions(tried, missing)
    if wrong > PREFIX_OVERLAP * one * two:
        return False
    if min(one, two) < NORMAL_FROM or not wrong:
        draws = math.comb(one + two, min(one, two)) if one + two < 1_000 else math.inf
        at_least = (wrong + 1) ** 2
        return at_least / draws < CHANCE
    mean, spread = one * two / 2, math.sqrt(one * two * (one + two + 1) / 12)
    return math.erfc((mean - wrong) / spread / math.sqrt(2)) / 2 < CHANCE


def _inversions(tried: Sequence[int], missing: Sequence[int]) -> int:
    """Pairs in which a missing item stands before a tried one: Mann and Whitney's U."""
    positions = pl.Series(sorted(missing), dtype=pl.Int64)
    before = positions.search_sorted(pl.Series(list(tried), dtype=pl.Int64), side="left")
    return int(before.sum())


def aligned(
    missing: Collection[str], others: Collection[str], traits: Mapping[str, Mapping[str, str]]
) -> tuple[str, str] | None:
    """(trait, value) that nearly all missing items have and hardly any other, or None.

    `traits` maps a trait's name to the value of each item that has one.
    """
    for trait, values in traits.items():
        gone: dict[str, int] = {}
        there: dict[str, int] = {}
        for key in missing:
            gone[values.get(key, "")] = gone.get(values.get(key, ""), 0) + 1
        for key in others:
            there[values.get(key, "")] = there.get(values.get(key, ""), 0) + 1
        value, number = max(gone.items(), key=lambda pair: (pair[1], pair[0]))
        spared = there.get(value, 0)
        elsewhere = len(missing) - number
        rest = elsewhere + len(others) - spared
        if (
            value
            and number >= MIN_ALIGNED
            and number >= ALIGNED_RATE * (number + spared)
            and number >= ALIGNED_SHARE * len(missing)
            and rest > elsewhere
            and elsewhere <= ALIGNED_ELSEWHERE * rest
            and 1 / math.comb(len(missing) + len(others), len(missing)) < CHANCE
        ):
            return trait, value
    return None


def likeness(one: Collection[str], two: Collection[str]) -> float:
    """Jaccard's index: what two sets share, of all that is in either; 0 for two empty sets."""
    both, either = set(one) & set(two), set(one) | set(two)
    return len(both) / len(either) if either else 0.0


def traits_of(
    incident: Incident, keys: Sequence[str], rows: Mapping[str, int]
) -> dict[str, dict[str, str]]:
    """Trait -> item -> value, from the item's own name, its row in a database and its events.

    `rows` gives one event row of an item, where there is one.
    """
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        stem = re.match(r"(.*?[A-Za-z][A-Za-z0-9]*)[-_./]", key.partition(":")[2])
        if stem:
            found.setdefault("name", {})[key] = stem.group(1)
    for key, record in incident.records.of_entities(keys).items():
        for name, value in _members(record.columns).items():
            found.setdefault(name, {})[key] = value
    held = [key for key in keys if key in rows]
    texts = incident.snapshot.events.get_column("attributes").gather([rows[key] for key in held])
    actors = incident.snapshot.events.get_column("actor").gather([rows[key] for key in held])
    for key, actor in zip(held, actors.cast(pl.String).to_list(), strict=True):
        if actor:
            found.setdefault("actor", {})[key] = actor
    for key, text in zip(held, texts.to_list(), strict=True):
        for name, value in _members(text).items():
            found.setdefault(name, {}).setdefault(key, value)
    return found


def _members(text: str | None) -> dict[str, str]:
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {
        name: str(told[name])
        for name in TRAITS
        if isinstance(told.get(name), str | int) and str(told[name])
    }


def in_two_presses(signs: pl.DataFrame, fewest: int) -> Shape | None:
    """Whether the items that failed in two presses, at least `fewest` in each, are the same."""
    if "press" not in signs.columns:
        return None
    failed = signs.filter(pl.col("sign") == "failed").drop_nulls("press")
    sets = [
        set(part.get_column("key").to_list())
        for _, part in failed.group_by("press", maintain_order=True)
    ]
    sets = [one for one in sets if len(one) >= fewest]
    if len(sets) < 2:
        return None
    alike = likeness(sets[-2], sets[-1])
    if alike >= STABLE:
        return Shape(
            "stable", "the same items failed in both presses: they are at fault themselves"
        )
    if alike <= 1 - STABLE:
        return Shape("unstable", "other items failed in each press: what failed was around them")
    return None
