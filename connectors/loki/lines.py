"""Loki's lines as events: what the line says of itself, what the labels say of its writer.

An entry's stamp is whatever the shipping agent gave it, often the moment it read the line. So a
line's own stamp is preferred when both are close; otherwise the entry's stamp says "not later".
Each entry is an event of its own: Loki keeps no order between entries that could join them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.logs.dialect import Dialect, decide
from connectors.logs.levels import severity_of
from connectors.logs.record import BODY_LIMIT, CUT_MARK
from connectors.logs.zones import ZoneRule
from connectors.loki.api import Entry
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

SHIPPING_NS = 30 * SECOND_NS
"""A line's own stamp further from its entry's than this is in a zone we do not know, or old."""
SERVICES = ("service_name", "app", "app_kubernetes_io_name", "container", "job", "unit")
HOSTS = ("node_name", "node", "hostname", "host", "nodename")
LEVELS = ("level", "severity", "detected_level")


@dataclass(frozen=True, slots=True)
class Lines:
    """How the lines of one source are read."""

    source: str
    key_rules: KeyRules
    dialect: Dialect

    def event(self, entry: Entry) -> Event:
        """The event of one entry."""
        read = self.dialect.read(entry.line)
        labels, metadata = dict(entry.labels), dict(entry.metadata)
        own = read.stamp if read is not None else None
        stamp, precision, meaning = entry.timestamp, Precision.NANOSECOND, Meaning.INGESTED
        if own is not None and own.ns is not None and abs(own.ns - stamp) <= SHIPPING_NS:
            stamp, precision, meaning = own.ns, own.precision, Meaning.OCCURRED
        told = {**labels, **metadata}
        severity = read.severity_number if read is not None else 0
        level = next((told[name] for name in LEVELS if name in told), None)
        ref = reference(entry)
        body = clean(read.message if read is not None else entry.line)
        searched = [entry.line, " ".join(f"{name}={value}" for name, value in entry.metadata)]
        keys = dict.fromkeys(key for text in searched for key in self.key_rules.in_text(text))
        return Event(
            timestamp=stamp,
            source=self.source,
            lane=Lane.LOG,
            kind=Kind.LOG,
            body=(body if len(body) <= BODY_LIMIT else body[:BODY_LIMIT] + CUT_MARK) or "(empty)",
            ref=ref,
            seq=intrinsic_seq(ref),
            severity_number=severity or severity_of(level),
            actor=clean(_actor(told) or (read.service if read is not None else "")),
            clock=clean(next((told[name] for name in HOSTS if name in told), "")),
            meaning=meaning,
            precision=precision,
            keys=tuple(keys),
            attributes=_attributes(entry, labels, metadata),
        )


def reference(entry: Entry) -> str:
    """The entry's name: Loki keeps one entry per stream, stamp, line and metadata."""
    text = json.dumps((entry.labels, entry.line, entry.metadata))
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{entry.timestamp}#{digest}"


def dialect_of(sample: Sequence[Entry], zone: ZoneRule, not_after: int) -> Dialect:
    """The format of the lines, decided from a sample."""
    return decide([entry.line for entry in sample], zone, not_after)


def _actor(labels: dict[str, str]) -> str:
    """`pod/container` where Kubernetes is below, else the service."""
    if pod := labels.get("pod"):
        container = labels.get("container", "")
        return f"{pod}/{container}" if container else pod
    return next((labels[name] for name in SERVICES if name in labels), "")


def _attributes(entry: Entry, labels: dict[str, str], metadata: dict[str, str]) -> str:
    def cleaned(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
        return {clean(name): clean(value) for name, value in pairs}

    told = {"labels": cleaned(labels.items()), "loki_timestamp": str(entry.timestamp)}
    if metadata:
        told["structured_metadata"] = cleaned(metadata.items())
    return json.dumps(told, ensure_ascii=False)
