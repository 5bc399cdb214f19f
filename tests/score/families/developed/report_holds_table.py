"""A migration waits for a report, and everybody waits for the migration.

An analyst's statement has been reading the table for minutes. A migration wants to add a column
and queues up behind it for the whole table; from then on every request that touches the table
queues up behind the migration. Those that wait too long are cancelled. When the report ends, all
of it goes through within a second.

A person sees it by: the server's lines on lock waits, in which the migration waits for the
report's process and all others stand in the wait queue behind it; the record of the migration;
requests to that table alone that take many seconds or end in a statement timeout.
"""

from __future__ import annotations

import re

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import failed, saying, served, spread, withdrawn
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Lane

_REQUEST = re.compile(r"(?:requestId|request_id|traceId)(?:=|: ')([\w-]+)")
TIMEOUT = "canceling statement due to statement timeout"
RELATION = "relation 24811 of database 16390"


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    night = watch(world)
    rng, firm = night.rng, night.firm
    released = min(night.onset_s + rng.uniform(25, 150), night.end_s - 20)
    patience = min(rng.choice((8.0, 15.0, 30.0)), (released - night.onset_s) * 0.6)
    stuck = _withdraw_all(night, night.onset_s, released)
    stuck += spread(night, night.onset_s + 0.5, released, rng.randint(15, 45))
    version = f"20260203{rng.randint(100000, 235959)}"
    name = f"migration {version} AddChannelTo{firm.table.title()}"
    night.change(
        night.onset_s, f"{name} started", firm.front.name, version=version, who="release-bot"
    )
    report, began = rng.randint(900, 2000), night.onset_s - rng.uniform(60, 400)
    hit = _waiting(night, sorted(stuck), released, patience, report)
    statement = f"SELECT extract(hour FROM created_at), count(*) FROM {firm.table} GROUP BY 1"
    took = (released - began) * 1000
    night.database_log(released, report, f"duration: {took:.3f} ms  statement: {statement}")
    _migration_waits(night, report, released)
    surroundings(night)
    night.close_the_books()
    behind = saying(night, "still waiting for", RELATION, since=night.onset_s, until=released)
    return fault(
        night,
        "lock-queue",
        released + 5,
        hit,
        also=("change-before", "connections-exhausted"),
        effect=len(behind) >= 4 and len(saying(night, TIMEOUT)) > 0,
    )


def _withdraw_all(night: Watch, begin: float, end: float) -> list[float]:
    """Take back every request that touched the table meanwhile; when they came."""
    table = re.compile(rf"/{night.firm.table}\b")
    came: dict[str, float] = {}
    low, high = night.at(begin), night.at(end)
    for event, _ in night.told:
        if event.lane is Lane.LOG and low <= event.timestamp < high and table.search(event.body):
            for rid in _REQUEST.findall(event.body):
                came.setdefault(rid, (event.timestamp - night.start) / 1e9)
    withdrawn(night, begin, end, requests=came)
    return list(came.values())


def _waiting(
    night: Watch, stuck: list[float], released: float, patience: float, report: int
) -> list[Entity]:
    """Each request waits until the release or until its statement is cancelled."""
    rng, firm = night.rng, night.firm
    hit: list[Entity] = []
    queue: list[int] = []
    for at in stuck:
        pid, reads = rng.randint(2100, 8900), rng.random() < 0.6
        mode = "AccessShareLock" if reads else "RowExclusiveLock"
        path, method = f"/{firm.table}", "GET" if reads else "POST"
        verb = f"SELECT * FROM {firm.table} WHERE" if reads else f"INSERT INTO {firm.table}"
        queue.append(pid)
        cancelled = released - at > patience
        ended = at + patience if cancelled else released + rng.uniform(0.01, 0.6)
        if ended - at > 1:
            night.database_log(
                at + 1.001,
                pid,
                f"process {pid} still waiting for {mode} on {RELATION} after"
                f" 1000.{pid % 900:03d} ms␊"
                f"DETAIL:  Process holding the lock: {report}. Wait queue: {_shown(queue)}.␊"
                f"STATEMENT:  {verb} …",
            )
        if cancelled:
            night.database_log(ended, pid, f"{TIMEOUT}␊STATEMENT:  {verb} …", 17)
            pooled = len(queue) > 20 and rng.random() < 0.3
            error = night.error(firm.front, "pool" if pooled else "sql", message=TIMEOUT)
            took = ended - at
            hit.append(failed(night, at, firm.front, path, error, method=method, took=took))
        else:
            if ended - at > 1:
                waited = (released - at) * 1000
                words = f"process {pid} acquired {mode} on {RELATION} after {waited:.3f} ms"
                night.database_log(released + 0.004, pid, f"{words}␊STATEMENT:  {verb} …")
            served(night, at, firm.front, path, method=method, took=ended - at + 0.01)
    return hit


def _migration_waits(night: Watch, report: int, released: float) -> None:
    statement = f"ALTER TABLE {night.firm.table} ADD COLUMN channel text NOT NULL DEFAULT 'web'"
    waited = (released - night.onset_s) * 1000
    for at, words in (
        (
            night.onset_s + 1.2,
            f"process 2011 still waiting for AccessExclusiveLock on {RELATION} after 1000.117 ms␊"
            f"DETAIL:  Process holding the lock: {report}. Wait queue: 2011.",
        ),
        (
            released + 0.002,
            f"process 2011 acquired AccessExclusiveLock on {RELATION} after {waited:.3f} ms",
        ),
    ):
        night.database_log(at, 2011, f"{words}␊STATEMENT:  {statement}")
    night.note(released + 0.05, night.firm.front, f"migrated {night.firm.table}")


def _shown(queue: list[int]) -> str:
    return ", ".join(str(pid) for pid in (2011, *queue[-8:]))
