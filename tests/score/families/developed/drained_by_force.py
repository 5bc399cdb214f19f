"""A node is taken out by force: its pods are gone at once, with whatever they were working on.

The grace of the drain had run out, or the cheap machine was claimed back. The worker has no time
to say a word. Its queue keeps the locks as they are; what shows is what stops and what stays open.

A person sees it by: the queue's jobs still held or begun by a worker that is named after that pod,
long after jobs of this class are over; the last lines of that pod, which are beginnings; silence of
that pod alone; its siblings at their pace. The cluster's own words come minutes before or after,
about the node.
"""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.families.quayside import cluster_event
from tests.score.families.rota import taken_over
from tests.score.fourth_company.acts import asked
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.queues import Attempt
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Lane


def prepare(world: World) -> None:
    relocate(world, ("rq", "pg-boss", "graphile-worker", "procrastinate"), workers=(3, 5))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    worker = night.house.worker
    pod, gone = rng.choice(worker.hosts), night.onset_s
    taken_over(night, pod, gone - 12, since=gone - 10)
    things = [_in_hand(night, pod, gone - rng.uniform(0.1, 6)) for _ in range(rng.randint(2, 5))]
    mute(night, [pod], gone, 1e6)
    other = next(host for host in worker.hosts if host != pod)
    night.told = [
        (event, other if by == pod and event.lane is Lane.DATABASE else by)
        for event, by in night.told
        if not (event.timestamp > night.at(gone) and f'instance="{pod}:' in event.body)
    ]  # whoever did that work instead stamped its rows; no exporter answers on it any more
    node = f"ip-10-0-{rng.randint(0, 99)}-{rng.randint(2, 250)}.compute.internal"
    if rng.random() < 0.6:
        early = rng.random() < 0.5
        at = gone - rng.uniform(110, 125) if early else gone + rng.uniform(40, 200)
        reason = "SpotInterruption" if early else "NodeNotReady"
        words = f"Node {node} event: {reason}"
        cluster_event(night, at, "Node", node, reason, words, component="node-controller")
    night.samples()
    return fault(
        night,
        "lost-worker",
        night.end_s,
        things,
        also=("blind-spot", "orphaned-record"),
        effect=not any(by == pod and e.timestamp > night.at(gone) for e, by in night.told),
    )


def _in_hand(night: Shift, pod: str, begun: float) -> Thing:
    """A job that the pod had begun; no queue here says that it was lost."""
    thing, job = asked(night, begun - night.rng.uniform(0.1, 0.7))
    held = Attempt(night.at(begun), None, "running", night.worker_on(pod), pod)
    job.attempts.append(held)
    told = {"job": job.job_class, "jid": job.id, "id": thing.id}
    night.say(begun + 0.002, night.house.worker, "started", told, host=pod)
    return thing
