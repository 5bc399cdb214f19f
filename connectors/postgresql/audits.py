"""Reads audit tables around T and by key, and tells every recorded change as `row.version`.

An audit stamp is what the application or the transaction wrote: the change became visible no
earlier. Owns bounds and honesty of the reading; what the rows mean is `connectors.sql.audit`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from connectors.postgresql.audit_statements import XMIN, AuditStatements
from connectors.postgresql.plans import plan_of
from connectors.postgresql.reader import Gap, comparable
from connectors.postgresql.routes import LOOKED_UP, How, route_to
from connectors.postgresql.rows import APPLICATION_CLOCK, FIRST_NORMAL_XID, LARGEST_NS
from connectors.postgresql.session import Parameter, Session
from connectors.postgresql.statements import explained, iso, span_of
from connectors.postgresql.tables import Catalog, Server
from connectors.sql.audit import HIDDEN, AuditRow, JsonValue, Version, may_show, versions_of
from connectors.sql.audit_shapes import Tool
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.key_fields import snake
from timeline.keys import KeyRules, split_key
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Window

AUDIT_ROWS = 1_000
"""Versions read on either side of T of one table: a bulk change writes one for every row."""
LOOKUP_VERSIONS = 200
CHANGES_SHOWN = 3
TRIGGERED = frozenset({Tool.LOGIDZE, Tool.PERIODS})
"""Tools that write in the database, with its clock."""


@dataclass
class AuditReader:
    """Reads the audit tables of one item table or tool. `gaps` collects what was not read."""

    session: Session
    source: str
    server: Server
    catalog: Catalog
    key_rules: KeyRules
    tables: Sequence[AuditStatements]
    """More than one where present and past versions stand in two tables."""
    gaps: list[Gap] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.tables[0].table.label

    async def around(self, window: Window, rows: int, deadline: float) -> list[Event]:
        """Versions whose stamps lie in `window`, the nearest to T when there are too many."""
        read: list[AuditRow] = []
        earlier: list[AuditRow] = []
        for statements in self.tables:
            if time.monotonic() > deadline or rows <= 0:
                why = "not read: the time or the rows it may take were used up"
                self._gap(window, statements, why, cut=True)
                continue
            try:
                found = await self._stretch(statements, window, rows)
                read += found
                if statements.shape.keeps_states and found:
                    earlier += await self._before(statements, found, window)
            except Unreachable:
                raise
            except SourceProblem as problem:
                self._gap(window, statements, problem.what, problem.remedy)
        events = [e for e in self._events(read, earlier) if window.contains(e.timestamp)]
        if len(events) > rows > 0:
            events.sort(key=lambda event: abs(event.timestamp - window.pin))
            why = f"more than the {rows} versions it may read; the nearest to T are shown"
            self._gap(window, self.tables[0], why, cut=True)
        return events[: max(0, rows)]

    async def by_keys(self, keys: Iterable[str]) -> list[Event]:
        """The newest versions of the rows that `keys` name."""
        wanted: dict[str, list[str]] = {}
        for key in keys:
            kind, value = split_key(key)
            if kind == "row":
                name, _, value = value.rpartition("/")
                kind = self.key_rules.row_keys(name, "")[1].removesuffix(":")
            wanted.setdefault(kind, []).append(value)
        read: list[AuditRow] = []
        for statements in self.tables:
            try:
                for kind, values in wanted.items():
                    read += await self._versions_of(statements, kind, list(dict.fromkeys(values)))
            except Unreachable:
                raise
            except SourceProblem as problem:
                reason = f"{statements.table.label}: {problem.what}"
                self.gaps.append(Gap(0, 0, reason, problem.remedy))
        return self._events(read, ())

    async def _versions_of(
        self, statements: AuditStatements, kind: str, values: list[str]
    ) -> list[AuditRow]:
        shape, item = statements.shape, statements.item
        asked = [value for value in values if item is not None and comparable(item, value)]
        if not asked or shape.tool is Tool.REVERSION:
            return []
        parameters: list[Parameter] = [asked]
        if shape.item_type:
            parameters.insert(0, [_class_name(kind)])
        elif self._kind_of(shape.item_table) != kind:
            return []
        statement = statements.by_items(LOOKUP_VERSIONS + 1)
        if statements.table.large:
            plan = plan_of(await self.session.read(explained(statement), parameters))
            if plan.scans_everything:
                why = f"{statements.table.label} has no index by row: it was not searched"
                self.gaps.append(Gap(0, 0, why))
                return []
        rows = await self.session.read(statement, parameters)
        if len(rows) > LOOKUP_VERSIONS:
            why = f"{statements.table.label}: the {LOOKUP_VERSIONS} newest versions are shown"
            self.gaps.append(Gap(0, 0, why, cut=True))
        return statements.rows_from(rows[:LOOKUP_VERSIONS])

    async def _stretch(
        self, statements: AuditStatements, window: Window, rows: int
    ) -> list[AuditRow]:
        bracket: tuple[int, int] | None = None
        if statements.time is not None and not statements.periods:
            route = await route_to(
                self.session,
                statements.typed_table,
                statements.time,
                window,
                AUDIT_ROWS,
                rises=statements.shape.tool is not Tool.LOGIDZE,
            )
            if route.how is How.REFUSED:
                self._gap(window, statements, route.words(), LOOKED_UP)
                return []
            bracket = route.bracket
        elif not statements.shape.at:
            self._gap(window, statements, "it has no stamp to find its rows by", LOOKED_UP)
            return []
        elif statements.table.large and await self._scans(statements, window):
            self._gap(window, statements, "not read: no index on its stamps", LOOKED_UP)
            return []
        pin = min(max(window.pin, window.start), window.end)
        most = min(AUDIT_ROWS, max(1, rows // 2))
        found: list[AuditRow] = []
        for start, end, descending in ((pin, window.end, False), (window.start, pin, True)):
            if start >= end:
                continue
            statement = statements.page(
                most + 1, descending=descending, bracketed=bracket is not None
            )
            bounds = _bounds(statements, start, end)
            answer = await self.session.read(statement, [*bounds, *(bracket or ())])
            if len(answer) > most:
                self._gap(
                    window,
                    statements,
                    f"more than {most} versions; the nearest to T are shown",
                    "Narrow the window or follow a key.",
                    cut=True,
                )
            found += statements.rows_from(answer[:most])
        return list({_identity(statements, row): row for row in found}.values())

    async def _scans(self, statements: AuditStatements, window: Window) -> bool:
        statement = statements.page(AUDIT_ROWS, descending=False, bracketed=False)
        bounds = _bounds(statements, window.start, window.end)
        plan = plan_of(await self.session.read(explained(statement), bounds))
        return plan.scans_everything or plan.costly

    async def _before(
        self, statements: AuditStatements, found: Sequence[AuditRow], window: Window
    ) -> list[AuditRow]:
        """The version before the first one read, of every item, to tell what that one changed."""
        names = [n for n in (statements.shape.item_type, statements.shape.item_id) if n]
        items = list(dict.fromkeys(tuple(str(row.get(n)) for n in names) for row in found))
        stamps = [at for row in found if isinstance(at := row.get(statements.shape.at), int)]
        if not stamps:
            return []
        arrays: list[Parameter] = [list(values) for values in zip(*items, strict=True)]
        statement = statements.before()
        parameters = [*arrays, iso(min(stamps))]
        if statements.table.large:
            plan = plan_of(await self.session.read(explained(statement), parameters))
            if plan.scans_everything or plan.costly:
                why = "what the first version of each row changed is not told: no index by row"
                self._gap(window, statements, why)
                return []
        return statements.rows_from(await self.session.read(statement, parameters))

    def _events(self, read: Sequence[AuditRow], earlier: Sequence[AuditRow]) -> list[Event]:
        shape, label = self.tables[0].shape, self.label
        writers = {str(row.get(shape.place)): str(row.get(XMIN) or "") for row in read}
        versions = versions_of(shape, read, earlier, self._shown)
        events = []
        for version in versions:
            if not 0 < version.at * 1_000 <= LARGEST_NS:
                continue
            events.append(self._event(label, version, writers.get(version.place, "")))
        return events

    def _event(self, label: str, version: Version, xmin: str) -> Event:
        table, kind = self._item(version)
        keys = [f"{kind}:{version.item_id}"]
        if table:
            keys = list(self.key_rules.row_keys(table, version.item_id))
        if version.actor and version.actor_type:
            keys.append(f"{_kind_name(version.actor_type)}:{version.actor}")
        if xmin.isdigit() and int(xmin) >= FIRST_NORMAL_XID:
            keys.append(f"txn:{xmin}")
        attributes: dict[str, object] = {
            "tool": version.tool.value,
            "audit_table": label,
            "item_type": version.item_type,
            "pk": int(version.item_id) if _is_whole(version.item_id) else version.item_id,
            "action": version.action,
            "actor": version.actor,
            "actor_type": version.actor_type,
            "txid": version.txid,
            "request_id": version.request,
            "changed": {column: list(pair) for column, pair in version.changed.items()},
            "note": version.note,
            "endpoint": self.server.endpoint,
        }
        if table:
            attributes["table"] = table
        if xmin:
            attributes["xmin"] = xmin
        if version.request:
            keys.append(f"request:{version.request}")
        ref = f"{label}/{version.place}"
        triggered = version.tool in TRIGGERED
        return Event(
            timestamp=version.at * 1_000,
            source=self.source,
            lane=Lane.DATABASE,
            kind=Kind.ROW_VERSION,
            body=_words(table or kind, version),
            ref=ref,
            seq=int(version.place) if _is_whole(version.place) else intrinsic_seq(ref),
            actor=version.actor or label,
            clock="" if triggered and version.tool is Tool.PERIODS else APPLICATION_CLOCK,
            meaning=Meaning.TRANSACTION_START,
            precision=Precision.MILLISECOND
            if version.tool is Tool.LOGIDZE
            else Precision.MICROSECOND,
            keys=tuple(dict.fromkeys(keys)),
            attributes=json.dumps(attributes, ensure_ascii=False),
        )

    def _item(self, version: Version) -> tuple[str, str]:
        """The audited table, if this source knows it, and the key type of its rows."""
        if not version.item_type:
            table = self.tables[0].shape.item_table
            return table, self._kind_of(table)
        kind = _kind_name(version.item_type)
        tables = (t.label for t in self.catalog.tables if t.key_type == kind and not t.only_audits)
        return next(tables, ""), kind

    def _shown(self, item_type: str, column: str) -> bool:
        """A value is told here where the row's own would be: configured columns too."""
        if may_show(item_type, column):
            return True
        shape = self.tables[0].shape
        kind = _kind_name(item_type) if item_type else self._kind_of(shape.item_table)
        return any(
            column == carried.name
            for table in self.catalog.tables
            if table.key_type == kind and not table.only_audits
            for carried in table.carried
        )

    def _kind_of(self, table: str) -> str:
        return self.key_rules.row_keys(table, "")[1].removesuffix(":")

    def _gap(
        self,
        window: Window,
        statements: AuditStatements,
        why: str,
        remedy: str = "",
        *,
        cut: bool = False,
    ) -> None:
        reason = f"{statements.table.label}: {why}"
        self.gaps.append(Gap(window.start, window.end, reason, remedy, cut))


def audit_groups(catalog: Catalog, zone: str) -> list[list[AuditStatements]]:
    """Audit tables to be read together: the present and the past versions of one table."""
    groups: dict[object, list[AuditStatements]] = {}
    for table in catalog.audits:
        if table.audit is None:
            continue
        together = table.audit.tool is Tool.PERIODS
        group = (table.schema, table.audit.item_table) if together else table
        groups.setdefault(group, []).append(AuditStatements(table, table.audit, zone))
    return list(groups.values())


def _bounds(statements: AuditStatements, start: int, end: int) -> list[str]:
    span = span_of(start, end)
    ends = [iso(span.start), iso(span.end)]
    return ends * 2 if statements.periods else ends


def _identity(statements: AuditStatements, row: AuditRow) -> tuple[object, ...]:
    shape = statements.shape
    return tuple(row.get(name) for name in (shape.place, shape.item_id, shape.at, shape.until))


def _class_name(kind: str) -> str:
    """`OrderItem` of the key type `order_item`, as Rails names its models."""
    return "".join(part.capitalize() for part in kind.split("_"))


def _kind_name(item_type: str) -> str:
    """The key type of a recorded class: `order_item` of `Shop::OrderItem` or `shop.orderitem`."""
    return snake(item_type.rpartition("::")[2].rpartition(".")[2])


def _words(what: str, version: Version) -> str:
    by = f" by {version.actor_type + ' ' if version.actor_type else ''}{version.actor}"
    words = f"{what}/{version.item_id} {version.action}{by if version.actor else ''}"
    open_first = sorted(version.changed.items(), key=lambda entry: HIDDEN in entry[1])
    told = [_change(*entry) for entry in open_first[:CHANGES_SHOWN]]
    if len(version.changed) > CHANGES_SHOWN:
        told.append(f"{len(version.changed) - CHANGES_SHOWN} more columns")
    if told:
        words += f": {', '.join(told)}"
    note = f"; {version.note}" if version.note else ""
    return f"{words} ({version.tool.value}{note})"


def _change(column: str, pair: tuple[JsonValue, JsonValue]) -> str:
    before, after = pair
    if HIDDEN in (before, after):
        return f"{column} changed"
    return f"{column} {_shown(before)} → {_shown(after)}"


def _shown(value: JsonValue) -> str:
    return "null" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
