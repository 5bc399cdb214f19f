"""What is open right now and gone in a minute: long transactions, who waits, who blocks.

Statement text is carried without its quoted literals, because that is where personal data and
secrets stand. pg_stat_activity has no history: every event here says `"now": true`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import LiteralString

from connectors.postgresql.session import Cell, Row, Session
from connectors.postgresql.statements import iso
from connectors.postgresql.waits import PREPARED, Wait, WaitGraph, read_held, read_waits
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules

OPEN_FOR_MS = 1_000
"""A transaction open for longer than a second is worth a row on the screen."""
MAX_BACKENDS = 200
QUERY_LENGTH = 300
HELD_SHOWN = 20
"""Locks named per session; a migration that holds hundreds is told by the first."""
HIDDEN_QUERY = "<insufficient privilege>"

ACTIVITY: LiteralString = """
SELECT a.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, '')::text,
       coalesce(host(a.client_addr), 'local')::text, coalesce(a.state, '')::text,
       coalesce(a.backend_type, '')::text,
       (extract(epoch FROM a.xact_start) * 1000000)::bigint,
       (extract(epoch FROM a.state_change) * 1000000)::bigint,
       (extract(epoch FROM a.query_start) * 1000000)::bigint,
       coalesce(a.backend_xid::text, ''), coalesce(a.backend_xmin::text, ''),
       left(coalesce(a.query, ''), %s),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM pg_stat_activity AS a
 WHERE a.pid <> pg_backend_pid()
   AND (a.pid = ANY(%s::int[])
        OR (a.datname = current_database() AND a.backend_type = 'client backend'
            AND (a.backend_xid IS NOT NULL
                 OR a.xact_start < clock_timestamp() - %s * interval '1 millisecond')))
 ORDER BY NOT a.pid = ANY(%s::int[]), a.xact_start NULLS LAST, a.pid
 LIMIT %s
"""

_QUOTED = re.compile(r"'(?:[^']|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)


def without_literals(query: str) -> str:
    """The statement with every quoted literal replaced by `'…'`."""
    return _QUOTED.sub("'…'", query)


@dataclass(frozen=True, slots=True)
class Activity:
    """Open transactions and lock waits as events; `cut` says what was left out."""

    events: list[Event]
    cut: str = ""


async def read_activity(session: Session, source: str, key_rules: KeyRules) -> Activity:
    """What is open and who waits for whom, now. Raises `SourceProblem`."""
    graph = await read_waits(session)
    parameters = (QUERY_LENGTH, graph.pids, OPEN_FOR_MS, graph.pids, MAX_BACKENDS)
    rows = await session.read(ACTIVITY, parameters)
    backends = {backend.pid: backend for row in rows if (backend := _backend(row))}
    held = await read_held(session, sorted(backends))
    told = _Telling(source, key_rules, graph, backends, held)
    events = [
        event
        for backend in backends.values()
        for event in (told.transaction(backend), told.wait(backend))
        if event is not None
    ]
    cut = f"more than {len(graph.waits)} sessions wait for locks" if graph.cut else ""
    return Activity(events, cut)


@dataclass(frozen=True, slots=True)
class Backend:
    """One session; stamps in µs since the epoch, None where the role may not see them."""

    pid: int
    user: str
    application: str
    client: str
    state: str
    kind: str
    began: int | None
    changed: int | None
    asked: int | None
    xid: str
    xmin: str
    query: str
    seen: int

    @property
    def who(self) -> str:
        return f"pid {self.pid} ({self.application or self.user or self.kind or self.client})"

    @property
    def idle(self) -> bool:
        """In a transaction and waiting for its own application."""
        return self.state.startswith("idle in transaction")


def _backend(row: Row) -> Backend | None:
    pid, seen, query = row[0], row[12], str(row[11])
    if not isinstance(pid, int) or not isinstance(seen, int):
        return None
    shown = "" if query == HIDDEN_QUERY else without_literals(query)
    user, application, client, state, kind = (str(cell) for cell in row[1:6])
    return Backend(
        pid=pid,
        user=user,
        application=application,
        client=client,
        state=state,
        kind=kind,
        began=_stamp(row[6]),
        changed=_stamp(row[7]),
        asked=_stamp(row[8]),
        xid=str(row[9]),
        xmin=str(row[10]),
        query=shown,
        seen=seen,
    )


def _stamp(cell: Cell) -> int | None:
    return cell if isinstance(cell, int) else None


@dataclass(frozen=True, slots=True)
class _Telling:
    """Turns sessions into events; `held` names the table locks of each."""

    source: str
    key_rules: KeyRules
    graph: WaitGraph
    backends: dict[int, Backend]
    held: dict[int, list[str]]

    def transaction(self, backend: Backend) -> Event | None:
        """Its open transaction; of one whose start is hidden only that it blocks others."""
        behind = self.graph.blocked_by(backend.pid)
        blocks = f", blocks {len(behind)} sessions" if behind else ""
        if len(behind) == 1:
            blocks = f", blocks pid {behind[0]}"
        attributes = {**self._session(backend), "blocks": behind}
        severity = SEVERITY_WARN if behind else 0
        if backend.began is None:
            if not behind or backend.pid in self.graph.waits:
                return None
            words = f"{backend.who}{blocks}; when it began is hidden from this role"
            ref = f"pg_stat_activity/{backend.pid}@{backend.seen}"
            return self._event(
                backend, backend.seen, Kind.LOG, words, ref, Meaning.POLLED, severity, attributes
            )
        age = (backend.seen - backend.began) / 1e6
        words = f"transaction of {backend.who} open for {age:.1f} s"
        if backend.idle and backend.changed is not None:
            words += f", {backend.state} for {(backend.seen - backend.changed) / 1e6:.1f} s"
        ref = f"pg_stat_activity/{backend.pid}@{backend.began}"
        return self._event(
            backend,
            backend.began,
            Kind.TXN_BEGIN,
            words + blocks,
            ref,
            Meaning.OCCURRED,
            severity,
            attributes,
        )

    def wait(self, backend: Backend) -> Event | None:
        """What it waits for and behind whom, down to the root of the chain."""
        wait = self.graph.waits.get(backend.pid)
        if wait is None:
            return None
        roots = self.graph.roots(backend.pid)
        chain = self.graph.chain(backend.pid)
        deadlock = self.graph.deadlocked(backend.pid)
        attributes = {
            **self._session(backend),
            "blocked_pid": backend.pid,
            "blocking_pids": list(wait.blockers),
            "root_pid": self._longest(roots),
            "root_pids": roots,
            "chain": chain,
            "deadlock": deadlock,
            "lock": wait.lock,
            "lock_mode": wait.mode,
            "relation": wait.relation,
            "waits_since": None if wait.since is None else iso(wait.since),
        }
        words = f"{backend.who} {self._waiting(backend, wait)}"
        by = ", ".join(self._name(pid) for pid in wait.blockers) or "nobody any more"
        words += f", blocked by {by}"
        if deadlock:
            words += ", and they wait for each other"
        elif len(chain) > 2:
            words += f"; the chain ends at {self._name(chain[-1])}"
        return self._event(
            backend,
            backend.seen,
            Kind.LOG,
            words,
            f"pg_locks/{backend.pid}@{backend.seen}",
            Meaning.POLLED,
            SEVERITY_WARN,
            attributes,
            (f"txn:{wait.transaction}",) if wait.transaction else (),
        )

    def _longest(self, roots: list[int]) -> int | None:
        """Of several roots the one whose transaction is open longest: it was there first."""
        started = {pid: self.backends[pid].began for pid in roots if pid in self.backends}
        return min(roots, key=lambda pid: (started.get(pid) or 2**63, pid), default=None)

    def _waiting(self, backend: Backend, wait: Wait) -> str:
        since = "" if wait.since is None else f" {max(0, backend.seen - wait.since) / 1e6:.1f} s"
        what = {"transactionid": f"transaction {wait.transaction}"}.get(wait.lock, wait.lock)
        on = f" ({wait.relation})" if wait.relation else ""
        return f"waits{since} for {wait.mode} on {what}{on}"

    def _name(self, pid: int) -> str:
        if pid == PREPARED:
            return "a prepared transaction"
        return self.backends[pid].who if pid in self.backends else f"pid {pid}"

    def _session(self, backend: Backend) -> dict[str, object]:
        held = self.held.get(backend.pid, [])
        stamps = {
            "xact_start": backend.began,
            "state_change": backend.changed,
            "query_start": backend.asked,
        }
        return {
            "now": True,
            "pid": backend.pid,
            "user": backend.user,
            "application_name": backend.application,
            "client_addr": backend.client,
            "backend_type": backend.kind,
            "state": backend.state,
            **{name: None if us is None else iso(us) for name, us in stamps.items()},
            "backend_xid": backend.xid,
            "backend_xmin": backend.xmin,
            "holds": held[:HELD_SHOWN],
            "holds_more": max(0, len(held) - HELD_SHOWN),
            "query": backend.query,
            "seen_at": iso(backend.seen),
        }

    def _event(
        self,
        backend: Backend,
        stamp: int,
        kind: Kind,
        words: str,
        ref: str,
        meaning: Meaning,
        severity: int,
        attributes: dict[str, object],
        more_keys: tuple[str, ...] = (),
    ) -> Event:
        own = (f"txn:{backend.xid}",) if backend.xid else ()
        keys = (*own, *more_keys, *self.key_rules.in_text(backend.query))
        return Event(
            timestamp=stamp * 1_000,
            source=self.source,
            lane=Lane.DATABASE,
            kind=kind,
            body=f"{words}: {backend.query}" if backend.query else words,
            ref=ref,
            seq=intrinsic_seq(ref),
            severity_number=severity,
            actor=backend.application or backend.user,
            meaning=meaning,
            precision=Precision.MICROSECOND,
            keys=tuple(dict.fromkeys(keys)),
            attributes=json.dumps(attributes, ensure_ascii=False),
        )
