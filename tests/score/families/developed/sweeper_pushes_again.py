"""A sweeper pushes again what it believes forgotten, while the first jobs still wait.

Every five minutes a cron looks for records that are still pending after two minutes and pushes
their jobs. Tonight the queue stood for a while: nothing was forgotten, and all of it runs twice.
A person sees it by: jobs of one class and one argument, the second pushed minutes after the first
by the sweeper's host, at a time when the first had not begun; both run once the queue moves.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import asked_for, attempt, rows_about
from tests.score.healthy import write
from tests.score.queues import REMEMBERING, Job
from tests.score.truth import Truth
from tests.score.world import PIN_S, Thing, World

BRANDS = REMEMBERING
SWEEPER = "cron-1"


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    queue, job_class = rng.choice(("slow", "partner-sync", "low")), f"Push{firm.thing.title()}"
    stand, moves = world.onset_s - rng.uniform(150, 250), world.onset_s + rng.uniform(20, 90)
    waiting: list[tuple[Thing, Job]] = []
    at = 30.0
    while at < world.end_s - 30:
        thing = write(world, at, job=False)
        job = _asked(world, at + 0.03, job_class, queue, thing.id, firm.front.hosts[0])
        if stand <= at < moves:
            waiting.append((thing, job))
        else:
            _done(world, job, thing.id, at + rng.uniform(0.1, 1.5))
        at += rng.uniform(3, 15)
    line = rng.choice(
        ("requeued {n} stale records", "sweep finished, found={n}", "stuck-{t} sweeper: {n} rows")
    )
    found = [(t, j) for t, j in waiting if j.pushed[0] < world.at(world.onset_s - 120)]
    for quiet in (world.onset_s - 600, world.onset_s - 300):
        if quiet > 5:
            world.log(quiet, "sweeper", SWEEPER, line.format(n=0, t=firm.thing))
    pushed = [
        (t, _asked(world, world.onset_s + 0.02 * n, job_class, queue, t.id, SWEEPER))
        for n, (t, _) in enumerate(found)
    ]
    world.log(
        world.onset_s + 0.02 * len(found) + 0.1,
        "sweeper",
        SWEEPER,
        line.format(n=len(found), t=firm.thing),
    )
    at = moves
    for thing, job in sorted((*waiting, *pushed), key=lambda pair: pair[1].pushed[0]):
        _done(world, job, thing.id, at)
        at += rng.uniform(0.2, 0.9)
    hit = []
    for thing, again in pushed:
        thing.keys |= {f"job:{j.id}" for t, j in waiting if t is thing} | {f"job:{again.id}"}
        hit.append(thing)
    twice = all(rows_about(world, firm.effects, thing.id) == 2 for thing in hit)
    return fault(
        world,
        "duplicate-enqueue",
        min(at + 5, PIN_S + 200),
        hit,
        also=("backlog", "resume-herd", "rate-change", "duplicate-create", "extra-runs"),
        effect=len(hit) > 1 and twice and at < world.end_s,
    )


def _asked(world: World, seconds: float, job_class: str, queue: str, thing: str, host: str) -> Job:
    name = world.company.thing
    return asked_for(
        world, seconds, job_class, queue, f"{name}_id={thing}", (f"{name}:{thing}",), host
    )


def _done(world: World, job: Job, thing: str, seconds: float) -> None:
    took = world.rng.uniform(0.05, 0.4)
    run = attempt(world, job, seconds, took)
    world.row(
        seconds + took * 0.8,
        world.company.effects,
        world.new_id(),
        columns={f"{world.company.thing}_id": int(thing) if thing.isdigit() else thing},
        host=run.host,
    )
