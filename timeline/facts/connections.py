"""Connections that were not to be had: errors of pools and full servers, and counted slots.

Owns whose limit an error speaks of and how long the failing call had waited. Decides no cause.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

POOL, SERVER = "pool", "server"
"""Whose limit was reached."""
SERVER_FULL = (
    r"sorry, too many clients already|remaining connection slots are reserved"
    r"|Too many connections|max number of clients reached|worker_connections are not enough"
    r"|no more connections allowed|\b1040\b|53300"
)
"""Wordings and codes of `timeline.errors` with which a server says that it is full, not a pool."""
HTTP_POOLS = (
    "ConnectionPoolTimeoutException",
    "Timeout waiting for connection from pool",
    "net/http: request canceled while waiting for connection",
    "unable to provide a connection within the timeout due to excess queuing",
)
DATABASES = ("postgresql", "mysql")
DATABASE = "the database"
HTTP = "http"

WAITED = (
    (r"(?i)(?:timed out|dropped from queue) after (\d{1,7}) ?ms", 1e6),
    (r"(?i)\bwaited (\d{1,5}(?:\.\d{1,6})?) sec", 1e9),
    (r"(?i)couldn't get a connection after (\d{1,5}(?:\.\d{1,6})?) sec", 1e9),
    (r"(?i)connection timed out, timeout (\d{1,5}(?:\.\d{1,6})?)", 1e9),
)
"""How long the failing call had waited for a connection, as HikariCP and DBConnection (ms),
ActiveRecord, psycopg_pool and SQLAlchemy (s) say it."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Connections that the server counted when it was asked, ns UTC."""

    seen: int
    used: int
    most: int
    reserved: int
    by: tuple[str, ...]

    @property
    def full(self) -> bool:
        return self.used >= self.most - self.reserved


def pool_errors(incident: Incident) -> pl.DataFrame:
    """Errors of the class `pool` with their `target`, `full` and `full_from` (ns)."""
    hits = incident.errors.filter(pl.col("error_class") == "pool")
    if hits.is_empty():
        nothing = (pl.lit(None, pl.String), pl.lit(None, pl.String), pl.lit(None, pl.Int64))
        return hits.with_columns(
            each.alias(name)
            for each, name in zip(nothing, ("target", "full", "full_from"), strict=True)
        )
    system = pl.col("system")
    web = pl.col("fragment").is_in(HTTP_POOLS) | pl.col("body").str.contains("httpx", literal=True)
    server = pl.col("fragment").str.contains(SERVER_FULL)
    waited = pl.coalesce(
        *(pl.col("body").str.extract(p, 1).cast(pl.Float64) * unit for p, unit in WAITED),
        pl.lit(0.0),
    )
    return hits.with_columns(
        target=pl.when(system.is_in(DATABASES))
        .then(pl.lit(DATABASE))
        .when(system.is_not_null())
        .then(system)
        .when(web)
        .then(pl.lit(HTTP))
        .otherwise(pl.lit(DATABASE)),
        full=pl.when(server).then(pl.lit(SERVER)).otherwise(pl.lit(POOL)),
        full_from=pl.col("timestamp") - waited.cast(pl.Int64),
    )


def fullest_slots(incident: Incident) -> tuple[Slots, int] | None:
    """The fullest count of connections that a database told, and its row."""
    shown = incident.snapshot.told(
        (pl.col("lane") == Lane.DATABASE.value)
        & (pl.col("kind") == Kind.METRIC.value)
        & pl.col("attributes").str.contains('"reserved": ', literal=True),
        "attributes",
    )
    found: list[tuple[Slots, int]] = []
    for row, seen, text in shown.iter_rows():
        told = json.loads(text)
        by = tuple(
            f"{group['application_name'] or group['user']} {group['state']} "
            f"{group['connections']}".replace("  ", " ")
            for group in told.get("by", ())
        )
        found.append((Slots(seen, told["used"], told["max"], told["reserved"], by), row))
    return max(found, key=lambda pair: pair[0].used / max(pair[0].most, 1), default=None)
