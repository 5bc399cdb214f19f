"""Log lines that may tell of a lock wait, of memory or of a further attempt: one scan for three.

Bodies are the dearest column to search, and to look for ten texts costs no more than to look for
one. Whoever asks looks closer with its own wording; a line kept here may mean nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

LOCK_HINT = r"eLock|Wait queue: "
"""What a line of a lock wait holds at least: the end of every mode's name, or of the DETAIL alone.
The DETAIL of lock waits is in English in every catalogue but that of some distributions."""
MEMORY_HINT = "memory|Memory|MEMORY|RSS|rss"
RETRY_HINT = r"ttempt|[Rr]etry[ _#]|Retrying "
"""A text that stands in every line that tells of a further attempt."""


def hinted_lines(incident: Incident, hint: str) -> pl.DataFrame:
    """`row`, `timestamp`, `source`, `actor`, `clock` and `body` of the log lines that fit `hint`,
    one of the three above, in time order."""
    lines = incident.shared(_with_any_hint)
    return lines if lines.is_empty() else lines.filter(pl.col("body").str.contains(hint))


def _with_any_hint(incident: Incident) -> pl.DataFrame:
    hinted = pl.col("body").str.contains(f"{LOCK_HINT}|{MEMORY_HINT}|{RETRY_HINT}")
    log = pl.col("lane") == Lane.LOG.value
    return incident.snapshot.told(log & hinted, "source", "actor", "clock", "body")
