"""Resque workers that have stopped beating, and what they were running.

A killed worker says nothing: its last heartbeat and its job stay on record until another worker
of the installation starts, prunes it and files the job as failed. So a crash is an interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.queues.transitions import iso
from connectors.resque.life import PRUNE_S
from connectors.resque.records import Worker
from timeline.batch import Remark
from timeline.window import SECOND_NS

BEATS_MISSED = 2.5
"""Two heartbeats missed, and half of one as grace for a busy machine."""
NAMED = 5
"""Workers named one by one."""


def silent_after(heartbeat_s: int) -> int:
    """Nanoseconds without a heartbeat after which a worker counts as silent."""
    return int(heartbeat_s * BEATS_MISSED * SECOND_NS)


def oddities(
    source: str, workers: Sequence[Worker], now: int, heartbeat_s: int
) -> Iterator[Remark]:
    """Workers that fell silent, with the jobs they had."""
    limit = silent_after(heartbeat_s)
    silent = [one for one in workers if one.silent(now, limit)]
    for worker in silent[:NAMED]:
        yield Remark(
            source,
            "worker-silent",
            f"worker {worker.name}: last heartbeat {iso(worker.beat or 0)}, none until "
            f"{iso(now)}. It was killed, is stuck, or has lost Redis, at some instant between.",
        )
    orphans = [one.running.title for one in silent if one.running is not None]
    if orphans:
        yield Remark(
            source,
            "orphaned",
            f"{len(orphans)} jobs are on record only as running in a silent worker: "
            f"{', '.join(orphans[:NAMED])}. Resque files them as failed when another worker starts "
            f"{PRUNE_S} s (default) after that heartbeat or later; until then nobody retries them.",
            len(orphans),
        )
