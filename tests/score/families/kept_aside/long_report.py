"""Somebody's report has a table open for minutes. A migration waits for that table alone, and
behind the migration waits everybody who only wanted to read it.

A person sees it by:
- the server's log: one process holds, the migration waits for an exclusive lock, many behind it;
- the migration in the record of changes, seconds before the first who waits;
- requests that need this table slow or cancelled from then on, all free at once in the end.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.sixth_company.acts import SEVERITY_ERROR, answered, asked, both_names, close, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World

CANCELLED = "canceling statement due to statement timeout"
_TABLES = ("tariff_rules", "address_book", "document_links", "cost_centres")
PATIENCE_S = 15.0
"""`statement_timeout` of the services."""


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    table = rng.choice(_TABLES)
    holder, waiter, relation = rng.randint(2_000, 2_900), rng.randint(3_000, 3_900), 16_612
    waits = rng.uniform(35, 110)
    alter = f"ALTER TABLE {table} ADD COLUMN source_system text NOT NULL DEFAULT ''"
    here.change(start - 1, f"migration add_source_system_to_{table} started", who="ci")
    queue, hit = {waiter: start + waits}, list[Entity]()
    _waiting(here, start + 1, waiter, "AccessExclusiveLock", relation, holder, queue, alter)
    at = start + rng.uniform(0.2, 1.5)
    while at < start + waits:
        pid = rng.randint(4_000, 9_000)
        ends = start + waits + 0.05 - at
        queue[pid] = at + min(ends, PATIENCE_S)
        hit.append(_stopped(here, at, table, min(ends, PATIENCE_S), pid, ends > PATIENCE_S))
        read = f"SELECT * FROM {table} WHERE id = $1"
        if ends > 1 and len(queue) < 40:
            kind = "AccessShareLock"
            _waiting(here, at + 1, pid, kind, relation, holder, queue, read)
        at += rng.expovariate(0.7)
    for _ in range(15):  # as quick as ever before, and again afterwards
        early, late = rng.uniform(60, start - 20), rng.uniform(start + waits + 2, here.end_s - 1)
        for when in (early, late):
            _stopped(here, when, table, rng.uniform(0.01, 0.06), 0, cancelled=False)
    took = f"duration: {waits * 1e3 + 61_000:.3f} ms  statement: COPY (SELECT * FROM {table})"
    here.database_log(start + waits, holder, f"{took} TO STDOUT")
    got = f"process {waiter} acquired AccessExclusiveLock on relation {relation} of database 16384"
    here.database_log(start + waits + 0.01, waiter, f"{got} after {waits * 1e3:.3f} ms")
    close(here)
    behind = told(here, "still waiting for AccessShareLock")
    first = told(here, "still waiting for AccessExclusiveLock")
    planned = told(here, "migration add_source_system", until=start + 1)
    effect = len(hit) > 10 and len(behind) > 5 and len(first) == len(planned) == 1
    effect &= all(str(waiter) in event.body for event in behind)
    also = {"change-before"}
    return fault(here, "lock-queue", start + waits + 1, hit, also=also, effect=effect)


def _waiting(
    here: Shift,
    at: float,
    pid: int,
    mode: str,
    relation: int,
    holder: int,
    queue: dict[int, float],
    statement: str,
) -> None:
    """What `log_lock_waits` writes a second after a process began to wait; `queue` has all that
    began to wait before it, with the second at which each no longer does."""
    after = here.rng.uniform(1_000, 1_001)
    line = ", ".join(str(one) for one, until in queue.items() if until > at)
    here.database_log(
        at,
        pid,
        f"process {pid} still waiting for {mode} on relation {relation} of database 16384 after"
        f" {after:.3f} ms␊DETAIL:  Process holding the lock: {holder}. Wait queue: {line}."
        f"␊STATEMENT:  {statement}",
    )


def _stopped(
    here: Shift, at: float, table: str, waited: float, pid: int, cancelled: bool
) -> Entity:
    """A request that reads the table: late, or ended by its own limit."""
    front, path = here.company.front, f"/{table}"
    rid, host = asked(here, at, front, path, method="GET")
    done, status = at + waited, 200
    if cancelled:
        here.database_log(done, pid, CANCELLED, SEVERITY_ERROR)
        error = here.error(front, "sql", message=CANCELLED)
        values = {"method": "GET", "path": path, "rid": rid, "error": error}
        severity = SEVERITY_ERROR
        here.say(done + 0.003, front, "request_failed", values, host=host, severity=severity)
        status = 500
    answered(here, done + 0.006, front, path, rid, host, waited, status=status, method="GET")
    return both_names(rid)
