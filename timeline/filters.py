"""Which rows of a snapshot pass a filter, in total order: pure functions for any thread.

A million rows take tens of milliseconds, ten million ten times that, so bodies are read in slices
and the work stops between two of them when the caller no longer wants the answer. Columns that
are cheap to look at go first; bodies are read only where everything else holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import polars as pl

from timeline.event import SEVERITY_ERROR
from timeline.filter_terms import CASE_ASIDE, LEVELS, Field, Filter, Needle, Part, named
from timeline.shapes import shape_pattern
from timeline.store import Snapshot
from timeline.words import FAILED_KINDS

SLICE_ROWS = 250_000
"""Rows looked at between two questions whether the answer is still wanted: 5 to 30 ms."""
FEW = 4
"""Bodies of fewer than one in so many rows are gathered before they are read; of more, all are."""

_IN_BODY = frozenset((Field.TEXT, Field.REGEX, Field.LIKE))


def never() -> bool:
    """For whoever wants the answer in any case."""
    return False


def rows_of(
    snapshot: Snapshot, wanted: Filter, cancelled: Callable[[], bool] = never
) -> pl.Series | None:
    """Row numbers (u32, total order) that pass `wanted`; None once `cancelled()` is true.

    Raises ValueError with a sentence when a regular expression cannot be used.
    """
    if not wanted:
        return snapshot.order
    cheap = _cheap(snapshot, wanted)
    masks: list[pl.Series] = []
    for part in snapshot.events.iter_slices(SLICE_ROWS):
        if cancelled():
            return None
        mask = _all_of(part, cheap)
        for pattern, literal, hides in _in_bodies(wanted):
            mask = _reading(part.get_column("body"), mask, pattern, literal, hides)
        masks.append(mask)
    if not masks or cancelled():
        return snapshot.order if not masks else None
    mask = _with_keys(snapshot, wanted, pl.concat(masks))
    return snapshot.order.filter(mask.gather(snapshot.order))


def hits_of(
    snapshot: Snapshot, rows: pl.Series, needle: Needle, cancelled: Callable[[], bool] = never
) -> pl.Series | None:
    """Positions in `rows` (ascending) whose body holds `needle`; None once `cancelled()`.

    Raises ValueError with a sentence when the regular expression cannot be used.
    """
    bodies = snapshot.events.get_column("body")
    if rows.len() * FEW < bodies.len():
        return _holding(bodies.gather(rows), *_spelt(needle)).arg_true()
    held: list[pl.Series] = []
    for first in range(0, bodies.len(), SLICE_ROWS):
        if cancelled():
            return None
        held.append(_holding(bodies.slice(first, SLICE_ROWS), *_spelt(needle)))
    if not held:
        return pl.Series([], dtype=pl.UInt32)
    return pl.concat(held).gather(rows).arg_true()


def pattern_problem(pattern: str) -> str:
    """Why a regular expression cannot be used and where it is wrong; empty when it can."""
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        return _problem(pattern, str(error))
    return ""


def _problem(pattern: str, told: str) -> str:
    """`unclosed group at "(abc"`, from the engine's own report."""
    reason = re.search(r"^error: (.+)$", told, re.MULTILINE)
    place = re.search(r"^( *)\^", told, re.MULTILINE)
    if reason is None:
        return f"/{pattern}/ cannot be used: it is too large"
    caret = max(len(place[1]) - 4, 0) if place else 0
    return f"/{pattern}/ is wrong at character {caret + 1}: {reason[1]}"


def found_in(body: str, pattern: str) -> tuple[str, ...]:
    """What a regular expression found in one body, each text once, longest first."""
    texts: list[str] = pl.Series([body]).str.extract_all(pattern).to_list()[0]
    return tuple(sorted({text for text in texts if text}, key=lambda text: (-len(text), text)))


def _all_of(part: pl.DataFrame, conditions: list[pl.Expr]) -> pl.Series:
    if not conditions:
        return pl.repeat(value=True, n=part.height, dtype=pl.Boolean, eager=True)
    return part.select(pl.all_horizontal(conditions).alias("passes")).to_series()


def _reading(
    bodies: pl.Series, mask: pl.Series, pattern: str, literal: bool, hides: bool
) -> pl.Series:
    """`mask` without the rows whose body does not hold (or, hidden, does hold) the pattern."""
    left = int(mask.sum())
    if not left:
        return mask
    if left * FEW >= bodies.len():
        held = _holding(bodies, pattern, literal)
        return mask & ~held if hides else mask & held
    candidates = mask.arg_true()
    held = _holding(bodies.gather(candidates), pattern, literal)
    kept = candidates.filter(~held if hides else held)
    nothing = pl.repeat(value=False, n=bodies.len(), dtype=pl.Boolean, eager=True)
    return nothing.scatter(kept, values=True)


def _holding(bodies: pl.Series, pattern: str, literal: bool) -> pl.Series:
    try:
        return bodies.str.contains(pattern, literal=literal).fill_null(value=False)
    except pl.exceptions.ComputeError as error:
        typed = pattern.removeprefix(CASE_ASIDE)
        raise ValueError(pattern_problem(typed) or str(error)) from None


def _spelt(needle: Needle) -> tuple[str, bool]:
    """The pattern, and whether it is literal: twice as fast, and possible where case counts."""
    if needle.minds_case and not needle.regex:
        return needle.text, True
    return needle.pattern(), False


def _in_bodies(wanted: Filter) -> Iterator[tuple[str, bool, bool]]:
    """(pattern, literal, hides) of everything that bodies are read for."""
    for part in wanted.parts:
        if part.field in (Field.TEXT, Field.REGEX):
            yield (*_spelt(part.needle), part.hides)
        elif part.field is Field.LIKE and part.hides:
            yield shape_pattern(part.value), False, True
    if shapes := wanted.wanted(Field.LIKE):
        yield "|".join(f"(?:{shape_pattern(part.value)})" for part in shapes), False, False


def _cheap(snapshot: Snapshot, wanted: Filter) -> list[pl.Expr]:
    """Conditions on the columns that are not text."""
    conditions = [~_meets(snapshot, part) for part in wanted.hidden if _is_cheap(part)]
    conditions += [_meets(snapshot, part) for part in wanted.parts if part.field in _INSTANTS]
    for field in (Field.LEVEL, Field.LANE, Field.SOURCE, Field.ACTOR):
        if parts := wanted.wanted(field):
            conditions.append(pl.any_horizontal([_meets(snapshot, part) for part in parts]))
    return conditions


_INSTANTS = frozenset((Field.FROM, Field.TO))


def _is_cheap(part: Part) -> bool:
    return part.field not in _IN_BODY | _INSTANTS and part.field is not Field.KEY


def _meets(snapshot: Snapshot, part: Part) -> pl.Expr:
    match part.field:
        case Field.LEVEL:
            return at_least(LEVELS[part.value])
        case Field.LANE:
            return pl.col("lane") == part.value
        case Field.FROM:
            return pl.col("timestamp") >= part.at
        case Field.TO:
            return pl.col("timestamp") < part.at
        case _:
            column = part.field.value
            held = snapshot.events.get_column(column).unique().cast(pl.String).drop_nulls()
            return pl.col(column).is_in(named(part.value, held)).fill_null(value=False)


def at_least(severity: int) -> pl.Expr:
    """Rows of this severity number and worse; kinds that are failures count as errors."""
    grave = pl.col("severity_number") >= severity
    if severity > SEVERITY_ERROR:
        return grave
    return grave | pl.col("kind").is_in([kind.value for kind in FAILED_KINDS])


def _with_keys(snapshot: Snapshot, wanted: Filter, mask: pl.Series) -> pl.Series:
    if parts := wanted.wanted(Field.KEY):
        mask = mask & _carrying(snapshot, parts)
    if parts := tuple(part for part in wanted.hidden if part.field is Field.KEY):
        mask = mask & ~_carrying(snapshot, parts)
    return mask


def _carrying(snapshot: Snapshot, parts: Iterable[Part]) -> pl.Series:
    """Which rows carry any of the keys."""
    rows = snapshot.rows_with([part.value for part in parts])
    nothing = pl.repeat(value=False, n=snapshot.events.height, dtype=pl.Boolean, eager=True)
    return nothing.scatter(rows, values=True)
