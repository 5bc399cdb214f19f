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

if TYPE_CHECKING:
    from halfawake.where import Target
    from timeline.analysis import Analysis
    from timeline.incident import Incident


@dataclass
class Collected:
    """What a finished collection left."""

    incident: Incident
    analysis: Analysis
    statuses: tuple[SourceStatus, ...]

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
    wants_key = target.key is not None
    waiter = _Waiter(ends=2 if wants_key else 1)
    target.collector.start(target.window, waiter.take)
    if target.key is not None:
        target.collector.look_up([target.key])
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
    return Collected(waiter.grew.incident, waiter.grew.analysis, waiter.statuses)
