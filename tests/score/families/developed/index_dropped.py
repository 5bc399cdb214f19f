"""The DBA drops an index that no query seemed to need. Nothing fails; a page that reads by that
column takes seconds instead of milliseconds.

The record of changes has nothing. A person sees it by: the database's own log has the DROP INDEX;
slow statements on that table begin within seconds of it and there were none before; the front's
latency curve leaves its level at the same time.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import told_of
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("bullmq", "good-job", "rq", "sidekiq")


def inject(world: World) -> Truth:
    rng, firm, onset = world.rng, world.company, world.onset_s
    column = rng.choice(("customer_id", "external_ref", "email", "updated_at"))
    index, pid = f"index_{firm.table}_on_{column}", rng.randint(900, 30_000)
    dropped = f"statement: DROP INDEX {rng.choice(('CONCURRENTLY ', ''))}{index};"
    world.database_log(onset - rng.uniform(0.5, 3), pid, dropped)
    slow = _slow(world, column)
    _latency(world)
    return fault(
        world,
        "change-before",
        world.end_s,
        effect=slow >= 15 and told_of(world, index) == 1,
    )


def _slow(world: World, column: str) -> int:
    """Statements that now read the whole table, as `log_min_duration_statement` tells them."""
    at, count, firm = world.onset_s + world.rng.uniform(1, 8), 0, world.company
    pace = world.rng.uniform(4, 14)
    while at < world.end_s - 2:
        took = world.rng.uniform(1_900, 7_800)
        words = f"duration: {took:.3f} ms  execute <unnamed>: SELECT * FROM {firm.table}"
        words += f" WHERE {column} = $1 ORDER BY id DESC LIMIT 50"
        world.database_log(at, world.rng.randint(900, 30_000), words)
        told = {"method": "GET", "path": f"/{firm.table}/history", "rid": world.request_id()}
        host = world.say(at - took / 1e3, firm.front, "begin", told)
        world.say(at + 0.01, firm.front, "end", {**told, "status": 200, "ms": int(took)}, host=host)
        count += 1
        at += world.rng.expovariate(1 / pace)
    return count


def _latency(world: World) -> None:
    """The curve of the front, whatever the ordinary night has told of it."""
    rng = world.rng
    name = rng.choice(("http_server_duration_p95_seconds", "nginx_upstream_p99_seconds"))
    points = []
    for step in range(int(world.end_s // 15)):
        at = step * 15.0
        level = (2.2, 5.0) if at > world.onset_s + 20 else (0.1, 0.2)
        points.append((at, rng.uniform(*level)))
    world.curve(name, {"job": world.company.front.name, "handler": "history"}, points)
