"""Acts of the nights in which somebody or something asked again, or a change came before the fall:
cluster events, single rows of other tables, second pushes, worlds asked for what they hold.

Nothing here knows a fault; every event has the shape that a connector gives it.
"""

from __future__ import annotations

from connectors.kubernetes.events import events_of
from connectors.logs.jsonshape import JsonValue
from tests.score.families.watched import clock_words
from tests.score.queues import Attempt, Job
from tests.score.truth import Entity
from tests.score.world import World
from timeline.event import Kind
from timeline.keys import KeyRules

_RULES = KeyRules()


def cluster_event(
    world: World,
    seconds: float,
    kind: str,
    name: str,
    reason: str,
    message: str,
    *,
    component: str = "deployment-controller",
    warning: bool = False,
) -> None:
    """One object of `kubectl get events`, read by the Kubernetes connector."""
    stamp = clock_words(world.at(seconds)).replace(" ", "T")
    item: dict[str, JsonValue] = {
        "metadata": {"namespace": "shop", "name": f"{name}.{world.rng.getrandbits(48):x}"},
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name},
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "count": "1",
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "source": {"component": component},
    }
    for event in events_of(item, "kubernetes", _RULES):
        world.tell(event, "kubernetes")


def names_of(table: str, pk: str) -> Entity:
    return frozenset(_RULES.row_keys(table, pk))


def seconds_of(world: World, stamp: int) -> float:
    """ns UTC as seconds of the window."""
    return (stamp - world.start) / 1e9


def queued(
    world: World, seconds: float, job_class: str, args: str, keys: tuple[str, ...], host: str
) -> Job:
    """A job pushed from `host` of which no line tells."""
    queue = world.company.queue
    job = Job(world.new_job_id(), job_class, args, keys, queue, host, [world.at(seconds)])
    world.jobs.append(job)
    return job


def taken(
    world: World, job: Job, seconds: float, took: float, outcome: str = "finished", error: str = ""
) -> str:
    """A run of it that only the queue tells; returns the host."""
    host = world.rng.choice(world.company.worker.hosts)
    if seconds + took > world.end_s:
        return host  # it still waits when the collection ends
    ended = world.at(seconds + took)
    run = Attempt(world.at(seconds), ended, outcome, world.worker_on(host), host, error)
    job.attempts.append(run)
    return host


def told_of(world: World, text: str, *, kind: Kind | None = None) -> int:
    """How many events hold `text`, of one kind where it is given."""
    return sum(text in e.body and kind in (None, e.kind) for e, _ in world.told)
