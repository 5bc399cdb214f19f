"""A migration waits for a report, and everybody waits for the migration.

The nightly extract holds a share lock; an ALTER TABLE of the evening's release wants the table for
itself and queues behind it; from then on every statement on that table queues behind the ALTER,
until the extract ends or the migration's own lock timeout strikes.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, version, withdraw
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.servers import POSTGRES
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

NOTICED_S = 1.0
"""PostgreSQL writes of a wait after `deadlock_timeout`."""


def prepare(world: World) -> None:
    move_in(world, servers=POSTGRES)


def inject(world: World) -> Truth:
    here = watch(world)
    rng, firm = here.rng, here.house
    begin, lasts = here.onset_s, rng.uniform(45, 260)
    end = begin + lasts
    withdraw(here, begin - 0.3, end)
    words = f"migrate {rng.randint(20260101, 20260131)}: {firm.table} gets a column"
    here.change(begin - rng.uniform(1, 25), words, firm.front.name, version=version(here))
    migrating, reporting, relation = (rng.randint(3000, 31_000) for _ in range(3))
    alter = f"ALTER TABLE {firm.table} ADD COLUMN reviewed_at timestamptz NOT NULL DEFAULT now()"
    wait = {"relation": relation, "holder": reporting, "ms": 1000}
    told = {**wait, "pid": migrating, "mode": "AccessExclusiveLock", "statement": alter}
    here.server_line(begin + NOTICED_S, "waits", **told, queue=migrating)
    hit, dry = _pile(here, begin, end, migrating, wait)
    if rng.random() < 0.6:
        got = {**told, "ms": int(lasts * 1000)}
        here.server_line(
            end,
            "got",
            9,
            pid=migrating,
            mode=got["mode"],
            relation=relation,
            ms=got["ms"],
            statement=alter,
        )
    else:
        here.server_line(end, "lock_timeout", SEVERITY_ERROR, pid=migrating)
    close(here)
    return fault(
        here,
        "lock-queue",
        end,
        hit,
        also=("change-before", *(("connections-exhausted",) if dry else ())),
        effect=here.counted(str(migrating), begin, end + 1) > 5 and len(hit) > 4,
    )


def _pile(
    here: Watch, begin: float, end: float, migrating: int, wait: dict[str, int]
) -> tuple[list[Entity], bool]:
    """Statements that queue up, and the requests that fail for it; whether a pool ran dry."""
    rng, firm = here.rng, here.house
    patience = rng.choice((5.0, 10.0, 15.0, 30.0))
    dry = rng.random() < 0.5
    queue = [migrating]
    hit: list[Entity] = []
    at = begin + rng.uniform(0.1, 1)
    while at < end - 1:
        pid = rng.randint(3000, 31_000)
        queue.append(pid)
        statement, mode = rng.choice(
            (
                (f"SELECT * FROM {firm.table} WHERE id = $1", "AccessShareLock"),
                (f"UPDATE {firm.table} SET state = $1 WHERE id = $2", "RowExclusiveLock"),
            )
        )
        here.server_line(
            at + NOTICED_S,
            "waits",
            pid=pid,
            mode=mode,
            relation=wait["relation"],
            holder=wait["holder"],
            ms=1000,
            queue=", ".join(map(str, queue[-8:])),
            statement=statement,
        )
        failed = at + patience
        by = rng.choice((firm.front, firm.front, *firm.backs))
        if failed < end:
            here.server_line(failed, "statement_timeout", SEVERITY_ERROR, pid=pid)
            error = here.sql_error(by, "statement_timeout")
            hit.append(here.refused_request(failed + 0.002, by, error, took=patience))
        if dry and at > begin + 20 and rng.random() < 0.5:
            error = here.error(firm.front, "pool")
            refused = at + rng.uniform(5.1, 9)
            hit.append(here.refused_request(refused, firm.front, error, 503, took=5.01))
        at += rng.expovariate(0.55)
    return hit, dry and end > begin + 21
