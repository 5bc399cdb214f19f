"""The account of one reading: what was covered, what was not and why, and what was assumed.

What the server shows is its present state, so a deleted row cannot be missed, only lost: full
sight is claimed only where nothing can have been deleted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from connectors.postgresql.checking import NOT_KEPT
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.reader import Gap
from connectors.postgresql.replication import lagging, replication_coverage
from connectors.postgresql.statements import iso
from connectors.postgresql.tables import Catalog, Server
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.coverage import Coverage, Sight
from timeline.window import Window

NAMED_KEYS = 10
"""Keys named one by one in a sentence."""


def closing(
    options: PostgreSQLOptions,
    source: str,
    server: Server,
    catalog: Catalog,
    window: Window,
    gaps: Sequence[Gap],
) -> Batch:
    """The last batch of a fetch: no events, all coverage and remarks."""
    coverage = [_sight(source, server, catalog, window)]
    coverage += [
        Coverage(source, gap.start, gap.end, Sight.PARTIAL, gap.reason, gap.remedy) for gap in gaps
    ]
    coverage += replication_coverage(source, server, window)
    coverage += [
        Coverage(source, window.start, window.end, Sight.PARTIAL, table.reason, table.remedy)
        for table in catalog.unreadable
    ]
    remarks = [*_cuts(source, gaps), *_assumptions(options, source, server, catalog)]
    return batch_of(source, (), BatchExtras(coverage=tuple(coverage), remarks=tuple(remarks)))


def lookup_extras(source: str, gaps: Sequence[Gap]) -> BatchExtras:
    """What a look-up could not search, as of now."""
    now = time.time_ns()
    coverage = (
        Coverage(source, now, now + 1, Sight.PARTIAL, gap.reason, gap.remedy) for gap in gaps
    )
    return BatchExtras(coverage=tuple(coverage), remarks=tuple(_cuts(source, gaps)))


def not_found(source: str, server: Server, missing: Sequence[str]) -> Batch:
    """Looked for and not there, with the instant of looking."""
    now = time.time_ns()
    keys = ", ".join(sorted(missing)[:NAMED_KEYS])
    sentence = f"{keys}: no such row on the {server.endpoint} at {iso(now // 1_000)}"
    coverage = (Coverage(source, now, now + 1, Sight.NOW_ONLY, sentence),)
    remarks = (Remark(source, "not-found", sentence, len(missing)),)
    return batch_of(source, (), BatchExtras(coverage=coverage, remarks=remarks))


def _sight(source: str, server: Server, catalog: Catalog, window: Window) -> Coverage:
    """Full only when nothing can have been deleted: a primary that counted no deletion."""
    counted = server.stats_since is None or server.stats_since < window.start
    kept = all(table.deleted_rows == 0 for table in catalog.records)
    if catalog.records and kept and counted and not server.replica:
        reason = "no deletion was ever counted in the tables that were read"
        return Coverage(source, window.start, window.end, Sight.FULL, reason)
    return Coverage(source, window.start, window.end, Sight.NOW_ONLY, NOT_KEPT)


def _cuts(source: str, gaps: Iterable[Gap]) -> list[Remark]:
    return [Remark(source, "cut", gap.reason) for gap in gaps if gap.cut]


def _assumptions(
    options: PostgreSQLOptions, source: str, server: Server, catalog: Catalog
) -> list[Remark]:
    remarks = []
    zoneless = [
        f"{table.label}.{column.name}"
        for table in catalog.tables
        for column in table.times
        if not column.has_zone
    ]
    if zoneless and not options.zone:
        sentence = f"{', '.join(zoneless)}: no time zone; read as UTC. Set zone if they are not."
        remarks.append(Remark(source, "zone-assumed", sentence, len(zoneless)))
    if server.replica:
        behind = lagging(server)
        words = f"Read from a replica: {behind or 'it may lag the primary'}."
        remarks.append(Remark(source, "replica", words))
    if catalog.left_out:
        sentence = (
            f"{catalog.left_out} more tables have a creation stamp and were not read. "
            "Name the ones that matter in tables."
        )
        remarks.append(Remark(source, "cut", sentence, catalog.left_out))
    return remarks
