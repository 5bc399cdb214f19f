"""What Redis itself remembers of the window: that it was started, and which commands were slow.

Both are cheap (two commands) and serve every queue that lives on Redis. Of a slow command only
its name and first key are told: further arguments are the application's data.
"""

from __future__ import annotations

from connectors.redis_reads import Failure, RedisReads, Reply
from timeline.clean import clean, clean_bytes
from timeline.event import (
    SEVERITY_WARN,
    Event,
    Kind,
    Lane,
    Meaning,
    Precision,
    intrinsic_seq,
)
from timeline.window import SECOND_NS, Window

SLOW_COMMANDS = 128
"""Redis keeps this many by default (slowlog-max-len), those slower than 10 ms."""


async def read_marks(redis: RedisReads, source: str, window: Window) -> list[Event]:
    """Start and slow commands inside `window`.

    An account that may not ask is no problem: the marks are an extra. Raises `SourceProblem`.
    """
    info, slow = await redis.many([("INFO", "server"), ("SLOWLOG GET", SLOW_COMMANDS)])
    marks = [] if isinstance(info, Failure) else _started(source, information(info))
    if isinstance(slow, list):
        marks += [event for entry in slow if (event := _slow(source, entry)) is not None]
    return [event for event in marks if window.contains(event.timestamp)]


def information(reply: Reply) -> dict[str, str]:
    """The `name:value` lines of a reply to INFO."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {clean(name): clean(value) for name, colon, value in pairs if colon}


def _started(source: str, info: dict[str, str]) -> list[Event]:
    """When the server started: its own cached second less its uptime, which is exact.

    Both come from the same clock reading of the server (redis 7.0, server.c, updateCachedTime);
    without `server_time_usec` the result would waver by a second from look to look.
    """
    uptime, clock = info.get("uptime_in_seconds", ""), info.get("server_time_usec", "")
    if not (uptime.isascii() and uptime.isdigit() and clock.isascii() and clock.isdigit()):
        return []
    stamp = (int(clock) // 1_000_000 - int(uptime)) * SECOND_NS
    words = f"Redis {info.get('redis_version', '')} started"
    ref = f"INFO server run_id={info.get('run_id', '')}"
    return [_mark(source, stamp, Kind.CHANGE, words, ref, Meaning.DERIVED)]


def _slow(source: str, entry: Reply) -> Event | None:
    """One SLOWLOG entry: id, epoch seconds when it ended, microseconds, words, client, name."""
    if not isinstance(entry, list) or len(entry) < 4 or not isinstance(entry[3], list):
        return None
    number, ended, took = entry[:3]
    if not (isinstance(number, int) and isinstance(ended, int) and isinstance(took, int)):
        return None
    words = " ".join(clean_bytes(word) for word in entry[3][:2] if isinstance(word, bytes))
    client = clean_bytes(entry[5]) if len(entry) > 5 and isinstance(entry[5], bytes) else ""
    by = f" for {client}" if client else ""
    return _mark(
        source,
        ended * SECOND_NS,
        Kind.LOG,
        f"Redis was busy for {took / 1_000:.0f} ms{by}: {words}",
        f"SLOWLOG {number}@{ended}",
        Meaning.OCCURRED,
        SEVERITY_WARN,
    )


def _mark(
    source: str,
    stamp: int,
    kind: Kind,
    body: str,
    ref: str,
    meaning: Meaning,
    severity: int = 0,
) -> Event:
    return Event(
        timestamp=stamp,
        source=source,
        lane=Lane.QUEUE,
        kind=kind,
        body=body,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=severity,
        actor="redis",
        meaning=meaning,
        precision=Precision.SECOND,
    )
