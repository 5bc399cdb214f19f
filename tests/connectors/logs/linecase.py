"""One line of a log and the event that it must become, as both readers see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.logs.dialect import decide
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.reading import T0, load, write
from timeline.event import Precision

SECOND = T0 // 1_000_000_000 * 1_000_000_000
MICRO = SECOND + 110_123_000
MS, US, S = Precision.MILLISECOND, Precision.MICROSECOND, Precision.SECOND
NS = Precision.NANOSECOND


@dataclass(frozen=True)
class Case:
    """One line and what it must become."""

    line: str
    name: str
    timestamp: int
    precision: Precision
    severity: int
    body: str
    actor: str = "app"
    clock: str = ""


def named(case: Case) -> str:
    """What a case is called in the report."""
    return f"{case.name}: {case.line[:40]}"


def check_line(case: Case, folder: Path) -> None:
    """The line is of the format of its name, and becomes its event."""
    path = write(folder, "app.log", case.line)
    formats = decide([case.line], ZoneRule(), T0 // 10**9).formats
    assert next(item.name for item in formats if item.match(case.line)) == case.name
    (event,) = load(path).events
    assert event.timestamp == case.timestamp
    assert event.precision == case.precision
    assert event.severity_number == case.severity
    assert event.body == case.body
    assert (event.actor, event.clock) == (case.actor, case.clock)
