"""One process keeps a little of everything that it handles; at its limit it is killed and begins
again from the bottom. The metrics show a saw, the logs a restart or two.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.score.families.acts import fault
from tests.score.second_company.elsewhere import night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World

METRICS = (
    "container_memory_working_set_bytes",
    "jvm_memory_used_bytes",
    "process_resident_memory_bytes",
)


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng = here.rng
    leaky = rng.choice(here.firm.backs)
    limit, floor = rng.choice((512, 1_024, 4_096)) * 2**20, rng.uniform(0.15, 0.35)
    begin, period = here.onset_s - rng.uniform(200, 500), rng.uniform(300, 800)
    killed = [begin + period * n for n in (1, 2, 3) if begin + period * n < here.end_s - 30]
    host, name = leaky.hosts[0], rng.choice(METRICS)
    labels = {"pod": host, "job": leaky.name}

    def ramp() -> Iterator[tuple[float, float]]:
        for tick in range(int(here.end_s // 15)):
            at = tick * 15.0
            share = floor if at < begin else floor + (1 - floor) * ((at - begin) % period) / period
            yield at, limit * min(0.998, share * rng.uniform(0.985, 1.01))

    here.curve(name, labels, list(ramp()))
    for other in leaky.hosts[1:]:
        steady = [(15.0 * n, limit * floor) for n in range(int(here.end_s // 15))]
        here.curve(name, {**labels, "pod": other}, steady)
    for at in killed:
        words = f"Container {leaky.name} in pod {host} terminated: OOMKilled, exit code 137"
        here.log(at, "kubelet", host, words, 13, source="syslog")
        told = {"service": leaky.name, "version": "77aa01fe", "n": 3}
        here.say(at + 8, leaky, "boot", told, host=host)
    return fault(
        here,
        "memory-leak",
        here.end_s,
        also=("lost-worker",),
        onset_s=begin,
        effect=bool(killed) and any("OOMKilled" in b for b in here.told_text(begin, here.end_s)),
    )
