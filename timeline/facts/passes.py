"""How a batch goes through a set of items: once, again in the same order, or round by round.

It leaves its path in what it writes (`timeline.facts.streams`): which items, in which order, where
it began anew. It decides nothing about why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.sight import read_until
from timeline.facts.streams import LEAST_ITEMS, PASS_SCHEMA, Stream
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

QUIET_FOLD = 5
"""A pause of this multiple of the 95th percentile of the gaps ends a round,"""
QUIET_NS = 20 * SECOND_NS
"""and no sooner than this."""
ALIKE = 0.95
"""Part of the items that two full rounds must share to be rounds over one set."""
FULL_ROUNDS = 2
"""Full rounds before a short one is short."""
MOST_PASSES = 5
"""What is gone through more often within one window is a rhythm and no second press."""
MOST_SETTLED = 3
"""The same of passes that each came to an end before the next: work that is always begun again
right away makes more of them in a window."""
LEAST_APART_NS = 10 * SECOND_NS
"""Two rows about one item that lie closer are one piece of work done twice."""
IN_ORDER = 0.9
"""Part of the steps that go forward in a pass that follows the order of the first."""
LEAST_AGAIN = 10
"""Items of a second pass before it is one."""
WHOLE_SHARE = 0.8
"""Part of the first items of a pass that the next one must have again, as it begins anew."""
EVENLY = 0.05
"""Share of a distance by which a timer's turns differ."""
UNSETTLED = 0.1
"""Part of the items that the first pass had left, or was still to do, when the next began."""
CHUNK = 10
"""The second pass has begun anew if it begins among so many first items of the first."""


@dataclass(frozen=True)
class Rounds:
    """`full` earlier rounds over one set of items (`keys`, in order), and a last one, `part`
    (PASS_SCHEMA), that has fewer."""

    stream: Stream
    keys: tuple[str, ...]
    full: int
    part: pl.DataFrame


@dataclass(frozen=True)
class Passes:
    """The same items in the same order more than once: `parts` (PASS_SCHEMA), one a pass.

    `unsettled` is whether a good part of one was still to come when the next one began.
    """

    stream: Stream
    parts: tuple[pl.DataFrame, ...]
    unsettled: bool


def short_rounds(incident: Incident) -> Iterator[Rounds]:
    """Streams in rounds over one set whose last round is short of it."""
    for stream in incident.streams:
        found = _rounds(incident, stream)
        if found is not None:
            yield found


def _rounds(incident: Incident, stream: Stream) -> Rounds | None:
    gaps = stream.rows.get_column("at").diff()
    usual = int(gaps.drop_nulls().quantile(0.95, "higher") or 0)
    quiet = max(QUIET_NS, QUIET_FOLD * usual)
    rounds = 1 + int((gaps > quiet).sum())
    if not FULL_ROUNDS < rounds <= LEAST_ITEMS + 1:  # the first may not count
        return None
    told = stream.rows.with_columns(round=(gaps > quiet).fill_null(value=False).cum_sum())
    parts = [part for _, part in told.group_by("round", maintain_order=True)]
    if parts and parts[0]["at"][0] - incident.window.start <= quiet:
        parts = parts[1:]  # it may have begun before
    if not FULL_ROUNDS < len(parts) <= LEAST_ITEMS:
        return None
    *before, last = parts
    if read_until(incident) - int(last["at"][-1]) <= quiet:
        return None
    sets = [frozenset(part.get_column("key")) for part in parts]
    whole = sets[0]
    if any(len(whole & one) < ALIKE * max(len(whole), len(one)) for one in sets[1:-1]):
        return None
    ever = frozenset[str].intersection(*sets[:-1])
    left = ever - sets[-1]
    if len(left) < max(3, (1 - ALIKE) * len(ever)) or sets[-1] - whole:
        return None
    if any(part.height > 2 * part.get_column("key").n_unique() for part in before):
        return None  # more than one row an item: a round is nothing that is counted
    order = before[-1].get_column("key").unique(maintain_order=True)
    keys = tuple(key for key in order if key in ever)
    return Rounds(stream, keys, len(before), last.select(list(PASS_SCHEMA)))


def repeated_passes(incident: Incident) -> Iterator[Passes]:
    """Streams of which a part was gone through again before the first time had settled."""
    for stream in incident.streams:
        found = _passes(incident, stream) or _begun_anew(incident, stream)
        if found is not None:
            yield found


def _begun_anew(incident: Incident, stream: Stream) -> Passes | None:
    """Passes that begin with the same items one after the other, whatever comes twice within one.

    Settled is one that came as far as the furthest.
    """
    keys = stream.rows.get_column("key").to_list()
    head = keys[:CHUNK]
    seen_begin = int(stream.rows["at"][0]) - incident.window.start > MINUTE_NS
    if len(set(head)) < CHUNK // 2 or not seen_begin:
        return None
    later = stream.rows.get_column("key") == head[0]
    starts = [at for at in later.arg_true().to_list() if keys[at : at + CHUNK] == head]
    if not 2 <= len(starts) <= MOST_PASSES:
        return None
    edges = [*starts, len(keys)]
    paths = [keys[one:two] for one, two in pairwise(edges)]
    longest = max(paths, key=len)
    if any(not _follows(path, longest) for path in paths):
        return None
    parts = [stream.rows.slice(one, two - one) for one, two in pairwise(edges)]
    if not _parted_by_pauses(parts):
        return None
    reached = [len(set(path)) for path in paths]
    unsettled = any(one <= (1 - UNSETTLED) * max(reached) for one in reached[:-1])
    if not unsettled and (
        len(parts) > MOST_SETTLED or not _close_together(parts) or _evenly_begun(parts)
    ):
        return None
    return Passes(stream, tuple(part.select(list(PASS_SCHEMA)) for part in parts), unsettled)


def _parted_by_pauses(parts: list[pl.DataFrame]) -> bool:
    """Whether each pause before a part is longer than any within one: else one of them may hold a
    round that began at another item."""
    stamps = [part.get_column("at").to_list() for part in parts]
    within = max(two - one for part in stamps for one, two in pairwise(part))
    return all(two[0] - one[-1] > within for one, two in pairwise(stamps))


def _follows(path: list[str], longest: list[str]) -> bool:
    """Whether `path` goes through the items of `longest` in their order as far as it comes."""
    same = sum(one == two for one, two in zip(path, longest, strict=False))
    return same >= IN_ORDER * len(path)


def _passes(incident: Incident, stream: Stream) -> Passes | None:
    if stream.rows.height - stream.rows.get_column("key").n_unique() < LEAST_AGAIN:
        return None  # too little comes a second time
    rows = stream.rows.with_columns(nth=pl.int_range(pl.len()).over("key"))
    again = rows.filter(pl.col("nth") == 1)
    if again.height < LEAST_AGAIN or int(rows["nth"].max() or 0) >= MOST_PASSES:  # type: ignore[arg-type]  # an integer column
        return None
    parts = [part for _, part in rows.sort("nth", "at").group_by("nth", maintain_order=True)]
    parts = [part for part in parts if part.height >= LEAST_AGAIN]
    first, second = parts[0], parts[1]
    began = int(first["at"][0])
    if began - incident.window.start <= MINUTE_NS:
        return None  # what was gone through before is not seen
    places = first.select("key", place=pl.int_range(pl.len()), since="at")
    for part in parts[1:]:
        held = part.join(places, on="key", maintain_order="left")
        steps = held.get_column("place").cast(pl.Int64).diff().drop_nulls()
        if int((steps > 0).sum()) < IN_ORDER * steps.len() or held["place"][0] >= CHUNK:
            return None
        if int((held["at"] - held["since"]).min() or 0) < LEAST_APART_NS:  # type: ignore[arg-type]  # integers
            return None
    reach = int(second.join(places, on="key")["place"].max() or 0) + 1  # type: ignore[arg-type]
    if second.height < WHOLE_SHARE * reach:
        return None  # here and there an item, not a run of them
    unsettled = any(_still_open(one, int(two["at"][0])) for one, two in pairwise(parts))
    if not unsettled and (len(parts) > MOST_SETTLED or not _close_together(parts)):
        return None  # over and done with, and at a schedule's distance
    told = _by_whom(parts)
    return Passes(stream, tuple(part.select(list(PASS_SCHEMA)) for part in told), unsettled)


def _close_together(parts: list[pl.DataFrame]) -> bool:
    """Whether each began again sooner after the one before than that one had taken."""
    spans = [(int(part["at"][0]), int(part["at"][-1])) for part in parts]
    return all(two[0] - one[1] <= one[1] - one[0] for one, two in pairwise(spans))


def _evenly_begun(parts: list[pl.DataFrame]) -> bool:
    """Whether three or more began at one distance from each other: a timer, and nobody's press."""
    begun = [int(part["at"][0]) for part in parts]
    gaps = [two - one for one, two in pairwise(begun)]
    return len(gaps) > 1 and max(gaps) - min(gaps) <= EVENLY * max(gaps)


def _still_open(part: pl.DataFrame, anew: int) -> bool:
    """Whether a good part of `part` was still to come when the next one began."""
    return int((part["at"] > anew).sum()) >= max(3, UNSETTLED * part.height)


def _by_whom(parts: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """`parts` by the pass that wrote them: what came for the first time after a pause, and after a
    later pass had begun, was reached by that one."""
    begun = pl.DataFrame({"since": [int(part["at"][0]) for part in parts]}).with_row_index("latest")
    told = pl.concat([part.with_columns(owner=pl.lit(n)) for n, part in enumerate(parts)])
    told = told.sort("at", "row").with_columns(gap=pl.col("at").diff().over("owner").fill_null(0))
    usual = int(told.get_column("gap").quantile(0.95, "higher") or 0)
    pause = max(QUIET_NS, QUIET_FOLD * usual)
    told = told.join_asof(begun, left_on="at", right_on="since", strategy="backward")
    further = (pl.col("gap") > pause).cum_sum().over("owner")
    latest = pl.col("latest").cast(pl.Int64)
    told = told.with_columns(owner=pl.min_horizontal(pl.col("owner") + further, latest))
    return [told.filter(pl.col("owner") == number) for number in range(len(parts))]
