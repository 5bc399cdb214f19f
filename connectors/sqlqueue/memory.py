"""What a queue still knows of the past, and what its silence is therefore worth.

The server counts deleted rows. While it has counted none, nothing that ended is gone, whatever the
product usually forgets; once it has, the product's own rule for keeping is left, and no further
back than to a success that is still there.
"""

from __future__ import annotations

from connectors.postgresql.tables import Server
from connectors.queues.account import Memory
from connectors.queues.transitions import iso
from connectors.sqlqueue.places import Here
from timeline.window import SECOND_NS

REMEDY = "A job that is not here may have ended; its log line or its worker's log can tell."


def memory_of(here: Here, server: Server, oldest: int | None) -> Memory:
    """How far back what has ended is still there.

    `oldest` is the end (ns UTC) of the longest-gone success that is still there: a product whose
    settings keep less than its defaults do is known by that.
    """
    system, deleted = here.system, here.deleted_rows
    counted_since = max(server.started_at, server.stats_since or 0)
    if system.kept_s is None:
        if not deleted:
            return Memory(None, "")
        words = f"{deleted} rows were deleted from the tables of {system.product}, nobody says when"
        return Memory(server.now, words, REMEDY)
    if deleted == 0:
        words = (
            f"{system.product} {system.forgets}; no row was deleted since {iso(counted_since)}, "
            "before that the server did not count"
        )
        return Memory(counted_since, words, REMEDY)
    horizon = server.now
    if system.kept_s and oldest is not None:
        horizon = min(max(server.now - system.kept_s * SECOND_NS, oldest), server.now)
    return Memory(horizon, f"{system.product} {system.forgets}", REMEDY)


def kept_words(here: Here, memory: Memory) -> str:
    """The same as a sentence for `check`."""
    if memory.horizon is None:
        return f"ended jobs are kept: no row was deleted from {here.jobs.label}"
    return f"what ended before {iso(memory.horizon)} may be gone without a trace"
