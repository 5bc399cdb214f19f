"""Row versions of system-versioned tables (MariaDB): every change with what it changed.

A version begins and ends with the statement that wrote it, not with its commit (MariaDB manual,
"System-Versioned Tables"). Walking finds the rows that changed; their whole history, by primary
key, tells each change from the version before. Only carried columns are compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from connectors.mysql.dialect import MYSQL
from connectors.sql.audit import LOCK_VERSION
from connectors.sql.audit_shapes import Tool
from connectors.sql.reader import TableReader
from connectors.sql.rows import Record, RowEvents, primary_key, record_from
from connectors.sql.stamps import iso
from connectors.sql.statements import Statements
from connectors.sql.tables import Column, Table, single_pk
from connectors.sql.values import Cell, Parameter, Row, Session
from connectors.sql.walking import Gap
from timeline.clean import clean
from timeline.event import Event, Kind, Precision
from timeline.keys import KeyRules
from timeline.window import Window

ALL_VERSIONS = "FOR SYSTEM_TIME ALL"
HISTORY_ROWS = 2_000
"""Versions read for one page of changed rows; a row that changes more often is cut, and said."""
SHOWN_CHANGES = 4
VALUE_LENGTH = 60
"""Characters of one old or new value in a body; the attributes hold up to 200."""


def version_reader(
    session: Session, source: str, table: Table, endpoint: str, rules: KeyRules, page_rows: int
) -> VersionReader | None:
    """A reader of the table's history; None for a table that keeps none that can be told."""
    if table.period is None or single_pk(table) is None:
        return None
    stamps = {column.name for column in table.times}
    history = replace(
        table,
        times=table.period,
        carried=tuple(column for column in table.carried if column.name not in stamps),
    )
    return VersionReader(
        session,
        Statements(history, MYSQL, ALL_VERSIONS),
        RowEvents(source, history, endpoint, rules),
        page_rows,
    )


class VersionReader(TableReader):
    """Reads what changed around T; the columns walked are the beginning and end of versions."""

    async def fresh(self, rows: Sequence[Row], window: Window) -> list[Event]:
        """Every change inside `window` of the rows that were not met before."""
        keys = list(dict.fromkeys(row[0] for row in rows if row[0] is not None))
        told = await self.history([key for key in keys if str(key) not in self._seen])
        self._seen.update(map(str, keys))
        return [event for event in told if window.contains(event.timestamp)]

    async def by_keys(
        self, keys: Iterable[str], key_rules: KeyRules
    ) -> tuple[list[Event], dict[str, bool]]:
        """Every change of the rows that `keys` name; whether they are there is not told here."""
        own = self.questions(keys, key_rules).get(self.table.pk[0], {})
        values = [int(value) if self.table.pk[0].is_integer else value for value in own]
        return await self.history(values), {}

    async def history(self, keys: Sequence[Parameter]) -> list[Event]:
        """Every change of the rows with these primary keys, whenever."""
        if not keys:
            return []
        seen_at, (start, _) = time.time_ns(), self.table.times
        statement = self.statements.by_values(
            self.table.pk[0], len(keys), HISTORY_ROWS + 1, also=(start,)
        )
        rows = await self.session.read(statement, keys)
        if len(rows) > HISTORY_ROWS:
            reason = f"{self.table.label}: more than {HISTORY_ROWS} versions; old ones are missing"
            self.gaps.append(Gap(0, 0, reason, cut=True))
        versions: dict[str, list[Record]] = {}
        for row in reversed(rows[:HISTORY_ROWS]):
            key = primary_key(self.table, row)
            versions.setdefault(key, []).append(record_from(self.table, row))
        cut = len(rows) > HISTORY_ROWS
        changes = _Changes(self.events, self.table.times, seen_at, cut=cut)
        return [event for known in versions.values() for event in changes.of(known)]


@dataclass(frozen=True, slots=True)
class _Changes:
    events: RowEvents
    period: tuple[Column, ...]
    seen_at: int
    cut: bool

    def of(self, versions: Sequence[Record]) -> Iterator[Event]:
        """The changes between the versions of one row, which are in the order of time."""
        start, end = (column.name for column in self.period)
        before: Record | None = None
        for version in versions:
            began, ended = version.times.get(start), version.times.get(end)
            if began is not None:
                follows = before is not None and before.times.get(end) == began
                yield self._version(version, before if follows else None, began)
            follower = any(later.times.get(start) == ended for later in versions)
            if ended is not None and ended <= self.seen_at and not follower:
                yield self._deletion(version, ended)
            before = version

    def _version(self, version: Record, before: Record | None, began: int) -> Event:
        if before is None:
            changed: dict[str, list[Cell]] = {}
            words = "version" if self.cut else "inserted"
            words += self.events.summary(version, "")
        else:
            changed = {
                name: [before.columns.get(name), value]
                for name, value in version.columns.items()
                if before.columns.get(name) != value
            }
            words = _changes_in_words(changed)
        new = {name: after for name, (_, after) in changed.items()}
        more: dict[str, object] = {
            "action": "updated" if before else "" if self.cut else "created",
            "columns": new if before else version.columns,
            "before": {name: old for name, (old, _) in changed.items()},
            "changed": changed,
        }
        if moved := changed.get(LOCK_VERSION):
            more["lock_version"] = moved
        return self._event(version, Kind.ROW_VERSION, words, began, more)

    def _deletion(self, version: Record, ended: int) -> Event:
        words = f"deleted{self.events.summary(version, 'was ')}"
        more: dict[str, object] = {"action": "deleted", "columns": {}, "before": version.columns}
        return self._event(version, Kind.ROW_DELETED, words, ended, more)

    def _event(
        self, version: Record, kind: Kind, words: str, stamp: int, more: dict[str, object]
    ) -> Event:
        return self.events.event(
            version,
            kind,
            words,
            f"{kind.value}@{iso(stamp)}",
            stamp,
            Precision.MICROSECOND,
            self.events.keys(version),
            self.events.attributes(
                version, self.seen_at, {"tool": Tool.PERIODS.value, "actor": "", **more}
            ),
        )


def _changes_in_words(changed: dict[str, list[Cell]]) -> str:
    if not changed:
        return "updated, in columns that are not carried"
    words = [f"{name} {_short(old)} → {_short(new)}" for name, (old, new) in changed.items()]
    more = len(words) - SHOWN_CHANGES
    return "changed " + ", ".join(words[:SHOWN_CHANGES]) + (f" and {more} more" if more > 0 else "")


def _short(value: Cell) -> str:
    return "null" if value is None else clean(str(value))[:VALUE_LENGTH]
