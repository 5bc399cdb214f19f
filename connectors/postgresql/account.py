"""The account of one reading: what was covered, what was not and why, and what was assumed.

What the server shows is its present state, so a deleted row cannot be missed, only lost: full
sight is claimed only where nothing can have been deleted.
"""

from __future__ import annotations

from connectors.postgresql.replication import lagging, replication_coverage
from connectors.postgresql.tables import Catalog, Server
from connectors.sql.stamps import Zone
from connectors.sql.telling import Telling
from timeline.batch import Batch, Remark
from timeline.coverage import Coverage, Sight
from timeline.window import Window


def closing(
    telling: Telling, zone: Zone, server: Server, catalog: Catalog, window: Window
) -> Batch:
    """The last batch of a fetch: no events, all coverage and remarks."""
    remarks = telling.zone_remarks(catalog.tables, zone)
    if server.replica:
        behind = lagging(server)
        words = f"Read from a replica: {behind or 'it may lag the primary'}."
        remarks.append(Remark(telling.source, "replica", words))
    coverage = replication_coverage(telling.source, server, window)
    sight = _sight(telling, server, catalog, window)
    return telling.closing(window, catalog, sight, coverage, remarks)


def _sight(telling: Telling, server: Server, catalog: Catalog, window: Window) -> Coverage:
    """Full only when nothing can have been deleted: a primary that counted no deletion."""
    counted = server.stats_since is None or server.stats_since < window.start
    kept = all(table.deleted_rows == 0 for table in catalog.records)
    if catalog.records and kept and counted and not server.replica:
        reason = "no deletion was ever counted in the tables that were read"
        return Coverage(telling.source, window.start, window.end, Sight.FULL, reason)
    return telling.now_only(window)
