"""Audit tables of PostgreSQL, as `connectors.sql.audit_reader` asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.postgresql.audit_statements import AuditStatements
from connectors.postgresql.plans import plan_of
from connectors.postgresql.reader import comparable
from connectors.postgresql.routes import How, route_to
from connectors.postgresql.session import Parameter, Session
from connectors.postgresql.statements import explained, iso, span_of
from connectors.postgresql.tables import Catalog
from connectors.sql.audit import AuditRow
from connectors.sql.audit_events import VersionEvents
from connectors.sql.audit_reader import AUDIT_ROWS, AuditReader, Way
from connectors.sql.audit_shapes import AuditShape, Tool
from connectors.sql.tables import only_audits
from timeline.keys import KeyRules
from timeline.window import Window


@dataclass(frozen=True, slots=True)
class PostgreSQLAudits:
    """One audit table. See `connectors.sql.audit_reader.AuditTable`."""

    session: Session
    statements: AuditStatements

    @property
    def label(self) -> str:
        return self.statements.table.label

    @property
    def shape(self) -> AuditShape:
        return self.statements.shape

    async def way(self, window: Window) -> Way:
        """By its stamps where a plan finds that cheap, else by its ids."""
        statements = self.statements
        if statements.time is not None and not statements.periods:
            rises = self.shape.tool is not Tool.LOGIDZE
            route = await route_to(
                self.session,
                statements.typed_table,
                statements.time,
                window,
                AUDIT_ROWS,
                rises=rises,
            )
            return Way(route.bracket, route.words() if route.how is How.REFUSED else "")
        if not self.shape.at:
            return Way(refused="it has no stamp to find its rows by")
        if statements.table.large and await self._scans(window):
            return Way(refused="not read: no index on its stamps")
        return Way()

    async def stretch(
        self, way: Way, start: int, end: int, limit: int, *, descending: bool
    ) -> list[AuditRow]:
        """The first or the last versions of `[start, end)` (ns UTC)."""
        bracketed = way.keys is not None
        statement = self.statements.page(limit, descending=descending, bracketed=bracketed)
        parameters = [*self._bounds(start, end), *(way.keys or ())]
        return self.statements.rows_from(await self.session.read(statement, parameters))

    async def before(self, rows: Sequence[AuditRow]) -> tuple[list[AuditRow], str]:
        """Of every item in `rows` the version before the earliest of them."""
        names = [name for name in (self.shape.item_type, self.shape.item_id) if name]
        items = list(dict.fromkeys(tuple(str(row.get(name)) for name in names) for row in rows))
        stamps = [at for row in rows if isinstance(at := row.get(self.shape.at), int)]
        if not stamps:
            return [], ""
        arrays: list[Parameter] = [list(values) for values in zip(*items, strict=True)]
        statement = self.statements.before()
        parameters = [*arrays, iso(min(stamps))]
        if self.statements.table.large:
            plan = plan_of(await self.session.read(explained(statement), parameters))
            if plan.scans_everything or plan.costly:
                return [], "what the first version of each row changed is not told: no index by row"
        return self.statements.rows_from(await self.session.read(statement, parameters)), ""

    async def of_items(
        self, item_type: str, values: Sequence[str], limit: int
    ) -> list[AuditRow] | None:
        """The newest versions of some items; None where only a whole scan finds them."""
        item = self.statements.item
        asked = [value for value in values if item is not None and comparable(item, value)]
        if not asked:
            return []
        parameters: list[Parameter] = [[item_type], asked] if self.shape.item_type else [asked]
        statement = self.statements.by_items(limit)
        if self.statements.table.large:
            plan = plan_of(await self.session.read(explained(statement), parameters))
            if plan.scans_everything:
                return None
        return self.statements.rows_from(await self.session.read(statement, parameters))

    async def _scans(self, window: Window) -> bool:
        statement = self.statements.page(AUDIT_ROWS, descending=False, bracketed=False)
        bounds = self._bounds(window.start, window.end)
        plan = plan_of(await self.session.read(explained(statement), bounds))
        return plan.scans_everything or plan.costly

    def _bounds(self, start: int, end: int) -> list[str | int]:
        span = span_of(start, end)
        ends: list[str | int] = [iso(span.start), iso(span.end)]
        return ends * 2 if self.statements.periods else ends


def audit_readers(
    session: Session, source: str, endpoint: str, catalog: Catalog, zone: str, rules: KeyRules
) -> list[AuditReader]:
    """Readers of all audit tables: the present and past versions of one table are read together."""
    groups: dict[object, list[PostgreSQLAudits]] = {}
    for table in catalog.audits:
        if table.audit is None:
            continue
        together = table.audit.tool is Tool.PERIODS
        group = (table.schema, table.audit.item_table) if together else table
        statements = AuditStatements(table, table.audit, zone)
        groups.setdefault(group, []).append(PostgreSQLAudits(session, statements))
    records = [table for table in catalog.tables if not only_audits(table)]
    return [
        AuditReader(
            group,
            VersionEvents(
                source, group[0].label, group[0].shape.item_table, endpoint, rules, records
            ),
            AUDIT_ROWS,
        )
        for group in groups.values()
    ]
