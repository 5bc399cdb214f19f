"""Decides from a table's columns what will be read of it: its key, its stamps, what travels along.

Pure: rows of the catalogue in, a `Table` or the reason against it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.postgresql.options import TableOptions
from connectors.postgresql.tables import INTEGER_TYPES, Column, Table
from connectors.sql.audit_shapes import shape_of
from connectors.sql.tables import Unreadable, carried_among, stamps_among
from connectors.sql.vocabulary import STATE_LIKE
from timeline.keys import KeyRules

STATE_TYPES = frozenset(["varchar", "text", "bpchar", "int2", "int4", "int8", "bool"])


def locked(label: str) -> Unreadable:
    return Unreadable(
        label,
        f"{label} is locked, even for a look at its columns",
        "An ALTER TABLE, VACUUM FULL or TRUNCATE is running: look for it.",
    )


def missing(wanted: TableOptions) -> Unreadable:
    label = f"{wanted.schema_name}.{wanted.name}" if wanted.schema_name else wanted.name
    place = "" if wanted.schema_name else " on the role's search path"
    return Unreadable(
        label,
        f"there is no table {label}{place}",
        "Check the name, or write it as schema.table.",
    )


@dataclass(frozen=True, slots=True)
class Found:
    """One relation as the catalogue names it."""

    schema: str
    name: str
    kind: str
    visible: bool
    """Whether the search path finds it by its bare name."""
    bytes: int | None
    readable: bool
    """Whether the role may read all of it, not only some columns."""
    writable: bool
    row_security: bool
    deleted_rows: int | None

    @property
    def label(self) -> str:
        return self.name if self.visible else f"{self.schema}.{self.name}"


def table_from(
    found: Found, columns: Sequence[Column], wanted: TableOptions, key_rules: KeyRules
) -> Table | Unreadable:
    """The table as it will be read, or why it will not be."""
    name, label = found.name, found.label
    if found.row_security:
        return Unreadable(
            label,
            f"{label} is not read: row security would hide rows of it from this role, and a "
            "hidden row looks like an absent one",
            "Use a role with BYPASSRLS, or one that the policies let see every row.",
        )
    readable = {column.name: column for column in columns if column.readable}
    if not readable:
        return Unreadable(
            label, f"the role may not read {label}", f"GRANT SELECT ON {label} TO the role."
        )
    pk = _primary(columns, readable, wanted)
    if not pk:
        return Unreadable(
            label,
            f"{label} has no primary key that the role may read",
            f'Say which column identifies a row: {{ name = "{label}", pk = "…" }}.',
        )
    named = (*wanted.time_columns, *(wanted.columns or ()))
    if unknown := next((column for column in named if column not in readable), None):
        return Unreadable(
            label,
            f"{label} has no readable column {unknown}",
            f"It has: {', '.join(sorted(readable))}.",
        )
    key_type = key_rules.for_table(name)
    public = readable.get(key_type.public_id) if key_type and key_type.public_id else None
    return Table(
        schema=found.schema,
        name=name,
        label=label,
        bytes=found.bytes,
        has_xmin=found.kind in ("r", "m") and found.readable,
        writable=found.writable,
        row_security=found.row_security,
        deleted_rows=found.deleted_rows if found.kind == "r" else None,
        pk=pk,
        times=stamps_among(readable.values(), wanted),
        carried=carried_among(readable.values(), wanted, (*pk, public), _telling),
        key_type=wanted.key or key_rules.row_keys(name, "")[1].removesuffix(":"),
        public_id=public,
        clock=wanted.clock,
        columns=tuple(readable.values()),
        audit=shape_of(name, _types(readable.values()), pk[0].name if len(pk) == 1 else ""),
    )


def looks_like_an_audit(name: str, columns: Iterable[Column]) -> bool:
    """Whether a table is an audit table by its columns, readable or not."""
    return shape_of(name, _types(columns)) is not None


def _types(columns: Iterable[Column]) -> dict[str, str]:
    return {column.name: column.type_name for column in columns}


def _primary(
    columns: Sequence[Column], readable: dict[str, Column], wanted: TableOptions
) -> tuple[Column, ...]:
    if wanted.pk:
        return (readable[wanted.pk],) if wanted.pk in readable else ()
    primary = sorted(
        (column for column in columns if column.primary_place >= 0),
        key=lambda column: column.primary_place,
    )
    if primary:
        return tuple(primary) if all(column.readable for column in primary) else ()
    return (readable["id"],) if "id" in readable else ()


def _telling(column: Column) -> bool:
    """Whether it names a row or says a state."""
    names = column.name.endswith("_id") and column.type_name in (*INTEGER_TYPES, "uuid", "varchar")
    short = column.is_enum or column.type_name in STATE_TYPES
    return names or (short and STATE_LIKE.fullmatch(column.name) is not None)
