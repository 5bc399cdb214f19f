"""Finds the instant for a key: `halfawake at order:4711` has no time, so what is found gives it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from halfawake.cli import UsageProblem
from halfawake.collection import CollectionSession
from halfawake.collector import SetupProblem
from halfawake.exit_codes import ExitCode
from timeline.event import SEVERITY_ERROR
from timeline.progress import IncidentGrew, Update
from timeline.window import MINUTE_NS, Window

if TYPE_CHECKING:
    from halfawake.setup import Setup
    from timeline.incident import Incident

SPAN_NS = 7 * 24 * 60 * MINUTE_NS
"""How far back sources that need a time range are searched for a key."""


def locate(key: str, prepare: Callable[[], Setup], now: int) -> int:
    """The instant (ns UTC) at which the story of `key` went wrong, else at which it ended.

    Raises `UsageProblem` when no source knows the key, naming the sources that were asked.
    """
    try:
        setup = prepare()
    except SetupProblem as problem:
        raise UsageProblem(str(problem), ExitCode(problem.exit_code)) from None
    sys.stderr.write(f"halfawake: looking up {key} …\n")
    newest: list[Incident] = []

    def keep(update: Update) -> None:
        if isinstance(update, IncidentGrew):
            newest[:] = [update.incident]

    asyncio.run(_search(setup, key, now, keep))
    instant = story_instant(newest[0], key) if newest else None
    if instant is None:
        asked = ", ".join(source.info.name for source in setup.sources)
        raise UsageProblem(
            f"No source knows {key} in the last 7 days (asked: {asked}). "
            "Give a time, or check the [keys] section of the configuration.",
            ExitCode.NO_ANSWER,
        )
    return instant


async def _search(setup: Setup, key: str, now: int, listener: Callable[[Update], None]) -> None:
    session = CollectionSession(setup, listener, time.time_ns)
    try:
        await session.find(key, Window(now, now - SPAN_NS, now + 1))
    finally:
        await session.close()
        setup.release()


def story_instant(incident: Incident, key: str) -> int | None:
    """First error or failed job that carries `key`, else its last event; None without events."""
    events = incident.snapshot.events_at(incident.snapshot.rows_with([key]).to_list())
    failed = [
        event
        for event in events
        if event.severity_number >= SEVERITY_ERROR or event.kind.value in ("job.failed", "job.dead")
    ]
    chosen = failed[0] if failed else (events[-1] if events else None)
    return None if chosen is None else chosen.timestamp
