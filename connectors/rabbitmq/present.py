"""What a broker is like right now: queues with their rules, alarms, and the connections.

Where dead letters go follows from arguments, policies and bindings, as they are today.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from connectors.answers import at, items, members, text, whole
from connectors.logs.jsonshape import JsonValue
from connectors.queues.present import QueueNow, depth_event
from connectors.rabbitmq.measured import Sample, measured
from timeline.clean import clean
from timeline.event import (
    SEVERITY_ERROR,
    SEVERITY_WARN,
    Event,
    Kind,
    Lane,
    Meaning,
    Precision,
    intrinsic_seq,
)
from timeline.window import SECOND_NS, Window

MILLISECOND_NS = 1_000_000
STATISTICS_LAG_NS = 10 * SECOND_NS
"""A node's uptime is as of its last report (every 5 s by default) and our clock of it ±1 s."""
QUEUE_COLUMNS = (
    "name",
    "vhost",
    "state",
    "type",
    "messages_ready",
    "messages_unacknowledged",
    "consumers",
    "policy",
    "effective_policy_definition",
    "arguments",
    "idle_since",
    "head_message_timestamp",
)
CONNECTION_COLUMNS = (
    "name",
    "connected_at",
    "peer_host",
    "user",
    "vhost",
    "state",
    "client_properties.connection_name",
    "client_properties.product",
)
NODE_COLUMNS = (
    "name",
    "running",
    "uptime",
    "partitions",
    "mem_alarm",
    "disk_free_alarm",
    "mem_used",
    "mem_limit",
    "disk_free",
    "disk_free_limit",
)
RULES = {
    "message-ttl": "message_ttl_ms",
    "expires": "expires_ms",
    "max-length": "max_length",
    "max-length-bytes": "max_length_bytes",
    "overflow": "overflow",
    "delivery-limit": "delivery_limit",
    "dead-letter-exchange": "dead_letter_exchange",
    "dead-letter-routing-key": "dead_letter_routing_key",
}
"""What makes messages leave a queue unasked: name in a policy -> name in our attributes."""
SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Queue -> the queues it dead-letters to, and the other way round. Keys are (vhost, name)."""

    to: Mapping[tuple[str, str], list[str]] = field(default_factory=dict)
    of: Mapping[tuple[str, str], list[str]] = field(default_factory=dict)


def identity(queue: JsonValue) -> tuple[str, str]:
    """Virtual host and name, as RabbitMQ has them."""
    return text(at(queue, "vhost")), text(at(queue, "name"))


def title(queue: JsonValue) -> str:
    """The name as a person knows it; the virtual host stands before it unless it is `/`."""
    vhost, name = identity(queue)
    return clean(name if vhost in ("", "/") else f"{vhost}/{name}")


def reference(queue: JsonValue) -> str:
    vhost, name = identity(queue)
    return clean(f"queues/{vhost}/{name}")


def rules(queue: JsonValue) -> dict[str, object]:
    """TTL, length limits and dead-lettering. Arguments go before the policy, as in the broker.

    Of two numbers the broker takes the smaller, whoever said it (RabbitMQ, "Parameters and
    Policies").
    """
    policy, arguments = at(queue, "effective_policy_definition"), at(queue, "arguments")
    found: dict[str, object] = {}
    for name, ours in RULES.items():
        said, own = at(policy, name), at(arguments, f"x-{name}")
        if isinstance(said, int) and isinstance(own, int):
            found[ours] = min(said, own)
        elif isinstance(value := said if own is None else own, int | str):
            found[ours] = clean(value) if isinstance(value, str) else value
    return found


def dead_letter_target(queue: JsonValue) -> tuple[str, str] | None:
    """Exchange and routing key (empty: the message's own) of what the queue dead-letters."""
    policy, arguments = at(queue, "effective_policy_definition"), at(queue, "arguments")

    def told(name: str) -> JsonValue:
        own = at(arguments, f"x-{name}")
        return at(policy, name) if own is None else own

    exchange = told("dead-letter-exchange")
    if not isinstance(exchange, str):
        return None
    return exchange, text(told("dead-letter-routing-key"))


def queue_now(source: str, queue: JsonValue, letters: DeadLetters, now: int) -> Event:
    """Depth and rules of a queue at `now` (ns UTC, the broker's clock)."""
    name, place = title(queue), identity(queue)
    ready, consumers = whole(at(queue, "messages_ready")), whole(at(queue, "consumers"))
    state = clean(text(at(queue, "state")))
    notes = []
    if state and state != "running":
        notes.append(f"its state is {state}")
    if ready and not consumers:
        notes.append("nobody consumes it")
    if origins := letters.of.get(place):
        notes.append(f"it takes the dead letters of {_named(origins)}")
    if targets := letters.to.get(place):
        notes.append(f"its dead letters go to {_named(targets)}")
    limits = rules(queue)
    if "message_ttl_ms" in limits:
        notes.append(f"messages expire after {_seconds(limits['message_ttl_ms'])}")
    if "max_length" in limits:
        notes.append(f"it holds {limits['max_length']} at most")
    head = whole(at(queue, "head_message_timestamp"))
    details = {
        "consumers": consumers,
        "policy": clean(text(at(queue, "policy"))),
        "type": clean(text(at(queue, "type"))),
        "idle_since": clean(text(at(queue, "idle_since"))),
        "dead_letters_to": targets or [],
        "dead_letters_of": origins or [],
        **limits,
    }
    event = depth_event(
        source,
        QueueNow(
            name,
            reference(queue),
            waiting=ready,
            running=whole(at(queue, "messages_unacknowledged")),
            oldest=head * SECOND_NS if head > 0 else None,
            counts={"consumers": consumers},
            note=", ".join(notes),
            details=details,
        ),
        now,
    )
    alarming = ready and (origins or not consumers)
    severity = SEVERITY_WARN if alarming else 0
    return replace(event, severity_number=severity, precision=Precision.SECOND)


def node_now(source: str, node: JsonValue, now: int) -> Iterator[Event]:
    """Alarms, partitions and absence of one node at `now`; nothing when all is well."""
    name = clean(text(at(node, "name")))
    troubles = []
    if at(node, "running") is False:
        troubles.append("it is not running")
    if at(node, "mem_alarm") is True:
        troubles.append("memory alarm: publishers are held up")
    if at(node, "disk_free_alarm") is True:
        troubles.append("disk alarm: publishers are held up")
    if apart := [clean(text(other)) for other in items(at(node, "partitions"))]:
        troubles.append(f"it does not see {_named(apart)}: a network partition")
    if troubles:
        ref = f"nodes/{name}@{now}"
        words = f"{name} now: {', '.join(troubles)}"
        details = {"node": name, "troubles": troubles}
        yield measured(source, name, Sample(ref, now, words, details, SEVERITY_ERROR), now=True)


def node_start(source: str, node: JsonValue, now: int) -> Event | None:
    """When a node started: the earliest it can have been, known to less than a minute."""
    name, uptime = clean(text(at(node, "name"))), whole(at(node, "uptime"))
    if uptime <= 0:
        return None
    stamp = now - uptime * MILLISECOND_NS - STATISTICS_LAG_NS
    ref = f"nodes/{name}#started"
    return Event(
        timestamp=stamp // SECOND_NS * SECOND_NS,
        source=source,
        lane=Lane.QUEUE,
        kind=Kind.CHANGE,
        body=f"{name} started (from its uptime); its statistics begin here",
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=SEVERITY_WARN,
        actor=name,
        meaning=Meaning.DERIVED,
        precision=Precision.MINUTE,
        attributes=json.dumps({"node": name, "uptime_s": uptime // 1_000}, ensure_ascii=False),
    )


def connected(source: str, connection: JsonValue, window: Window) -> Event | None:
    """The opening of a connection that is still there: after T, a client that came back."""
    stamp = whole(at(connection, "connected_at")) * MILLISECOND_NS
    if not window.contains(stamp):
        return None
    peer = clean(text(at(connection, "name"))).partition(" -> ")[0]
    client = members(at(connection, "client_properties"))
    who = clean(text(client.get("connection_name")) or text(client.get("product")) or "a client")
    ref = f"connections/{clean(text(at(connection, 'name')))}"
    details = {
        "peer": peer,
        "user": clean(text(at(connection, "user"))),
        "vhost": clean(text(at(connection, "vhost"))),
        "state": clean(text(at(connection, "state"))),
        "product": clean(text(client.get("product"))),
    }
    return Event(
        timestamp=stamp,
        source=source,
        lane=Lane.QUEUE,
        kind=Kind.CHANGE,
        body=f"{who} connected from {peer} as {details['user']}; still connected",
        ref=ref,
        seq=intrinsic_seq(ref),
        actor=who,
        attributes=json.dumps(details, ensure_ascii=False),
    )


def blocked_now(source: str, connections: list[JsonValue], now: int) -> Iterator[Event]:
    """How many connections the broker holds up at `now`; nothing when it holds up none."""
    held = [c for c in connections if text(at(c, "state")) in ("blocked", "blocking")]
    if held:
        words = f"{len(held)} connections are blocked now: the broker does not read from them"
        sample = Sample(f"connections@{now}", now, words, {"blocked": len(held)}, SEVERITY_ERROR)
        yield measured(source, "connections", sample, now=True)


def _named(names: list[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _seconds(milliseconds: object) -> str:
    return f"{milliseconds / 1_000:g} s" if isinstance(milliseconds, int) else "a time"
