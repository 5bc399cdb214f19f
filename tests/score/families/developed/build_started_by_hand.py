"""A nightly export runs as a build of the automation server. It breaks off at an account that the
export cannot read, somebody starts the build anew by hand, and again; each begins at the first.

A person sees it by: the automation server names three numbers of one build, the second and third
started by a person; each ends in FAILURE but the last; the exporter's lines name the same accounts
from the first on in each of them.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import told_of
from tests.score.families.watched import beside
from tests.score.truth import Entity, Truth
from tests.score.world import World

PEOPLE = ("Ines Rohde", "vpatel", "oncall-2", "Piotr Zych")


def inject(world: World) -> Truth:
    rng = world.rng
    build = rng.choice(("nightly-export", "gl-feed", "archive-tenants"))
    number = rng.randint(200, 4000)
    count, first = rng.randint(60, 180), rng.randint(10_000, 80_000)
    accounts = [first + n * rng.randint(1, 4) for n in range(count)]
    presses, upto = rng.randint(2, 4), [int(count * rng.uniform(0.15, 0.35))]
    while len(upto) < presses:
        upto.append(min(count, int(upto[-1] * rng.uniform(1.2, 2.2)) + 1))
    upto[-1] = count
    start = world.onset_s - rng.uniform(90, 200)
    for press, end in enumerate(upto):
        by = f"Started by user {rng.choice(PEOPLE)}" if press else "Started by timer"
        name = f"{build} #{number + press}"
        beside(world, start, "jenkins", f"{name}: {by}")
        over = _export(world, start + 1, accounts[:end])
        if end < count:
            broken = f"record {accounts[end]}: unexpected end of input at column 41"
            host = world.company.worker.hosts[0]
            world.log(over, world.company.worker.name, host, f"export stopped, {broken}", 17)
        result = "SUCCESS" if end == count else "FAILURE"
        beside(world, over + 1, "jenkins", f"{name} main build action completed: {result}")
        start = over + rng.uniform(20, 70)
        if press == 0:
            start = max(start, world.onset_s)
    known: list[Entity] = [
        frozenset({f"account:{one}", f"record:{one}"}) for one in accounts[: upto[-2]]
    ]
    by_hand = told_of(world, f"{build} #") >= 2 * presses
    return fault(
        world,
        "re-press",
        world.end_s,
        known,
        also=("extra-runs", "partial-batch", "bad-data", "poison-job", "unsafe-replay"),
        effect=by_hand and told_of(world, f"account={accounts[0]} ") == presses,
    )


def _export(world: World, at: float, accounts: list[int]) -> float:
    worker = world.company.worker
    pace = min(0.8, 80 / len(accounts))
    for one in accounts:
        at += pace * world.rng.uniform(0.6, 1.4)
        rows = world.rng.randint(3, 4_000)
        words = f"exported account={one} rows={rows}"
        if at < world.end_s:
            world.log(at, worker.name, worker.hosts[0], words)
    return at + 0.5
