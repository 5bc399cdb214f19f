"""How long rows stay in a state before they move on, learnt from the rows of the window itself.

A row shows its present state and when it was last written. Of a row that moved on, creation to
last write is at least as long as it stayed, so what is learnt errs towards patience. It claims
nothing where the rows do not agree: a state that waits for people has no usual length.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.incident import Incident

STATE_COLUMNS = ("status", "state", "aasm_state")
"""Where frameworks keep the state of a row; any other column must be promised by a contract."""
MIN_MOVED = 50
"""Rows that moved on before a usual length is believed (detector catalogue, D07)."""
PATIENCE_FOLD = 3
"""A row is stuck after this multiple of the 99th percentile of the others."""
MIN_PATIENCE_NS = 30_000_000_000
"""Below half a minute a slow worker is not a stuck row."""
HABIT_GAP = 3
"""Lengths with no row between one and three times it show two habits, not one."""
HABIT_SHARE = 0.05
"""Part of the rows that must lie on either side of the gap; fewer are outliers."""
SAMPLE_ROWS = 20
"""Rows whose columns are looked at to learn a table's state column."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """Rows of `table` that still hold `column` = `value` long after the others moved on.

    `rows` is (key, record, created ns, age ns, event row), oldest first; `usual` the 99th
    percentile (ns) among the `moved` rows; `due_times` the creation stamps of all rows that were
    old enough, ascending.
    """

    table: str
    column: str
    value: str
    rows: tuple[tuple[str, str, int, int, int], ...]
    moved: int
    usual: int
    due_times: pl.Series


def stuck_rows(incident: Incident) -> Iterator[Stuck]:
    """Every state of every table that some rows never left and at least `MIN_MOVED` others did."""
    records = incident.records
    until = read_until(incident)
    held = records.summary.filter(
        pl.col("created").is_between(incident.window.start, until) & pl.col("deleted").is_null()
    )
    for (table,), rows in held.group_by("table", maintain_order=True):
        if int((rows.get_column("updated") > rows.get_column("created")).sum()) < MIN_MOVED:
            continue
        column = _state_column(rows)
        if column:
            yield from _stuck(incident, str(table), column, rows, until)


def _state_column(rows: pl.DataFrame) -> str:
    for text in rows.get_column("columns").drop_nulls().head(SAMPLE_ROWS):
        told = json.loads(text)
        found = next((name for name in STATE_COLUMNS if name in told), "")
        if found:
            return found
    return ""


def _stuck(
    incident: Incident, table: str, column: str, rows: pl.DataFrame, until: int
) -> Iterator[Stuck]:
    told = rows.select(
        "record",
        "created",
        "any_row",
        state=pl.col("columns").str.json_path_match(f"$['{column}']"),
        dwell=pl.when(pl.col("updated") > pl.col("created")).then(
            pl.col("updated") - pl.col("created")
        ),
        age=pl.coalesce("seen", pl.lit(until)) - pl.col("created"),
    ).drop_nulls("state")
    waits = told.get_column("dwell").drop_nulls()
    if waits.len() < MIN_MOVED or not one_habit(waits):
        return
    usual = int(waits.quantile(0.99, "higher") or 0)
    patience = max(MIN_PATIENCE_NS, PATIENCE_FOLD * usual)
    late = told.filter(pl.col("dwell").is_null() & (pl.col("age") > patience))
    moved_states = told.filter(pl.col("dwell").is_not_null()).get_column("state")
    due = told.filter(pl.col("age") > patience).get_column("created").sort()
    for (state,), group in late.group_by("state", maintain_order=True):
        if (moved_states == state).any():
            continue  # a state in which rows also end is no place to be stuck in
        keyed = group.join(incident.records.owners, on="record").sort("created", "key")
        named = keyed.select("key", "record", "created", "age", "any_row").rows()
        yield Stuck(table, column, str(state), tuple(named), waits.len(), usual, due)


def one_habit(lengths: pl.Series) -> bool:
    """Whether no gap of `HABIT_GAP` times divides the lengths (ns) into two groups."""
    ordered = lengths.cast(pl.Float64).clip(lower_bound=1).sort()
    edge = max(1, int(HABIT_SHARE * ordered.len()))
    inner = ordered.slice(edge - 1, ordered.len() - 2 * (edge - 1))
    return not bool((inner / inner.shift(1) > HABIT_GAP).any())
