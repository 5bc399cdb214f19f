"""The answer of a database source in batches: rows, what was read how, what was not, what was
assumed. The same words for every SQL database; each adds what is its own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from connectors.sql.stamps import Zone, iso
from connectors.sql.tables import Catalog, ColumnLike, Table, TableLike, Unreadable
from connectors.sql.walking import Gap
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.coverage import Coverage, Sight
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Budget, Window

READING_SHARE = 0.8
"""Of the time it may take; the rest is for the last page and for saying what was not read."""
NOT_KEPT = "shows rows as they are now: deleted rows and overwritten values are gone"
NO_AUDITS = "who changed what: no audit table was found"
NAMED = 10
"""Keys named one by one in a sentence."""


def deadline_of(budget: Budget) -> float:
    """When reading must stop, on the monotonic clock."""
    return time.monotonic() + budget.seconds * READING_SHARE


def named(tables: Iterable[Table]) -> str:
    """Their labels, for a sentence."""
    return ", ".join(table.label for table in tables)


def audits_named(catalog: Catalog) -> list[str]:
    """Which audit tables are read and whose they are; nothing where there are none."""
    return [
        f"versions are read from: {table.label} ({table.audit.tool.value})"
        for table in catalog.audits
        if table.audit is not None
    ]


class Listed(Protocol):
    """What a catalog says of tables that are not read."""

    @property
    def unreadable(self) -> Sequence[Unreadable]: ...
    @property
    def left_out(self) -> int: ...


class Reader(Protocol):
    """Reads one table, or what audit tables keep of one; collects what it could not read."""

    gaps: list[Gap]
    notes: list[str]
    undated: list[tuple[str, str, str]]

    @property
    def label(self) -> str: ...

    def around(self, window: Window, rows: int, deadline: float) -> AsyncIterator[list[Event]]: ...

    async def by_keys(
        self, keys: Iterable[str], key_rules: KeyRules
    ) -> tuple[list[Event], dict[str, bool]]: ...


@dataclass
class Telling:
    """One fetch or look-up of one source."""

    source: str
    budget: Budget
    deadline: float
    remaining: int
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def begun(cls, source: str, budget: Budget) -> Telling:
        return cls(source, budget, deadline_of(budget), budget.rows)

    def first(self, events: Sequence[Event], remarks: Sequence[Remark] = ()) -> Batch:
        """What is perishable, ahead of everything."""
        kept = events[: self.remaining]
        self.remaining -= len(kept)
        return batch_of(self.source, kept, BatchExtras(remarks=tuple(remarks)))

    async def around(self, readers: Sequence[Reader], window: Window) -> AsyncIterator[Batch]:
        """Rows near T of all tables; the budget is shared among those still to come."""
        for place, reader in enumerate(readers):
            share = -(-self.remaining // (len(readers) - place))
            async for events in reader.around(window, share, self.deadline):
                self.remaining -= len(events)
                yield batch_of(self.source, events)
            if reader.undated:
                yield self.with_undated(batch_of(self.source, ()), reader)
            self.gaps += reader.gaps
            self.notes += reader.notes

    async def by_keys(
        self, readers: Sequence[Reader], keys: Sequence[str], rules: KeyRules, endpoint: str
    ) -> AsyncIterator[Batch]:
        """The rows that `keys` name, and those that refer to them; at last, what was not there."""
        answered: dict[str, bool] = {}
        for reader in readers:
            label = reader.label
            if time.monotonic() > self.deadline or self.remaining <= 0:
                why = "the time was up" if self.remaining > 0 else "the rows were used up"
                late = Gap(0, 0, f"{label}: not searched, {why}", cut=True)
                yield batch_of(self.source, (), self._lookup_extras([late]))
                continue
            try:
                events, there = await reader.by_keys(keys, rules)
            except Unreachable:
                raise
            except SourceProblem as problem:
                events, there = [], {}
                reader.gaps.append(Gap(0, 0, f"{label}: {problem.what}", problem.remedy))
            for key, found in there.items():
                answered[key] = answered.get(key, False) or found
            kept = events[: self.remaining]
            self.remaining -= len(kept)
            if len(kept) < len(events):
                reason = f"{label}: more than the {self.budget.rows} rows it may read"
                reader.gaps.append(Gap(0, 0, reason, cut=True))
            if kept or reader.gaps or reader.undated:
                batch = batch_of(self.source, kept, self._lookup_extras(reader.gaps))
                yield self.with_undated(batch, reader)
        if missing := [key for key, found in answered.items() if not found]:
            yield self._not_found(missing, endpoint)

    def closing(
        self,
        window: Window,
        catalog: Listed,
        sight: Coverage,
        coverage: Iterable[Coverage] = (),
        remarks: Iterable[Remark] = (),
    ) -> Batch:
        """The last batch: what the whole window's silence is worth, and every gap."""
        told = [sight]
        told += [
            self._partial(gap.start or window.start, gap.end or window.end, gap.reason, gap.remedy)
            for gap in self.gaps
        ]
        told += [
            self._partial(window.start, window.end, table.reason, table.remedy)
            for table in catalog.unreadable
        ]
        said = [Remark(self.source, "cut", gap.reason) for gap in self.gaps if gap.cut]
        said += [Remark(self.source, "index", note) for note in self.notes]
        if catalog.left_out:
            sentence = (
                f"{catalog.left_out} more tables have a creation stamp and were not read. "
                "Name the ones that matter in tables."
            )
            said.append(Remark(self.source, "cut", sentence, catalog.left_out))
        extras = BatchExtras((*told, *coverage), (*said, *remarks))
        return batch_of(self.source, (), extras)

    def with_undated(self, batch: Batch, reader: Reader) -> Batch:
        """The batch with the stamps that have no place on the timeline."""
        if not reader.undated:
            return batch
        import polars as pl

        from timeline.columns import UNDATED_SCHEMA

        rows = [(self.source, *entry) for entry in reader.undated]
        return replace(batch, undated=pl.DataFrame(rows, schema=UNDATED_SCHEMA, orient="row"))

    def now_only(self, window: Window) -> Coverage:
        """What the silence of a database is worth that shows rows as they are now."""
        return Coverage(self.source, window.start, window.end, Sight.NOW_ONLY, NOT_KEPT)

    def zone_remarks(self, tables: Iterable[TableLike[ColumnLike]], zone: Zone) -> list[Remark]:
        """Which stamps carry no zone, and how they were read."""
        zoneless = [
            f"{table.label}.{column.name}"
            for table in tables
            for column in table.times
            if column.form is not None and column.form.zone_missing
        ]
        if not zoneless or zone.name:
            return []
        sentence = f"{', '.join(zoneless)}: no time zone; read as UTC. Set zone if they are not."
        return [Remark(self.source, "zone-assumed", sentence, len(zoneless))]

    def zone_coverage(self, window: Window, zone: Zone) -> list[Coverage]:
        """The night on which clocks are put back: an hour of stamps could be either of two."""
        if not zone.repeats(window.start, window.end):
            return []
        reason = f"clocks in {zone.name} read an hour twice; stamps in it are read as the first"
        return [self._partial(window.start, window.end, reason, "Compare with the logs.")]

    def _partial(self, start: int, end: int, reason: str, remedy: str = "") -> Coverage:
        return Coverage(self.source, start, end, Sight.PARTIAL, reason, remedy)

    def _lookup_extras(self, gaps: Sequence[Gap]) -> BatchExtras:
        now = time.time_ns()
        return BatchExtras(
            tuple(self._partial(now, now + 1, gap.reason, gap.remedy) for gap in gaps),
            tuple(Remark(self.source, "cut", gap.reason) for gap in gaps if gap.cut),
        )

    def _not_found(self, missing: list[str], endpoint: str) -> Batch:
        """Looked for and not there, with the instant of looking."""
        now = time.time_ns()
        keys = ", ".join(sorted(missing)[:NAMED])
        sentence = f"{keys}: no such row {endpoint} at {iso(now)}"
        coverage = Coverage(self.source, now, now + 1, Sight.NOW_ONLY, sentence)
        remark = Remark(self.source, "not-found", sentence, len(missing))
        return batch_of(self.source, (), BatchExtras((coverage,), (remark,)))
