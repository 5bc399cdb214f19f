"""A process fills its caches after a start and stays well below its limit; another one breathes."""

from __future__ import annotations

import math

from tests.score.world import World

TERMS = ("memory-leak", "full")


def disturb(world: World) -> None:
    every = [15.0 * n for n in range(int(world.end_s // 15))]
    firm, limit = world.company, 2.0**30
    filling = {"job": firm.front.name, "instance": f"{firm.front.hosts[0]}:9100"}
    breathing = {"job": firm.worker.name, "instance": f"{firm.worker.hosts[0]}:9100"}
    name = "process_resident_memory_bytes"
    world.curve(name, filling, ((s, limit * (0.6 - 0.3 * math.exp(-s / 200))) for s in every))
    world.curve(name, breathing, ((s, limit * (0.4 + 0.1 * ((s % 120) / 120))) for s in every))
    for labels in (filling, breathing):
        world.curve("container_spec_memory_limit_bytes", labels, ((s, limit) for s in every))
