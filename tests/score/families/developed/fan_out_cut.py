"""A parent job makes one child for every account and dies on the way: the rest never existed.

The children that were made all end well, so the queue is empty and green.
A person sees it by: the parent says for how many, and each child says which of how many it is; the
highest number is well below; the parent failed (or its worker was killed) just after the last one.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import asked_for, attempt
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import PIN_S, World

BRANDS = REMEMBERING


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    total = rng.randint(150, 400)
    made = total * rng.randint(20, 90) // 100
    begin, pace = world.onset_s - made * 0.15, 0.15
    queue, child = "statements", rng.choice(("StatementPage", "dunning.letter", "rollup_account"))
    parent_class = rng.choice(("MonthlyStatements", "dunning.all", "rollup_all"))
    host = firm.worker.hosts[0]
    args = f"month=2026-01 accounts={total}"
    parent = asked_for(world, begin - 2, parent_class, "batches", args, (), firm.front.hosts[0])
    first = rng.randint(20_000, 80_000)
    for n in range(made):
        sent = begin + n * pace
        job = asked_for(
            world,
            sent,
            child,
            queue,
            f"account_id={first + n} part={n + 1} of={total}",
            (f"account:{first + n}",),
            host,
        )
        attempt(world, job, sent + rng.uniform(0.05, 6), rng.uniform(0.1, 1.5))
    end = begin + made * pace
    killed = rng.random() < 0.4
    error = rng.choice(
        (
            "ActiveRecord::QueryCanceled: PG::QueryCanceled: ERROR:  canceling statement due to"
            " statement timeout",
            "django.db.utils.OperationalError: terminating connection due to administrator command",
            "RangeError: Invalid string length",
        )
    )
    if killed:
        attempt(world, parent, begin - 1, end - begin + 1, "lost")
    else:
        attempt(world, parent, begin - 1, end - begin + 1.2, "failed", error)
    if rng.random() < 0.5:
        world.log(begin - 0.5, firm.worker.name, host, f"{parent_class}: {total} accounts")
    return fault(
        world,
        "partial-batch",
        min(end + 30, PIN_S + 60),
        onset_s=begin - 2,
        also=("lost-worker", "poison-job", "unsafe-replay", "rate-change"),
        effect=10 < made < total and end < world.end_s,
    )
