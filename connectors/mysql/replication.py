"""Whether the server is a replica, and how far it has come: what that lets us claim.

The lag is stated in whole seconds, by the replica's clock, corrected by what it learnt of the
source's clock as it connected; NULL while a thread of it stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.mysql.session import Flavour
from timeline.coverage import Coverage, Sight
from timeline.problems import quoted
from timeline.window import SECOND_NS, Window

SPEAKS_OF_REPLICAS = {True: (10, 5, 1), False: (8, 0, 22)}
"""First MariaDB (True) and MySQL (False) that know SHOW REPLICA STATUS."""
REMEDY = "Ask the source server for later rows."


def status_statement(flavour: Flavour) -> str:
    """The statement by the name this version knows."""
    new = flavour.version >= SPEAKS_OF_REPLICAS[flavour.mariadb]
    return "SHOW REPLICA STATUS" if new else "SHOW SLAVE STATUS"


@dataclass(frozen=True, slots=True)
class Replica:
    """How a replica stands. `lag_s` is None while it does not replicate; `error` says why."""

    lag_s: int | None
    error: str
    source: str

    @property
    def words(self) -> str:
        if self.lag_s is None:
            why = f": {self.error}" if self.error else ""
            return f"replication from {self.source} stands still{why}"
        return f"replica of {self.source}, {self.lag_s} s behind"

    def coverage(self, source: str, window: Window, now: int) -> list[Coverage]:
        """What the lag hides of the window; `now` is the replica's clock (ns UTC)."""
        if self.lag_s is None:
            return [Coverage(source, window.start, window.end, Sight.PARTIAL, self.words, REMEDY)]
        # the lag is cut to whole seconds, so up to one more may be missing
        reached = max(window.start, now - (self.lag_s + 1) * SECOND_NS)
        if reached >= window.end:
            return []
        return [Coverage(source, reached, window.end, Sight.PARTIAL, self.words, REMEDY)]


def replica_from(row: Mapping[str, object]) -> Replica:
    """From the status row by name; MySQL 8.4 says Source and Replica for Master and Slave."""
    named = {
        name.lower().replace("master", "source").replace("slave", "replica"): value
        for name, value in row.items()
    }
    running = named.get("replica_sql_running") == "Yes" and named.get("replica_io_running") == "Yes"
    lag = named.get("seconds_behind_source")
    error = named.get("last_sql_error") or named.get("last_io_error") or ""
    return Replica(
        lag_s=int(str(lag)) if running and lag is not None else None,
        error=quoted(str(error), 200),
        source=f"{named.get('source_host')}:{named.get('source_port')}",
    )
