"""What is different about the trouble: what rows say inside it against the rest of the window.

The trouble lasts from the onset to the recovery, or is the minute on either side of T when no onset
stands out. Counts and rates are told with the lengths they are counted over. Something is called
more (or less) frequent only when three things agree: the Wilson interval of its share of rows that
fall inside lies beyond what the lengths alone give; also beyond what the rest of the traffic gives
(all other rows that tell of no trouble); and it beats its own busiest (or quietest) equal stretch
outside, so that what comes in bursts anyway is not taken for news. It never says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from timeline.analysis import Condition
from timeline.difference_counts import SAYS, SAYS_WRONG, Cut, counts_in
from timeline.facts.sight import read_until
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from timeline.analysis import Analysis, CommonTrait
    from timeline.incident import Incident

AROUND_NS = MINUTE_NS
"""Without an onset: this much on either side of T."""
LEAST_NS = 5 * SECOND_NS
"""A shorter trouble is looked at this long: what follows from it takes a moment to be logged."""
Z = 3.0
"""Of the Wilson interval: 99.7 %, because thousands of values are tried at once."""
FOLD = 2.0
"""Less than twice as often, or more than half as often, is no news at 03:14."""
TINY = 1e-12
"""Keeps a division by nothing finite."""
MIN_ROWS = 3
"""Fewer rows are told by their number only."""


class Side(StrEnum):
    """In which way something differs, in the order it is told."""

    ONLY_INSIDE = "only inside"
    MORE = "more"
    GONE = "gone since"
    MISSING = "missing inside"
    """Not once inside, and back afterwards."""
    LESS = "less"
    SELDOM = "only inside, once or twice"
    """Warnings and errors too few to measure: told by their number only."""


MOST_OF = {
    Side.ONLY_INSIDE: 12,
    Side.MORE: 9,
    Side.GONE: 5,
    Side.MISSING: 4,
    Side.LESS: 4,
    Side.SELDOM: 5,
}
"""Told at most: together no more than a person reads before the first coffee."""
PER_FIELD = 5
"""Of one field on one side."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of one field: rows counted on both sides and what they come to a minute.

    `at_least` bounds how many times as often it is inside (for less, `1 / at_least` as often);
    `extreme` is the most (for less, the fewest) rows of any equal stretch outside, None where no
    such stretch is whole. `all_read` is False where only a share of the rows was read: counts are
    of those, rates and extremes are scaled up. `row` is a row of the snapshot that shows it.
    """

    side: Side
    field: str
    value: str
    inside: int
    outside: int
    inside_per_minute: float
    outside_per_minute: float
    at_least: float
    extreme: float | None
    all_read: bool
    source: str
    row: int
    rows: int
    """Sum of the numbers of the rows that were counted: equal where the rows are the same ones."""
    also: tuple[str, ...] = ()
    """Other values that the same rows carry: `host.name web-2` beside `actor web-2`."""

    @property
    def times(self) -> float:
        """How many times as often inside; infinite when it is only there, 0 when it is missing."""
        if not self.outside_per_minute:
            return math.inf
        return self.inside_per_minute / self.outside_per_minute


@dataclass(frozen=True, slots=True)
class Differences:
    """`found` in the order it is told, `left_out` counts what is not in it."""

    cut: Cut
    why: str
    """By what the inside begins and ends, in words."""
    calm: tuple[int, int]
    """Rows that tell of no trouble, inside and outside: how the traffic as a whole changed."""
    rows: tuple[int, int]
    found: tuple[Difference, ...]
    left_out: int
    common: tuple[CommonTrait, ...]
    unseen: tuple[str, ...]
    """What could not be seen of either side, one sentence each."""


def differences(incident: Incident, analysis: Analysis) -> Differences:
    """What is different inside the trouble. Raises ValueError, saying why, when there is nothing
    outside to compare with."""
    cut, why = trouble_of(incident, analysis)
    if cut.outside_width < LEAST_NS:
        raise ValueError("The trouble fills the whole window: ] opens a wider one to compare with.")
    unseen, floors = _limits(incident, cut)
    counted = counts_in(incident, cut, floors)
    measured = _measured(counted.frame, cut, counted.calm)
    found = _told_once(_each(_told(measured)))
    chosen = [one for side in Side for one in _of_side(found, side)[: MOST_OF[side]]]
    left_out = len(found) - len(chosen)
    return Differences(
        cut, why, counted.calm, counted.rows, tuple(chosen), left_out, analysis.common, unseen
    )


def _of_side(found: list[Difference], side: Side) -> list[Difference]:
    """At most `PER_FIELD` of each field, order kept."""
    kept: list[Difference] = []
    for one in found:
        if one.side is side and sum(other.field == one.field for other in kept) < PER_FIELD:
            kept.append(one)
    return kept


def trouble_of(incident: Incident, analysis: Analysis) -> tuple[Cut, str]:
    """The stretch that is looked at, and by what it begins and ends, in words."""
    window, end = incident.window, max(read_until(incident), incident.window.start + 1)
    onset, state = analysis.onset, analysis.state
    if onset is None or not window.start <= onset < end:
        begin, until = max(window.pin - AROUND_NS, window.start), min(window.pin + AROUND_NS, end)
        return Cut(window.start, end, begin, max(until, begin + 1)), "around T: no onset stands out"
    if state.condition is Condition.RECOVERED and state.since is not None and state.since >= onset:
        until, why = state.since + 1, "from the onset to the recovery"
    else:
        until, why = end, "from the onset on: no recovery was seen"
    if until - onset < LEAST_NS:
        until, why = (
            onset + LEAST_NS,
            f"{LEAST_NS // SECOND_NS} s from the onset: it was over sooner",
        )
    return Cut(window.start, end, onset, min(until, end)), why


def _limits(incident: Incident, cut: Cut) -> tuple[tuple[str, ...], dict[str, int]]:
    """What was not seen of the window, and per source the severity from which on it was read."""
    sentences: dict[str, None] = {}
    floors: dict[str, int] = {}
    for source in incident.sources:
        for entry in incident.snapshot.coverage.limits([source.name], cut.start, cut.end):
            if entry.complete_from:
                floors[source.name] = max(floors.get(source.name, 0), entry.complete_from)
            sentences[f"{entry.source}: {entry.reason or entry.sight.value.replace('_', ' ')}"] = (
                None
            )
    return tuple(sentences), floors


def _measured(counts: pl.DataFrame, cut: Cut, calm: tuple[int, int]) -> pl.DataFrame:
    """One line for each value: its counts, rates, the Wilson bounds as ratios, its extremes."""
    within, without = cut.width / MINUTE_NS, cut.outside_width / MINUTE_NS
    by_length = pl.lit(within / without)
    read_inside, read_outside = pl.col("read_inside"), pl.col("read_outside")
    others = calm[0] - pl.col("calm_inside") / read_inside
    others_outside = calm[1] - pl.col("calm_outside") / read_outside
    known = (others > 0) & (others_outside > 0)
    by_traffic = pl.when(known).then(others / others_outside).otherwise(by_length)
    low, high = wilson(pl.col("inside"), pl.col("inside") + pl.col("outside"))
    odds_low, odds_high = low / (1 - low).clip(TINY), high / (1 - high).clip(TINY)
    return (
        _by_value(counts, cut)
        .filter(pl.col("value").fill_null("") != "")
        .with_columns(
            low=odds_low * read_outside / read_inside, high=odds_high * read_outside / read_inside
        )
        .with_columns(
            inside_per_minute=pl.col("inside") / read_inside / within,
            outside_per_minute=pl.col("outside") / read_outside / without,
            more=pl.col("low") / pl.max_horizontal(by_length, by_traffic),
            less=pl.col("high") / pl.min_horizontal(by_length, by_traffic),
            low=pl.col("low") / by_length,
            high=pl.col("high") / by_length,
            scaled_inside=pl.col("inside") / read_inside,
            scaled_busiest=pl.col("busiest") / read_outside,
            scaled_quietest=pl.col("quietest") / read_outside,
            compared=pl.lit(len(cut.slices) > 1),
        )
        .collect()
    )


def _by_value(counts: pl.DataFrame, cut: Cut) -> pl.LazyFrame:
    """Counts of each value inside, before, after and outside, and its extremes outside."""
    place, number = pl.col("slice"), pl.col("n")
    stopped = (number.filter(place >= 0).sum() == 0) & pl.lit(cut.slices.start < 0)
    quietest = pl.when(stopped).then(_least(cut, before=True)).otherwise(_least(cut))
    first = pl.col("source", "read_inside", "read_outside").first()
    by_slice = counts.lazy().group_by("field", "value", "slice")
    return (
        by_slice.agg(pl.col("n", "calm", "sum").sum(), pl.col("row").min(), first)
        .group_by("field", "value")
        .agg(
            first,
            inside=number.filter(place == 0).sum(),
            outside=number.filter(place != 0).sum(),
            after=number.filter(place > 0).sum(),
            calm_inside=pl.col("calm").filter(place == 0).sum(),
            calm_outside=pl.col("calm").filter(place != 0).sum(),
            busiest=number.filter(place != 0).max().fill_null(0),
            quietest=quietest,
            row=pl.coalesce(pl.col("row").filter(place == 0).min(), pl.col("row").max()),
            rows=pl.col("sum").sum(),
        )
    )


def _least(cut: Cut, *, before: bool = False) -> pl.Expr:
    """The fewest rows in any equal stretch outside; of what stopped, in those before it did."""
    whole = [other for other in cut.slices if other < 0 or (other and not before)]
    equal = pl.col("slice").is_in(whole)
    fewest = pl.col("n").filter(equal).min()
    return pl.when(equal.sum() == len(whole)).then(fewest).otherwise(0)


def wilson(hits: pl.Expr, total: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The Wilson score interval of `hits` out of `total`, with `Z`; both bounds lie in 0 to 1.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.
    """
    share = hits / total
    spread = Z * (share * (1 - share) / total + Z * Z / (4 * total * total)).sqrt()
    middle, scale = share + Z * Z / (2 * total), 1 + Z * Z / total
    return ((middle - spread) / scale).clip(0, 1), ((middle + spread) / scale).clip(0, 1)


def _told(measured: pl.DataFrame) -> pl.DataFrame:
    """Those that differ, as the fields of a `Difference`, strongest first in each group."""
    inside, outside = pl.col("inside_per_minute"), pl.col("outside_per_minute")
    beats = ~pl.col("compared") | (pl.col("scaled_inside") > pl.col("scaled_busiest"))
    falls = ~pl.col("compared") | (pl.col("scaled_inside") < pl.col("scaled_quietest"))
    enough = pl.col("inside") >= MIN_ROWS
    rises = (pl.col("more") > 1) & enough & (inside >= FOLD * outside) & beats
    drops = (pl.col("less") < 1) & (FOLD * inside <= outside) & falls
    gone = (pl.col("inside") == 0) & (pl.col("after") == 0)
    news = (pl.col("inside") > 0) & (pl.col("outside") == 0)
    seldom = news & (pl.col("inside") < MIN_ROWS) & (pl.col("field") == SAYS_WRONG)
    side = (
        pl.when(rises & (pl.col("outside") == 0)).then(pl.lit(Side.ONLY_INSIDE.value))
        .when(rises).then(pl.lit(Side.MORE.value))
        .when(drops & gone).then(pl.lit(Side.GONE.value))
        .when(drops & (pl.col("inside") == 0)).then(pl.lit(Side.MISSING.value))
        .when(drops).then(pl.lit(Side.LESS.value))
        .when(seldom).then(pl.lit(Side.SELDOM.value))
    )  # fmt: skip
    order = {place.value: number for number, place in enumerate(Side)}
    extreme = pl.when(rises).then("scaled_busiest").otherwise("scaled_quietest")
    found = (
        measured.with_columns(side=side)
        .drop_nulls("side")
        .with_columns(
            at_least=pl.when(rises).then("low").otherwise(1 / pl.col("high").clip(TINY)),
            extreme=pl.when("compared").then(extreme),
            all_read=(pl.col("read_inside") == 1) & (pl.col("read_outside") == 1),
            rank=pl.col("side").replace_strict(order, return_dtype=pl.Int8),
        )
        .sort(["rank", "at_least", "field", "value"], descending=[False, True, False, False])
    )
    return found.select(_TOLD)


def _each(told: pl.DataFrame) -> Iterable[Difference]:
    for side, *rest in told.iter_rows():
        yield Difference(Side(side), *rest)


_TOLD = [one.name for one in fields(Difference) if one.name != "also"]


def _told_once(found: Iterable[Difference]) -> list[Difference]:
    """One of those that are said of the same rows, the most telling field first; the others are
    named in its `also`."""
    groups: dict[tuple[Side, int, int], list[Difference]] = {}
    for one in found:
        groups.setdefault((one.side, one.inside + one.outside, one.rows), []).append(one)
    merged = []
    for group in groups.values():
        first, *rest = sorted(group, key=lambda one: _TELLING.get(one.field, len(_TELLING)))
        others = {one.value.casefold(): one for one in reversed(rest)}
        others.pop(first.value.casefold(), None)
        also = tuple(f"{one.field} {one.value}" for one in reversed(others.values()))
        merged.append(replace(first, also=also))
    return merged


_TELLING = {SAYS_WRONG: 0, "kind": 1, SAYS: 2, "actor": 3, "source": 4, "severity": 5}
