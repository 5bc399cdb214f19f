"""Numbers that climb toward another: `400/1840`, `done=17 of=260`, `processed: 612, total: 1000`.

No word is read. Texts of one form differ in their numbers alone; where one number stays as it is
and the one beside it only ever climbs toward it, the first is how many there are and the second how
far it is. Where two numbers of a report were always equal and are not any more, the run came short.
Says how far it came; whether anything is wrong with that is for others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from timeline.facts.spoken import form
from timeline.plain_texts import plain_form

LEAST_WHOLE = 20
"""Fewer items are pages, attempts or steps."""
LEAST_LINES = 3
"""Texts in which it climbs, each time further: fewer may be chance."""
LEAST_REPORTS = 2
"""Reports of one form, the earlier of which shows that both numbers are equal otherwise."""
LEAST_CLIMB = 4
"""Different values without a first one of zero or one: a level that happens to rise a few times
does not come from nothing."""
MOST_SLOTS = 10
"""Numbers of one text that are looked at; a longer report is a table."""
MOST_FORMS = 200
MOST_TEXTS = 5_000
"""The latest; what writes more of one kind than this tells no progress to people."""
NOT_COUNTS = (
    r"\d{4}-\d{2}-\d{2}(?:[T ][\d:.,]+Z?)?|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?|\d+(?:\.\d+)+"
    r"|\d+ ?(?:%|ms\b|s\b|sec|min|[kKMGT]i?B\b|bytes)"
    r"|\w*(?:_|[a-z])[iI][dD]\b[\"']*[=: ]+[\"']*[\w.-]+"
    r"|\w+(?:\.\w+)+:\d+|\w+(?:-\w+)+|\d+[A-Za-z_]\w*|[A-Za-z_]+\d\w*"
)
"""Dates, times, versions, addresses, fractions, lengths of time, sizes, ids, places in a source
(`app.jobs:57`), names with figures."""
REGULAR = 0.8
"""Part of the steps that are as long as the usual one in a climb that counts on."""


@dataclass(frozen=True, slots=True)
class Climb:
    """Texts of one form by one teller (`group`) that came to `so_far` of `whole`.

    `first` and `last` are places in the frame that was asked about; `step` is the usual one, and
    `regular` whether nearly all are as long as that.
    """

    group: str
    so_far: int
    whole: int
    step: int
    first: int
    last: int
    texts: int
    regular: bool


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One report in which `so_far` is below `whole`, after `before` reports in which both were
    equal. `told` is whether another number of the report is what is missing."""

    group: str
    so_far: int
    whole: int
    place: int
    before: int
    told: bool


def climbs(texts: pl.DataFrame) -> list[Climb]:
    """Every climb among `texts` (group, text; in time order), the ones still below their whole."""
    return climbs_among(numbers_of(texts))


def shortfalls(texts: pl.DataFrame) -> list[Shortfall]:
    """Last reports of a form that break an equality which all earlier ones of it kept."""
    return shortfalls_among(numbers_of(texts))


def climbs_among(told: pl.DataFrame) -> list[Climb]:
    """`climbs`, by what `numbers_of` found in the texts."""
    found: list[Climb] = []
    for group, places, rows in _by_form(told, LEAST_LINES):
        best: Climb | None = None
        for slot in range(len(rows[0]) - 1):
            for low, high in ((slot, slot + 1), (slot + 1, slot)):
                one = _climb(group, places, rows, low, high)
                if one is not None and (best is None or one.whole > best.whole):
                    best = one
        if best is not None and best.so_far < best.whole:
            found.append(best)
    return found


def shortfalls_among(told: pl.DataFrame) -> list[Shortfall]:
    """`shortfalls`, by what `numbers_of` found in the texts."""
    found: list[Shortfall] = []
    for group, places, rows in _by_form(told, LEAST_REPORTS):
        one = _shortfall(group, places, rows)
        if one is not None:
            found.append(one)
    return found


def numbers_of(texts: pl.DataFrame) -> pl.DataFrame:
    """(place, group, text, numbers, slots, form) of the latest texts that may be reports."""
    told = texts.with_row_index("place").tail(MOST_TEXTS)
    not_counts = plain_form(told.get_column("text"), NOT_COUNTS)
    plain = pl.col("text").str.replace_all(not_counts, "~")
    numbers = plain.str.extract_all(r"\d+")
    told = told.with_columns(numbers=numbers.list.eval(pl.element().cast(pl.Int64, strict=False)))
    told = told.with_columns(slots=pl.col("numbers").list.len())
    told = told.filter(
        pl.col("slots").is_between(2, MOST_SLOTS) & (pl.col("numbers").list.max() >= LEAST_WHOLE)
    )
    return told.with_columns(form=form("text", told.get_column("text")))


def _by_form(told: pl.DataFrame, fewest: int) -> list[tuple[str, list[int], list[list[int]]]]:
    """(group, places, numbers) of the texts of each form, those with the same count of numbers."""
    told = told.filter(pl.len().over("group", "form", "slots") >= fewest)
    grouped = told.group_by("group", "form", "slots", maintain_order=True).agg("place", "numbers")
    return [
        (str(group), places, numbers)
        for group, _, _, places, numbers in grouped.head(MOST_FORMS).iter_rows()
        if not any(None in row for row in numbers)
    ]


def _climb(
    group: str, places: list[int], rows: list[list[int]], low: int, high: int
) -> Climb | None:
    """The last ascent of slot `low` below a constant slot `high`; None where there is none."""
    end = len(rows)
    whole = rows[-1][high]
    begin = end - 1
    while begin > 0 and rows[begin - 1][high] == whole and rows[begin - 1][low] <= rows[begin][low]:
        begin -= 1
    mine = list(dict.fromkeys(row[low] for row in rows[begin:]))
    if whole < LEAST_WHOLE or len(mine) < LEAST_LINES or mine[-1] > whole:
        return None
    if mine[0] > whole // 2 or (len(mine) < LEAST_CLIMB and mine[0] > 1 + whole // 5):
        return None
    steps = sorted(two - one for one, two in pairwise(mine))
    step = steps[len(steps) // 2]
    regular = steps.count(step) >= REGULAR * len(steps)
    return Climb(group, mine[-1], whole, step, places[begin], places[-1], len(mine), regular)


def _shortfall(group: str, places: list[int], rows: list[list[int]]) -> Shortfall | None:
    last, earlier = rows[-1], rows[:-1]
    slots = range(len(last))
    for one in slots:
        for two in slots:
            whole, so_far = last[one], last[two]
            if whole < LEAST_WHOLE or not 0 < so_far < whole:
                continue
            if all(row[one] == row[two] >= LEAST_WHOLE for row in earlier):
                told = whole - so_far in last
                return Shortfall(group, so_far, whole, places[-1], len(earlier), told)
    return None
