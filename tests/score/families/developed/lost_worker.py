"""A worker's host is killed without a word while it holds jobs."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault, mute
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("bullmq", "rq", "good-job")
_KILLS = (
    "Memory cgroup out of memory: Killed process {pid} ({name}) total-vm:4194304kB",
    "{name}.service: Main process exited, code=killed, status=9/KILL",
    "container {name} terminated: OOMKilled, exit code 137",
    "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9);",
)


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    killed, host = world.onset_s, rng.choice(firm.worker.hosts)
    mute(world, (host,), killed, killed + 25)
    hit = []
    for n in range(rng.randint(1, 4)):
        thing = world.new_id()
        job = world.push(killed - 2 - n, thing, firm.front.hosts[0])
        attempt = world.run(job, killed - 1.5 + 0.2 * n, 1, "lost")
        _moved(world, attempt.host, host, job.id)
        attempt.host, attempt.worker = host, world.worker_on(host)
        if world.brand.name == "bullmq":
            attempt.ended = world.at(killed + rng.uniform(30, 60))
            world.run(job, killed + 61 + n, 0.4)
        hit.append(world.entity(thing, "", job))
    words = rng.choice(_KILLS).format(pid=rng.randint(300, 9000), name=firm.worker.name)
    world.log(killed + 0.1, firm.worker.name, host, words, 17)
    world.say(
        killed + 26,
        firm.worker,
        "boot",
        {"service": firm.worker.name, "version": "2", "n": 4},
        host=host,
    )
    also = (
        "delivered-again",
        "orphaned-record",
        "unsafe-replay",
        "blind-spot",
        "memory-leak",
        "missed-run",
        "partial-batch",
    )
    return fault(world, "lost-worker", world.end_s, hit, also=also)


def _moved(world: World, old: str, new: str, job: str) -> None:
    """The line of the start was said by the host that was killed."""
    world.told = [
        (replace(e, clock=new), new) if h == old and job in e.body else (e, h)
        for e, h in world.told
    ]
