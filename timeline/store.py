"""The event store: immutable runs of rows, one frozen snapshot, one total order.

`Store.add` takes batches in any order of arrival; `Store.snapshot` freezes what is known. The
total order is (timestamp, source, seq, ref): runs stand in (source, seq) order and a stable sort
by timestamp gives it, so the same events are ordered the same way in every run, whichever
connector answered first. Never looks at what a record says and never alters one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from timeline.batch import Batch, Remark
from timeline.columns import COUNT_SCHEMA, EVENT_SCHEMA, KEY_SCHEMA, UNDATED_SCHEMA, event_from
from timeline.coverage import Coverage, CoverageMap
from timeline.event import Event
from timeline.keys import too_broad
from timeline.once import once
from timeline.runs import Run, joined, run_of, settled

SMALL = 100_000
"""Up to so many events a search asks one mask and takes the columns by it: to set up a query takes
longer than a search of 7,000 events."""
FEW = 64
"""Up to so many rows are looked up one by one: to ask all keys of a night takes milliseconds."""


@dataclass(frozen=True)
class Snapshot:
    """Everything known at one moment, frozen. Row numbers index `events`; `order` is time order.

    `events` follows EVENT_SCHEMA, `keys` KEY_SCHEMA (global row numbers, sorted by row), `order`
    is a u32 series of row numbers in total order. `counts` (COUNT_SCHEMA) is what engines counted
    of stretches that were not read in full; other sources have no line there. Every method is
    pure and may run in any thread.
    """

    events: pl.DataFrame
    keys: pl.DataFrame
    order: pl.Series
    coverage: CoverageMap = CoverageMap()
    remarks: tuple[Remark, ...] = ()
    undated: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNDATED_SCHEMA))
    counts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COUNT_SCHEMA))
    generation: int = 0

    def __len__(self) -> int:
        return self.order.len()

    @once
    def times(self) -> pl.Series:
        """Timestamps (ns) in total order."""
        return self.events.get_column("timestamp").gather(self.order).set_sorted()

    @once
    def broad_keys(self) -> frozenset[str]:
        """Keys too common to join on."""
        return too_broad(self.keys)

    @once
    def sources(self) -> tuple[str, ...]:
        return tuple(sorted(str(name) for name in self.events.get_column("source").unique()))

    def position_at(self, timestamp: int) -> int:
        """Number of events strictly before `timestamp` (ns) in total order."""
        return int(self.times.search_sorted(timestamp, side="left"))

    def position_of(self, row: int) -> int:
        """Position of one row in total order."""
        timestamp = self.events.get_column("timestamp")[row]
        first = int(self.times.search_sorted(timestamp, side="left"))
        last = int(self.times.search_sorted(timestamp, side="right"))
        return first + int(self.order.slice(first, last - first).search_sorted(row, side="left"))

    def row_of(self, event: Event) -> int | None:
        """Row of the same record in this snapshot; None when it is not (or not yet) held."""
        first, last = self.position_at(event.timestamp), self.position_at(event.timestamp + 1)
        rows = self.order.slice(first, last - first)
        alike = (
            (pl.col("source").cast(pl.String) == event.source)
            & (pl.col("seq") == event.seq)
            & (pl.col("kind").cast(pl.String) == event.kind.value)
        )
        candidates = rows.filter(self.events[rows].select(alike).to_series()).to_list()
        return next((row for row in candidates if self.event(row).ref == event.ref), None)

    def events_at(self, rows: Sequence[int]) -> list[Event]:
        """`Event` objects of a few row numbers, in the given order, with their keys."""
        if not rows:
            return []
        wanted = pl.Series(rows, dtype=pl.UInt32)
        numbers = self.keys.get_column("row")
        first = numbers.search_sorted(wanted, side="left").to_list()
        last = numbers.search_sorted(wanted, side="right").to_list()
        spans = list(zip(first, last, strict=True))
        places = pl.Series([n for low, high in spans for n in range(low, high)], dtype=pl.UInt32)
        keys = iter(self.keys[places].get_column("key").to_list())
        return [
            event_from(record, [next(keys) for _ in range(low, high)])
            for record, (low, high) in zip(self.events[wanted].to_dicts(), spans, strict=True)
        ]

    def event(self, row: int) -> Event:
        return self.events_at([row])[0]

    def in_order(self, first: int, count: int) -> list[Event]:
        """`count` events from position `first` of the total order."""
        return self.events_at(self.order.slice(first, count).to_list())

    def rows_with(self, keys: Iterable[str]) -> pl.Series:
        """Row numbers (u32, time order) of the events that carry any of `keys`."""
        wanted = pl.Series(list(keys), dtype=pl.String)
        held = self.keys.filter(pl.col("key").is_in(wanted.implode())).get_column("row").unique()
        return self.sorted_by_time(held)

    def sorted_by_time(self, rows: pl.Series) -> pl.Series:
        """`rows` brought into total order: by timestamp, then by row number."""
        rows = rows.cast(pl.UInt32).alias("row")
        if rows.len() < 2:
            return rows
        stamps = self.events.get_column("timestamp").gather(rows)
        return pl.DataFrame([stamps, rows]).sort("timestamp", "row").get_column("row")

    def where(self, predicate: pl.Expr) -> pl.Series:
        """Row numbers (time order) of the events for which `predicate` holds."""
        mask = self.events.select(predicate.fill_null(value=False)).to_series()
        return self.order.filter(mask.gather(self.order))

    def told(self, predicate: pl.Expr, *columns: str) -> pl.DataFrame:
        """`row`, `timestamp` and `columns` of the events for which `predicate` holds, in order.

        For few events of many: to gather from a text column in pieces would copy all of it.
        """
        if self.events.height < SMALL:
            held = self._in_order.select("row", held=predicate).get_column("held")
            shown = (self._in_order.get_column(name) for name in ("row", "timestamp", *columns))
            return pl.DataFrame([column.filter(held) for column in shown])
        rows = self.events.lazy().with_row_index("row")
        found = rows.filter(predicate.fill_null(value=False)).select("row", "timestamp", *columns)
        told = found.collect()
        if told.get_column("timestamp").is_sorted():
            return told  # as it mostly is; `row` ascends already
        return told.sort("timestamp", "row")

    def keys_of(self, rows: pl.Series) -> pl.DataFrame:
        """(row, key) pairs of the given rows."""
        if rows.is_empty() or self.keys.is_empty():
            return self.keys.clear()
        if rows.len() <= FEW and self.keys.height > SMALL:
            return self.keys[self._places_of(rows)]
        held = self.keys.select(pl.col("row").is_in(rows.implode())).to_series()
        return pl.DataFrame([column.filter(held) for column in self.keys.iter_columns()])

    @once
    def _in_order(self) -> pl.DataFrame:
        """`events` with their numbers as `row`, in total order; for few events only."""
        return self.events.with_row_index("row").sort("timestamp", "row")

    def _places_of(self, rows: pl.Series) -> pl.Series:
        """Where in `keys` those of a few rows stand, ascending."""
        wanted = rows.cast(pl.UInt32).drop_nulls().unique().sort()
        numbers = self.keys.get_column("row")
        first = numbers.search_sorted(wanted, side="left").to_list()
        last = numbers.search_sorted(wanted, side="right").to_list()
        spans = zip(first, last, strict=True)
        return pl.Series([n for low, high in spans for n in range(low, high)], dtype=pl.UInt32)


def empty_snapshot() -> Snapshot:
    """A snapshot of nothing."""
    return Snapshot(
        pl.DataFrame(schema=EVENT_SCHEMA),
        pl.DataFrame(schema=KEY_SCHEMA),
        pl.Series([], dtype=pl.UInt32),
    )


class Store:
    """Collects batches; hands out snapshots. One thread adds, any thread reads snapshots."""

    def __init__(self) -> None:
        self._runs: dict[str, list[Run]] = {}
        self._coverage = CoverageMap()
        self._remarks: dict[Remark, None] = {}
        self._undated = pl.DataFrame(schema=UNDATED_SCHEMA)
        self._more_undated: list[pl.DataFrame] = []
        self._counts: dict[str, pl.DataFrame] = {}
        self._generation = 0

    @property
    def rows(self) -> int:
        """Events held; a record read twice counts once after the next snapshot."""
        return sum(run.events.height for runs in self._runs.values() for run in runs)

    def add(self, batch: Batch) -> None:
        """Take one batch. A record already held (same source, seq, ref, stamp, kind) stays one."""
        self._coverage = self._coverage.adding(batch.coverage, batch.asked)
        self._remarks.update(dict.fromkeys(batch.remarks))
        if batch.undated is not None and batch.undated.height:
            self._more_undated.append(batch.undated)
        if batch.counts is not None and batch.counts.height:
            before = self._counts.get(batch.source, batch.counts.clear())
            self._counts[batch.source] = counted_anew(before, batch.counts)
        if batch.events.height:
            self._runs.setdefault(batch.source, []).append(run_of(batch.events, batch.keys))

    def see_again(self, source: str, start: int, end: int, seen: Iterable[Coverage]) -> None:
        """Let what a new answer to `[start, end)` says of a source's sight replace the old."""
        self._coverage = self._coverage.without(source, start, end).adding(seen)

    def forget(self, source: str, start: int, end: int) -> None:
        """Drop what a source said of its sight in `[start, end)` and of how it was read.

        Before it is asked once more: an answer that is whole must not carry the old one's limits.
        """
        self._coverage = self._coverage.without(source, start, end)
        self._remarks = {r: None for r in self._remarks if r.source != source}

    def snapshot(self) -> Snapshot:
        """Freeze what is known now."""
        self._generation += 1
        self._runs = {source: settled(runs) for source, runs in self._runs.items()}
        events, keys = joined([run for source in sorted(self._runs) for run in self._runs[source]])
        if self._more_undated:
            found = pl.concat([self._undated, *self._more_undated]).unique()
            self._undated = found.sort(pl.col("source").cast(pl.String), "ref", "reason", "body")
            self._more_undated = []
        return Snapshot(
            events,
            keys,
            time_order(events),
            self._coverage.tidy(),
            tuple(sorted(self._remarks, key=lambda r: (r.source, r.topic, r.sentence, r.count))),
            self._undated,
            in_order_of_bars(self._counts.values()),
            self._generation,
        )


def counted_anew(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Two COUNT_SCHEMA frames of one source; where the second counted, the first is forgotten."""
    end = pl.col("start") + pl.col("width")
    first, last = now.select(pl.col("start").min(), end.max().alias("end")).row(0)
    return pl.concat([before.filter((end <= first) | (pl.col("start") >= last)), now])


def in_order_of_bars(counts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """What sources counted (COUNT_SCHEMA) as one table, in an order of its own."""
    table = pl.concat([pl.DataFrame(schema=COUNT_SCHEMA), *counts])
    return table.sort(
        pl.col("source").cast(pl.String),
        "start",
        "severity_number",
        pl.col("actor").cast(pl.String),
    )


def time_order(events: pl.DataFrame) -> pl.Series:
    """Row numbers (u32) sorted by timestamp; rows already stand in (source, seq) order."""
    if events.get_column("timestamp").is_sorted():
        return pl.int_range(events.height, dtype=pl.UInt32, eager=True)
    ranked = events.select(pl.arg_sort_by("timestamp", maintain_order=True))
    return ranked.to_series().cast(pl.UInt32)
