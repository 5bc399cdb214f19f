"""What a person asked to see first: services, keys and texts, typed or taken from a pasted alert.

Pure. A wish hides nothing for good: it becomes conditions of the screen's filter, the order of
findings, and rows that are always shown. Every source is read whatever is wished.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from timeline.event import SEVERITY_WARN
from timeline.filter_terms import Field, Filter, Part

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.event import Event
    from timeline.finding import Finding
    from timeline.incident import Incident
    from timeline.store import Snapshot

JOINTS = "-_./:@"
"""Signs between a service and what tells its instances apart: `web-1`, `web.7f9c`, `web@host`."""
ROWS_OF_A_SERVICE = 5
"""Warnings and worse of a wished service that an export always shows, the nearest to T."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`texts` are searched as they stand; `typed` is False where a paste said it all."""

    services: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    typed: bool = True

    def __bool__(self) -> bool:
        return bool(self.services or self.keys or self.texts)


def belongs(name: str, service: str) -> bool:
    """Whether an actor or source is the service or an instance of it, in capitals or not."""
    name, service = name.lower(), service.lower()
    return name == service or (name.startswith(service) and name[len(service)] in JOINTS)


def service_parts(snapshot: Snapshot, services: Iterable[str]) -> tuple[Part, ...]:
    """Conditions for the rows of `services`, by the actors there are, else by the sources.

    Empty when one of them is neither: a filter that nothing meets would hide everything.
    """
    actors = [str(name) for name in snapshot.events.get_column("actor").unique().to_list() if name]
    found: list[Part] = []
    for service in services:
        named = sorted(name for name in actors if belongs(name, service))
        field = Field.ACTOR
        if not named:
            named = [name for name in snapshot.sources if belongs(name, service)]
            field = Field.SOURCE
        if not named or (found and found[0].field is not field):
            return ()
        whole = [name for name in named if name.lower() == service.lower()]
        more = sorted({f"{service}{name[len(service)]}*" for name in named if name not in whole})
        found += [Part(field, name) for name in (*whole, *more)]
    return tuple(found)


def filter_of(snapshot: Snapshot, wish: Wish) -> Filter:
    """The filter that shows what is wished; without the conditions that no row meets."""
    from timeline.filters import rows_of

    wanted = Filter(service_parts(snapshot, wish.services))
    for text in wish.texts:
        narrower = wanted.adding(Part(Field.TEXT, text))
        rows = rows_of(snapshot, narrower)
        if rows is not None and len(rows):
            wanted = narrower
    return wanted


def first_of(analysis: Analysis, services: Sequence[str]) -> Analysis:
    """The same analysis, the findings that involve one of `services` before the others."""
    if not services:
        return analysis
    mine = [finding for finding in analysis.findings if involves(finding, services)]
    others = [finding for finding in analysis.findings if finding not in mine]
    return replace(analysis, findings=(*mine, *others))


def involves(finding: Finding, services: Sequence[str]) -> bool:
    """Whether one of the finding's records was spoken by one of `services`."""
    spoken = {name for step in finding.steps for name in (step.event.actor, step.event.source)}
    return any(belongs(name, service) for name in spoken if name for service in services)


def rows_of_services(incident: Incident, services: Sequence[str]) -> tuple[Event, ...]:
    """The warnings and worse of `services` nearest to T, for an export that must show them."""
    import polars as pl

    from timeline.filters import rows_of

    parts = service_parts(incident.snapshot, services)
    window = incident.window
    if not parts:
        return ()
    bad = incident.snapshot.where(
        (pl.col("severity_number") >= SEVERITY_WARN)
        & pl.col("timestamp").is_between(window.start, window.end, closed="left")
    )
    passing = rows_of(incident.snapshot, Filter(parts))
    if passing is None:
        return ()
    rows = bad.filter(bad.is_in(passing.implode()))
    times = incident.snapshot.events["timestamp"].gather(rows)
    nearest = (times - window.pin).abs().arg_sort()[:ROWS_OF_A_SERVICE]
    return tuple(incident.snapshot.events_at(rows.gather(nearest).to_list()))
