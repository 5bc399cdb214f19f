"""Which keys deserve a second look outside the window: the collector's phase two asks for them.

An old row in an impossible state is seldom touched near T, but its id stands in an error line, a
failed job or a finding; by that id every source can be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from timeline.finding import Finding
from timeline.incident import Incident

MOST_KEYS = 100
"""Enough for the victims of one hiccup; keeps the look-up of each source to one short query."""

FAILED_KINDS = ("job.failed", "job.dead", "job.retried")


def suspect_keys(
    incident: Incident, findings: Sequence[Finding], limit: int = MOST_KEYS
) -> tuple[str, ...]:
    """Keys of findings, then of errors and failed jobs nearest T; too-broad keys left out."""
    snapshot = incident.snapshot
    wanted = dict.fromkeys(key for finding in findings for key in finding.keys)
    for rows in (_failed_jobs(incident), _error_rows(incident)):
        near = _nearest(incident, rows, limit)
        wanted.update(dict.fromkeys(_keys_of(incident, near)))
    usable = (key for key in wanted if key not in snapshot.broad_keys)
    return tuple(usable)[:limit]


def linked_keys(incident: Incident, keys: Iterable[str], limit: int = MOST_KEYS) -> tuple[str, ...]:
    """Keys that share an event with any of `keys` (request, job, row): one hop further."""
    asked = set(keys)
    rows = incident.snapshot.rows_with(asked)
    found = dict.fromkeys(_keys_of(incident, rows.head(1_000)))
    broad = incident.snapshot.broad_keys
    return tuple(key for key in found if key not in asked and key not in broad)[:limit]


def _error_rows(incident: Incident) -> pl.Series:
    return incident.errors.get_column("row").cast(pl.UInt32)


def _failed_jobs(incident: Incident) -> pl.Series:
    return incident.snapshot.where(pl.col("kind").cast(pl.String).is_in(FAILED_KINDS))


def _nearest(incident: Incident, rows: pl.Series, limit: int) -> pl.Series:
    times = incident.snapshot.events.get_column("timestamp").gather(rows)
    distance = (times - incident.window.pin).abs()
    return pl.DataFrame({"row": rows, "far": distance}).sort("far").get_column("row").head(limit)


def _keys_of(incident: Incident, rows: pl.Series) -> list[str]:
    return incident.snapshot.keys_of(rows).get_column("key").unique(maintain_order=True).to_list()
