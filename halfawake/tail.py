"""Reads on behind the window: what arrives while the screen is looked at.

Each round reads what came since the last one from every source, with an overlap for records that
arrive late. It rests in proportion to what a round cost, so that watching a quiet system costs
next to nothing, on this machine and on those that are asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from halfawake.collection import CollectionSession

EVERY_S = 2.0
"""A round begins no sooner after the last one; logs take about as long to become searchable."""
AT_MOST_S = 20.0
REST_PER_CPU = 150
"""Seconds of rest for each second of processor time that a round took: less than one percent."""
OVERLAP_NS = 15 * SECOND_NS
"""Read again each time: Elasticsearch shows a document after its refresh, shippers hold a batch
for seconds. What arrives later than this is not seen until the window is opened anew."""


class Tail:
    """Follows one session until it is cancelled."""

    def __init__(self, session: CollectionSession, now: Callable[[], int]) -> None:
        self._session = session
        self._now = now

    async def run(self) -> None:
        """Round after round; a source that fails is asked again in the next."""
        while (reach := self._session.reach) is not None:
            began = time.process_time()
            if (now := self._now()) > reach:
                await self._session.extend(now, OVERLAP_NS)
            spent = time.process_time() - began
            await asyncio.sleep(min(max(EVERY_S, spent * REST_PER_CPU), AT_MOST_S))
