"""A rollout of the front stops between two hosts, and each serves the files of its own build only.

A page that came from a new host names scripts that an old host has never had, and the other way
round. Which host answers is chance, so that the same address is there and is not there. No handler
fails; the access lines alone tell it, and in some nights what browsers report.

A person sees it by: script addresses with a hash that are answered 200 on some hosts and 404 on
others, since the first host came back with the new version, and never before.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World

NAMES = ("main", "vendor", "checkout", "7")


def inject(world: World) -> Truth:
    rng, front = world.rng, world.company.front
    old, new = (f"{rng.getrandbits(32):08x}" for _ in range(2))
    count = rng.randint(1, len(front.hosts) - 1)
    moved = frozenset(front.hosts[:count])
    version = f"{rng.getrandbits(160):040x}"
    words = f"{front.name} {version[:10]}: rolling out"
    world.change(world.onset_s - 25, words, front.name, version=version, who="ci", status="running")
    for host in sorted(moved):
        world.say(world.onset_s - 16, front, "stop", host=host)
        booted = {"service": front.name, "version": version[:8], "n": 5}
        world.say(world.onset_s - 2, front, "boot", booted, host=host)
    reported = rng.random() < 0.5
    hit, at = list[tuple[str, Entity]](), 15.0
    while at < PIN_S:
        begun = at >= world.onset_s
        gives, serves = rng.choice(front.hosts), rng.choice(front.hosts)
        build = new if begun and gives in moved else old
        there = build == (new if begun and serves in moved else old)
        _fetched(world, at, "/", 200, gives)
        path = f"/assets/{rng.choice(NAMES)}.{build}.js"
        rid = _fetched(world, at + rng.uniform(0.05, 0.4), path, 200 if there else 404, serves)
        if not there:
            hit.append((build, frozenset((f"request:{rid}",))))
            if reported and rng.random() < 0.6:
                said = f"browser reported: ChunkLoadError: Loading chunk failed. (missing: {path})"
                world.log(at + rng.uniform(0.6, 2), front.name, rng.choice(front.hosts), said, 13)
        at += rng.uniform(2, 12)
    return fault(
        world,
        "deploy-skew",
        PIN_S,
        [entity for _, entity in hit],
        alternates=("change-before",),
        effect=len(hit) >= 5 and {build for build, _ in hit} == {old, new},
    )


def _fetched(world: World, at: float, path: str, status: int, host: str) -> str:
    rid = world.request_id()
    told = {"method": "GET", "path": path, "rid": rid, "status": status, "ms": 3}
    world.say(at, world.company.front, "end", told, host=host)
    return rid
