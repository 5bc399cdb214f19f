"""Somebody makes a job of a cron job by hand, sees nothing, and makes another: three pods work.

`kubectl create job --from=cronjob/...`. Each pod begins at the first of its items; none knows of
the others. Lines name the item; which run a line belongs to is the pod that wrote it.
A person sees it by: two or three pods of one job within minutes, which the schedule does not
explain; the same items told by one pod after the other; two rows for each of these items.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import pod_event, rows_about, side_line
from tests.score.truth import Entity, Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    rng = world.rng
    job = rng.choice(("payroll", "close-month", "settle-drivers", "renewals"))
    noun = rng.choice(("employee", "driver", "policy", "contract"))
    words = rng.choice(
        ("paid {noun}_id={id} amount_cents={n}", "wrote slip {noun}_id={id}", "{noun}_id={id} ok")
    )
    count, pace = rng.randint(80, 300), rng.uniform(0.4, 1.2)
    first, presses = rng.randint(1_000, 50_000), rng.randint(2, 3)
    start, hits = world.onset_s, dict[str, int]()
    for press in range(presses):
        pod = f"{job}-manual-{press + 1}-{''.join(rng.choices('bcdfghjklmnpqrstvwxz2456789', k=5))}"
        pod_event(world, start - 2, pod, "Scheduled", f"Successfully assigned apps/{pod} to node-2")
        pod_event(world, start - 1, pod, "Started", f"Started container {job}")
        at, reach = start + 0.5, count * rng.randint(40, 80) // 100
        for n in range(reach):
            at += pace * rng.uniform(0.6, 1.4)
            if at > world.end_s - 4:
                break
            item = str(first + n)
            side_line(
                world, at, job, pod, words.format(noun=noun, id=item, n=rng.randint(100, 9000))
            )
            world.row(
                at + 0.02,
                f"{job.replace('-', '_')}_lines",
                world.new_id(),
                columns={f"{noun}_id": int(item)},
                host=pod,
            )
            hits[item] = hits.get(item, 0) + 1
        start += rng.uniform(50, 120)
    table = f"{job.replace('-', '_')}_lines"
    twice: list[Entity] = [frozenset((f"{noun}:{i}",)) for i, times in hits.items() if times > 1]
    sure = all(rows_about(world, table, next(iter(t)).partition(":")[2]) >= 2 for t in twice[:5])
    return fault(
        world,
        "re-press",
        world.end_s,
        twice,
        alternates=("run-overlap",),
        also=(
            "overlapping-runs",
            "duplicate-create",
            "extra-runs",
            "partial-batch",
            "rate-change",
            "change-before",
            "unsafe-replay",
            "duplicate-enqueue",
        ),
        effect=len(twice) > 10 and sure,
    )
