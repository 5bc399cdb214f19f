"""One picture makes the library that reads it crash: every worker that takes the job is gone.

No error reaches the queue, since nobody is left to report one. The parent process notes that its
child ended by a signal; the job is given out again and the next worker ends the same way.

A person sees it by: the same job begun again and again on changing workers, never ended; a few
seconds after each beginning the line of a child ended by signal 11; other jobs end well everywhere.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.rota import unit_says
from tests.score.queues import Attempt
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("rq", "bullmq", "good-job")
_DIED = (
    "child process {pid} terminated by signal 11 (core dumped)",
    "Work-horse terminated unexpectedly; waitpid returned 139 (signal 11); pid {pid}",
    "worker (pid:{pid}) was sent SIGSEGV!",
    "[master] worker {pid} died (signal: SIGSEGV), forking a new one",
)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    thing, at = world.new_id(), world.onset_s
    job = world.push(at - 0.2, thing, rng.choice(firm.front.hosts))
    told = {"job": job.job_class, "jid": job.id, "id": thing}
    died, kernel = rng.choice(_DIED), rng.random() < 0.5
    deaths = list[float]()
    for _ in range(rng.randint(4, 8)):
        host, lasted = rng.choice(firm.worker.hosts), rng.uniform(0.4, 6)
        if at + lasted + 3 > world.end_s:
            break
        world.say(at, firm.worker, "started", told, host=host)
        gone, pid = at + lasted, rng.randint(200, 30_000)
        world.log(gone + 0.05, firm.worker.name, host, died.format(pid=pid), 13)
        if kernel:
            words = (
                f"{firm.worker.name}[{pid}]: segfault at 0 ip 00007f3a1c2b{rng.getrandbits(16):04x}"
                " sp 00007ffd3a10 error 4 in libvips.so.42.16.1"
            )
            unit_says(world, gone, host, "kernel", words)
        lost = world.at(gone + rng.uniform(0.5, 2))
        job.attempts.append(Attempt(world.at(at), lost, "lost", world.worker_on(host), host))
        deaths.append(gone)
        at = gone + rng.uniform(8, 45)
    job.attempts[-1].ended = None if world.brand.name != "bullmq" else job.attempts[-1].ended
    return fault(
        world,
        "poison-job",
        deaths[-1] + 5,
        [world.entity(thing, "", job)],
        also=("lost-worker", "delivered-again", "novel-template"),
        effect=len(deaths) >= 3,
    )
