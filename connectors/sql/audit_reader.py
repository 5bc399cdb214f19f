"""Reads audit tables around T and by key, within a budget, whatever the database.

Owns the bounds of the reading and what is said about it; how one table is asked is an `AuditTable`,
what its rows mean is `connectors.sql.audit`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.sql.audit import AuditRow, versions_of
from connectors.sql.audit_events import VersionEvents, class_name
from connectors.sql.audit_shapes import AuditShape, Tool
from connectors.sql.walking import Gap
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Window

AUDIT_ROWS = 1_000
"""A bulk change writes one version for every row: on either side of T so many are read."""
LOOKUP_VERSIONS = 200
LOOKED_UP = "Rows named in logs and jobs are still looked up by key."
WRITER = "\0writer"
"""Key under which a row carries the id of the transaction that wrote it."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a stretch of an audit table is found."""

    keys: tuple[int, int] | None = None
    """Between these integer keys, both included, where no index leads to the stamps."""
    refused: str = ""
    """Why it is not read; empty when it is."""


class AuditTable(Protocol):
    """One audit table as its database is asked. Every method may raise `SourceProblem`."""

    @property
    def label(self) -> str: ...
    @property
    def shape(self) -> AuditShape: ...

    async def way(self, window: Window) -> Way:
        """How its versions around T are found; looks at plans, reads no version."""
        ...

    async def stretch(
        self, way: Way, start: int, end: int, limit: int, *, descending: bool
    ) -> list[AuditRow]:
        """The first or the last versions of `[start, end)` (ns UTC)."""
        ...

    async def before(self, rows: Sequence[AuditRow]) -> tuple[list[AuditRow], str]:
        """Of every item in `rows` the version before its first; and what is not told, in words."""
        ...

    async def of_items(
        self, item_type: str, values: Sequence[str], limit: int
    ) -> list[AuditRow] | None:
        """The newest versions of the items of `values`; None where only a whole scan finds them."""
        ...


@dataclass
class AuditReader:
    """Reads the audit tables of one item table or tool. `gaps` collects what was not read."""

    tables: Sequence[AuditTable]
    """More than one where present and past versions stand in two tables."""
    events: VersionEvents
    most: int = AUDIT_ROWS
    """Versions read on either side of T of one table."""
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    undated: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.events.label

    async def around(
        self, window: Window, rows: int, deadline: float
    ) -> AsyncIterator[list[Event]]:
        """Versions whose stamps lie in `window`, the nearest to T when there are too many."""
        read: list[AuditRow] = []
        earlier: list[AuditRow] = []
        for table in self.tables:
            if time.monotonic() > deadline or rows <= 0:
                why = "not read: the time or the rows it may take were used up"
                self._gap(window, table, why, cut=True)
                continue
            try:
                found = await self._stretch(table, window, rows)
                read += found
                if table.shape.keeps_states and found:
                    states, untold = await table.before(found)
                    earlier += states
                    if untold:
                        self._gap(window, table, untold)
            except Unreachable:
                raise
            except SourceProblem as problem:
                self._gap(window, table, problem.what, problem.remedy)
        events = [e for e in self._told(read, earlier) if window.contains(e.timestamp)]
        if len(events) > rows > 0:
            events.sort(key=lambda event: abs(event.timestamp - window.pin))
            why = f"more than the {rows} versions it may read; the nearest to T are shown"
            self._gap(window, self.tables[0], why, cut=True)
        if kept := events[: max(0, rows)]:
            yield kept

    async def by_keys(
        self, keys: Iterable[str], key_rules: KeyRules
    ) -> tuple[list[Event], dict[str, bool]]:
        """The newest versions of the rows that `keys` name; whether they exist is not told here."""
        wanted: dict[str, list[str]] = {}
        for key in keys:
            kind, value = split_key(key)
            if kind == "row":
                name, _, value = value.rpartition("/")
                kind = key_rules.row_keys(name, "")[1].removesuffix(":")
            wanted.setdefault(kind, []).append(value)
        read: list[AuditRow] = []
        for table in self.tables:
            try:
                for kind, values in wanted.items():
                    read += await self._versions_of(table, kind, list(dict.fromkeys(values)))
            except Unreachable:
                raise
            except SourceProblem as problem:
                self.gaps.append(Gap(0, 0, f"{table.label}: {problem.what}", problem.remedy))
        return self._told(read, ()), {}

    async def _versions_of(self, table: AuditTable, kind: str, values: list[str]) -> list[AuditRow]:
        shape = table.shape
        if shape.tool is Tool.REVERSION:  # its items are named by numbers of another table
            return []
        if not shape.item_type and self.events.kind_of(shape.item_table) != kind:
            return []
        rows = await table.of_items(class_name(kind), values, LOOKUP_VERSIONS + 1)
        if rows is None:
            why = f"{table.label} has no index by row: it was not searched"
            self.gaps.append(Gap(0, 0, why))
            return []
        if len(rows) > LOOKUP_VERSIONS:
            why = f"{table.label}: the {LOOKUP_VERSIONS} newest versions are shown"
            self.gaps.append(Gap(0, 0, why, cut=True))
        return rows[:LOOKUP_VERSIONS]

    async def _stretch(self, table: AuditTable, window: Window, rows: int) -> list[AuditRow]:
        way = await table.way(window)
        if way.refused:
            self._gap(window, table, way.refused, LOOKED_UP)
            return []
        pin = min(max(window.pin, window.start), window.end)
        most = min(self.most, max(1, rows // 2))
        found: list[AuditRow] = []
        for start, end, descending in ((pin, window.end, False), (window.start, pin, True)):
            if start >= end:
                continue
            answer = await table.stretch(way, start, end, most + 1, descending=descending)
            if len(answer) > most:
                why = f"more than {most} versions; the nearest to T are shown"
                self._gap(window, table, why, "Narrow the window or follow a key.", cut=True)
            found += answer[:most]
        return list({_identity(table.shape, row): row for row in found}.values())

    def _told(self, read: Sequence[AuditRow], earlier: Sequence[AuditRow]) -> list[Event]:
        shape = self.tables[0].shape
        writers = {str(row.get(shape.place)): str(row.get(WRITER) or "") for row in read}
        told = (
            self.events.of(version, writers.get(version.place, ""))
            for version in versions_of(shape, read, earlier, self.events.shown)
        )
        return [event for event in told if event is not None]

    def _gap(
        self, window: Window, table: AuditTable, why: str, remedy: str = "", *, cut: bool = False
    ) -> None:
        self.gaps.append(Gap(window.start, window.end, f"{table.label}: {why}", remedy, cut))


def _identity(shape: AuditShape, row: AuditRow) -> tuple[object, ...]:
    return tuple(row.get(name) for name in (shape.place, shape.item_id, shape.at, shape.until))
