"""A ledger is closed by two sessions at once: the database's own log of slow statements tells.

One period after the other is closed by a procedure, each for a minute or so and each after the one
before. For one period two workers call it; neither holds a lock that the other would meet.

A person sees it by: two lines of the database, from two pids, that name the same call, whose
durations reach back over each other; two rows of closings for that period; for every other period
one line and one row.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.rota import rows_of, slow_statement
from tests.score.truth import Truth
from tests.score.world import World

_CALLS = (
    "CALL close_ledger({n}, 'EUR')",
    "SELECT close_period({n})",
    "select public.fn_close_period(period => {n}, dry_run => false)",
)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    call, speaks = rng.choice(_CALLS), rng.random() < 0.55
    period, at = rng.randint(300, 900), rng.uniform(40, 120)
    done: dict[int, list[tuple[float, float]]] = {}
    twice = 0
    while at < world.end_s - 260:
        took = rng.uniform(28, 75)
        hosts = rng.sample(firm.worker.hosts, 2)
        runs = [(at, took, hosts[0])]
        if not twice and at >= world.onset_s:
            twice = period
            late = rng.uniform(1.5, took * 0.6)
            runs.append((at + late, took * rng.uniform(1.1, 1.8), hosts[1]))
            world.onset_s = at
        for begun, lasted, host in runs:
            _closing(world, begun, lasted, host, period, call, speaks=speaks)
            done.setdefault(period, []).append((begun, begun + lasted))
        at = max(begun + lasted for begun, lasted, _ in runs) + rng.uniform(12, 60)
        period += 1
    spans = sorted(done.get(twice, []))
    both = len(spans) == 2 and spans[1][0] < spans[0][1]
    alone = all(len(found) == 1 for n, found in done.items() if n != twice)
    rows = [e for e in rows_of(world, "ledger_closings") if f"period:{twice}" in e.keys]
    names = frozenset((f"period:{twice}", *(key for event in rows for key in event.keys)))
    return fault(
        world,
        "overlapping-runs",
        spans[-1][1] if spans else world.end_s,
        [names],
        alternates=("run-overlap",),
        also=("duplicate-create", "extra-runs", "re-press"),
        effect=both and alone and len(rows) == 2 and len(done) >= 6,
    )


def _closing(
    world: World, at: float, took: float, host: str, period: int, call: str, *, speaks: bool
) -> None:
    """One call from one session, its row (stamped when its transaction began) and its lines."""
    pid = world.rng.randint(2_000, 30_000)
    worker = world.company.worker.name
    if speaks:
        world.log(at - 0.02, worker, host, f"ledger close begins period_id={period} pid={pid}")
    number = str(world.rng.randint(70_000, 99_000))
    world.row(at, "ledger_closings", number, columns={"period_id": period, "state": "closed"})
    slow_statement(world, at + took, took, pid, call.format(n=period))
    if speaks:
        entries = world.rng.randint(400, 9_000)
        words = f"ledger close ends period_id={period} entries={entries}"
        world.log(at + took + 0.03, worker, host, words)
