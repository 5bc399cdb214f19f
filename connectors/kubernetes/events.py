"""The cluster's own events (`kubectl get events`): back-offs, probes that failed, kills, scaling.

An event that repeats is one object with a count, its first and its last time: only these two are
told, with the count in words. Both stamps are the reporting component's clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from connectors.kubernetes.pods import INFO, WARN, instant, text_at
from connectors.logs.jsonshape import JsonValue
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.keys import KeyRules

REASON_CHARACTERS = 4_000
"""The API bounds a message to 1 kB; an aggregated server may not."""


def events_of(item: JsonValue, source: str, key_rules: KeyRules) -> Iterator[Event]:
    """The last sighting of one event object, and the first when it is another instant."""
    if not isinstance(item, dict):
        return
    first = instant(text_at(item, "firstTimestamp") or text_at(item, "eventTime"))
    last = (
        instant(text_at(item, "series.lastObservedTime"))
        or instant(text_at(item, "lastTimestamp"))
        or instant(text_at(item, "eventTime"))
        or first
    )
    if last is None:
        return
    count = text_at(item, "series.count") or text_at(item, "count") or "1"
    repeated = first is not None and first != last
    if first is not None and repeated:
        words = f", first of {clean(count)}"
        yield _event(item, source, key_rules, first, "#first", words)
    words = f", last of {clean(count)}" if repeated else ""
    yield _event(item, source, key_rules, last, "", words)


def pod_named_by(item: JsonValue | Mapping[str, JsonValue]) -> str:
    """`namespace/name` of the pod an event is about; empty when it is about something else."""
    if not isinstance(item, Mapping) or text_at(item, "involvedObject.kind") != "Pod":
        return ""
    return clean(f"{text_at(item, 'involvedObject.namespace')}/{text_at(item, _NAME)}")


_NAME = "involvedObject.name"


def _event(
    item: Mapping[str, JsonValue],
    source: str,
    key_rules: KeyRules,
    timestamp: int,
    part: str,
    repeated: str,
) -> Event:
    namespace, name = text_at(item, "metadata.namespace"), text_at(item, "metadata.name")
    ref = clean(f"events/{namespace}/{name}{part}")
    kind, object_name = text_at(item, "involvedObject.kind"), text_at(item, _NAME)
    reason = text_at(item, "reason") or "no reason"
    message = clean(text_at(item, "message"))[:REASON_CHARACTERS]
    fine = text_at(item, "eventTime") or text_at(item, "series.lastObservedTime")
    keys = [*key_rules.in_text(message)]
    if pod := pod_named_by(item):
        keys.append(f"pod:{pod}")
    component = text_at(item, "source.component") or text_at(item, "reportingComponent")
    attributes = {
        "namespace": namespace,
        "reason": reason,
        "kind": kind,
        "component": component,
        "count": text_at(item, "count"),
    }
    return Event(
        timestamp=timestamp,
        source=source,
        lane=Lane.LOG,
        kind=Kind.CHANGE,
        body=f"{clean(reason)}: {message} ({clean(kind)} {clean(object_name)}{repeated})",
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=WARN if text_at(item, "type") == "Warning" else INFO,
        actor=clean(object_name or component),
        clock=clean(text_at(item, "source.host")),
        precision=Precision.MICROSECOND if "." in fine else Precision.SECOND,
        keys=tuple(dict.fromkeys(keys)),
        attributes=json.dumps({name: clean(value) for name, value in attributes.items() if value}),
    )
