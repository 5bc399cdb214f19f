"""What is known of one table once its catalog was read, and which of its columns are evidence.

Identifiers enter statements only from here, so every one of them is a name the database gave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from connectors.sql.audit_shapes import AuditShape, Tool, shape_of
from connectors.sql.options import TableOptions
from connectors.sql.stamps import Reads, StampForm
from connectors.sql.vocabulary import CREATED, DELETED, STATE_LIKE, UPDATED
from timeline.keys import KeyRules, KeyType

DEFAULT_PK = KeyType("").pk
"""What a key type says when nobody configured a primary key; the catalog knows better."""
LARGE_ROWS = 100_000
"""From this many rows on a plan is looked at before it runs; reading fewer takes milliseconds."""


class ColumnKind(StrEnum):
    """What a column's values can be compared with."""

    INTEGER = "integer"
    TEXT = "text"
    UUID = "uuid"
    BINARY = "binary"
    TIME = "time"
    OTHER = "other"


IDENTIFYING = frozenset({ColumnKind.INTEGER, ColumnKind.TEXT, ColumnKind.UUID, ColumnKind.BINARY})
"""Kinds that `<thing>_id` columns have when they name a row."""


class ColumnLike(Protocol):
    """What the rows of a table are told by, of each column."""

    @property
    def name(self) -> str: ...
    @property
    def references(self) -> str: ...
    @property
    def is_time(self) -> bool: ...
    @property
    def is_integer(self) -> bool: ...
    @property
    def form(self) -> Reads | None: ...
    @property
    def database_clock(self) -> bool: ...


C = TypeVar("C", bound=ColumnLike, covariant=True)
Col = TypeVar("Col", bound=ColumnLike)


class TableLike(Protocol[C]):
    """What the rows of a table are told by, whatever its database."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def key_type(self) -> str: ...
    @property
    def pk(self) -> tuple[C, ...]: ...
    @property
    def times(self) -> tuple[C, ...]: ...
    @property
    def carried(self) -> tuple[C, ...]: ...
    @property
    def public_id(self) -> C | None: ...
    @property
    def clock(self) -> str | None: ...
    @property
    def audit(self) -> AuditShape | None: ...


def single_pk(table: TableLike[C]) -> C | None:
    """The column that alone identifies a row."""
    return table.pk[0] if len(table.pk) == 1 else None


def only_audits(table: TableLike[C]) -> bool:
    """Whether its rows are versions of other rows and no records of their own."""
    return table.audit is not None and table.audit.item_table != table.name


def role_of(column: ColumnLike) -> str:
    """`created`, `updated`, `deleted` or `other`."""
    name = column.name.lower()
    for role, names in (("created", CREATED), ("updated", UPDATED), ("deleted", DELETED)):
        if name in names:
            return role
    return "other"


def clock_of_database(table: TableLike[C], column: ColumnLike) -> bool:
    """Whether the database's clock writes `column`, as declared or by its default."""
    return column.database_clock if table.clock is None else table.clock == "database"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `references` is the table a foreign key points to, or empty."""

    name: str
    type_name: str
    kind: ColumnKind
    form: StampForm | None = None
    """How it writes instants; None when it is no time column or its form is unknown."""
    long: bool = True
    """Whether a text may be long (`text`, `blob`): such a one never names a row or a state."""
    primary_place: int = -1
    references: str = ""
    database_clock: bool = False
    """Whether its default or its ON UPDATE lets the database's clock write it."""

    @property
    def is_integer(self) -> bool:
        return self.kind is ColumnKind.INTEGER

    @property
    def is_time(self) -> bool:
        return self.form is not None


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it will be read."""

    schema: str
    name: str
    label: str
    rows: int | None
    """About how many rows it holds; None when nobody knows, as for a view."""
    pk: tuple[Column, ...]
    times: tuple[Column, ...]
    carried: tuple[Column, ...]
    key_type: str
    public_id: Column | None = None
    clock: str | None = None
    period: tuple[Column, Column] | None = None
    """Beginning and end of a row version, of a system-versioned table."""
    columns: tuple[Column, ...] = ()
    """All columns that may be read."""
    audit: AuditShape | None = None
    """What its rows record of other rows, when it is an audit table."""

    @property
    def large(self) -> bool:
        """Whether a plan is looked at before it runs: large, or of unknown size."""
        return self.rows is None or self.rows > LARGE_ROWS


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
    unreadable: tuple[Unreadable, ...] = ()
    left_out: int = 0

    @property
    def records(self) -> tuple[Table, ...]:
        """Tables whose rows tell their own stamps."""
        return tuple(table for table in self.tables if not only_audits(table))

    @property
    def audits(self) -> tuple[Table, ...]:
        """Tables that record versions of rows of other tables."""
        return tuple(table for table in self.tables if only_audits(table))


@dataclass(frozen=True, slots=True)
class Found:
    """A table as the catalog names it, before its columns are chosen."""

    schema: str
    name: str
    label: str
    rows: int | None
    columns: tuple[Column, ...]
    fallback_pk: Column | None = None
    """What identifies a row where no primary key is declared (SQLite's rowid)."""
    period: tuple[Column, Column] | None = None


def chosen(found: Found, wanted: TableOptions, key_rules: KeyRules) -> Table | Unreadable:
    """The table with the columns that are evidence, or why it will not be read."""
    by_name = {column.name: column for column in found.columns}
    pk = _primary(found, by_name, wanted)
    if not pk:
        return Unreadable(
            found.label,
            f"{found.label} has no primary key that can be read",
            f'Say which column identifies a row: {{ name = "{found.label}", pk = "…" }}.',
        )
    named = (*wanted.time_columns, *(wanted.columns or ()))
    if unknown := next((name for name in named if name not in by_name), None):
        return Unreadable(
            found.label,
            f"{found.label} has no column {unknown} that can be read",
            f"It has: {', '.join(sorted(by_name))}.",
        )
    if odd := next((name for name in wanted.time_columns if not by_name[name].is_time), None):
        return Unreadable(
            found.label,
            f"{found.label}.{odd} ({by_name[odd].type_name or 'no type'}) holds no times",
            "Name a column of dates with times.",
        )
    key_type = key_rules.for_table(found.name)
    public = by_name.get(key_type.public_id) if key_type and key_type.public_id else None
    return Table(
        schema=found.schema,
        name=found.name,
        label=found.label,
        rows=found.rows,
        pk=pk,
        times=stamps_among(found.columns, wanted),
        carried=_carried(found.columns, wanted, pk, public),
        key_type=wanted.key or key_rules.row_keys(found.name, "")[1].removesuffix(":"),
        public_id=public,
        clock=wanted.clock,
        period=found.period,
        columns=found.columns,
        audit=_audit(found, pk),
    )


def _audit(found: Found, pk: tuple[Column, ...]) -> AuditShape | None:
    """What frameworks record here. Triggers that keep periods or logs are PostgreSQL's, and a
    table that its own server versions is read through that."""
    types = {column.name: column.type_name for column in found.columns}
    shape = shape_of(found.name, types, pk[0].name if len(pk) == 1 else "")
    if shape is None or shape.tool in (Tool.PERIODS, Tool.LOGIDZE):
        return None
    return shape


def with_revisions(table: Table, revisions: Sequence[Column]) -> Table:
    """The table with the stamp of the one that it joins (django-reversion)."""
    if table.audit is None:
        return table
    stamp = tuple(column for column in revisions if column.name == table.audit.at)
    return replace(table, columns=(*table.columns, *stamp))


def tables_of_keys(named: Sequence[TableOptions], key_rules: KeyRules) -> list[TableOptions]:
    """Tables that `[keys.…]` name; they are read whether or not this source names them."""
    taken = {table.name for table in named}
    wanted = []
    for key_type in key_rules.types:
        schema, _, name = key_type.table.rpartition(".")
        if name and name not in taken:
            pk = key_type.pk if key_type.pk != DEFAULT_PK else ""
            wanted.append(TableOptions(name=name, schema_name=schema, pk=pk))
    return wanted


def _primary(found: Found, by_name: dict[str, Column], wanted: TableOptions) -> tuple[Column, ...]:
    if wanted.pk:
        return (by_name[wanted.pk],) if wanted.pk in by_name else ()
    declared = [column for column in found.columns if column.primary_place >= 0]
    if declared:
        return tuple(sorted(declared, key=lambda column: column.primary_place))
    if "id" in by_name:
        return (by_name["id"],)
    return (found.fallback_pk,) if found.fallback_pk else ()


def stamps_among(columns: Iterable[Col], wanted: TableOptions) -> tuple[Col, ...]:
    """Columns that become events: those that were asked for, else the frameworks' usual ones."""
    by_name = {column.name: column for column in columns if column.is_time}
    if wanted.time_columns:
        return tuple(by_name[name] for name in wanted.time_columns if name in by_name)
    return tuple(
        column
        for names in (CREATED, UPDATED, DELETED)
        for column in by_name.values()
        if column.name.lower() in names
    )


def _carried(
    columns: Iterable[Column],
    wanted: TableOptions,
    pk: tuple[Column, ...],
    public: Column | None,
) -> tuple[Column, ...]:
    def telling(column: Column) -> bool:
        return _names_a_row(column) or _says_a_state(column)

    return carried_among(columns, wanted, (*pk, public), telling)


def carried_among(
    columns: Iterable[Col],
    wanted: TableOptions,
    always: Sequence[Col | None],
    telling: Callable[[Col], bool],
) -> tuple[Col, ...]:
    """Columns whose values travel with the row. Free text and addresses only when asked for."""
    if wanted.columns is not None:
        return tuple(column for column in columns if column.name in wanted.columns)
    return tuple(
        column
        for column in columns
        if column in always or column.is_time or column.references or telling(column)
    )


def _names_a_row(column: Column) -> bool:
    return column.name.endswith("_id") and column.kind in IDENTIFYING and not column.long


def _says_a_state(column: Column) -> bool:
    short = column.kind in (ColumnKind.INTEGER, ColumnKind.TEXT) and not column.long
    return short and STATE_LIKE.fullmatch(column.name) is not None
