"""BullMQ's events stream: a queue's history on Redis' own clock, as far back as it reaches.

Entries are written by the same script that moves the job, so an entry's neighbours tell what it
was part of: `delayed` right behind `added` schedules a new job, any other puts one back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.bullmq.options import Names
from connectors.queues.redis_source import VALUE_BYTES, affordable, listed, text, whole
from connectors.queues.transitions import epoch_ns
from connectors.redis_reads import RedisReads, Reply
from timeline.window import Window

MS_NS = 1_000_000
NOT_KEPT = frozenset(("returnvalue",))
"""Left out of what is kept: the application's data, of any size."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stream entry. `stamp` is Redis' clock (ns UTC); texts are cleaned."""

    id: str
    stamp: int
    event: str
    job: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What was read of one queue's stream, oldest first."""

    entries: Sequence[Entry] = ()
    begins: int | None = None
    """Stamp of the oldest entry that the stream still has; None when it has none."""
    is_whole: bool = False
    """Whether every entry that exists was read."""
    length: int = 0
    cut: bool = False
    """Whether entries of the window itself were left unread."""

    def names(self) -> dict[str, str]:
        """Job names by id, which only `added` carries."""
        return {e.job: e.fields.get("name", "") for e in self.entries if e.event == "added"}


async def read_history(
    redis: RedisReads, names: Names, window: Window | None, most: int, page: int
) -> History:
    """All entries of a stream of up to `most`, else the first `most` of `window`."""
    key = names.key("events")
    length = whole(await redis.one("XLEN", key))
    first = _entries(await redis.one("XRANGE", key, "-", "+", "COUNT", 1)) if length else []
    if not first:
        return History(is_whole=True)
    count = max(1, await affordable(redis, key, length, page))
    is_whole = length <= most
    if not is_whole and window is None:
        return History((), first[0].stamp, length=length, cut=True)
    start, end = "-", "+"
    if not is_whole and window is not None:
        start, end = str(max(window.start, 0) // MS_NS), str(max(window.end - 1, 0) // MS_NS)
    read: list[Entry] = []
    more = True
    while more and len(read) < most:
        entries = _entries(await redis.one("XRANGE", key, start, end, "COUNT", count))
        read += entries
        more = len(entries) == count
        start = _after(entries[-1].id) if entries else start
    cut = more and len(read) >= most
    return History(read[:most], first[0].stamp, is_whole and not cut, length, cut)


def _after(entry_id: str) -> str:
    """The smallest id behind `entry_id`; the exclusive `(` needs Redis 6.2."""
    milliseconds, _, sequence = entry_id.partition("-")
    return f"{milliseconds}-{int(sequence) + 1}"


def _entries(reply: Reply) -> list[Entry]:
    return [entry for part in listed(reply) if (entry := _entry(listed(part))) is not None]


def _entry(parts: Sequence[Reply]) -> Entry | None:
    if len(parts) != 2:
        return None
    entry_id = text(parts[0])
    stamp = epoch_ns(entry_id.partition("-")[0], MS_NS)
    flat = listed(parts[1])
    fields = {
        text(name): text(value[:VALUE_BYTES] if isinstance(value, bytes) else value)
        for name, value in zip(flat[::2], flat[1::2], strict=False)
        if text(name) not in NOT_KEPT
    }
    if stamp is None:
        return None
    event, job = fields.pop("event", ""), fields.pop("jobId", "")
    return Entry(entry_id, stamp, event, job, fields)
