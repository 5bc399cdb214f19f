"""Collects without a screen, for pipes, CI, `capture`, `export` and `findings`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfawake.cli import UsageProblem
from halfawake.exit_codes import ExitCode
from timeline.progress import (
    Broke,
    CollectionEnded,
    IncidentGrew,
    Phase,
    SetupFailed,
    SourceStatus,
    StatusChanged,
    Update,
)
from timeline.wish import Wish, first_of

if TYPE_CHECKING:
    from halfawake.where import Target
    from timeline.analysis import Analysis
    from timeline.event import Event
    from timeline.incident import Incident


@dataclass
class Collected:
    """What a finished collection left."""

    incident: Incident
    analysis: Analysis
    statuses: tuple[SourceStatus, ...]
    wish: Wish = field(default_factory=Wish)

    @property
    def marked(self) -> tuple[Event, ...]:
        """Rows that an export must show because their service was asked for."""
        if not self.wish.services:
            return ()
        from timeline.wish import rows_of_services

        return rows_of_services(self.incident, self.wish.services)

    @property
    def exit_code(self) -> ExitCode:
        return exit_code_of(self.statuses)


def exit_code_of(statuses: Sequence[SourceStatus]) -> ExitCode:
    """3 when some source failed or was cut, 4 when all failed, else 0."""
    phases = [status.phase for status in statuses]
    if phases and all(phase is Phase.FAILED for phase in phases):
        return ExitCode.NO_ANSWER
    if any(phase in (Phase.FAILED, Phase.CUT) for phase in phases):
        return ExitCode.PARTIAL
    return ExitCode.DONE


@dataclass
class _Waiter:
    """Keeps the newest of everything until the collection ends."""

    ends: int
    done: threading.Event = field(default_factory=threading.Event)
    grew: IncidentGrew | None = None
    statuses: tuple[SourceStatus, ...] = ()
    failure: SetupFailed | Broke | None = None

    def take(self, update: Update) -> None:
        if isinstance(update, IncidentGrew):
            self.grew = update
        elif isinstance(update, StatusChanged):
            self.statuses = update.statuses
        elif isinstance(update, (SetupFailed, Broke)):
            self.failure = update
            self.done.set()
        elif isinstance(update, CollectionEnded):
            self.statuses = update.statuses
            self.ends -= 1
            if self.ends <= 0:
                self.done.set()


def collect(target: Target) -> Collected:
    """Collect `target` to its end. Raises `UsageProblem` when nothing could be set up."""
    keys = [target.key] if target.key is not None else list(target.wish.keys)
    waiter = _Waiter(ends=2 if keys else 1)
    target.collector.start(target.window, waiter.take)
    if keys:
        target.collector.look_up(keys)
    try:
        waiter.done.wait()
    finally:
        target.collector.close()
    if isinstance(waiter.failure, Broke):
        raise waiter.failure.error
    if waiter.failure is not None:
        raise UsageProblem(waiter.failure.sentence, ExitCode(waiter.failure.exit_code))
    if waiter.grew is None or waiter.grew.analysis is None:
        raise UsageProblem("Nothing was collected.", ExitCode.NO_ANSWER)
    for status in waiter.statuses:
        if status.problem:
            sys.stderr.write(f"halfawake: {status.source}: {status.problem}\n")
    analysis = first_of(waiter.grew.analysis, target.wish.services)
    if target.wish.typed:
        _tell_services(waiter.grew.incident, target.wish.services)
    return Collected(waiter.grew.incident, analysis, waiter.statuses, target.wish)


def _tell_services(incident: Incident, services: Sequence[str]) -> None:
    """A service that nobody is called must not look like one that had no trouble."""
    from timeline.wish import service_parts

    for service in services:
        if not service_parts(incident.snapshot, [service]):
            sys.stderr.write(f"halfawake: no row was spoken by a service {service!r}\n")
