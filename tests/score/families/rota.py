"""Acts for nights on which something ran once too often, not at all, or only half way.

Pods and the cluster's events in the Kubernetes connector's own words, lines of systemd, of a broker
and of a database that logs slow statements. Knows no fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connectors.kubernetes.events import events_of
from connectors.kubernetes.pods import Container, Ended, Pod, PodEvents
from connectors.logs.jsonshape import JsonValue
from connectors.queues.transitions import iso
from tests.score.world import World
from timeline.event import Event, Kind
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

_RULES = KeyRules()
CLUSTER = "kubernetes"


def whole(world: World, seconds: float) -> int:
    """An instant in whole seconds, as a kubelet writes it (ns UTC)."""
    return world.at(seconds) // SECOND_NS * SECOND_NS


def pod_told(
    world: World,
    name: str,
    container: str,
    *,
    started: float,
    ended: float | None = None,
    reason: str = "Error",
    code: int = 137,
    again: float | None = None,
    created: float | None = None,
    node: str = "node-7",
) -> None:
    """What `kubectl get pods` says of one container that started, perhaps ended and restarted."""
    last = None
    if ended is not None:
        last = Ended(whole(world, started), whole(world, ended), reason, str(code))
    running = again if ended is not None else started
    pod = Pod(
        "apps",
        name,
        node,
        created=None if created is None else whole(world, created),
        containers=(
            Container(
                container,
                restarts=1 if again is not None else 0,
                started=None if running is None else whole(world, running),
                ended=() if last is None else (last,),
                last=last,
            ),
        ),
    )
    for event in PodEvents(CLUSTER).of(pod, world.at(world.now_s)):
        if world.start <= event.timestamp:
            world.tell(event, node)


def cluster_says(
    world: World, seconds: float, kind: str, name: str, reason: str, message: str
) -> None:
    """One event object of the cluster about a pod or a job."""
    warns = reason in (
        "Unhealthy",
        "BackOff",
        "DeadlineExceeded",
        "NodeNotReady",
        "FailedScheduling",
    )
    stamp = iso(whole(world, seconds))
    told: dict[str, JsonValue] = {
        "metadata": {"namespace": "apps", "name": f"{name}.{world.rng.getrandbits(48):x}"},
        "involvedObject": {"kind": kind, "namespace": "apps", "name": name},
        "reason": reason,
        "message": message,
        "type": "Warning" if warns else "Normal",
        "source": {"component": "kubelet" if kind == "Pod" else "job-controller", "host": "node-7"},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
    for event in events_of(told, CLUSTER, _RULES):
        world.tell(event, "node-7")


def unit_says(
    world: World, seconds: float, host: str, who: str, words: str, severity: int = 9
) -> None:
    """An entry of the journal of one machine, by systemd, cron or the kernel."""
    world.log(seconds, who, host, words, severity, source="journal")


def slow_statement(world: World, ended: float, took: float, pid: int, statement: str) -> None:
    """`log_min_duration_statement`: one line when the statement is over."""
    words = f"LOG:  duration: {took * 1000:.3f} ms  statement: {statement}"
    world.database_log(ended, pid, words)


def ticks(begin: float, end: float, every: float) -> list[float]:
    """Instants `every` seconds apart in `[begin, end)`."""
    return [begin + every * n for n in range(max(0, int((end - begin) / every + 0.9999)))]


def taken_over(
    world: World, host: str, lines_since: float, *, since: float, until: float = 1e6
) -> None:
    """What `host` would have had in its hands in `[since, until)` ran on other workers instead.

    Jobs whose worker was lost stay where they were; `lines_since` is from when on the lines of the
    others move with them.
    """
    others = [other for other in world.company.worker.hosts if other != host]
    low, high = world.at(since), world.at(until)
    moved: dict[str, str] = {}
    for job in world.jobs:
        for attempt in job.attempts:
            lost, over = attempt.outcome == "lost", attempt.ended or low
            if attempt.host == host and not lost and over >= low and attempt.started < high:
                moved[job.id] = world.rng.choice(others)
                attempt.host, attempt.worker = moved[job.id], world.worker_on(moved[job.id])
    begin, told = world.at(lines_since), []
    for event, by in world.told:
        to = ""
        if by == host and event.clock == host and event.timestamp >= begin:
            to = next((place for job, place in moved.items() if job in event.body), "")
        told.append((replace(event, clock=to), to) if to else (event, by))
    world.told = told


def rows_of(world: World, table: str, kind: Kind = Kind.ROW_INSERTED) -> list[Event]:
    """Rows of one table, in the order in which they were told."""
    return [event for event, _ in world.told if event.kind is kind and event.actor == table]


def seconds_of(world: World, stamps: Iterable[int]) -> list[float]:
    """Seconds from the window's start, in order."""
    return sorted((stamp - world.start) / SECOND_NS for stamp in stamps)


def typed(kind: str, value: object) -> frozenset[str]:
    return frozenset((f"{kind}:{value}",))
