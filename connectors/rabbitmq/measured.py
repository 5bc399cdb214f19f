"""A number of the broker's as an event: as it is now, or as a sample of then shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at `stamp` (ns UTC, the broker's clock, whole seconds)."""

    ref: str
    stamp: int
    words: str
    details: Mapping[str, object]
    severity: int = 0


def measured(source: str, actor: str, sample: Sample, *, now: bool = False) -> Event:
    """The event. What a sample shows happened no later than its stamp."""
    details = {**sample.details, "now": True} if now else sample.details
    return Event(
        timestamp=sample.stamp,
        source=source,
        lane=Lane.QUEUE,
        kind=Kind.METRIC,
        body=sample.words,
        ref=sample.ref,
        seq=intrinsic_seq(sample.ref),
        severity_number=sample.severity,
        actor=actor,
        meaning=Meaning.POLLED,
        precision=Precision.SECOND,
        attributes=json.dumps(details, ensure_ascii=False),
    )
