"""What one BullMQ queue is like right now, and the counts per minute that its workers kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.bullmq.options import Names
from connectors.bullmq.stream import MS_NS
from connectors.queues.present import QueueNow
from connectors.queues.redis_source import listed, name, octets, replies, scored, text, whole
from connectors.queues.transitions import WORKER_CLOCK, epoch_ns
from connectors.redis_reads import PAGE, Command, RedisReads
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import MINUTE_NS, Window

HEAD_JOBS = 100
"""Waiting jobs read from the end that runs next."""
MAX_RUNNING = 200
LISTS = ("wait", "paused", "active")
SETS = ("prioritized", "delayed", "completed", "failed", "waiting-children")
META_FIELDS = ("version", "paused", "opts.maxLenEvents", "concurrency")
SCORE_STEP = 4096
"""A delayed job's score is its due time in ms times this, plus a counter (bullmq 6.7)."""
MARKER = "0:"
"""Elements of `wait` that begin so are no jobs but wake-up markers (BullMQ 4)."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue as it is now. Ids are as Redis has them."""

    names: Names
    counts: dict[str, int]
    meta: dict[str, str]
    waiting: tuple[str, ...]
    """Those that run next, soonest first."""
    active: tuple[str, ...]
    unlocked: tuple[str, ...]
    """Active jobs without a lock: nobody has renewed it for a whole lock duration."""
    due: tuple[tuple[str, int], ...]
    oldest: int | None

    @property
    def exists(self) -> bool:
        return bool(any(self.meta.values()) or any(self.counts.values()))

    def now(self) -> QueueNow:
        counts = self.counts
        notes = []
        if self.meta["paused"] or counts["paused"]:
            notes.append("the queue is paused")
        if counts["delayed"] > len(self.due):
            notes.append(f"due times of {len(self.due)} delayed jobs were read")
        if counts["active"] > len(self.active):
            notes.append(f"{len(self.active)} active jobs were looked at")
        return QueueNow(
            clean(self.names.queue),
            clean(self.names.key("wait")),
            waiting=counts["wait"] + counts["paused"] + counts["prioritized"],
            running=counts["active"],
            scheduled=counts["delayed"],
            due=[(clean(job), due) for job, due in self.due],
            overdue=[clean(job) for job in self.unlocked],
            oldest=self.oldest,
            counts=counts,
            note="; ".join(notes),
        )


async def read_state(redis: RedisReads, names: Names) -> QueueState:
    """What waits, runs and comes due in one queue, bounded; heads of long lists only."""
    answered = await replies(
        redis,
        [
            *(("LLEN", names.key(kind)) for kind in LISTS),
            *(("ZCARD", names.key(kind)) for kind in SETS),
            ("HMGET", names.key("meta"), *META_FIELDS),
            ("LRANGE", names.key("wait"), -HEAD_JOBS, -1),
            ("LRANGE", names.key("active"), -MAX_RUNNING, -1),
            (
                "ZRANGEBYSCORE",
                names.key("delayed"),
                *("-inf", "+inf", "WITHSCORES", "LIMIT", 0, PAGE),
            ),
        ],
    )
    counts = dict(zip((*LISTS, *SETS), map(whole, answered), strict=False))
    meta, waiting, active, delayed = answered[-4:]
    running = tuple(name(job) for job in listed(active))
    next_up = tuple(
        job for job in map(name, reversed(listed(waiting))) if not job.startswith(MARKER)
    )
    commands: list[Command] = [("PTTL", names.key(f"{job}:lock")) for job in running]
    commands += [("HGET", names.key(job), "timestamp") for job in next_up[:1]]
    further = await replies(redis, commands)
    locks, oldest = further[: len(running)], further[len(running) :]
    return QueueState(
        names=names,
        counts=counts,
        meta=dict(zip(META_FIELDS, map(text, listed(meta)), strict=False)),
        waiting=next_up,
        active=running,
        unlocked=tuple(job for job, ttl in zip(running, locks, strict=True) if ttl == -2),
        due=tuple(
            (job, due)
            for job, score in scored(delayed)
            if (due := epoch_ns(score // SCORE_STEP, MS_NS)) is not None
        ),
        oldest=epoch_ns(octets(oldest[0]), MS_NS) if oldest else None,
    )


async def minute_counts(
    redis: RedisReads, source: str, names: Names, window: Window
) -> list[Event]:
    """Jobs completed and failed in each minute of `window`, where workers keep metrics.

    The newest element counts the minute before that of `prevTS` (collectMetrics.lua, 6.7).
    """
    events: list[Event] = []
    for kind in ("completed", "failed"):
        key = names.key(f"metrics:{kind}")
        stamp = epoch_ns(octets(await redis.one("HGET", key, "prevTS")), MS_NS)
        if stamp is None:
            continue
        newest = stamp // MINUTE_NS - 1
        first = max(newest - (window.end - 1) // MINUTE_NS, 0)
        last = min(newest - window.start // MINUTE_NS, first + PAGE - 1)
        if last < first:
            continue
        counted = listed(await redis.one("LRANGE", f"{key}:data", first, last))
        events += _metrics(source, names, kind, newest - first, [text(n) for n in counted], window)
    return events


def _metrics(
    source: str, names: Names, kind: str, newest: int, counted: list[str], window: Window
) -> Iterator[Event]:
    queue = clean(names.queue)
    for place, count in enumerate(counted):
        stamp = (newest - place) * MINUTE_NS
        if count in ("", "0") or not window.contains(stamp):
            continue
        ref = clean(f"{names.key(f'metrics:{kind}')}@{stamp}")
        yield Event(
            timestamp=stamp,
            source=source,
            lane=Lane.QUEUE,
            kind=Kind.METRIC,
            body=f"{queue}: {count} {kind} in this minute",
            ref=ref,
            seq=intrinsic_seq(ref),
            actor=queue,
            clock=WORKER_CLOCK,
            precision=Precision.MINUTE,
            attributes=json.dumps({"queue": queue, kind: count}),
        )
