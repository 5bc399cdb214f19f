"""What is known of the server and its tables once they have been read: plain values, no SQL.

Identifiers enter statements only from here, so every one of them is a name the server gave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from connectors.sql.audit_shapes import AuditShape
from connectors.sql.stamps import EPOCH, LATEST_NS
from connectors.sql.tables import Unreadable, only_audits
from connectors.sql.values import Cell
from timeline.event import Precision

LARGE_BYTES = 160 * 1024 * 1024
"""From this size on a plan is looked at before it runs: about a second of cold sequential read."""

TIME_TYPES = frozenset({"timestamptz", "timestamp"})
INTEGER_TYPES = frozenset({"int2", "int4", "int8"})
DATABASE_CLOCK = re.compile(
    r"\b(?:now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)"
    r"|CURRENT_TIMESTAMP|LOCALTIMESTAMP",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Server:
    """What the server is, at the instant it was asked. Times are ns UTC of its own clock."""

    version: str
    replica: bool
    tracks_commits: bool
    now: int
    started_at: int
    configured_at: int
    replayed_until: int | None
    """On a replica: commit time of the last transaction it replayed; None when none was."""
    caught_up: bool
    """On a replica: it streams from its primary and has replayed everything it received."""
    role: str
    database: str
    sees_all_activity: bool
    stats_since: int | None
    streams: bool = False
    """On a replica: a WAL receiver is connected to its primary."""
    bytes_to_replay: int | None = None
    """On a replica: received from the primary and not yet replayed."""
    heard_at: int | None = None
    """On a replica: when its primary last sent anything; None where the role may not see it."""
    replay_paused: bool = False

    @property
    def endpoint(self) -> str:
        return "replica" if self.replica else "primary"


@dataclass(frozen=True, slots=True)
class MicrosecondForm:
    """Stamps as our statements answer them: µs since the epoch."""

    precision: Precision
    zone_missing: bool

    def read(self, raw: Cell) -> int | str | None:
        """ns UTC; None for NULL and infinity; or words, for what has no place on the timeline."""
        if not isinstance(raw, int):
            return None
        return raw * 1_000 if 0 <= raw * 1_000 <= LATEST_NS else f"out of range: {iso(raw)}"


@lru_cache(maxsize=4_096)
def iso(microseconds: int, *, zone: bool = True) -> str:
    """ISO 8601 text of microseconds since the epoch, in UTC, with or without the offset.

    Beyond the years that Python and ISO 8601 share (1 to 9999) the number itself.
    """
    try:
        moment = EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds} µs since 1970"
    text = moment.isoformat(timespec="microseconds")
    return text if zone else text.removesuffix("+00:00")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `references` is the table a single-column foreign key points to, or empty."""

    name: str
    type_name: str
    type_sql: str
    is_enum: bool
    typmod: int
    default: str
    readable: bool
    primary_place: int
    references: str

    @property
    def is_time(self) -> bool:
        return self.type_name in TIME_TYPES

    @property
    def has_zone(self) -> bool:
        return self.type_name == "timestamptz"

    @property
    def is_integer(self) -> bool:
        return self.type_name in INTEGER_TYPES

    @property
    def precision(self) -> Precision:
        """Unit of a stamp: timestamp(0) keeps seconds, timestamp(3) milliseconds."""
        if self.typmod == 0:
            return Precision.SECOND
        return Precision.MILLISECOND if 0 < self.typmod <= 3 else Precision.MICROSECOND

    @property
    def form(self) -> MicrosecondForm | None:
        """How its stamps are read; None when it holds none."""
        return MicrosecondForm(self.precision, not self.has_zone) if self.is_time else None

    @property
    def database_clock(self) -> bool:
        return DATABASE_CLOCK.search(self.default) is not None


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it will be read."""

    schema: str
    name: str
    label: str
    """The bare name when the search path finds it, else qualified."""
    bytes: int | None
    """Size at the last VACUUM or ANALYZE; None when there was none yet, and for a view."""
    has_xmin: bool
    writable: bool
    row_security: bool
    deleted_rows: int | None
    """Rows ever deleted according to the statistics collector, or None where unknown."""
    pk: tuple[Column, ...]
    times: tuple[Column, ...]
    carried: tuple[Column, ...]
    key_type: str
    public_id: Column | None
    clock: str | None
    columns: tuple[Column, ...] = ()
    """All columns that the role may read."""
    audit: AuditShape | None = None
    """What its rows record of other rows, when it is an audit table."""

    @property
    def large(self) -> bool:
        """Whether a plan is looked at before it runs: large, or of unknown size."""
        return self.bytes is None or self.bytes > LARGE_BYTES


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tables to read, those that cannot be, and how many more there would have been."""

    tables: tuple[Table, ...]
    unreadable: tuple[Unreadable, ...]
    left_out: int = 0

    @property
    def records(self) -> tuple[Table, ...]:
        """Tables whose rows tell their own stamps."""
        return tuple(table for table in self.tables if table.times and not only_audits(table))

    @property
    def audits(self) -> tuple[Table, ...]:
        """Tables that record versions of rows, in themselves or for other tables."""
        return tuple(table for table in self.tables if table.audit is not None)
