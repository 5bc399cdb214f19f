"""What `kubectl get pods` tells: containers that began, ended, wait, and how they died.

A pod's status keeps each container's present and last state only: of a container that restarted
twice, the first death is gone. Stamps are the kubelet's, in whole seconds (Kubernetes API
reference, ContainerState).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.logs.jsonshape import JsonValue, value_at
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq

INFO, WARN, ERROR = 9, 13, 17
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


@dataclass(frozen=True, slots=True)
class Ended:
    """One state `terminated`: when (ns), why and with which exit code."""

    started: int | None
    finished: int | None
    reason: str
    exit_code: str
    signal: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of one pod, as it is now and as it last ended."""

    name: str
    restarts: int = 0
    started: int | None = None
    ended: tuple[Ended, ...] = ()
    waiting: str = ""
    last: Ended | None = None
    """The state before the present one: of a container that waits, the instance that just died."""

    @property
    def has_previous(self) -> bool:
        """Whether an instance before the present one is known. One that waits has no present
        one: the kubelet then hands out the lines of the one that died (`kubelet_pods.go`)."""
        return self.last is not None and self.restarts > 0 and not self.waiting


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod. `node` is whose clock its kubelet's stamps are."""

    namespace: str
    name: str
    node: str = ""
    created: int | None = None
    deleted: int | None = None
    phase: str = ""
    containers: tuple[Container, ...] = ()
    conditions: tuple[tuple[str, bool, int, str], ...] = field(default=())
    """(type, true, since, reason)."""

    @property
    def key(self) -> str:
        return f"pod:{self.namespace}/{self.name}"


def pod_of(item: JsonValue) -> Pod | None:
    """One item of the list; None for something without the name of a pod."""
    if not isinstance(item, dict):
        return None
    name, namespace = text_at(item, "metadata.name"), text_at(item, "metadata.namespace")
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(namespace or "default"):
        return None  # such a name could become a flag of a command
    statuses = [
        status
        for kind in _STATUSES
        if isinstance(found := value_at(item, ("status", kind)), list)
        for status in found
        if isinstance(status, dict)
    ]
    return Pod(
        namespace,
        name,
        clean(text_at(item, "spec.nodeName")),
        instant(text_at(item, "metadata.creationTimestamp")),
        instant(text_at(item, "metadata.deletionTimestamp")),
        clean(text_at(item, "status.phase")),
        tuple(c for status in statuses if (c := _container(status)) is not None),
        tuple(_conditions(item)),
    )


def _container(status: Mapping[str, JsonValue]) -> Container | None:
    name = text_at(status, "name")
    if not _NAME.fullmatch(name):
        return None
    ended = [_ended(value_at(status, path)) for path in _TERMINATED]
    restarts = status.get("restartCount")
    return Container(
        name,
        restarts if isinstance(restarts, int) else 0,
        instant(text_at(status, "state.running.startedAt")),
        tuple(item for item in ended if item is not None),
        clean(text_at(status, "state.waiting.reason")),
        ended[0],
    )


_TERMINATED = (("lastState", "terminated"), ("state", "terminated"))


def _ended(state: JsonValue) -> Ended | None:
    if not isinstance(state, dict):
        return None
    return Ended(
        instant(text_at(state, "startedAt")),
        instant(text_at(state, "finishedAt")),
        clean(text_at(state, "reason")),
        clean(text_at(state, "exitCode")),
        clean(text_at(state, "signal")),
    )


def _conditions(item: Mapping[str, JsonValue]) -> Iterator[tuple[str, bool, int, str]]:
    found = value_at(item, ("status", "conditions"))
    for condition in found if isinstance(found, list) else ():
        if not isinstance(condition, dict):
            continue
        since = instant(text_at(condition, "lastTransitionTime"))
        if since is not None:
            is_true = text_at(condition, "status") == "True"
            reason = text_at(condition, "reason") or text_at(condition, "message")
            yield clean(text_at(condition, "type")), is_true, since, clean(reason)


def text_at(record: Mapping[str, JsonValue], path: str) -> str:
    """A scalar at a dotted path as text; empty when there is none."""
    value = value_at(record, tuple(path.split(".")))
    return "" if value is None or isinstance(value, dict | list) else str(value)


def instant(text: str) -> int | None:
    """ns UTC of an RFC 3339 stamp with up to nine digits; None for anything else."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    try:
        whole = datetime.fromisoformat(found.group(1) + found.group(3).replace("Z", "+00:00"))
    except ValueError:
        return None
    return int(whole.timestamp()) * 1_000_000_000 + int((found.group(2) or "").ljust(9, "0"))


_RFC3339 = re.compile(r"([0-9-]{10}T[0-9:]{8})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})")


class PodEvents:
    """The dated facts of pods as events of one source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def of(self, pod: Pod, now: int) -> Iterator[Event]:
        """Everything the status dates, and what it waits for at `now`."""
        if pod.created is not None:
            yield self._event(pod, "created", pod.created, "was created", INFO, clock="")
        if pod.deleted is not None:
            words = "is being deleted: its grace period ends then"
            derived = Meaning.DERIVED
            yield self._event(pod, "deleted", pod.deleted, words, WARN, clock="", meaning=derived)
        for kind, is_true, since, reason in pod.conditions:
            if kind == "Ready":
                became = "became ready" if is_true else f"is not ready: {reason or 'no reason'}"
                severity = INFO if is_true or reason == "PodCompleted" else WARN
                yield self._event(pod, "ready", since, became, severity)
        for container in pod.containers:
            yield from self._container(pod, container, now)

    def _container(self, pod: Pod, container: Container, now: int) -> Iterator[Event]:
        place = f"container {container.name}"
        starts = {e.started for e in container.ended if e.started is not None}
        if container.started is not None:
            starts.add(container.started)
        for start in sorted(starts):
            nth = f", restart {container.restarts}" if container.restarts else ""
            last = start == container.started
            words = f"{place} started{nth if last else ''}"
            yield self._event(pod, f"{container.name}#started", start, words, INFO)
        for ended in container.ended:
            if ended.finished is None:
                continue
            died = ended.exit_code not in ("", "0") or ended.reason == "OOMKilled"
            signal = f", signal {ended.signal}" if ended.signal not in ("", "0") else ""
            words = (
                f"{place} ended: {ended.reason or 'no reason given'}, "
                f"exit code {ended.exit_code or 'unknown'}{signal}"
            )
            severity = ERROR if died else INFO
            yield self._event(pod, f"{container.name}#ended", ended.finished, words, severity)
        if container.waiting:
            words = f"{place} waits now: {container.waiting}, {container.restarts} restarts"
            yield self._event(
                pod, f"{container.name}#waiting", now, words, WARN, meaning=Meaning.POLLED
            )

    def _event(
        self,
        pod: Pod,
        part: str,
        timestamp: int,
        words: str,
        severity: int,
        *,
        clock: str | None = None,
        meaning: Meaning = Meaning.OCCURRED,
    ) -> Event:
        now = meaning is Meaning.POLLED
        place = f"{pod.namespace}/{pod.name}/{part}"
        ref = f"pods/{place}" if now else f"pods/{place}@{timestamp}"
        attributes = {"namespace": pod.namespace, "pod": pod.name, "node": pod.node}
        return Event(
            timestamp=timestamp,
            source=self._source,
            lane=Lane.LOG,
            kind=Kind.CHANGE,
            body=f"pod {pod.name} {words}",
            ref=ref,
            seq=intrinsic_seq(ref),
            severity_number=severity,
            actor=f"{pod.name}/{part.partition('#')[0]}" if "#" in part else pod.name,
            clock=pod.node if clock is None else clock,
            meaning=meaning,
            precision=Precision.NANOSECOND if now else Precision.SECOND,
            keys=(pod.key,),
            attributes=json.dumps({**attributes, "now": True} if now else attributes),
        )
