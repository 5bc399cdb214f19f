"""Who waits for whom at this moment: the wait-for graph of PostgreSQL's heavyweight locks.

Reads pg_locks, which every role may see whole, and asks pg_blocking_pids only about those that
wait. Owns the chains and their roots; draws and concludes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from connectors.postgresql.session import Row, Session

MAX_WAITERS = 100
"""Each asks pg_blocking_pids once, which briefly takes the lock table; a pile-up of a hundred has
one root as a rule, and it shows in the first ten."""
MAX_HELD = 2_000
"""Relation locks read of the sessions that are shown."""
PREPARED = 0
"""What pg_blocking_pids says for a prepared transaction: nobody's session holds the lock."""

WAITS: LiteralString = """
WITH locks AS (
    SELECT l.pid, l.locktype::text, l.mode::text, l.granted, l.relation, l.transactionid::text,
           CASE WHEN NOT l.granted THEN to_jsonb(l) ->> 'waitstart' END AS waitstart
      FROM pg_locks AS l)
SELECT w.pid, w.locktype, w.mode, coalesce(w.relation::regclass::text, ''),
       coalesce(w.transactionid, ''),
       (extract(epoch FROM w.waitstart::timestamptz) * 1000000)::bigint,
       pg_blocking_pids(w.pid)
  FROM (SELECT l.pid, l.locktype, l.mode, l.transactionid, l.waitstart,
               coalesce(l.relation, (SELECT h.relation FROM locks AS h
                                      WHERE h.pid = l.pid AND h.granted AND h.locktype = 'tuple'
                                      LIMIT 1)) AS relation
          FROM locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
         WHERE NOT l.granted AND a.datname = current_database()
         ORDER BY l.waitstart NULLS LAST, l.pid
         LIMIT %s) AS w
"""
"""`waitstart` exists since PostgreSQL 14, hence the way through JSON. A wait for a row is a wait
for its writer's transaction id; the row's table is then known by the tuple lock of the waiter."""

HELD: LiteralString = """
SELECT l.pid, l.mode::text, c.oid::regclass::text
  FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
 WHERE l.granted AND l.locktype = 'relation' AND l.pid = ANY(%s::int[])
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384
 ORDER BY l.pid, l.mode = 'AccessShareLock', c.relname, l.mode
 LIMIT %s
"""
"""Locks on user tables (object ids from 16384 on), the weakest mode last."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One session that waits for a lock. `since` is µs since the epoch, None before version 14."""

    pid: int
    lock: str
    """PostgreSQL's lock type: `relation`, `tuple`, `transactionid`, `advisory`, …"""
    mode: str
    relation: str
    transaction: str
    """The transaction id waited for; empty for other lock types."""
    since: int | None
    blockers: tuple[int, ...]


class WaitGraph:
    """Waiting sessions and whom they wait for; every answer is over the waits that were read."""

    def __init__(self, waits: Sequence[Wait], *, cut: bool = False) -> None:
        self.waits: Mapping[int, Wait] = {wait.pid: wait for wait in waits}
        self.cut = cut

    @property
    def pids(self) -> list[int]:
        """Everybody in the graph, waiting or blocking, but for prepared transactions."""
        blockers = {pid for wait in self.waits.values() for pid in wait.blockers}
        return sorted((blockers | set(self.waits)) - {PREPARED})

    def roots(self, pid: int) -> list[int]:
        """Those behind whom `pid` waits in the end and who wait for nobody; none in a deadlock."""
        return sorted(p for p in self._behind(pid) if p not in self.waits)

    def chain(self, pid: int) -> list[int]:
        """One shortest way from `pid` to its first root, both included; as far as a circle goes."""
        roots = set(self.roots(pid))
        paths = [[pid]]
        met = {pid}
        for path in paths:
            if path[-1] in roots:
                return path
            wait = self.waits.get(path[-1])
            for blocker in wait.blockers if wait else ():
                if blocker not in met:
                    met.add(blocker)
                    paths.append([*path, blocker])
        return paths[-1]

    def deadlocked(self, pid: int) -> bool:
        """Whether `pid` waits for itself in the end: deadlock_timeout has not run out yet."""
        return pid in self._behind(pid)

    def blocked_by(self, pid: int) -> list[int]:
        """Everybody who waits for `pid`, directly or behind others."""
        return sorted(waiter for waiter in self.waits if pid in self._behind(waiter))

    def _behind(self, pid: int) -> set[int]:
        met: set[int] = set()
        ahead = [pid]
        while ahead:
            wait = self.waits.get(ahead.pop())
            fresh = {blocker for blocker in wait.blockers if blocker not in met} if wait else set()
            met |= fresh
            ahead += fresh
        return met


async def read_waits(session: Session) -> WaitGraph:
    """The graph of this database's lock waits now. Raises `SourceProblem`."""
    rows = await session.read(WAITS, (MAX_WAITERS + 1,))
    return WaitGraph([_wait(row) for row in rows[:MAX_WAITERS]], cut=len(rows) > MAX_WAITERS)


async def read_held(session: Session, pids: Sequence[int]) -> dict[int, list[str]]:
    """Locks on tables held by sessions: pid -> `RowExclusiveLock on users`, the weakest last."""
    if not pids:
        return {}
    held: dict[int, list[str]] = {}
    for pid, mode, relation in await session.read(HELD, (list(pids), MAX_HELD)):
        if isinstance(pid, int):
            held.setdefault(pid, []).append(f"{mode} on {relation}")
    return held


def _wait(row: Row) -> Wait:
    pid, lock, mode, relation, transaction, since, blockers = row
    return Wait(
        pid=pid if isinstance(pid, int) else PREPARED,
        lock=str(lock),
        mode=str(mode),
        relation=str(relation),
        transaction=str(transaction),
        since=since if isinstance(since, int) else None,
        blockers=tuple(dict.fromkeys(blockers)) if isinstance(blockers, list) else (),
    )
