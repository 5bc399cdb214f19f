"""Signs that the node which takes writes changed: markers of the systems, and refused writes.

Owns the wordings. Markers are read only around instants that somebody names, because they stand in
ordinary lines; refused writes are errors. Decides nothing about what caused what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.postgresql_messages import PROMOTED
from timeline.errors.translations import any_of
from timeline.event import SEVERITY_ERROR, Lane
from timeline.facts.errors import HIT_SCHEMA
from timeline.facts.lines import LINE_SCHEMA
from timeline.facts.searched import told_with
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

ADDRESS = "address"
"""Whoever moves an address between machines (keepalived, ucarp, Pacemaker) knows no system behind
it: its word counts for clients of that address, whatever they speak."""
MARKERS: dict[str, str] = {
    "postgresql": (
        r"promoted self to leader|received promote request|selected new timeline ID"
        r"|archive recovery complete|STANDBY PROMOTE successful|[Ff]ail[- ]?over completed"
        r"|writer was promoted|electing db as the new master|postgres instance promoted"
        r"|[Cc]ompleted failover to|goal state of .{1,80} to (?:wait_)?primary|"
    )
    + any_of(PROMOTED),
    "redis": (
        r"\+switch-master|\+promoted-slave|MASTER MODE enabled|Failover election won"
        r"|\+failover-end|Setting myself as new master"
    ),
    "mysql": (
        r"new primary with address|was elected primary|elected as (?:the )?primary"
        r"|Multi-AZ instance failover completed|successfully promoted|[Tt]opology recovery"
        r"|(?:Switchover|Failover) '[^']{1,80}' -> '[^']{1,80}' performed"
    ),
    "kafka": r"starts at leader epoch|Elected new leader|[Cc]ompleted (?:un)?clean leader election",
    "elasticsearch": r"elected-as-master|master node changed",
    "mongodb": r"[Tt]ransition to primary complete|Election succeeded, assuming primary role",
    "sqlserver": r'is changing roles from "?(?:SECONDARY|RESOLVING)[A-Z_]*"? to "?PRIMARY',
    "oracle": r"ALTER DATABASE (?:SWITCHOVER|FAILOVER) TO|[Ss]witchover succeeded, new primary is",
    "nats": r"JetStream cluster new (?:metadata|stream|consumer) leader",
    "rabbitmq": r"rabbit on node .{1,60} is the new leader|elected (?:as )?leader .{0,40}quorum",
    "etcd": r"\b(?:elected leader|became leader at term)\b",
    ADDRESS: (
        r"(?:Entering|Transition to) MASTER STATE|Switching to state: MASTER"
        r"|gratuitous ARP\b.{1,80}\bfor\b"
        r"|Result of (?:start|promote) operation for \S+ on \S+: (?:0|ok)"
    ),
}
"""What Patroni, PostgreSQL in its languages, repmgr, Stolon, pg_auto_failover, RDS, Redis,
Sentinel, group replication, orchestrator, MaxScale, Kafka, Elasticsearch, MongoDB, SQL Server,
Oracle, NATS, RabbitMQ and etcd say when a node takes over, by the system that it leads."""

REFUSED_WRITES: dict[str, str] = {
    "postgresql": r"in a read-only transaction|\b25006\b|read_only_sql_transaction",
    "redis": r"read only (?:replica|slave)|\bREADONLY\b",
    "mysql": (
        r"--(?:super-)?read-only option|\((?:1290|1836),|\b(?:1290|1836) \(HY000\)"
        r"|ER_OPTION_PREVENTS_STATEMENT|ER_READ_ONLY_MODE|[Rr]unning in read-only mode"
    ),
    "kafka": r"NOT_LEADER_|NotLeader(?:ForPartition|OrFollower)",
    "elasticsearch": r"master_not_discovered_exception|MasterNotDiscoveredException",
    "mongodb": r"NotWritablePrimary|NotPrimaryNoSecondaryOk|\b10107\b",
    "sqlserver": r"(?:because|as) the database is read-only|\b3906\b.{0,40}(?:read-only|[Ss]tate)",
    "oracle": r"ORA-16000|database (?:or pluggable database )?open for read-only access",
    "etcd": r"etcdserver: (?:leader changed|no leader)|possibly due to previous leader failure",
}
"""What a node says that took writes before, or never did."""

STARTING = (
    r"57P03|is (?:starting up|shutting down|in recovery mode)|not yet accepting connections"
    r"|loading the dataset|Link with MASTER is down|CLUSTERDOWN|MASTERDOWN"
)
"""A node between two roles."""
ON_A_REPLICA = r"(?i)(?:^|[^a-z])(?:replica|standby|secondary|slave|reader|readonly|ro)(?:[^a-z]|$)"
"""A peer whose name says that it is not for writing."""
_ANY_REFUSED = "|".join(REFUSED_WRITES.values())


def refused_writes(incident: Incident) -> pl.DataFrame:
    """Errors of writes that met a node which takes none (HIT_SCHEMA), time order.

    Where the taxonomy knows no wording, the error line itself is the hit.
    """
    known = incident.errors.filter(pl.col("error_class") == "server_state")
    if known.height:
        known = known.filter(_says(_ANY_REFUSED) | (pl.col("sqlstate") == "25006"))
    severe = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_ERROR)
    columns = [name for name in HIT_SCHEMA if name in LINE_SCHEMA and name != "row"]
    shown = [name for name in columns if name != "timestamp"]
    wording = pl.col("body").str.contains(plain_edges(_ANY_REFUSED))
    lines = told_with(incident, severe, wording, *shown, bodies=(_ANY_REFUSED,))
    lines = lines.join(known, on="row", how="anti")
    if lines.is_empty() and known.is_empty():
        return known
    lines = lines.with_columns(pl.col("source", "actor", "clock", "lane", "kind").cast(pl.String))
    lines = lines.with_columns(
        pl.col("source", "actor", "clock").fill_null(""), error_class=pl.lit("server_state")
    )
    lines = lines.with_columns(
        clock=pl.when(pl.col("clock") == "").then("source").otherwise("clock"),
        fragment=pl.lit("<read-only>"),
    )
    typed = [pl.col(name).cast(kind) for name, kind in HIT_SCHEMA.items() if name in lines.columns]
    both = pl.concat([known, lines.select(typed)], how="diagonal")
    if both.is_empty():
        return both
    system = pl.coalesce(
        *(pl.when(_says(pattern)).then(pl.lit(name)) for name, pattern in REFUSED_WRITES.items()),
        "system",
    )
    return both.with_columns(system=system).sort("timestamp", "source", "row")


def _says(pattern: str) -> pl.Expr:
    """Whether the text, or the English of what it says, fits."""
    english = pl.col("fragment").fill_null("").str.contains(pattern)
    return pl.col("body").str.contains(pattern) | english


def markers_between(incident: Incident, first: int, last: int) -> pl.DataFrame:
    """(row, timestamp, actor, body, system) of takeovers told in `[first, last]` ns, time order."""
    snapshot = incident.snapshot
    low, high = snapshot.position_at(first), snapshot.position_at(last + 1)
    rows = snapshot.order.slice(low, high - low)
    shown = pl.col("timestamp", "lane", "actor", "body")
    lines = snapshot.events.select(shown.gather(rows)).with_columns(row=rows)
    spoken = lines.filter(
        pl.col("lane").is_in([Lane.LOG.value, Lane.CHANGE.value, Lane.NOTE.value])
        & pl.col("body").str.contains("|".join(MARKERS.values()))
    )
    system = pl.coalesce(
        pl.when(pl.col("body").str.contains(pattern)).then(pl.lit(name))
        for name, pattern in MARKERS.items()
    )
    told = spoken.with_columns(pl.col("actor").cast(pl.String).fill_null(""), system=system)
    return told.select("row", "timestamp", "actor", "body", "system")
