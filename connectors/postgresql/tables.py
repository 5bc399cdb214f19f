"""What is known of the server and its tables once they have been read: plain values, no SQL.

Identifiers enter statements only from here, so every one of them is a name the server gave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from timeline.event import Precision

LARGE_BYTES = 160 * 1024 * 1024
"""From this size on a plan is looked at before it runs: about a second of cold sequential read."""

CREATED = frozenset(
    [
        "created_at",
        "inserted_at",
        "created_on",
        "created",
        "createdat",
        "date_created",
        "creation_date",
        "date_joined",
        "created_time",
        "created_date",
        "enqueued_at",
    ]
)
UPDATED = frozenset(
    [
        "updated_at",
        "modified_at",
        "updated_on",
        "updated",
        "updatedat",
        "modified",
        "last_modified",
        "date_modified",
        "updated_time",
        "last_updated",
        "changed_at",
    ]
)
DELETED = frozenset(["deleted_at", "deleted_on", "discarded_at", "removed_at", "deletedat"])
"""Names under which frameworks (Rails, Django, Ecto, Sequelize, Prisma) keep row stamps."""

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

    @property
    def endpoint(self) -> str:
        return "replica" if self.replica else "primary"


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
    def from_database_clock(self) -> bool:
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

    @property
    def large(self) -> bool:
        """Whether a plan is looked at before it runs: large, or of unknown size."""
        return self.bytes is None or self.bytes > LARGE_BYTES

    @property
    def single_pk(self) -> Column | None:
        return self.pk[0] if len(self.pk) == 1 else None

    def role_of(self, column: Column) -> str:
        """`created`, `updated`, `deleted` or `other`."""
        name = column.name.lower()
        for role, names in (("created", CREATED), ("updated", UPDATED), ("deleted", DELETED)):
            if name in names:
                return role
        return "other"

    def database_clock(self, column: Column) -> bool:
        """Whether the database's clock writes `column`, as declared or by its default."""
        if self.clock is not None:
            return self.clock == "database"
        return column.from_database_clock


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A table that was asked for and will not be read, with the reason and the remedy."""

    label: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tables to read, those that cannot be, and how many more there would have been."""

    tables: tuple[Table, ...]
    unreadable: tuple[Unreadable, ...]
    left_out: int = 0
