"""The words for one thing that happened, after OpenTelemetry's log data model where it has a name.

Owns the `Event` row object (built only for what is drawn, exported or cited) and the enumerations
that the columns of `timeline.columns` hold. Must never import Polars: the first rows of a pinned
instant are painted from plain `Event` objects before any heavy library is loaded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Lane(StrEnum):
    """What kind of thing a source tells; one lane is one band of the screen."""

    LOG = "log"
    QUEUE = "queue"
    DATABASE = "database"
    METRIC = "metric"
    CHANGE = "change"
    NOTE = "note"


class Kind(StrEnum):
    """What happened. `gap` is an event too: a stretch that a source could not show."""

    LOG = "log"
    JOB_ENQUEUED = "job.enqueued"
    JOB_STARTED = "job.started"
    JOB_FINISHED = "job.finished"
    JOB_FAILED = "job.failed"
    JOB_RETRIED = "job.retried"
    JOB_DEAD = "job.dead"
    ROW_INSERTED = "row.inserted"
    ROW_UPDATED = "row.updated"
    ROW_DELETED = "row.deleted"
    ROW_VERSION = "row.version"
    TXN_BEGIN = "txn.begin"
    TXN_COMMIT = "txn.commit"
    TXN_ABORT = "txn.abort"
    METRIC = "metric"
    CHANGE = "change"
    NOTE = "note"
    GAP = "gap"


class Meaning(StrEnum):
    """What a stamp says about the instant of the event; see `timeline.clock.interval`.

    Source: PostgreSQL 15 documentation, "Current Date/Time" (now() is the transaction start);
    RQ 3.0 job hash (enqueued_at is the producer's clock before the round trip).
    """

    OCCURRED = "occurred"
    """Read from the writer's clock as it happened."""
    INGESTED = "ingested"
    """Given on arrival somewhere else: the event is not later than this."""
    TRANSACTION_START = "transaction_start"
    """The writing transaction (or the application) began no later; the row became visible later."""
    COMMITTED = "committed"
    """The commit itself, as the database server recorded it."""
    SENT = "sent"
    """The sender's clock just before the message left."""
    POLLED = "polled"
    """Seen by a poll: the event is not later than this."""
    DERIVED = "derived"
    """Computed from another stored value by the owning system's own rule."""


class Precision(StrEnum):
    """The unit a stamp was written in; the truth lies within one such unit from the stamp."""

    NANOSECOND = "ns"
    MICROSECOND = "us"
    MILLISECOND = "ms"
    SECOND = "s"
    MINUTE = "min"

    @property
    def nanoseconds(self) -> int:
        """Length of one unit, in nanoseconds."""
        return PRECISION_NS[self]


PRECISION_NS: dict[Precision, int] = {
    Precision.NANOSECOND: 1,
    Precision.MICROSECOND: 1_000,
    Precision.MILLISECOND: 1_000_000,
    Precision.SECOND: 1_000_000_000,
    Precision.MINUTE: 60_000_000_000,
}

SEVERITY_NAMES: tuple[tuple[int, str], ...] = (
    (21, "FATAL"),
    (17, "ERROR"),
    (13, "WARN"),
    (9, "INFO"),
    (5, "DEBUG"),
    (1, "TRACE"),
)
"""Lower bound of each OpenTelemetry severity range and its short name; 0 is unspecified."""

SEVERITY_WARN = 13
SEVERITY_ERROR = 17


def severity_name(number: int) -> str:
    """Short name of an OpenTelemetry severity number (1 to 24), or an empty string for 0."""
    return next((name for floor, name in SEVERITY_NAMES if number >= floor), "")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as one source tells it.

    `timestamp` is int64 nanoseconds since the epoch in UTC, exactly as recorded; it is never
    moved. `body` is cleaned and on one line. `ref` says where the record is kept (`file@byte`,
    `index/_id`, `table/pk`, a Redis key); with `source` it identifies the event for ever.
    """

    timestamp: int
    source: str
    lane: Lane
    kind: Kind
    body: str
    ref: str
    seq: int = 0
    """Intrinsic order inside the source (byte offset, primary key, stream id); never arrival."""
    severity_number: int = 0
    actor: str = ""
    """Service, host, worker or table that speaks."""
    clock: str = ""
    """Name of the clock whose opinion the stamp is; empty means the source's own."""
    meaning: Meaning = Meaning.OCCURRED
    precision: Precision = Precision.MILLISECOND
    keys: tuple[str, ...] = ()
    attributes: str | None = None
    """JSON object text of the remaining fields, cleaned; None when the source can be re-read."""

    @property
    def id(self) -> str:
        """Stable evidence id: twelve hex digits of a digest of (source, ref)."""
        return evidence_id(self.source, self.ref)


def evidence_id(source: str, ref: str) -> str:
    """Twelve hex digits that name the record `ref` of `source`, equal in every run and version."""
    return hashlib.blake2b(f"{source}\0{ref}".encode(), digest_size=6).hexdigest()


def intrinsic_seq(ref: str) -> int:
    """Arrival-free 63-bit tie-breaker for records whose reference is not a number."""
    return int.from_bytes(hashlib.blake2b(ref.encode(), digest_size=8).digest()) >> 1
