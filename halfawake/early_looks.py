"""When to look for what happened while sources are still read, and looking beside the reading.

One look at a time, in a thread of its own, so that reading and ingest go on. It never decides what
may be said: an incident knows which sources are still being read, and `timeline.analysis` keeps
silent on what only they could refute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.incident import Incident

EVERY_S = 0.7
"""Rest once something was said: a person does not read faster, and line one must not flicker."""
SOONEST_S = 0.25
"""Rest while there was nothing to say yet: as often as the screen is told of new rows."""
REST = 4.0
"""Rest after a look, as a multiple of what it took: looks have at most a fifth of one core."""
GREW = 1.5
"""A look is worth its cost once there is half as much again that may tell of trouble."""


class EarlyLooks:
    """Looks at the newest incident of one collection now and then, until it is ended."""

    def __init__(
        self, analyse: Callable[[Incident], Analysis], tell: Callable[[Analysis], None]
    ) -> None:
        self._analyse = analyse
        self._tell = tell
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="early look")
        self._looking: asyncio.Task[None] | None = None
        self._rest_until = 0.0
        self._telling = 0
        self._reading: tuple[str, ...] = ()

    @property
    def under_way(self) -> bool:
        return self._looking is not None and not self._looking.done()

    def consider(self, incident: Incident) -> None:
        """Begin a look at `incident` unless one is under way, or too little is new, or too soon."""
        if self.under_way or time.monotonic() < self._rest_until:
            return
        telling = telling_rows(incident)
        answered = incident.reading != self._reading
        if not telling or (telling <= self._telling * GREW and not answered):
            return
        self._telling, self._reading = telling, incident.reading
        self._looking = asyncio.create_task(self._look(incident))

    def end(self) -> None:
        """Tell nothing from now on. A look that is under way runs out unheard."""
        if self._looking is not None:
            self._looking.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _look(self, incident: Incident) -> None:
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        analysis = await loop.run_in_executor(self._thread, self._analyse, incident)
        ended = time.monotonic()
        least = EVERY_S if analysis.headline else SOONEST_S
        self._rest_until = ended + max(least, REST * (ended - began))
        self._tell(analysis)


def telling_rows(incident: Incident) -> int:
    """How many rows may tell of trouble: warnings, worse, and those that say no severity."""
    from timeline.event import SEVERITY_WARN

    severity = incident.snapshot.events.get_column("severity_number")
    return int(((severity >= SEVERITY_WARN) | (severity == 0)).sum())
