"""How far a replica is behind, told from both sides, and from when on it cannot be believed.

A replica's last replayed commit is no measure by itself: with an idle primary it grows old while
nothing is missing (PostgreSQL 15 manual, 28.2). So lag is said only where bytes are outstanding
or where the replica has not heard from its primary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import LiteralString

from connectors.postgresql.session import Session
from connectors.postgresql.statements import iso
from connectors.postgresql.tables import Server
from timeline.coverage import Coverage, Sight
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import SECOND_NS, Window

MAX_REPLICAS = 20
SILENT_NS = 35 * SECOND_NS
"""A replica asks its primary for a sign of life after half of wal_receiver_timeout (60 s by
default); one that has heard nothing for longer than that and a bit is cut off."""
LAGGING_US = 1_000_000
"""A replica that replays a second late is worth a warning."""
ASK_PRIMARY = "Ask the primary for later rows."

REPLICAS: LiteralString = """
SELECT r.pid, coalesce(r.application_name, '')::text, coalesce(host(r.client_addr), 'local')::text,
       coalesce(r.state, '')::text, coalesce(r.sync_state, '')::text,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
                            ELSE pg_current_wal_lsn() END, r.replay_lsn)::bigint,
       (extract(epoch FROM r.replay_lag) * 1000000)::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM pg_stat_replication AS r
 ORDER BY 6 DESC NULLS LAST, r.pid
 LIMIT %s
"""
"""`replay_lag` is null once a replica has caught up and the primary is idle."""


async def read_replicas(session: Session, source: str) -> list[Event]:
    """One event for each replica that hangs on this server. Raises `SourceProblem`."""
    events = []
    for row in await session.read(REPLICAS, (MAX_REPLICAS,)):
        pid, name, client, state, sync = row[:5]
        behind, lag, seen = (cell if isinstance(cell, int) else None for cell in row[5:8])
        attributes = {
            "now": True,
            "pid": pid,
            "replica": name,
            "client_addr": client,
            "state": state,
            "sync_state": sync,
            "lag_bytes": behind,
            "lag_seconds": None if lag is None else lag / 1e6,
            "seen_at": iso(seen or 0),
        }
        words = f"replica {name or pid} at {client} {state or 'in a hidden state'}"
        words += f", {_lag(behind, lag)}"
        late = (lag or 0) >= LAGGING_US or state not in ("streaming", "")
        events.append(_metric(source, seen or 0, words, f"replica/{pid}", attributes, late))
    return events


def replica_event(source: str, server: Server) -> Event:
    """The replica's own view of itself, at the instant `server` was read."""
    lag = replay_lag(server)
    attributes = {
        "now": True,
        "lag_bytes": server.bytes_to_replay,
        "lag_seconds": None if lag is None else lag / SECOND_NS,
        "replayed_until": _said(server.replayed_until),
        "heard_from_primary": _said(server.heard_at),
        "streaming": server.streams,
        "replay_paused": server.replay_paused,
        "seen_at": iso(server.now // 1_000),
    }
    words = "this is a replica"
    words += "" if server.streams else ", not connected to its primary"
    words += ", its replay is paused" if server.replay_paused else ""
    words += f", {_lag(server.bytes_to_replay, None if lag is None else lag // 1_000)}"
    late = bool(lagging(server))
    return _metric(source, server.now // 1_000, words, "replica/self", attributes, late)


def replay_lag(server: Server) -> int | None:
    """ns by which what this replica shows is older than its clock; None while nothing is owed."""
    if server.caught_up or server.replayed_until is None:
        return None
    return max(0, server.now - server.replayed_until)


def lagging(server: Server) -> str:
    """Why rows may be missing on this replica, or nothing."""
    if not server.replica:
        return ""
    if not server.caught_up:
        if server.replayed_until is None:
            return "this replica has replayed nothing since it started"
        return f"this replica has replayed up to {iso(server.replayed_until // 1_000)}"
    if server.heard_at is not None and server.now - server.heard_at > SILENT_NS:
        return f"this replica last heard from its primary at {iso(server.heard_at // 1_000)}"
    return ""


def replication_coverage(source: str, server: Server, window: Window) -> list[Coverage]:
    """The stretch of `window` behind the replay position, where rows may be missing."""
    reason = lagging(server)
    if not reason:
        return []
    known = server.heard_at if server.caught_up else server.replayed_until
    reached = window.start if known is None else max(known, window.start)
    if reached >= window.end:
        return []
    return [Coverage(source, reached, window.end, Sight.PARTIAL, reason, ASK_PRIMARY)]


def _lag(behind: int | None, lag_us: int | None) -> str:
    said = [f"{behind:,} bytes"] if behind else []
    said += [f"{lag_us / 1e6:.1f} s"] if lag_us is not None else []
    if said:
        return f"{' and '.join(said)} behind"
    return "nothing outstanding" if behind == 0 else "its lag is hidden from this role"


def _said(stamp: int | None) -> str | None:
    return None if stamp is None else iso(stamp // 1_000)


def _metric(
    source: str,
    seen: int,
    words: str,
    name: str,
    attributes: Mapping[str, object],
    late: bool,
) -> Event:
    ref = f"{name}@{seen}"
    return Event(
        timestamp=seen * 1_000,
        source=source,
        lane=Lane.DATABASE,
        kind=Kind.METRIC,
        body=words,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=SEVERITY_WARN if late else 0,
        actor=source,
        precision=Precision.MICROSECOND,
        attributes=json.dumps(attributes, ensure_ascii=False),
    )
