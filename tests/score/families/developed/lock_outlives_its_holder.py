"""A routine that only one instance may run at a time takes a lock for a quarter of an hour at most.

The instance that held it went away in the middle of a run and never gave it back. Every tick since
finds the lock taken and does nothing; some schedulers say so in a debug line, most say nothing.
Every instance is up, every job of the queue is done.

A person sees it by: a run's first line without its last; the line that came with every tick, which
comes no more; here and there one that says that somebody else holds the lock.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault, lines
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

NAMES = ("settleInvoices", "purgeCarts", "pullRates", "closeTills")
PATIENT_S = 900.0


def inject(world: World) -> Truth:
    rng, worker = world.rng, world.company.worker
    name, every = rng.choice(NAMES), rng.choice((60.0, 90.0, 120.0))
    done, at, last = f"{name} run complete", rng.uniform(2, 40), 0.0
    while at < world.onset_s:
        last = at
        _ran(world, at, name, done)
        at += every + rng.uniform(-0.2, 0.2)
    _begun(world, at, name, rng.choice(worker.hosts))
    held, missed, speaks = at + PATIENT_S, 0, rng.random() < 0.5
    first = at
    at += every
    while at < min(held, world.end_s - 2):
        if speaks:
            words = f"DefaultLockingTaskExecutor : Not executing '{name}'. It's locked."
            world.log(at, worker.name, rng.choice(worker.hosts), words, 5)
        missed += 1
        at += every
    ended = at
    while at < world.end_s - 2:
        _ran(world, at, name, done)
        at += every
    if rng.random() < 0.6:
        schedule = Schedule(
            name,
            Work(log=done),
            every=int(every) * SECOND_NS,
            tolerance=int(every) * SECOND_NS // 2,
        )
        world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    return fault(
        world,
        "missed-run",
        min(ended, world.end_s),
        onset_s=first,
        also=("lost-worker", "lock-queue"),
        effect=missed >= 2 and last > 0 and lines(world, done, since=first, until=ended) == 0,
    )


def _ran(world: World, at: float, name: str, done: str) -> None:
    """A run from its first line to its last."""
    rng, worker = world.rng, world.company.worker
    host = rng.choice(worker.hosts)
    _begun(world, at, name, host)
    words = f"{done} touched={rng.randint(0, 40)} ms={rng.randint(120, 900)}"
    world.log(at + rng.uniform(0.4, 1.4), worker.name, host, words)


def _begun(world: World, at: float, name: str, host: str) -> None:
    world.log(at, world.company.worker.name, host, f"{name} run starting")
