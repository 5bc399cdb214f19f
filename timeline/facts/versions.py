"""Recorded versions of rows, column by column: what each write found there and what it left.

Audit tables and row history tell them (`row.version`; the attributes are listed in
`connectors.sql`). A value that is not told is never compared, and an empty `changed` says nothing.
Never says who was right.

A busy audit table has tens of thousands of versions in a window, so only the member that holds the
changes is read of all of them; the rest is read of the few that matter (`details_of`).
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
SAMPLE = 1_000
"""Versions that are looked at to find out whether any tells its values."""
NO_UPDATE = ("created", "deleted", "superseded")
"""Actions that read nothing first, or leave nothing."""

_TEXT = r'"(?:[^"\\]|\\.)*"'
_VALUE = rf'{_TEXT}|[^,"\[\]{{}}: ][^,"\[\]{{}}]*'
_CHANGED = rf'"changed": ?(\{{(?:[^{{}}"]|{_TEXT})*\}})'
"""The member `changed`: values are scalars or JSON in texts, so no further brace opens in it, and
no column can look like it."""
_CHANGE = rf"{_TEXT}: ?\[(?:{_VALUE}), ?(?:{_VALUE})\]"
"""A column with its old and its new value, as JSON texts."""

CHANGE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # event row of the version
    "timestamp": pl.Int64,
    "seq": pl.UInt64,
    "chain": pl.UInt64,  # one row as one tool records it; versions of two tools are never mixed
    "column": pl.String,
    "old": pl.String,  # JSON text of the value; `null` where there was none
    "new": pl.String,
}
DETAIL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "action": pl.String,
    "thing": pl.String,  # the entity key of the row, `order:77`
    "name": pl.String,  # as people say it: `orders/77`
    "table": pl.String,  # the table, or the recorded class where no table is known
    "actor": pl.String,  # empty where nothing says it
    "txn": pl.String,  # id of the writing transaction, or empty
    "request": pl.String,  # its request id, or empty
    "number": pl.String,  # the tool's own number of the version, or empty
    "lock": pl.String,  # the optimistic locking counter that the writer had read, or empty
    "columns": pl.List(pl.String),  # every column that changed, also where no value is told
}


def missing_versions(incident: Incident) -> str:
    """What is lacking to compare versions, in words; empty when nothing is.

    Versions whose changes could not be opened, or are of columns that are not shown, prove nothing.
    """
    events = incident.snapshot.events.lazy().filter(pl.col("kind") == Kind.ROW_VERSION.value)
    told = events.select("attributes")
    if told.head(1).collect().is_empty():
        return "row versions (an audit table, or the row history of the database)"
    opened = told.filter(pl.col("attributes").str.contains(r'"changed": ?\{"'))
    sample = opened.head(SAMPLE).select(part=_parts()).explode("part").collect()
    if sample.is_empty():
        return "row versions that tell what changed (their changes are empty or could not be read)"
    hidden = sample.get_column("part").str.contains(HIDDEN, literal=True)
    if hidden.all():
        return "values of the columns that changed (configure the columns that may be shown)"
    return ""


def changes_in(incident: Incident, within: int) -> pl.DataFrame:
    """CHANGE_SCHEMA, by chain and time: the changes whose values are told, of rows that were
    changed again within `within` ns by the same tool's word. A version that stands alone has
    nothing to be compared with."""
    versions = _versions(incident)
    if versions.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    gap = pl.col("timestamp").diff()
    near = (gap <= within) & (pl.col("chain") == pl.col("chain").shift(1))
    near = near.fill_null(value=False)
    versions = versions.filter(near | near.shift(-1).fill_null(value=False))
    if versions.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    return _told(versions)


def changes_told(incident: Incident, most: int) -> pl.DataFrame:
    """CHANGE_SCHEMA, by chain and time: the changes of the latest `most` versions, whether or not
    the row was changed again."""
    versions = _versions(incident, most)
    return _told(versions) if versions.height else pl.DataFrame(schema=CHANGE_SCHEMA)


def _told(versions: pl.DataFrame) -> pl.DataFrame:
    told = versions.with_columns(part=_parts()).drop("attributes").explode("part")
    shown = ~pl.col("part").str.contains(HIDDEN, literal=True)
    told = told.filter(shown.fill_null(value=False))
    pieces = pl.col("part").str.extract_all(_VALUE).list
    told = told.with_columns(
        column=pieces.get(0).str.strip_chars('"'), old=pieces.get(1), new=pieces.get(2)
    )
    return told.select(pl.col(name).cast(dtype) for name, dtype in CHANGE_SCHEMA.items())


def _parts() -> pl.Expr:
    """Each change that the attributes tell, as a list of texts."""
    return pl.col("attributes").str.extract(_CHANGED, 1).str.extract_all(_CHANGE)


def details_of(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    """DETAIL_SCHEMA of a few versions, in the order of their rows."""
    wanted = rows.cast(pl.UInt32).unique()
    told = incident.snapshot.told(pl.col("row").is_in(wanted.implode()), "attributes")
    told = told.with_columns(_item(), _member("pk").fill_null(""))
    items = told.get_column("item").unique().to_list()
    prefixes = {item: _key_prefix(incident, item) for item in items}
    bare = pl.col("item").str.replace(r"^class=", "").str.replace(r"^.*\.", "")
    prefix = pl.col("item").replace_strict(prefixes, default="", return_dtype=pl.String)
    full = told.with_columns(
        _member("action").fill_null(""),
        _member("actor").fill_null(""),
        thing=pl.concat_str(prefix, "pk"),
        name=pl.concat_str(bare, pl.lit("/"), "pk"),
        table=bare,
        txn=pl.coalesce(_filled("txn"), _filled("txid"), pl.lit("")),
        request=_filled("request_id").fill_null(""),
        number=_filled("version").fill_null(""),
        lock=pl.col("attributes").str.json_path_match("$.lock_version[0]").fill_null(""),
        columns=_parts().list.eval(pl.element().str.extract(_TEXT, 0).str.strip_chars('"')),
    )
    typed = [pl.col(name).cast(dtype) for name, dtype in DETAIL_SCHEMA.items()]
    return full.select(typed).sort("row")


def _versions(incident: Incident, most: int | None = None) -> pl.DataFrame:
    """Every version (row, timestamp, seq, chain, attributes), or the latest, by chain and time."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.DATABASE.value) & (pl.col("kind") == Kind.ROW_VERSION.value),
        "source",
        "seq",
        "ref",
        "attributes",
    )
    told = told if most is None else told.tail(most)
    if told.is_empty():
        return told
    keys = incident.snapshot.keys_of(told.get_column("row"))
    own = keys.with_columns(other=~pl.col("key").str.starts_with("row:")).sort(
        "row", "other", maintain_order=True
    )  # the row's own key comes first, and without a table the thing's
    told = told.join(own.unique("row", keep="first").select("row", "key"), on="row")
    table = pl.col("ref").str.extract(r"^([^/]*)/", 1).fill_null("")
    chain = pl.concat_str(pl.col("source").cast(pl.String), table, "key", separator="\0").hash()
    told = told.with_columns(chain=chain)
    return told.sort("chain", "timestamp", "seq", "row")


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


def _filled(name: str) -> pl.Expr:
    """A member, null where it is empty."""
    value = _member(name)
    return pl.when(value != "").then(value)
