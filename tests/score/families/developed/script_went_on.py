"""A shell script without `set -e` goes through the shops: a dump fails, its pipe goes on.

`pg_dump | gzip | aws s3 cp -` for every shop, started by cron. For some shops the dump ends in an
error before its first row; gzip compresses nothing, the upload succeeds with twenty bytes, and the
script says of every shop that it is done. All it writes goes to one file, without levels.

A person sees it by: `pg_dump: error:` between the first and the last line of a shop; the size of
its object, twenty bytes where others have megabytes; `exit 0` at the end and "done" for each shop.
"""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.truth import Entity, Truth
from tests.score.world import World

HOST, SCRIPT = "util-2", "shop-dumps"
REASONS = (
    "pg_dump: error: query failed: ERROR:  permission denied for table {table}",
    'pg_dump: error: query failed: ERROR:  could not open file "base/16402/2619": I/O error',
    'pg_dump: error: connection to server at "{host}" (10.4.0.9), port 5432 failed: FATAL:  '
    "remaining connection slots are reserved for roles with the SUPERUSER attribute",
)


def inject(world: World) -> Truth:
    rng = world.rng
    shops = sorted(rng.sample(range(100, 999), rng.randint(18, 70)))
    pace = min(9.0, (world.end_s - world.onset_s - 30) / len(shops) * 1.4)
    earlier = world.onset_s - 20 - pace * len(shops)
    broken = rng.sample(shops, rng.randint(3, max(3, len(shops) // 3)))
    reason = rng.choice(REASONS).format(table="payout_audits", host=world.company.database)
    if earlier > 10:
        _run(world, earlier, pace, shops, [], reason)
    begin = world.onset_s
    hit, first, last = _run(world, begin, pace, shops, broken, reason)
    return fault(
        world,
        "swallowed-error",
        last,
        hit,
        also=("partial-batch", "connections-exhausted"),
        effect=len(hit) >= 3
        and lines(world, "pg_dump: error") == len(hit) == lines(world, "(20 bytes)")
        and lines(world, "finished, exit 0") >= 1,
        onset_s=first,
    )


def _run(
    world: World, begin: float, pace: float, shops: list[int], broken: list[int], reason: str
) -> tuple[list[Entity], float, float]:
    """The script over `shops`, as far as the night goes; what was dumped empty, and when."""
    rng, pid = world.rng, world.rng.randint(4000, 60000)
    hit: list[Entity] = []
    command = f"/opt/tools/{SCRIPT}.sh >> /var/log/{SCRIPT}.log 2>&1"
    _cron(world, begin - 0.4, f"(backup) CMD ({command})")
    _say(world, begin, f"{SCRIPT}[{pid}] start, {len(shops)} shops")
    at, first, last = begin, 0.0, begin
    for shop in shops:
        at += rng.uniform(0.5, 1.0) * pace
        took = rng.uniform(0.2, 0.45) * pace
        if at + took > world.end_s - 6:
            return hit, first, last
        _say(world, at, f"{SCRIPT}[{pid}] dumping shop_id={shop}")
        size = f"{rng.randint(2_100_000, 94_000_000)} bytes"
        if shop in broken:
            _say(world, at + took * 0.2, reason)
            size, took = "20 bytes", took * 0.3
            first, last = first or at, at + took
            hit.append(frozenset((f"shop:{shop}",)))
        key = f"s3://{world.company.table}-dumps/daily/{shop}.sql.gz"
        _say(world, at + took * 0.9, f"upload: - to {key} ({size})")
        _say(world, at + took, f"{SCRIPT}[{pid}] done shop_id={shop}")
    _say(world, at + took + 0.5, f"{SCRIPT}[{pid}] finished, exit 0")
    return hit, first, last


def _say(world: World, at: float, words: str) -> None:
    world.log(at, SCRIPT, HOST, words, 0, source=f"{SCRIPT}-log")


def _cron(world: World, at: float, words: str) -> None:
    world.log(at, "CRON", HOST, words, 9, source="syslog")
