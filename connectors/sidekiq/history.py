"""What Sidekiq counts: jobs per class and minute (7.0 and newer), per day, and deployments.

The counts are written by each process with its next heartbeat, ten seconds apart, into the minute
of that heartbeat; so a count proves "ended no later than this minute", not "in this minute".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from connectors.queues.active_job import iso_ns
from connectors.queues.redis_pages import hash_fields, hashes
from connectors.queues.redis_source import listed, octets, replies
from connectors.queues.transitions import WORKER_CLOCK
from connectors.redis_reads import PAGE, RedisReads
from connectors.sidekiq.options import Names
from timeline.clean import clean, clean_bytes
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.window import MINUTE_NS, Window

KEPT_MINUTES = 8 * 60
"""How long a minute's counts live (sidekiq 8.1.7, metrics/tracking.rb: SHORT_TERM)."""
MAX_CLASSES = 2_000
"""Fields read of one minute: three for each job class."""
NAMED_CLASSES = 3
"""Job classes named in a minute's sentence; all of them are among its attributes."""
MAX_DAYS = 7
_FIELDS = {"p": "processed", "f": "failed", "ms": "milliseconds"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Counts = dict[str, dict[str, int]]
"""Job class to processed, failed and milliseconds (of the successes)."""


async def minutes(
    redis: RedisReads, names: Names, source: str, window: Window, now: int
) -> list[Event]:
    """One event for each minute of `window` that Sidekiq still has counts of."""
    first = max(window.start, now - KEPT_MINUTES * MINUTE_NS)
    starts = range(-(-first // MINUTE_NS) * MINUTE_NS, min(window.end, now), MINUTE_NS)
    keys = [(start, key) for start in starts for key in names.minute(_moment(start))]
    found = await hashes(redis, [key for _, key in keys], MAX_CLASSES)
    events = []
    for (start, key), fields in zip(keys, found, strict=True):
        if counts := by_class(fields):
            events.append(_minute_event(source, start, key, counts))
    return events


async def deployments(redis: RedisReads, names: Names, source: str, window: Window) -> list[Event]:
    """Deployments that somebody marked (`Sidekiq::Deploy.mark!`), to the minute."""
    events = []
    for day in _days(window):
        key = names.marks(day)
        for stamp, label in (await hash_fields(redis, key, PAGE)).items():
            at = iso_ns(stamp)
            if at is not None and window.contains(at):
                events.append(_deployment(source, at, key, clean_bytes(label)))
    return events


async def days(
    redis: RedisReads, names: Names, source: str, window: Window, now: int
) -> list[Event]:
    """Jobs counted on each UTC day of the window, as of now: the only history before 7.0."""
    told = _days(window)
    keys = [names.day(counter, day) for day in told for counter in ("processed", "failed")]
    (reply,) = await replies(redis, [("MGET", *keys)])
    values = [
        int(raw) if (raw := octets(value) or b"").isdigit() else None for value in listed(reply)
    ]
    pairs = zip(told, values[::2], values[1::2], strict=True)
    return [
        _day_event(source, day, processed, failed or 0, names, now)
        for day, processed, failed in pairs
        if processed is not None
    ]


def by_class(fields: Mapping[str, bytes]) -> Counts:
    """`<Class>|p`, `|f` and `|ms` fields, sorted by class; anything else is not a count."""
    counts: Counts = {}
    for field, value in sorted(fields.items()):
        job_class, bar, short = field.rpartition("|")
        if bar and short in _FIELDS and value.isdigit() and len(value) < 19:
            counts.setdefault(clean(job_class), {})[_FIELDS[short]] = int(value)
    return counts


def _minute_event(source: str, start: int, key: str, counts: Counts) -> Event:
    processed = sum(count.get("processed", 0) for count in counts.values())
    failed = sum(count.get("failed", 0) for count in counts.values())
    busiest = sorted(counts, key=lambda c: (-counts[c].get("processed", 0), c))[:NAMED_CLASSES]
    named = ", ".join(_class_words(job_class, counts[job_class]) for job_class in busiest)
    more = f" and {len(counts) - len(busiest)} classes more" if len(counts) > len(busiest) else ""
    words = f"{processed} attempts ended, {failed} of them failed: {named}{more}"
    details = {
        "processed": processed,
        "failed": failed,
        "by_class": counts,
        "counted": "by the minute of the heartbeat that followed, up to 10 s late",
    }
    return _event(source, start, Kind.METRIC, words, key, details, Meaning.POLLED)


def _class_words(job_class: str, count: Mapping[str, int]) -> str:
    processed, failed = count.get("processed", 0), count.get("failed", 0)
    words = f"{job_class} {processed}"
    if failed:
        words += f" ({failed} failed)"
    if processed > failed and "milliseconds" in count:
        words += f", {count['milliseconds'] // (processed - failed)} ms each"
    return words


def _day_event(
    source: str, day: datetime, processed: int, failed: int, names: Names, now: int
) -> Event:
    words = f"on {day:%Y-%m-%d} (UTC) {processed} attempts ended, {failed} of them failed"
    details = {"now": True, "processed": processed, "failed": failed}
    ref = f"{names.day('processed', day)}@{now}"
    return _event(source, now, Kind.METRIC, words, ref, details, Meaning.POLLED)


def _deployment(source: str, at: int, key: str, label: str) -> Event:
    words = f"deployed: {label}"
    return _event(source, at, Kind.CHANGE, words, f"{key}#{at}", {"label": label}, Meaning.OCCURRED)


def _event(
    source: str,
    stamp: int,
    kind: Kind,
    words: str,
    ref: str,
    details: Mapping[str, object],
    meaning: Meaning,
) -> Event:
    return Event(
        timestamp=stamp,
        source=source,
        lane=Lane.QUEUE,
        kind=kind,
        body=words,
        ref=ref,
        seq=intrinsic_seq(ref),
        actor="sidekiq",
        clock=WORKER_CLOCK,
        meaning=meaning,
        precision=Precision.MICROSECOND if details.get("now") else Precision.MINUTE,
        attributes=json.dumps(details, ensure_ascii=False),
    )


def _moment(stamp: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stamp // 1_000)


def _days(window: Window) -> list[datetime]:
    """The UTC days of a window, the last ones when it is long."""
    last = _moment(window.end - 1)
    found: list[datetime] = []
    while len(found) < MAX_DAYS and last.date() >= _moment(window.start).date():
        found.append(last)
        last -= timedelta(days=1)
    return found[::-1]


def minute_keys(names: Names, now: int) -> Iterator[str]:
    """Keys of the last hour's minutes: whether this installation counts by the minute."""
    for back in range(60):
        yield from names.minute(_moment(now - back * MINUTE_NS))
