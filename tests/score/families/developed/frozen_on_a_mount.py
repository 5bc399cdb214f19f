"""One worker's machine waits for a file server that does not answer it any more. Its processes are
alive, in a sleep that nothing ends, with their jobs in their hands.

Nobody says that a worker died: nobody did. The queue believes that the jobs still run; other
machines have the same mount and no trouble, and do all the work from then on.

A person sees it by: jobs that began on one machine and never ended, and no word of that machine's
worker after them; the kernel's notes there, two minutes later, of tasks that are blocked, at times
preceded by the mount's own complaint; all jobs after that instant on other machines.
"""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.families.rota import taken_over, unit_says
from tests.score.healthy import write
from tests.score.queues import Attempt
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN

BRANDS = ("rq", "good-job")
"""Both leave a job with whoever holds it: one by a hash, the other by a session's lock."""
HUNG_S = 122.88
"""`hung_task_timeout_secs`, as the kernel's own round finds it."""


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    gone, frozen = world.onset_s, rng.choice(firm.worker.hosts)
    taken_over(world, frozen, gone - 1, since=gone - 1)
    mute(world, [frozen], gone, world.end_s)
    held = [_held(world, gone + 2.0 * n, frozen) for n in range(rng.randint(2, 4))]
    server = f"nas-{rng.randint(1, 4)}.storage"
    if rng.random() < 0.6:
        words = f"nfs: server {server} not responding, still trying"
        unit_says(world, gone + rng.uniform(8, 60), frozen, "kernel", words, SEVERITY_WARN)
    for place in range(len(held)):
        task = rng.choice((firm.worker.name[:15], "python3", "ruby", "convert"))
        words = f"INFO: task {task}:{rng.randint(900, 32_000)} blocked for more than 122 seconds."
        unit_says(world, gone + HUNG_S + 2 * place, frozen, "kernel", words, SEVERITY_ERROR)
    over = [
        event
        for event, host in world.told
        if host == frozen and event.actor == firm.worker.name and event.timestamp > world.at(gone)
    ]
    return fault(
        world,
        "lost-worker",
        world.end_s,
        held,
        also=("blind-spot", "orphaned-record", "network-hiccup"),
        effect=len(held) == len(over) and len(firm.worker.hosts) > 1,
    )


def _held(world: World, at: float, host: str) -> Thing:
    """A job that begins on the machine and touches the mount: its last line."""
    firm = world.company
    thing = write(world, at - 0.4, job=False)
    job = world.push(at - 0.35, thing.id, world.rng.choice(firm.front.hosts))
    job.attempts.append(Attempt(world.at(at), None, "lost", world.worker_on(host), host))
    told = {"job": job.job_class, "jid": job.id, "id": thing.id}
    world.say(at + 0.002, firm.worker, "started", told, host=host)
    thing.keys |= frozenset((f"job:{job.id}",))
    return thing
