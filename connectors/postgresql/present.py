"""The state of the whole server that explains an hour and is gone the next: connection slots,
replicas, prepared transactions, the last checkpoint; and the instants of start and reload.

All of it is cheap and none of it is needed: what the role may not see becomes a remark, never an
error. What says `"now": true` describes the instant of looking.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import LiteralString

from connectors.postgresql.activity import read_activity
from connectors.postgresql.replication import read_replicas, replica_event
from connectors.postgresql.session import Session
from connectors.postgresql.statements import iso
from connectors.postgresql.tables import Server
from timeline.batch import Remark
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Window

MAX_GROUPS = 12
"""Groups of connections named one by one, the largest first."""
NEARLY_FULL = 0.9
"""Share of the slots open to applications from which their number is a warning."""
MAX_PREPARED = 50

SLOTS: LiteralString = """
SELECT coalesce(a.usename, '')::text, coalesce(a.application_name, '')::text,
       coalesce(a.datname, '')::text, coalesce(a.state, '')::text,
       count(*)::int, (sum(count(*)) OVER ())::int,
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true), '0')::int,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM pg_stat_activity AS a
 WHERE a.datname IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
 GROUP BY 1, 2, 3, 4
 ORDER BY 5 DESC, 1, 2, 3, 4
 LIMIT %s
"""
"""`reserved_connections` exists since PostgreSQL 16. Without pg_read_all_stats a session's type
and state are hidden, and the few autovacuum workers are counted too."""

PREPARED: LiteralString = """
SELECT p.transaction::text, p.gid, p.owner::text,
       (extract(epoch FROM p.prepared) * 1000000)::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM pg_prepared_xacts AS p WHERE p.database = current_database()
 ORDER BY p.prepared
 LIMIT %s
"""

CHECKPOINT: LiteralString = """
SELECT (extract(epoch FROM checkpoint_time) * 1000000)::bigint FROM pg_control_checkpoint()
"""
"""One small file that the server has in its cache; stamped when the checkpoint began, in s."""


@dataclass
class Present:
    """What was seen now. `events` has the most perishable first."""

    events: list[Event] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


async def read_present(
    session: Session, source: str, server: Server, key_rules: KeyRules, window: Window
) -> Present:
    """Everything that is only to be seen now, and marks inside `window`. Raises `Unreachable`."""
    present = Present()

    async def activity() -> list[Event]:
        seen = await read_activity(session, source, key_rules)
        if seen.cut:
            present.remarks.append(Remark(source, "cut", seen.cut))
        return seen.events

    parts: tuple[tuple[str, Callable[[], Awaitable[list[Event]]]], ...] = (
        ("open transactions and lock waits", activity),
        ("connection slots", lambda: _slots(session, source)),
        ("prepared transactions", lambda: _prepared(session, source)),
        ("replicas", lambda: read_replicas(session, source)),
        ("the last checkpoint", lambda: _checkpoint(session, source, window)),
    )
    for what, read in parts:
        try:
            present.events += await read()
        except Unreachable:
            raise  # every further read would wait as long for the same silence
        except SourceProblem as problem:
            present.remarks.append(Remark(source, "not-read", f"{what}: {problem.sentence()}"))
    if server.replica:
        present.events.append(replica_event(source, server))
    present.events += [e for e in _marks(source, server) if window.contains(e.timestamp)]
    return present


async def _slots(session: Session, source: str) -> list[Event]:
    """How many connections are taken, by whom, of how many."""
    rows = await session.read(SLOTS, (MAX_GROUPS,))
    groups = [
        {
            "user": row[0],
            "application_name": row[1],
            "database": row[2],
            "state": row[3],
            "connections": row[4],
        }
        for row in rows
    ]
    used, most, reserved, seen = (_whole(cell) for cell in rows[0][5:9])
    names = (f"{row[1] or row[0]}{f' {row[3]}' if row[3] else ''} {row[4]}" for row in rows[:3])
    words = f"{used} of {most} connections used ({reserved} reserved): {', '.join(names)}"
    attributes = {
        "now": True,
        "used": used,
        "max": most,
        "reserved": reserved,
        "by": groups,
        "seen_at": iso(seen),
    }
    full = used >= NEARLY_FULL * (most - reserved)
    ref = f"pg_stat_activity/connections@{seen}"
    return [_event(source, seen, Kind.METRIC, words, ref, attributes, SEVERITY_WARN if full else 0)]


async def _prepared(session: Session, source: str) -> list[Event]:
    """Transactions prepared for two-phase commit: they hold locks with no session to blame."""
    events = []
    for xid, gid, owner, prepared, seen in await session.read(PREPARED, (MAX_PREPARED,)):
        stamp, now = _whole(prepared), _whole(seen)
        words = (
            f"transaction {xid} of {owner} is prepared as {gid} for {(now - stamp) / 1e6:.1f} s"
            " and neither committed nor rolled back"
        )
        attributes = {
            "now": True,
            "backend_xid": xid,
            "gid": gid,
            "user": owner,
            "prepared": iso(stamp),
            "seen_at": iso(now),
        }
        ref = f"pg_prepared_xacts/{xid}@{stamp}"
        event = _event(source, stamp, Kind.LOG, words, ref, attributes, SEVERITY_WARN)
        events.append(event)
    return events


async def _checkpoint(session: Session, source: str, window: Window) -> list[Event]:
    rows = await session.read(CHECKPOINT)
    stamp = _whole(rows[0][0]) if rows else 0
    if not window.contains(stamp * 1_000):
        return []
    words = "PostgreSQL began its last completed checkpoint"
    ref = f"pg_control_checkpoint@{stamp}"
    return [
        _event(source, stamp, Kind.CHANGE, words, ref, {"now": True}, precision=Precision.SECOND)
    ]


def _marks(source: str, server: Server) -> list[Event]:
    """Restart and reload: cheap marks on the timeline."""
    return [
        _event(source, stamp // 1_000, Kind.CHANGE, words, f"{name}@{stamp}", None)
        for stamp, words, name in (
            (server.started_at, "PostgreSQL started", "postmaster"),
            (server.configured_at, "PostgreSQL read its configuration", "configuration"),
        )
    ]


def _event(
    source: str,
    microseconds: int,
    kind: Kind,
    words: str,
    ref: str,
    attributes: Mapping[str, object] | None,
    severity: int = 0,
    precision: Precision = Precision.MICROSECOND,
) -> Event:
    xid = (attributes or {}).get("backend_xid")
    return Event(
        timestamp=microseconds * 1_000,
        source=source,
        lane=Lane.DATABASE,
        kind=kind,
        body=words,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=severity,
        actor=source,
        meaning=Meaning.OCCURRED,
        precision=precision,
        keys=(f"txn:{xid}",) if xid else (),
        attributes=None if attributes is None else json.dumps(attributes, ensure_ascii=False),
    )


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
