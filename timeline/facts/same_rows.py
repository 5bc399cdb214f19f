"""Rows of one table that say the same: equal in everything but their own id, times and state.

A row shows what its connector carries (ids, small vocabularies, configured columns), so equality is
an inference unless the table's public id is configured and equal. Rows of one transaction (equal
creation stamps) were written together on purpose and are never compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

WITHIN_NS = 5_000_000_000
"""Two actors that both checked and then both wrote did so within five seconds (D04)."""
VOLATILE = (
    r'"(?:id|uuid|[a-zA-Z_]*(?:_at|_on|At)|created|updated|modified|inserted|timestamp|'
    r'(?:[a-z_]*_)?(?:status|state|version|attempts|retries|position))"'
    r' ?: ?(?:"(?:[^"\\]|\\.)*"|[^,}\]]*),? ?'
)
"""Columns of a row's stored values that differ between equal rows: ids, times, states."""
EMPTY = r'"[^"]*" ?: ?null,? ?'
MIN_ROWS = 20
"""Rows of a table before "no two others are alike" means anything."""
ROUTINE_SHARE = 0.05
"""A table in which more than one row in twenty repeats another has no natural key here."""
DISTINCT_SHARE = 0.5
"""Of a table's rows, how many must differ in what is carried for equality to mean identity: two of
everything still leave half. Where most rows carry the same foreign key, they are not the same."""
MAX_GROUPS = 50
STORY_NS = 300_000_000_000
"""What lies more than five minutes away from the story is the baseline."""


@dataclass(frozen=True, slots=True)
class SameRows:
    """Rows (`row:table/pk` keys and typed keys, by creation, ns UTC) that say the same.

    `named` is whether a configured public id is equal; `others` counts the table's other rows and
    `alike` those of them that repeat another. `chance` is how likely as many equal rows of the
    table stand so close without being the same, by how often its rows far apart are equal.
    """

    table: str
    records: tuple[str, ...]
    keys: tuple[str, ...]
    created: tuple[int, ...]
    event_rows: tuple[int, ...]
    named: bool
    others: int
    alike: int
    chance: float = 0.0


def same_rows(incident: Incident) -> list[SameRows]:
    """Groups of equal rows created within `WITHIN_NS` of each other, by time."""
    records = incident.records
    held = records.summary.filter(
        pl.col("created").is_between(incident.window.start, read_until(incident))
        & pl.col("deleted").is_null()
        & pl.col("columns").is_not_null()
    ).select("record", "table", "created", "columns", row=pl.coalesce("created_row", "any_row"))
    found: list[SameRows] = []
    for name, payload in (("named", _public_ids(incident, held)), ("like", _payload())):
        told = held.with_columns(payload=payload).drop_nulls("payload")
        found += _groups(incident, told.filter(pl.col("payload") != ""), named=name == "named")
    seen: dict[frozenset[str], SameRows] = {}
    for group in found:
        seen.setdefault(frozenset(group.records), group)
    return sorted(seen.values(), key=lambda group: (group.created[0], group.records))


def _payload() -> pl.Expr:
    """What a row says beside its own id, times and state; empty when it says nothing."""
    rest = pl.col("columns").str.replace_all(VOLATILE, "").str.replace_all(EMPTY, "")
    return pl.when(rest.str.contains(r'"[^"]+" ?:')).then(rest).otherwise(pl.lit(""))


def _public_ids(incident: Incident, held: pl.DataFrame) -> pl.Expr:
    """The configured public id of each row; null where none is configured."""
    expression = pl.lit(None, dtype=pl.String)
    for table in held.get_column("table").unique().sort():
        key_type = incident.key_rules.for_table(table)
        if key_type is not None and key_type.public_id:
            value = pl.col("columns").str.json_path_match(f"$['{key_type.public_id}']")
            expression = pl.when(pl.col("table") == table).then(value).otherwise(expression)
    return expression


def _groups(incident: Incident, told: pl.DataFrame, *, named: bool) -> list[SameRows]:
    """Runs of equal payloads within `WITHIN_NS`, less those of tables that repeat themselves."""
    same = ("table", "payload")
    told = told.sort("table", "payload", "created", "record")
    gap = pl.col("created").diff().over(same)
    told = told.with_columns(again=((gap > 0) & (gap <= WITHIN_NS)).fill_null(value=False), gap=gap)
    if not told.get_column("again").any():
        return []
    totals = told.group_by("table").agg(
        rows=pl.len(),
        alike=pl.col("again").sum(),
        telling=pl.col("payload").n_unique() >= DISTINCT_SHARE * pl.len(),
    )
    numbered = told.with_columns(group=(~pl.col("again")).cum_sum())
    repeated = numbered.filter(pl.len().over("group") > 1).join(totals, on="table")
    if not named:
        repeated = repeated.filter("telling")
    keyed = repeated.join(incident.records.owners, on="record").sort("created", "record")
    grouped = keyed.group_by("group", maintain_order=True).agg(
        pl.col("table", "rows").first(), pl.col("record", "key", "created", "row")
    )
    found = []
    chances = {} if named else _by_chance(told, repeated)
    for _, table, rows, records, keys, created, event_rows in grouped.head(MAX_GROUPS).iter_rows():
        alike = _alike_elsewhere(told, table, created)
        if not named and alike > ROUTINE_SHARE * rows:
            continue
        found.append(
            SameRows(
                table,
                tuple(records),
                tuple(keys),
                tuple(created),
                tuple(event_rows),
                named,
                rows - len(records),
                alike,
                chances.get(table, 0.0),
            )
        )
    return found


def _by_chance(told: pl.DataFrame, repeated: pl.DataFrame) -> dict[str, float]:
    """How likely each table with `repeated` rows has as many equal pairs as close together, if any
    two of its rows are as often equal as two that were created far apart."""
    seen = repeated.filter("again").group_by("table").agg(pl.len(), pl.col("gap").max())
    found: dict[str, float] = {}
    for table, close, gap in seen.iter_rows():
        rows = told.filter(pl.col("table") == table)
        stamps = rows.get_column("created").sort()
        apart = math.comb(rows.height, 2) - _pairs_within(stamps, WITHIN_NS)
        equal = rows.group_by("payload").len().get_column("len").cast(pl.Int64)
        far_equal = int((equal * (equal - 1) // 2).sum()) - int(rows.get_column("again").sum())
        expected = _pairs_within(stamps, gap) * max(0, far_equal) / max(apart, 1)
        if expected > 0:
            terms = (k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(close))
            found[table] = max(0.0, 1.0 - sum(map(math.exp, terms)))
    return found


def _pairs_within(stamps: pl.Series, gap: int) -> int:
    """How many pairs of the sorted `stamps` (ns) are at most `gap` apart."""
    after = stamps.search_sorted(stamps + gap, side="right").cast(pl.Int64)
    return int((after - pl.int_range(1, len(stamps) + 1, eager=True)).sum())


def _alike_elsewhere(told: pl.DataFrame, table: str, created: list[int]) -> int:
    """Repetitions in the same table far from this one."""
    far = ~pl.col("created").is_between(created[0] - STORY_NS, created[-1] + STORY_NS)
    return told.filter((pl.col("table") == table) & pl.col("again") & far).height
