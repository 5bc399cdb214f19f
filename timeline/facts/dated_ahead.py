"""Rows that bear a date of writing later than their own commit: whoever dated them is ahead.

An application that dates its rows itself does so before it commits; the server notes the commit by
its own clock. Where a row is dated after its commit, the two clocks differ by at least that much.
Rows that the server dates cannot be; a date that is chosen (a booking for tomorrow) differs from
row to row. Decides nothing about which clock is wrong.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.delays import MIN_SKEW_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_ROWS = 5
"""Fewer rows may have been dated by hand."""
SAME_SPAN = 0.35
"""A clock is ahead by the same span every time: the middle half of the spans lies within this part
of their median, or within `SAME_SPAN_NS`."""
SAME_SPAN_NS = 500_000_000
LONGEST_NS = 3_600_000_000_000
"""A date an hour ahead is another zone or a date that was chosen."""
CONVENTION = 0.9
"""Where so large a share of a table's rows is dated so all the time, it is how they are dated."""
MOST_READ = 1_000
"""Rows whose values are compared to find who wrote them."""


@dataclass(frozen=True, slots=True)
class DatedAhead:
    """`rows` of `table`, of `of` in one stretch, dated `least` to `most` ns after their commit.

    `writer` is the value, and `column` where it stands, that all of them and none of the others
    have; empty without one. `shown` are event rows, the first first. Instants in ns UTC.
    """

    table: str
    source: str
    rows: int
    of: int
    least: int
    most: int
    began: int
    ended: int
    column: str
    writer: str
    shown: tuple[int, ...]


def dated_ahead(incident: Incident) -> list[DatedAhead]:
    """By table, where enough rows are so and not all of them are."""
    versions = incident.records.versions
    made = versions.filter(
        pl.col("commit").is_not_null()
        & (pl.col("kind") == Kind.ROW_INSERTED.value)
        & (pl.col("timestamp") >= incident.window.start)
    )
    if made.height < LEAST_ROWS:
        return []
    ahead = pl.col("timestamp") - pl.col("commit")
    late = made.with_columns(ahead=ahead).with_columns(
        early=(pl.col("ahead") > MIN_SKEW_NS + allowed_apart(incident))
        & (pl.col("ahead") < LONGEST_NS)
    )
    tables = late.filter("early").group_by("table", "source").len()
    found = []
    for table, source, count in tables.sort("table", "source").iter_rows():
        mine = late.filter((pl.col("table") == table) & (pl.col("source") == source))
        if count >= LEAST_ROWS and count < CONVENTION * mine.height:
            one = judged(mine, str(table), str(source))
            found += [one] if one is not None else []
    return found


def allowed_apart(incident: Incident) -> int:
    """How far the clocks of those who date rows may be ahead of their servers', as declared, ns."""
    versions, events = incident.records.versions, incident.snapshot.events
    clocks = events.get_column("clock").gather(versions.get_column("row")).cast(pl.String)
    sources = versions.get_column("source").unique().to_list()
    names = {str(name) for name in clocks.unique() if name} or set(sources)
    bound = incident.clocks.bound
    return max(bound(name).ahead for name in names) + max(bound(name).behind for name in sources)


def judged(mine: pl.DataFrame, table: str, source: str) -> DatedAhead | None:
    early = mine.filter("early").sort("timestamp", "row")
    spans = early.get_column("ahead")
    low, middle, high = (float(spans.quantile(part) or 0) for part in (0.25, 0.5, 0.75))
    if high - low > max(SAME_SPAN * middle, SAME_SPAN_NS):
        return None
    began, ended = int(early["commit"][0]), int(early["timestamp"][-1])
    within = mine.filter(pl.col("commit").is_between(began, ended))
    column, writer = _writer(early, within.filter(~pl.col("early")))
    return DatedAhead(
        table=table,
        source=source,
        rows=early.height,
        of=within.height,
        least=int(str(spans.min())),
        most=int(str(spans.max())),
        began=began,
        ended=ended,
        column=column,
        writer=writer,
        shown=tuple(early.get_column("row").head(3).to_list()),
    )


def _writer(early: pl.DataFrame, others: pl.DataFrame) -> tuple[str, str]:
    """The column and value that all early rows and none of the others have; empty without one."""
    ours, theirs = _values(early), _values(others)
    count = min(early.height, MOST_READ)
    for (column, value), often in ours.most_common():
        if often == count and (column, value) not in theirs and others.height:
            return column, value
    return "", ""


def _values(rows: pl.DataFrame) -> Counter[tuple[str, str]]:
    """How many rows have each text in each column."""
    told: Counter[tuple[str, str]] = Counter()
    for text in rows.get_column("columns").head(MOST_READ).drop_nulls():
        try:
            columns = json.loads(text)
        except ValueError:
            continue
        if isinstance(columns, dict):
            told.update((name, value) for name, value in columns.items() if isinstance(value, str))
    return told
