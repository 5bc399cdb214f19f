"""The same button is pressed twice for two different departments; nothing is done twice."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("re-press", "duplicate-enqueue", "partial-batch")


def disturb(world: World) -> None:
    firm = world.company
    for press, first in enumerate((100, 500)):
        at, rid = world.onset_s + 20 * press, world.request_id()
        told = {"method": "POST", "path": f"/departments/{press}/payslips", "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        world.say(at + 0.05, firm.front, "end", {**told, "status": 202, "ms": 50}, host=host)
        for n in range(40):
            line = f"payslip written employee_id={first + n} batch_id=dep-{press}"
            world.log(at + 1 + n * 0.7, firm.worker.name, firm.worker.hosts[0], line)
        done = f"batch finished batch_id=dep-{press} items=40"
        world.log(at + 30, firm.worker.name, firm.worker.hosts[0], done)
