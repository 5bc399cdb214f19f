"""A nightly import tells Prometheus how far it is; tonight it stops at two thirds and stays there.

A person sees it by: the gauge of what is to be done, the gauge of what is done, which climbs and
then does not move any more, far below; no batch of this kind takes that long between two steps.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    rng = world.rng
    total, part = rng.randint(300, 9_000), rng.uniform(0.3, 0.93)
    names = rng.choice(
        (
            ("batch_items_total", "batch_items_done"),
            ("import_rows_expected", "import_rows_processed"),
            ("export_tenants_planned", "export_tenants_completed"),
        )
    )
    labels = {"job": "pushgateway", "exported_job": rng.choice(("nightly-import", "eod-export"))}
    length = rng.uniform(200, 500)
    begin = world.onset_s - length * part
    every = [15.0 * n for n in range(int(world.end_s // 15))]
    wanted = [(s, float(total) if s >= begin else 0.0) for s in every]
    done = [(s, float(int(total * max(0.0, min(part, (s - begin) / length))))) for s in every]
    world.curve(names[0], labels, wanted)
    world.curve(names[1], labels, done)
    reached = max(value for _, value in done)
    return fault(
        world,
        "partial-batch",
        world.end_s,
        onset_s=world.onset_s - 60,
        also=("missed-run",),
        effect=0 < reached < total * 0.95 and begin > 10,
    )
