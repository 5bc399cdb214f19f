"""The scraper can no longer reach one instance: its curves end. The instance itself is well, writes
its lines and does its work.

A person sees it by: every curve of one instance ending at one scrape while its neighbours' go on;
lines and jobs of that same host after that.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import SCRAPE_S, in_files, said_by, target_lost
from tests.score.truth import Truth
from tests.score.world import World

CURVES = (
    ("process_resident_memory_bytes", 3e8, 0.02),
    ("http_requests_in_flight", 4, 0.6),
    ("go_goroutines", 180, 0.1),
    ("jvm_threads_live_threads", 61, 0.03),
    ("cpu_seconds_rate", 0.4, 0.4),
)


def prepare(world: World) -> None:
    in_files(world)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    service = rng.choice((firm.front, firm.worker))
    dark = rng.choice(service.hosts)
    ended = world.end_s if rng.random() < 0.6 else world.onset_s + rng.uniform(200, 420)
    names = rng.sample(CURVES, 2)
    for host in service.hosts:
        labels = {"job": service.name, "instance": f"{host}:9464"}
        for name, level, swing in names:
            base = level * rng.uniform(0.7, 1.4)
            points = [
                (SCRAPE_S * n, base * (1 + rng.uniform(-swing, swing)))
                for n in range(int(world.end_s // SCRAPE_S))
                if not (host == dark and world.onset_s <= SCRAPE_S * n < ended)
            ]
            world.curve(name, labels, points)
    if rng.random() < 0.4:
        lost = (world.onset_s // SCRAPE_S + 1) * SCRAPE_S
        labels = {"job": service.name, "instance": f"{dark}:9464"}
        target_lost(world, labels, lost - SCRAPE_S, lost)
    return fault(
        world,
        "blind-spot",
        min(ended, world.end_s),
        effect=said_by(world, service, world.onset_s, min(ended, world.end_s)) >= 10,
    )
