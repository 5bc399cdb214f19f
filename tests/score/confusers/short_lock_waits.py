"""Sessions wait a second for each other now and then, each behind somebody else."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("lock-queue", "lock-timeouts", "deadlock")


def disturb(world: World) -> None:
    for n in range(6):
        pid, at = 3000 + 17 * n, world.onset_s + 45 * n
        world.database_log(
            at,
            pid,
            f"process {pid} still waiting for ShareLock on transaction {5500 + n} after 1000.2 ms"
            f"␊DETAIL:  Process holding the lock: {pid + 5}. Wait queue: {pid}.",
        )
        world.database_log(
            at + 0.3,
            pid,
            f"process {pid} acquired ShareLock on transaction {5500 + n} after 1290.1 ms",
        )
