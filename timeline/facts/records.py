"""Every database row seen: when it was created, when that became visible, when it was read.

A `created_at` is a lower bound of the commit and never the commit (PostgreSQL 15 documentation,
"Current Date/Time"), so the three instants are kept apart. It never infers one from another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane, Meaning
from timeline.facts.entities import entity_pairs
from timeline.facts.fields import field_texts
from timeline.shares import shared_out

if TYPE_CHECKING:
    from timeline.incident import Incident

LONGEST_TRANSACTION_NS = 60_000_000_000
"""A row is hardly uncommitted for longer than this: a later commit belongs to another write."""

FIELDS = ("table", "pk", "endpoint", "commit_timestamp", "seen_at")
"""What connectors say of a row beside its values."""
VERSION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "kind": pl.String,
    "meaning": pl.String,
    "table": pl.String,
    "pk": pl.String,
    "record": pl.String,  # `row:users/4711`
    "columns": pl.String,  # JSON object text
    "commit": pl.Int64,  # commit of the visible version, ns; null when the server keeps none
    "endpoint": pl.String,
    "seen": pl.Int64,  # when the row was read, ns
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a database as far as it is known; instants in ns UTC, None when not known.

    `created` is when its transaction (or the application) began to write it; `commit` is the
    commit of the version that was read, which is the creation's own only while nothing updated the
    row. `seen` is when it was read, `any_row` an event about it.
    """

    record: str
    table: str
    pk: str
    source: str
    created: int | None
    created_row: int | None
    commit_row: int | None
    commit: int | None
    updated: int | None
    updated_row: int | None
    deleted: int | None
    seen: int | None
    endpoint: str | None
    columns: str | None
    any_row: int

    @property
    def rewritten(self) -> bool:
        """Whether a later transaction than the one that created the row wrote it.

        A commit long after the creation is that of a later write that left no other stamp.
        """
        if self.updated is not None and self.updated != self.created:
            return True
        late = None not in (self.commit, self.created)
        return late and (self.commit or 0) - (self.created or 0) > LONGEST_TRANSACTION_NS

    @property
    def untouched(self) -> bool:
        """Whether the row itself says that nothing wrote it since (`updated_at` = `created_at`)."""
        try:
            columns = json.loads(self.columns or "{}")
        except ValueError:
            return False
        if not isinstance(columns, dict) or "updated_at" not in columns or self.rewritten:
            return False
        return bool(columns["updated_at"] == columns.get("created_at"))


@dataclass(frozen=True)
class Records:
    """Rows of an incident.

    `versions` has one line per row event (VERSION_SCHEMA, time order); `owners` maps a record to
    the entity key of the row itself; `references` maps records to entity keys of other rows (its
    foreign keys). `replicated` is whether anything here was read from a replica.
    """

    versions: pl.DataFrame
    summary: pl.DataFrame
    owners: pl.DataFrame
    references: pl.DataFrame
    replicated: bool

    def of_entity(self, key: str) -> Record | None:
        """The row that *is* `key`, or None when no such row was seen."""
        return self.of_entities([key]).get(key)

    def of_entities(self, keys: Sequence[str]) -> dict[str, Record]:
        """The rows that *are* the given entities, for those that were seen."""
        if not keys or self.owners.is_empty():
            return {}
        held = _held(self.owners, keys).unique("key", keep="first", maintain_order=True)
        joined = held.join(self.summary, on="record", how="inner")
        return dict(_with_key(joined))

    def referring_to(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        """Rows of other tables that refer to the given entities, oldest first."""
        if not keys or self.references.is_empty():
            return {}
        joined = _held(self.references, keys).join(self.summary, on="record", how="inner")
        found: dict[str, list[Record]] = {}
        for key, record in _with_key(joined.sort("created", "record")):
            found.setdefault(key, []).append(record)
        return found


def _held(pairs: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    wanted = pl.Series(list(keys), dtype=pl.String)
    return pairs.filter(pl.col("key").is_in(wanted.implode()))


def _with_key(joined: pl.DataFrame) -> Iterable[tuple[str, Record]]:
    fields_of = joined.select(_RECORD_FIELDS).iter_rows(named=True)
    for key, told in zip(joined.get_column("key"), fields_of, strict=True):
        yield key, Record(**told)


_RECORD_FIELDS = tuple(field.name for field in fields(Record))


def records_in(incident: Incident) -> Records:
    """All database rows of the incident; empty frames when no database was read."""
    versions = _versions(incident)
    summary = _summary(versions)
    pairs = entity_pairs(incident.snapshot.keys_of(versions.get_column("row"))).join(
        versions.select("row", "record", "table", "pk"), on="row"
    )
    prefixes = {
        table: incident.key_rules.row_keys(table, "")[1]
        for table in summary.get_column("table").unique().to_list()
    }
    named = summary.with_columns(
        key=pl.concat_str(
            pl.col("table").replace_strict(prefixes, default="", return_dtype=pl.String), "pk"
        )
    )
    owners = named.select("record", "key")
    references = (
        pairs.select("record", "key").unique().join(owners, on=["record", "key"], how="anti")
    )
    systems = " ".join(source.system.lower() for source in incident.sources)
    return Records(
        versions,
        summary,
        owners,
        references.sort(["record", "key"]),
        bool(versions.get_column("endpoint").eq("replica").any()) or "replica" in systems,
    )


def _versions(incident: Incident) -> pl.DataFrame:
    kind = pl.col("kind").cast(pl.String)
    events = incident.snapshot.events
    held = events.select((pl.col("lane") == Lane.DATABASE.value).arg_true().cast(pl.UInt32))
    rows = events[held.to_series()].with_columns(row=held.to_series())
    rows = rows.filter(kind.str.starts_with("row.") | (kind == Kind.TXN_COMMIT.value))
    if rows.is_empty():
        return pl.DataFrame(schema=VERSION_SCHEMA)
    attributes = rows.get_column("attributes")
    member = pl.col("attributes").str.json_path_match("$.columns").alias("columns")
    columns = shared_out(attributes.to_frame(), member).to_series()
    told = rows.select(
        "row",
        "timestamp",
        pl.col("source").cast(pl.String),
        kind,
        pl.col("meaning").cast(pl.String),
        columns,
    ).hstack(field_texts(attributes, *FIELDS))
    told = told.with_columns(
        commit=_moment("commit_timestamp"), seen=_moment("seen_at")
    ).drop_nulls(["table", "pk"])
    told = told.with_columns(
        record=pl.concat_str(
            pl.lit("row:"), pl.col("table").str.replace(r"^.*\.", ""), pl.lit("/"), "pk"
        )
    ).sort(["timestamp", "row"])
    return told.select(pl.col(name).cast(dtype) for name, dtype in VERSION_SCHEMA.items())


def _moment(name: str) -> pl.Expr:
    """The ISO 8601 instants of a column as nanoseconds; null when absent or without a zone."""
    text = (
        pl.col(name)
        .str.replace(" ", "T", literal=True)
        .str.replace(r"Z$", "+00:00")
        .str.replace(r"([+-]\d{2})$", "${1}:00")
    )
    moment = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
    return moment.dt.timestamp("us") * 1_000


def _summary(versions: pl.DataFrame) -> pl.DataFrame:
    """One line per record: its first and last known instants (ns) and the rows that tell them."""
    insert = pl.col("kind") == Kind.ROW_INSERTED.value
    update = pl.col("kind") == Kind.ROW_UPDATED.value
    delete = pl.col("kind") == Kind.ROW_DELETED.value
    committed = (pl.col("meaning") == Meaning.COMMITTED.value) | (
        pl.col("kind") == Kind.TXN_COMMIT.value
    )
    started = insert & ~committed
    change = pl.col("kind") == Kind.ROW_VERSION.value  # its columns are those that changed
    summary = versions.group_by("record", maintain_order=True).agg(
        pl.col("table").first(),
        pl.col("pk").first(),
        pl.col("source").first(),
        created=pl.col("timestamp").filter(started).first(),
        created_row=pl.col("row").filter(started).first(),
        commit_row=pl.col("row").filter(committed).last(),
        commit=pl.col("timestamp").filter(committed).last(),
        stated_commit=pl.col("commit").max(),
        updated=pl.col("timestamp").filter(update).last(),
        updated_row=pl.col("row").filter(update).last(),
        deleted=pl.col("timestamp").filter(delete).last(),
        seen=pl.col("seen").max(),
        endpoint=pl.col("endpoint").drop_nulls().last(),
        columns=pl.col("columns").filter(~change).drop_nulls().last(),
        any_row=pl.col("row").first(),
    )
    return summary.with_columns(commit=pl.coalesce("commit", "stated_commit")).drop("stated_commit")
