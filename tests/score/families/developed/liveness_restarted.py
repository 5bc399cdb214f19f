"""A worker that is busy does not answer its liveness probe, and the kubelet kills it with its work.

A few long jobs keep one worker's pod from answering for half a minute. It is ended by signal 9 and
started again in the same pod; what it had in its hands is left where the queue leaves it.

A person sees it by: the kubelet's Unhealthy and Killing for that pod, its container's exit code
137 and its restart; jobs that this worker began before that and never ended, by its lines and by
the queue; on some queues, the same jobs begun again elsewhere.
"""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.families.rota import cluster_says, pod_told, taken_over
from tests.score.queues import Attempt
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("rq", "bullmq", "good-job", "sidekiq")


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    killed, host = world.onset_s, rng.choice(firm.worker.hosts)
    back = killed + rng.uniform(4, 25)
    again = rng.random() < 0.5
    hit = []
    for _ in range(rng.randint(1, 5)):
        thing = world.new_id()
        begun = killed - rng.uniform(25, 70)
        pushed = world.push(begun - rng.uniform(0.1, 2), thing, rng.choice(firm.front.hosts))
        told = {"job": pushed.job_class, "jid": pushed.id, "id": thing}
        pushed.attempts.append(Attempt(world.at(begun), None, "lost", world.worker_on(host), host))
        world.say(begun + 0.002, firm.worker, "started", told, host=host)
        if again:
            pushed.attempts[-1].ended = world.at(killed + rng.uniform(30, 60))
            when = (pushed.attempts[-1].ended - world.start) / 1e9 + rng.uniform(0.1, 5)
            others = [other for other in firm.worker.hosts if other != host]
            _finished(world, pushed, told, when, rng.choice(others))
        hit.append(world.entity(thing, "", pushed))
    taken_over(world, host, killed - 3, since=killed - 1, until=killed + 30)
    mute(world, [host], killed, back)
    address = f"10.42.{rng.randint(0, 9)}.{rng.randint(2, 250)}"
    message = (
        f'Liveness probe failed: Get "http://{address}:8080/healthz": context deadline exceeded'
        " (Client.Timeout exceeded while awaiting headers)"
    )
    for late in (20.0, 10.0, 0.0):
        cluster_says(world, killed - late - 1, "Pod", host, "Unhealthy", message)
    killing = "Container worker failed liveness probe, will be restarted"
    cluster_says(world, killed - 1, "Pod", host, "Killing", killing)
    pod_told(world, host, "worker", started=-4_000, ended=killed, again=back)
    boot = {"service": firm.worker.name, "version": "r118", "n": 9}
    world.say(back + 1, firm.worker, "boot", boot, host=host)
    return fault(
        world,
        "lost-worker",
        back + 70,
        hit,
        alternates=("delivered-again",) if again else (),
        also=("delivered-again", "orphaned-record"),
    )


def _finished(world: World, job: object, told: dict[str, str], when: float, host: str) -> None:
    """The same job, begun again on another worker, which ends it."""
    took = world.rng.uniform(3, 20)
    done = min(when + took, world.end_s - 1)
    world.say(when + 0.002, world.company.worker, "started", told, host=host)
    ended = {**told, "ms": int((done - when) * 1000)}
    world.say(done, world.company.worker, "done", ended, host=host)
    found = next(known for known in world.jobs if known is job)
    found.attempts.append(
        Attempt(world.at(when), world.at(done), "finished", world.worker_on(host), host)
    )
