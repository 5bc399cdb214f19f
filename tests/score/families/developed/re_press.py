"""A button is pressed again and again: every press gets a little further and dies."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    items = [str(9000 + n) for n in range(rng.randint(60, 120))]
    path = rng.choice(("/batches/friday/start", "/admin/payouts/run", "/reports/generate"))
    at, left, hit, presses = world.onset_s, list(items), [], rng.randint(3, 4)
    for press in range(presses):
        rid = world.request_id()
        told = {"method": "POST", "path": path, "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        run = f"run-{press + 1}-{rid[:6]}"
        world.say(at + 0.05, firm.front, "end", {**told, "status": 202, "ms": 50}, host=host)
        words = f"batch started batch_id={run} request_id={rid} items={len(left)}"
        world.log(at + 0.1, firm.worker.name, firm.worker.hosts[0], words)
        part = max(1, int(len(left) * 0.5))
        for n, item in enumerate(left[:part]):
            line = f"item processed item_id={item} batch_id={run}"
            world.log(at + 1 + n * 0.4, firm.worker.name, firm.worker.hosts[0], line)
        left = left[max(1, part - 5) :]  # the last few are done again by the next press
        at += 1 + part * 0.4 * rng.uniform(0.6, 0.9) + 5
        hit.append(frozenset((f"batch:{run}", f"request:{rid}")))
    hit += [frozenset((f"item:{item}",)) for item in items if item not in left]
    also = ("partial-batch", "overlapping-runs", "run-overlap")
    return fault(world, "re-press", at + 60, hit, also=also)
