"""One job's life as events: enqueued, started, finished, failed, retried, dead.

Every stamp says whose clock wrote it and what it means. A time that the queue does not store and
that follows from one it does (the failure behind a retry's due time) is `Meaning.DERIVED` and says
so in words. Nothing is invented: a stage that left no stamp has no event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from timeline.clean import LINE_BREAK
from timeline.event import (
    SEVERITY_ERROR,
    SEVERITY_WARN,
    Event,
    Kind,
    Lane,
    Meaning,
    Precision,
)

SEVERITIES = {
    Kind.JOB_RETRIED: SEVERITY_WARN,
    Kind.JOB_FAILED: SEVERITY_ERROR,
    Kind.JOB_DEAD: SEVERITY_ERROR,
}
STAGES = {Kind.JOB_ENQUEUED: 1, Kind.JOB_STARTED: 2}
"""Order of two transitions of one job with the same stamp; everything else ends an attempt."""
LAST_STAGE = 3
CLIENT_CLOCK = "client?"
"""Clock of a producer that the queue does not name."""
WORKER_CLOCK = "worker?"
"""Clock of a worker that the queue does not name."""
EARLIEST_NS = 946_684_800 * 10**9
"""The year 2000: no queue here is older."""
LATEST_NS = 2**63 - 1
"""The year 2262: the last instant that nanoseconds in 63 bits can say."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What is known of one job beside its stamps. All texts are cleaned."""

    id: str
    title: str
    """As a person would say it, `welcome_mail(user_id=4711)`."""
    job_class: str
    queue: str
    args: str = ""
    """Its arguments as text, for people and for key rules; never anything to be loaded."""
    status: str = ""
    """In the queue's own word, as of now."""
    keys: tuple[str, ...] = ()
    """`job:<id>` first, then the typed keys of its arguments."""
    attempt: int | None = None
    """Attempts begun, the running one included, as of now."""
    retries_left: int | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    """Further JSON values worth showing, cleaned."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One transition. `ref` is where it is kept and differs between two transitions of a job."""

    kind: Kind
    timestamp: int
    """ns UTC, as stored."""
    words: str
    """What comes after the job's title: `failed on mailers`."""
    ref: str
    clock: str = ""
    """Host or process that stamped it; empty when the queue's own server did."""
    meaning: Meaning = Meaning.OCCURRED
    precision: Precision = Precision.MICROSECOND
    worker: str = ""
    error: str = ""
    """Cleaned text of the error, the raised line last, as Python prints it. Empty for none."""
    stage: int | None = None
    """Place in the job's life, when the kind does not tell it."""
    details: Mapping[str, object] = field(default_factory=dict)


def transition(source: str, job: JobFacts, moment: Moment) -> Event:
    """The event of one transition, in the one shape that all queues share."""
    details: dict[str, object] = {
        "job_id": job.id,
        "job_class": job.job_class,
        "queue": job.queue,
        "args": job.args,
        "status": job.status,
    }
    details.update(
        (name, value)
        for name, value in (
            ("worker", moment.worker or None),
            ("attempt", job.attempt),
            ("retries_left", job.retries_left),
            ("error", headline(moment.error) or None),
        )
        if value is not None
    )
    details |= {**job.details, **moment.details}
    stage = STAGES.get(moment.kind, LAST_STAGE) if moment.stage is None else moment.stage
    return Event(
        timestamp=moment.timestamp,
        source=source,
        lane=Lane.QUEUE,
        kind=moment.kind,
        body=f"{job.title} {with_error(moment.words, moment.error)}",
        ref=moment.ref,
        seq=sequence(moment.timestamp, stage),
        severity_number=SEVERITIES.get(moment.kind, 0),
        actor=moment.worker or job.queue,
        clock=moment.clock,
        meaning=moment.meaning,
        precision=moment.precision,
        keys=job.keys,
        attributes=json.dumps(details, ensure_ascii=False),
    )


def headline(error: str) -> str:
    """The last line of an error's text: what was raised."""
    lines = [line.strip() for line in error.split(LINE_BREAK) if line.strip()]
    return lines[-1] if lines else ""


def with_error(words: str, error: str) -> str:
    """`failed on mailers: LookupError: User 4711 not found␊<the lines before it>`."""
    if not error.strip(LINE_BREAK + " "):
        return words
    lines = [line for line in error.split(LINE_BREAK) if line.strip()]
    return LINE_BREAK.join([f"{words}: {headline(error)}", *lines[:-1]])


def sequence(stamp: int, stage: int) -> int:
    """Order within the source: the stamp in microseconds, then the stage of a job's life."""
    return stamp // 1_000 * 8 + stage


def iso(stamp: int) -> str:
    """ISO 8601 text, UTC, microseconds, of ns since the epoch."""
    return (_EPOCH + timedelta(microseconds=stamp // 1_000)).isoformat(timespec="microseconds")


def epoch_ns(value: float | str | bytes | None, unit_ns: int) -> int | None:
    """ns UTC of a number of `unit_ns` (s, ms, us) since the epoch, exact to the microsecond.

    None for what is no number, before the year 2000 or beyond 2262: a stamp in a wrong unit must
    not become an instant.
    """
    try:
        scaled = float(value or 0) * unit_ns / 1_000
        whole = round(scaled) * 1_000
    except (ValueError, OverflowError):
        return None
    return whole if EARLIEST_NS <= whole <= LATEST_NS else None
