"""Memory rises to the limit, lies flat there, and the process starts anew."""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.truth import Truth
from tests.score.world import PIN_S, World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service = rng.choice((firm.worker, *firm.backs))
    host, limit = service.hosts[0], rng.choice((512, 1024, 2048)) * 2**20
    low, top, again = limit * 0.35, rng.uniform(0.7, 0.85) * PIN_S, PIN_S - rng.uniform(60, 200)
    name = rng.choice(("process_resident_memory_bytes", "container_memory_working_set_bytes"))

    def level(seconds: float) -> float:
        if seconds >= again:
            return low
        return min(limit * 0.985, low + (limit - low) * seconds / top) * rng.uniform(0.998, 1.0)

    every = [15.0 * n for n in range(int(world.end_s // 15))]
    labels = {"job": service.name, "instance": f"{host}:9100"}
    world.curve(name, labels, ((s, level(s)) for s in every))
    world.curve("container_spec_memory_limit_bytes", labels, ((s, float(limit)) for s in every))
    words = "container terminated: OOMKilled, exit code 137"
    world.log(again - 0.5, service.name, host, words, 17)
    world.say(
        again + 3, service, "boot", {"service": service.name, "version": "11", "n": 3}, host=host
    )
    also = ("lost-worker",)
    effect = lines(world, words) == 1 and top < again
    return fault(world, "memory-leak", again + 30, onset_s=0.0, also=also, effect=effect)
