"""What is read of dramatiq's keys, in the direction in which messages travel, all of it bounded.

A worker holds fetched messages in memory, delayed ones too; Redis knows only that it has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.dramatiq.messages import MS_NS, Message
from connectors.dramatiq.options import DEAD, DELAYED, MESSAGES, DramatiqOptions
from connectors.queues.account import Account
from connectors.queues.payload import json_value, mapping, opaque, too_large
from connectors.queues.redis_pages import by_score
from connectors.queues.redis_source import bounded_fields, ends, members, replies, scored, whole
from connectors.queues.transitions import epoch_ns
from connectors.redis_reads import RedisReads
from timeline.clean import clean
from timeline.window import SECOND_NS, Window

END_MESSAGES = 500
"""Waiting messages read from either end of a queue: the head runs next."""
MAX_WORKERS = 200


@dataclass(frozen=True, slots=True)
class Worker:
    """One broker process, named by a random id. `beat` is its own clock (ns UTC)."""

    id: str
    beat: int | None
    held: Mapping[str, Sequence[str]]
    """Redis ids of fetched, unacknowledged messages by queue, delayed ones included."""


@dataclass(frozen=True, slots=True)
class State:
    now: int
    workers: Sequence[Worker]
    queues: Mapping[str, tuple[dict[str, int], list[Message]]]

    @property
    def messages(self) -> list[Message]:
        return [message for _, found in self.queues.values() for message in found]

    def silent(self, worker: Worker, timeout_s: float) -> bool:
        """Whether the worker has given no heartbeat for longer than `timeout_s`."""
        return worker.beat is not None and self.now - worker.beat > timeout_s * SECOND_NS


@dataclass(frozen=True, slots=True)
class DramatiqReads:
    """Bounded reads of one broker's keys."""

    redis: RedisReads
    options: DramatiqOptions

    async def state(self, account: Account, window: Window | None) -> State:
        """Queues in the direction in which messages travel: waiting, held, delayed, dead."""
        workers = await self._workers()
        queues = {}
        for queue in self.options.queues:
            waiting = await self._waiting(queue, account)
            held = await self._held(queue, workers)
            delayed = await self._delayed(queue, workers, account)
            dead = await self._dead(queue, window, account)
            key = self.options.key(queue)
            sizes = await replies(
                self.redis,
                [("LLEN", key), ("HLEN", key + DELAYED + MESSAGES), ("ZCARD", key + DEAD)],
            )
            counts = dict(zip(("waiting", "delayed", "dead"), map(whole, sizes), strict=True))
            counts["held"] = sum(len(worker.held.get(queue, ())) for worker in workers)
            found = {m.redis_id: m for m in (*waiting, *held, *delayed, *dead)}
            queues[queue] = (counts, list(found.values()))
        return State(account.now, workers, queues)

    async def _workers(self) -> list[Worker]:
        beats = self.options.key("__heartbeats__")
        reply = await self.redis.one("ZRANGE", beats, -MAX_WORKERS, -1, "WITHSCORES")
        names = [n for queue in self.options.queues for n in (queue, queue + DELAYED)]
        found = []
        for worker, beat in scored(reply):
            keys = [f"{self.options.key('__acks__')}.{worker}.{name}" for name in names]
            sizes = await replies(self.redis, [("SCARD", key) for key in keys])
            held = {
                name: await members(self.redis, key, END_MESSAGES)
                for name, key, size in zip(names, keys, sizes, strict=True)
                if whole(size)
            }
            found.append(Worker(worker, epoch_ns(beat, MS_NS), held))
        return found

    async def _waiting(self, queue: str, account: Account) -> list[Message]:
        key = self.options.key(queue)
        length = whole(await self.redis.one("LLEN", key))
        ids = await ends(self.redis, key, length, END_MESSAGES)
        if length > len(ids):
            account.cut(
                f"{clean(queue)}: {length} messages wait; {len(ids)} from both ends were read"
            )
        return await self._messages(queue, "waiting", key, [_name(i) for i in ids])

    async def _held(self, queue: str, workers: Sequence[Worker]) -> list[Message]:
        ids = [i for worker in workers for i in worker.held.get(queue, ())]
        return await self._messages(queue, "held", self.options.key(queue), ids)

    async def _delayed(
        self, queue: str, workers: Sequence[Worker], account: Account
    ) -> list[Message]:
        """Delayed messages: workers hold them in memory; others wait in the delay queue's list."""
        key = self.options.key(queue) + DELAYED
        length = whole(await self.redis.one("LLEN", key))
        ids = [_name(i) for i in await ends(self.redis, key, length, END_MESSAGES)]
        ids += [i for worker in workers for i in worker.held.get(queue + DELAYED, ())]
        total = whole(await self.redis.one("HLEN", key + MESSAGES))
        if total > len(set(ids)):
            account.cut(f"{clean(queue)}: {total} messages are delayed; {len(ids)} were read")
        return await self._messages(queue, "delayed", key, ids)

    async def _dead(self, queue: str, window: Window | None, account: Account) -> list[Message]:
        """Messages that died since the window began, else the newest; at most `max_jobs`."""
        key, limit = self.options.key(queue) + DEAD, self.options.max_jobs
        low = window.start / MS_NS if window is not None else 0.0
        found = await by_score(self.redis, key, low, limit, self.options.page_jobs)
        if len(found) > limit:
            account.cut(f"{clean(queue)}: more than {limit} dead messages; the oldest were read")
        died = {_name(member): epoch_ns(score, MS_NS) for member, score in found[:limit]}
        return await self._messages(queue, "dead", key, list(died), died)

    async def _messages(
        self,
        queue: str,
        place: str,
        key: str,
        ids: Sequence[str],
        died: Mapping[str, int | None] | None = None,
    ) -> list[Message]:
        """The messages that still exist; a large or foreign body is only measured."""
        unique = list(dict.fromkeys(ids))
        places = [(key + MESSAGES, redis_id) for redis_id in unique]
        contents, large = await bounded_fields(self.redis, places)
        found = []
        for redis_id, at, content in zip(unique, places, contents, strict=True):
            if content is None and at not in large:
                continue
            fields = mapping(json_value(content or b""))
            unread = "" if fields else opaque(content or b"")
            unread = too_large(large[at]) if at in large else unread
            stamp = (died or {}).get(redis_id)
            found.append(Message(redis_id, queue, place, key, fields, unread, stamp))
        return found


def _name(raw: bytes) -> str:
    """A message's id in Redis, fit to be asked for again."""
    return raw.decode("utf-8", "surrogateescape")
