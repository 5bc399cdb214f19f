"""A migration waits for a whole table behind an open transaction; every reader waits behind it."""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    begin, root = world.onset_s, rng.randint(2000, 3000)
    table = firm.table
    waiters = [root + 11 + 3 * n for n in range(rng.randint(5, 14))]
    world.change(begin - 2, f"migration started: alter table {table} add column note", "migrations")
    for place, pid in enumerate(waiters):
        at = begin + place * rng.uniform(0.3, 1.5)
        mode = "AccessExclusiveLock" if place == 0 else "AccessShareLock"
        queue = ", ".join(str(other) for other in waiters[: place + 1])
        words = (
            f"process {pid} still waiting for {mode} on relation 16402 of database 16384 after "
            f"{1000 + rng.random():.3f} ms␊DETAIL:  Process holding the lock: {root}. "
            f"Wait queue: {queue}.␊STATEMENT:  "
        )
        sql = (
            f"ALTER TABLE {table} ADD COLUMN note text" if place == 0 else f"SELECT * FROM {table}"
        )
        world.database_log(at + 1, pid, words + sql)
    message = "canceling statement due to statement timeout"
    struck = burst(world, (firm.front, firm.worker), begin + 8, 20, ("sql",), 4, message=message)
    return fault(
        world,
        "lock-queue",
        begin + 60,
        alternates=("lock-timeouts",),
        also=("change-before", "connections-exhausted"),
        effect=bool(struck),
    )
