"""One BullMQ job's hash: what it says of the job, and the transitions that only it remembers.

Its stamps are opinions of the process that added the job and of the worker; `processedOn` is that
of the last attempt alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.bullmq.options import BullMQOptions, Names
from connectors.bullmq.stream import MS_NS
from connectors.queues.payload import (
    call_text,
    cut,
    json_value,
    keys_of,
    mapping,
    names_for,
    number,
    opaque,
    sequence_of,
    too_large,
    word,
)
from connectors.queues.redis_source import bounded_fields, listed, replies, text
from connectors.queues.transitions import (
    CLIENT_CLOCK,
    WORKER_CLOCK,
    JobFacts,
    Moment,
    epoch_ns,
    iso,
)
from connectors.redis_reads import RedisReads
from timeline.clean import LINE_BREAK, clean, clean_bytes
from timeline.event import Kind, Meaning, Precision
from timeline.keys import KeyRules

SHORT_FIELDS = (
    "timestamp",
    "processedOn",
    "finishedOn",
    "delay",
    "priority",
    "atm",
    "attemptsMade",
    "ats",
    "stc",
    "pb",
    "rjk",
)
"""`atm`, `ats`, `stc`, `pb` since BullMQ 5: attempts made and started, stalls, worker's name."""
LONG_FIELDS = ("name", "data", "opts", "failedReason", "stacktrace")
TITLE_ARGUMENTS = 120
"""Characters of the arguments in a job's title."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job hash; `fields` are cleaned, except `data`, `opts` and `stacktrace`, which are raw."""

    id: str
    """Cleaned."""
    fields: Mapping[str, str] = field(default_factory=dict)
    long: Mapping[str, bytes] = field(default_factory=dict)
    large: Mapping[str, int] = field(default_factory=dict)
    """Sizes of the values that were left where they are."""

    def stamp(self, name: str) -> int | None:
        return epoch_ns(self.fields.get(name), MS_NS)

    @property
    def attempts_made(self) -> int | None:
        made = number(self.fields.get("atm", ""))
        return number(self.fields.get("attemptsMade", "")) if made is None else made

    @property
    def errors(self) -> list[str]:
        """Stack of each failed attempt that is kept, oldest first, raised line last."""
        stacks = sequence_of(json_value(self.long.get("stacktrace", b"")))
        return [_raised_last(stack) for stack in stacks if isinstance(stack, str)]


async def read_jobs(
    redis: RedisReads, names: Names, ids: Sequence[str], page: int
) -> dict[str, Job]:
    """The jobs that still have a hash, by cleaned id; sizes first, then what is within bounds."""
    found: dict[str, Job] = {}
    for start in range(0, len(ids), page):
        part = ids[start : start + page]
        short = await replies(redis, [("HMGET", names.key(i), *SHORT_FIELDS) for i in part])
        places = [(names.key(job_id), name) for job_id in part for name in LONG_FIELDS]
        values, large = await bounded_fields(redis, places)
        for place, job_id in enumerate(part):
            fields = {
                name: text(value)
                for name, value in zip(SHORT_FIELDS, listed(short[place]), strict=False)
                if value is not None
            }
            own = values[place * len(LONG_FIELDS) : (place + 1) * len(LONG_FIELDS)]
            long = {n: v for n, v in zip(LONG_FIELDS, own, strict=True) if v is not None}
            if fields or long:
                key = names.key(job_id)
                sizes = {name: size for (k, name), size in large.items() if k == key}
                found[clean(job_id)] = Job(clean(job_id), fields, long, sizes)
    return found


@dataclass(frozen=True, slots=True)
class JobWords:
    """Turns the jobs of one queue into facts and, where the stream is silent, into moments."""

    options: BullMQOptions
    key_rules: KeyRules
    names: Names

    def facts(self, job: Job, name: str = "", status: str = "") -> JobFacts:
        """`name` is the one from the stream, for a job whose hash is gone."""
        job_class = clean_bytes(job.long.get("name", b"")) or name
        shown, keys = self._arguments(job, job_class)
        short = shown if len(shown) <= TITLE_ARGUMENTS else f"{shown[:TITLE_ARGUMENTS]}…"
        made = job.attempts_made
        allowed = number(word(mapping(json_value(job.long.get("opts", b""))).get("attempts")))
        left = None if made is None or allowed is None else max(allowed - made, 0)
        started = number(job.fields.get("ats", ""))
        return JobFacts(
            id=job.id,
            title=f"{job_class}({short})" if job_class else f"job {job.id}",
            job_class=job_class,
            queue=clean(self.names.queue),
            args=cut(shown),
            status=status,
            keys=(f"job:{job.id}", *keys),
            attempt=made if started is None else started,
            retries_left=left,
            details=self._details(job),
        )

    def moments(self, job: Job, told: frozenset[str]) -> Iterator[Moment]:
        """What the hash remembers and the stream has not told (`told`: added, started, ended)."""
        worker = job.fields.get("pb", "")
        queue = clean(self.names.queue)
        if "added" not in told and (stamp := job.stamp("timestamp")) is not None:
            client = self.options.producer_clock or CLIENT_CLOCK
            yield self._moment(
                job, "timestamp", Kind.JOB_ENQUEUED, stamp, f"added to {queue}", client
            )
        if "started" not in told and (stamp := job.stamp("processedOn")) is not None:
            words = f"started on {worker or 'a worker'} (its last attempt)"
            yield self._moment(job, "processedOn", Kind.JOB_STARTED, stamp, words, worker)
        if "ended" not in told and (stamp := job.stamp("finishedOn")) is not None:
            reason = clean_bytes(job.long.get("failedReason", b""))
            kind = Kind.JOB_FAILED if reason else Kind.JOB_FINISHED
            words = f"{'failed' if reason else 'finished'} on {queue}"
            yield self._moment(job, "finishedOn", kind, stamp, words, worker, reason)

    def _moment(
        self,
        job: Job,
        name: str,
        kind: Kind,
        stamp: int,
        words: str,
        clock: str,
        error: str = "",
    ) -> Moment:
        by_client = name == "timestamp"
        return Moment(
            kind=kind,
            timestamp=stamp,
            words=words,
            ref=clean(f"{self.names.key(job.id)}#{name}"),
            clock=clock or WORKER_CLOCK,
            meaning=Meaning.SENT if by_client else Meaning.OCCURRED,
            precision=Precision.MILLISECOND,
            worker="" if by_client else clock,
            error=error,
        )

    def _arguments(self, job: Job, job_class: str) -> tuple[str, tuple[str, ...]]:
        """The job's data as text, and the keys in it."""
        if "data" in job.large:
            return too_large(job.large["data"]), ()
        raw = job.long.get("data", b"")
        value = json_value(raw)
        if value is None and raw not in (b"", b"null"):
            return opaque(raw), ()
        named = mapping(value)
        positional = () if named or value in (None, {}) else (value,)
        shown = call_text(positional, named)
        found = keys_of(self.key_rules, shown, names_for(job_class, self.options.arguments), ())
        return shown, found

    def _details(self, job: Job) -> dict[str, object]:
        details: dict[str, object] = {}
        for name in ("timestamp", "processedOn", "finishedOn"):
            if (stamp := job.stamp(name)) is not None:
                details[name] = iso(stamp)
        for name, words in (("pb", "worker"), ("stc", "stalled_count"), ("rjk", "repeat_key")):
            if value := job.fields.get(name, ""):
                details[words] = number(value) if name == "stc" else value
        if errors := job.errors:
            details["failed_attempts_kept"] = len(errors)
            details["last_stack"] = errors[-1]
        if job.large:
            details["left_unread"] = dict(job.large)
        return details


def _raised_last(stack: str) -> str:
    """A JavaScript stack, whose first line is the error, turned into Python's order."""
    lines = [line for line in clean(stack).split(LINE_BREAK) if line.strip()]
    message = [line for line in lines if not line.lstrip().startswith("at ")]
    frames = [line for line in lines if line.lstrip().startswith("at ")]
    return LINE_BREAK.join([*frames, *message])
