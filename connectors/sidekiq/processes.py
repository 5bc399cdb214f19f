"""Sidekiq's processes: when they started, what they run, and which have stopped beating.

A killed process says nothing. What is left is its last heartbeat and, for a minute, the list of
what it ran; so a crash is told as "last seen … , not seen since", never as an instant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.queues.payload import number, sequence_of, word
from connectors.queues.transitions import iso
from connectors.sidekiq.jobs import MILLISECOND_NS, Stamp, job_from, stamp_of, text_of
from connectors.sidekiq.life import Found, Place
from timeline.batch import Remark
from timeline.clean import clean, clean_bytes
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import SECOND_NS

SILENT_AFTER_NS = 25 * SECOND_NS
"""A process beats every 10 s (5 s up to Sidekiq 6): two beats missed, and half a beat of grace."""
ENTRY_LIVES_S = 60
"""Redis forgets a process and its running jobs this long after the last beat (launcher.rb)."""
CLOCK_OFF_NS = SECOND_NS
"""A process whose clock is further from Redis' than this is worth a word."""
PROCESS_FIELDS = ("info", "busy", "beat", "quiet")
NAMED = 5
"""Processes or jobs named one by one in a sentence."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process by its heartbeat entry. `beat` is None when the entry has expired."""

    identity: str
    """Cleaned, `host:pid:nonce`."""
    host: str
    pid: str
    version: str
    """Empty before Sidekiq 7, whose processes do not say."""
    concurrency: str
    queues: tuple[str, ...]
    started: Stamp | None
    beat: int | None
    """ns UTC by the process's own clock."""
    age: int | None
    """Nanoseconds since that heartbeat by Redis' clock, from what is left of the entry's life."""
    busy: int
    quiet: bool

    def silent(self, now: int) -> bool:
        """Whether it has missed its heartbeats; `now` (Redis' clock) serves without an age."""
        if self.beat is None:
            return True
        return (now - self.beat if self.age is None else self.age) > SILENT_AFTER_NS

    def clock_ahead(self, now: int) -> int | None:
        """How far the process's clock is ahead of Redis' (ns), to a few milliseconds.

        One transaction writes the stamp of the heartbeat and starts the entry's last minute.
        """
        if self.beat is None or self.age is None:
            return None
        return self.beat - (now - self.age)

    @property
    def name(self) -> str:
        """Host and pid: the nonce only tells two lives of one pid apart."""
        return ":".join(self.identity.split(":")[:2])


def process_from(identity: str, fields: Mapping[str, bytes], left_ms: int) -> Process:
    """A process from its entry, of which `left_ms` are left; an expired one has no fields."""
    info = text_of(fields.get("info", b""))
    beat = stamp_of(_float(fields.get("beat", b"")))
    shown = clean(identity)
    host = word(info.get("hostname")) or shown.rsplit(":", 2)[0]
    queues = tuple(word(queue) for queue in sequence_of(info.get("queues")))
    return Process(
        identity=shown,
        host=host,
        pid=word(info.get("pid")),
        version=word(info.get("version")),
        concurrency=word(info.get("concurrency")),
        queues=tuple(dict.fromkeys(queues)),
        started=stamp_of(info.get("started_at")),
        beat=None if beat is None else beat.timestamp,
        age=(ENTRY_LIVES_S * 1_000 - left_ms) * MILLISECOND_NS
        if 0 < left_ms <= ENTRY_LIVES_S * 1_000
        else None,
        busy=number(clean_bytes(fields.get("busy", b""))) or 0,
        quiet=fields.get("quiet", b"").lower() == b"true",
    )


def running_jobs(process: Process, work: Mapping[str, bytes], now: int) -> Iterator[Found]:
    """What a process ran at its last heartbeat: thread id to `{queue, payload, run_at}`."""
    for thread, entry in sorted(work.items()):
        told = text_of(entry)
        payload = told.get("payload")
        if isinstance(payload, dict):  # Sidekiq 5 kept the job itself rather than its text
            payload = json.dumps(payload)
        if not isinstance(payload, str):
            continue
        stamp = stamp_of(told.get("run_at"))
        yield Found(
            Place.RUNNING,
            job_from(payload.encode("utf-8", "replace"), word(told.get("queue"))),
            None if stamp is None else stamp.timestamp,
            f"{process.name} thread {clean(thread)}",
            process.host,
            process.beat,
            process.silent(now),
        )


def lifetime(source: str, process: Process, now: int) -> Iterator[Event]:
    """Its start and, when it has stopped beating, its last heartbeat."""
    queues = ", ".join(process.queues) or "?"
    if process.started is not None:
        words = f"process {process.name} started (queues {queues})"
        yield _change(source, process, "started_at", process.started, words, {})
    if process.beat is not None and process.silent(now):
        words = f"process {process.name}: last heartbeat; it has not been heard of since"
        beat = Stamp(process.beat, Precision.MICROSECOND)
        yield _change(source, process, "beat", beat, words, {"seen_at": iso(now)})


def oddities(
    source: str, processes: Iterable[Process], running: Iterable[Found], now: int
) -> Iterator[Remark]:
    """Processes that fell silent with what they ran, and those told to take no more work."""
    silent = [process for process in processes if process.silent(now)]
    seen = [process for process in silent if process.beat is not None]
    gone = [process.name for process in silent if process.beat is None]
    for process in seen[:NAMED]:
        yield Remark(source, "worker-silent", _silence(process, now))
    if gone:
        yield Remark(
            source,
            "worker-silent",
            f"{len(gone)} processes are registered but stopped beating more than {ENTRY_LIVES_S} s "
            f"ago without signing off ({', '.join(gone[:NAMED])}): killed, or cut off from Redis. "
            "What they ran is not visible any more; without Sidekiq Pro's super_fetch such a job "
            "is lost unless it had finished.",
            len(gone),
        )
    orphans = [found for found in running if found.orphaned]
    if orphans:
        titles = ", ".join(found.job.title for found in orphans[:NAMED])
        yield Remark(
            source,
            "orphaned",
            f"{len(orphans)} jobs are on record only as running in a silent process: {titles}. "
            f"{ENTRY_LIVES_S} s after its last heartbeat Redis drops that record, too; then such "
            "a job is not visible, whether it finished or was lost.",
            len(orphans),
        )
    for process in processes:
        ahead = process.clock_ahead(now)
        if ahead is not None and abs(ahead) > CLOCK_OFF_NS:
            side = "ahead of" if ahead > 0 else "behind"
            sentence = (
                f"the clock of process {process.name} is {abs(ahead) / SECOND_NS:.1f} s {side} "
                "Redis' clock"
            )
            yield Remark(source, "clock", sentence)
    quiet = [process.name for process in processes if process.quiet]
    if quiet:
        yield Remark(
            source,
            "quiet",
            f"{len(quiet)} processes take no new jobs (quieted): {', '.join(quiet[:NAMED])}",
            len(quiet),
        )


def _silence(process: Process, now: int) -> str:
    return (
        f"process {process.name}: last heartbeat {iso(process.beat or 0)}, none until "
        f"{iso(now)}. It was killed, is stuck, or has lost Redis, at some instant between."
    )


def _change(
    source: str, process: Process, what: str, stamp: Stamp, words: str, more: dict[str, object]
) -> Event:
    ref = f"sidekiq/{process.identity}#{what}"
    details = {
        "worker": process.identity,
        "pid": process.pid,
        "version": process.version,
        "concurrency": process.concurrency,
        "queues": list(process.queues),
        **more,
    }
    return Event(
        timestamp=stamp.timestamp,
        source=source,
        lane=Lane.QUEUE,
        kind=Kind.CHANGE,
        body=words,
        ref=ref,
        seq=intrinsic_seq(ref),
        actor=process.name,
        clock=process.host,
        precision=stamp.unit,
        attributes=json.dumps(details, ensure_ascii=False),
    )


def _float(raw: bytes) -> float | None:
    try:
        return float(raw)
    except ValueError:
        return None
