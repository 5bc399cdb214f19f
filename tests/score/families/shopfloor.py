"""What the unread nights of several shops share: lines of things that are no service, pods, rows.

Nothing here knows a fault; an act tells one thing in the shape that a connector would give it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace

from connectors.logs.requestfields import STATUS
from tests.score.queues import Attempt, Job
from tests.score.truth import Entity
from tests.score.world import World
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.keys import KeyRules

SEVERITY_WARN, SEVERITY_ERROR = 13, 17
_RULES = KeyRules()


def side_line(
    world: World,
    seconds: float,
    who: str,
    host: str,
    words: str,
    severity: int = 9,
    *,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """A line of a file of its own: a proxy's, a search server's, a pod's."""
    world.log(seconds, who, host, words, severity, source=f"{who}-log")
    if attributes:
        event, by = world.told[-1]
        world.told[-1] = (replace(event, attributes=json.dumps(attributes)), by)


def access_line(
    world: World,
    seconds: float,
    who: str,
    host: str,
    method: str,
    path: str,
    status: int,
    ms: float,
    fields: Mapping[str, str],
) -> None:
    """One JSON line of a proxy's access log; a refused request brings its attributes along."""
    told = {
        "method": method,
        "path": path,
        "response_code": status,
        "duration": round(ms),
        **fields,
    }
    refused = {STATUS: str(status), "http.request.method": method, "url.original": path}
    side_line(
        world,
        seconds,
        who,
        host,
        json.dumps(told, separators=(",", ":")),
        attributes=refused if status >= 400 else None,
    )


def pod_event(world: World, seconds: float, pod: str, reason: str, message: str) -> None:
    """One event of Kubernetes, as its connector tells it."""
    ref = f"events/apps/{pod}.{reason}@{seconds:.0f}"
    body = f"{reason}: {message} (Pod {pod})"
    told = {"namespace": "apps", "reason": reason, "kind": "Pod", "component": "kubelet"}
    event = Event(
        timestamp=world.at(int(seconds)),
        source="kubernetes",
        lane=Lane.LOG,
        kind=Kind.CHANGE,
        body=body,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=SEVERITY_WARN if reason in ("BackOff", "DeadlineExceeded") else 9,
        actor=pod,
        clock="kube-node-3",
        precision=Precision.SECOND,
        keys=(*_RULES.in_text(message), f"pod:{pod}"),
        attributes=json.dumps(told),
    )
    world.tell(event, "kube-node-3")


def asked_for(
    world: World,
    seconds: float,
    job_class: str,
    queue: str,
    args: str,
    keys: tuple[str, ...],
    host: str,
) -> Job:
    """A job that somebody pushed; nothing has run it yet."""
    job = Job(world.new_job_id(), job_class, args, keys, queue, host, [world.at(seconds)])
    world.jobs.append(job)
    return job


def attempt(
    world: World, job: Job, seconds: float, took: float, outcome: str = "finished", error: str = ""
) -> Attempt:
    """One run that only the queue knows of."""
    host = world.rng.choice(world.company.worker.hosts)
    ended = None if outcome in ("lost", "running") else world.at(seconds + took)
    made = Attempt(world.at(seconds), ended, outcome, world.worker_on(host), host, error)
    job.attempts.append(made)
    return made


def thing_keys(world: World, thing: str) -> Entity:
    return frozenset(
        (*_RULES.row_keys(world.company.table, thing), f"{world.company.thing}:{thing}")
    )


def row_keys(table: str, pk: str) -> Entity:
    return frozenset(_RULES.row_keys(table, pk))


def ulid(rng: random.Random) -> str:
    return "01KG" + "".join(rng.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=22))


def rows_about(world: World, table: str, thing: str) -> int:
    """How many rows of `table` refer to `thing`."""
    return sum(
        event.kind is Kind.ROW_INSERTED and event.actor == table and f"={thing}" in event.body
        for event, _ in world.told
    )


def bodies(world: World) -> str:
    return "\n".join(event.body for event, _ in world.told)
