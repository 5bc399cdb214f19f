"""Recorded versions of rows, column by column: what each write found there and what it left.

Audit tables and row history tell them (`row.version`; the attributes are listed in
`connectors.sql`). Only values that are told are here: of a column whose values are not shown it is
known that it changed, and two such values are never compared. Never says who was right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.key_fields import snake

if TYPE_CHECKING:
    from timeline.incident import Incident

HIDDEN = '"(not shown)"'
"""How a value that is not told stands in the attributes."""
CHANGE = (
    r'"((?:[^"\\]|\\.)*)" ?: ?\[("(?:[^"\\]|\\.)*"|[^,"\[\]]*), ?("(?:[^"\\]|\\.)*"|[^,"\[\]]*)\]'
)
"""One member of `changed`: a column with its old and its new value, as JSON text."""
NO_UPDATE = ("created", "deleted", "superseded")
"""Actions that read nothing first, or leave nothing."""

VERSION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # event row
    "timestamp": pl.Int64,
    "seq": pl.UInt64,
    "chain": pl.String,  # one row as one tool records it; versions of two tools are never mixed
    "thing": pl.String,  # the entity key of the row, `order:77`
    "name": pl.String,  # as people say it: `orders/77`
    "table": pl.String,  # the table, or the recorded class where no table is known
    "actor": pl.String,  # empty where nothing says it
    "txn": pl.String,  # id of the writing transaction, or empty
    "request": pl.String,  # its request id, or empty
    "number": pl.String,  # the tool's own number of the version, or empty
    "lock": pl.String,  # the optimistic locking counter that the writer had read, or empty
    "changed": pl.String,  # JSON object text: {column: [old, new]}
}
CHANGE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **{name: dtype for name, dtype in VERSION_SCHEMA.items() if name != "changed"},
    "column": pl.String,
    "old": pl.String,  # JSON text of the value; `null` where there was none
    "new": pl.String,
    "width": pl.UInt32,  # how many columns the version changed
}


def heard_versions(incident: Incident) -> bool:
    """Whether any source told a version of a row."""
    events = incident.snapshot.events
    return bool(events.select((pl.col("kind") == Kind.ROW_VERSION.value).any()).item())


def updates_in(incident: Incident, within: int) -> pl.DataFrame:
    """Updates (VERSION_SCHEMA, by chain and time) of rows that were updated again within `within`
    ns, by the same tool's word; versions that stand alone have nothing to be compared with."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.DATABASE.value) & (pl.col("kind") == Kind.ROW_VERSION.value),
        "source",
        "seq",
        "attributes",
    )
    if told.is_empty():
        return pl.DataFrame(schema=VERSION_SCHEMA)
    told = told.with_columns(_member("action"), _item(), _member("pk").fill_null(""))
    told = told.filter(~pl.col("action").is_in(NO_UPDATE) & (pl.col("pk") != ""))
    tool = pl.coalesce(_member("audit_table"), _member("tool"), pl.lit(""))
    told = told.with_columns(
        chain=pl.concat_str(pl.col("source").cast(pl.String), tool, "item", "pk", separator="\0")
    ).sort("chain", "timestamp", "seq", "row")
    gap = pl.col("timestamp").diff().over("chain")
    near = (gap <= within) | (gap.shift(-1).over("chain") <= within)
    told = told.filter(near.fill_null(value=False))
    if told.is_empty():
        return pl.DataFrame(schema=VERSION_SCHEMA)
    return _named(incident, told)


def changes_of(updates: pl.DataFrame) -> pl.DataFrame:
    """CHANGE_SCHEMA: one line for each column that an update changed, in the order of `updates`."""
    told = updates.with_columns(part=pl.col("changed").str.extract_all(CHANGE))
    told = told.with_columns(width=pl.col("part").list.len()).explode("part").drop_nulls("part")
    pieces = pl.col("part").str.extract_groups(CHANGE).struct
    told = told.with_columns(column=pieces.field("1"), old=pieces.field("2"), new=pieces.field("3"))
    return told.select(pl.col(name).cast(dtype) for name, dtype in CHANGE_SCHEMA.items())


def _named(incident: Incident, told: pl.DataFrame) -> pl.DataFrame:
    """`told` with the rest of VERSION_SCHEMA."""
    items = told.get_column("item").unique().to_list()
    prefixes = {item: _key_prefix(incident, item) for item in items}
    bare = pl.col("item").str.replace(r"^class=", "").str.replace(r"^.*\.", "")
    full = told.with_columns(
        _member("actor").fill_null(""),
        _member("changed").fill_null("{}"),
        thing=pl.concat_str(pl.col("item").replace_strict(prefixes, return_dtype=pl.String), "pk"),
        name=pl.concat_str(bare, pl.lit("/"), "pk"),
        table=bare,
        txn=pl.coalesce(_text("txn"), _text("txid"), pl.lit("")),
        request=_text("request_id").fill_null(""),
        number=_text("version").fill_null(""),
        lock=pl.col("attributes").str.json_path_match("$.lock_version[0]").fill_null(""),
    )
    return full.select(pl.col(name).cast(dtype) for name, dtype in VERSION_SCHEMA.items())


def _key_prefix(incident: Incident, item: str) -> str:
    """`order:` for the table `orders`, or for the recorded class `Shop::Order`."""
    if item.startswith("class="):
        kind = item.removeprefix("class=").rpartition("::")[2].rpartition(".")[2]
        return f"{snake(kind)}:"
    return incident.key_rules.row_keys(item, "")[1]


def _item() -> pl.Expr:
    """The audited table, or `class=` and the recorded class where no table is known."""
    named = pl.concat_str(pl.lit("class="), _member("item_type"))
    return pl.coalesce(_member("table"), named, pl.lit("")).alias("item")


def _member(name: str) -> pl.Expr:
    return pl.col("attributes").str.json_path_match(f"$.{name}").alias(name)


def _text(name: str) -> pl.Expr:
    """A member that is absent where it is empty."""
    value = _member(name)
    return pl.when(value != "").then(value)
