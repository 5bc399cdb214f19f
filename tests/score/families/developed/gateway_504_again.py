"""An admin's button outlives its gateway: 504 after a minute, pressed again, and again.

The handler goes on behind the gateway's back. Each press is a run with a number of its own in the
table that it writes, and starts at the first record again.
A person sees it by: the same POST of the same admin in the load balancer's log, two or three times,
each ended by 504; rows of two or three runs about the same records, each run's rows beginning just
after a press.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import side_line
from tests.score.truth import Entity, Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    rng = world.rng
    route, table, noun = rng.choice(
        (
            ("/admin/payouts/run", "payout_items", "seller"),
            ("/backoffice/rebates/apply", "rebate_entries", "customer"),
            ("/ops/invoicing/2026-01/start", "invoice_lines", "contract"),
        )
    )
    run_column = rng.choice(("run_id", "payout_run_id", "execution_id"))
    address, user = f"10.8.{rng.randint(0, 9)}.{rng.randint(2, 250)}", f"admin-{rng.randint(3, 30)}"
    limit = rng.choice((30.0, 60.0))
    first, number = rng.randint(3_000, 70_000), rng.randint(100, 900)
    count, pace = rng.randint(150, 400), rng.uniform(0.3, 0.9)
    press, seen = world.onset_s, dict[int, int]()
    balancer = rng.choice(("nginx", "haproxy"))
    for n in range(rng.randint(2, 4)):
        at, reach = press + 0.4, count * rng.randint(30, 90) // 100
        for place in range(reach):
            at += pace * rng.uniform(0.6, 1.4)
            if at > world.end_s - 4:
                break
            columns = {run_column: number + n, f"{noun}_id": first + place}
            world.row(at, table, world.new_id(), columns=columns)
            seen[first + place] = seen.get(first + place, 0) + 1
        if balancer == "nginx":
            words = (
                f'{address} "POST {route} HTTP/1.1" 504 167 "https://intern.shop.example/" '
                f'"Mozilla/5.0 (X11; Linux x86_64)" rt={limit:.3f} user={user}'
            )
        else:
            words = (
                f"{address}:51{n}22 admin~ be_admin/app-1 0/0/1/-1/{int(limit * 1000)} 504 198 - -"
                f' sH-- 12/3/1/0/0 0/0 "POST {route} HTTP/1.1"'
            )
        side_line(world, press + limit, balancer, "lb-1", words)
        press += limit + rng.uniform(4, 40)
    twice: list[Entity] = [frozenset((f"{noun}:{i}",)) for i, times in seen.items() if times > 1]
    return fault(
        world,
        "re-press",
        world.end_s,
        twice,
        alternates=("run-overlap",),
        also=(
            "overlapping-runs",
            "duplicate-create",
            "partial-batch",
            "rate-change",
            "retry-storm",
            "network-hiccup",
            "duplicate-enqueue",
            "unsafe-replay",
        ),
        effect=len(twice) > 10,
    )
