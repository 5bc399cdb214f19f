"""Writes of one record that say which version of it they started from, as the writers' logs tell.

Where no table keeps versions, the services that write a record often do: in an If-Match header, a
WHERE clause, a line that says what was read and what was saved. Two writes from one version are a
write that the other never saw. Which line is a write is told by its words, in several languages, or
by a stored row of the record at the same instant. Never says what the second should have done.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Kind, Lane
from timeline.facts.run_signs import RUN_IDS
from timeline.facts.spoken import VERSION_MARKS, spoken_with

if TYPE_CHECKING:
    from timeline.incident import Incident

_NAME = (
    r"(?:lock_?version|row_?version|expected_?version|base_?version|version|optlock|_rev|revision"
    r"|rev|if[-_]match|etag|wersj[aieę]+|vers[aã]o|versi[oó]n|versione|верси[яиюей]+|版本|バージョン)"
)
VERSION = (
    rf"(?i)(?:^|[^\w.@-]){_NAME}[\"']?(?: ?(?:=|:|=>) ?| (?:nr\.? |no\.? |# ?)?)"
    r"(?:W/)?\\?[\"']?(\d{1,12}(?:-[0-9a-f]{8,40})?|[0-9a-f]{8,40})\b(?:[^.\w]|$)"
)
"""A version that belongs to a record: a counter, a CouchDB revision or a hash; never `2.4.1`."""
WRITES = (
    r"(?i)\b(?:wrote|writ(?:e|es|ing|ten)|sav(?:e|es|ed|ing)|stor(?:ed|ing)|updat(?:e|es|ed|ing)"
    r"|persist(?:ed|ing)?|upsert(?:ed)?|replaced?|flush(?:ed)?|merged|overw\w+|put|patch(?:ed)?"
    r"|gespeichert|geschrieben|aktualisiert|überschrieben|enregistrée?s?|écrite?s?|mise? à jour"
    r"|guardad[oa]s?|escrit[oa]s?|actualizad[oa]s?|salvat[oaie]|scritt[oaie]|aggiornat[oaie]"
    r"|salv[oa]s?|gravad[oa]s?|atualizad[oa]s?|zapisan[oaey]|zaktualizowan[oaey]|opgeslagen"
    r"|bijgewerkt|sparad|uppdaterad|kaydedildi|güncellendi)\b"
    r"|сохран|записан|обновл|保存|更新|저장"
)
REFUSES = (
    r"(?i)\b(?:stale|conflict\w*|refus\w+|reject\w+|denied|mismatch|precondition|skipp?ed|ignored"
    r"|lost the race|retry\w*|0 rows|no rows|412|409)\b|optimistic"
)
"""What is written where the second write was kept from happening."""
FROM = (
    r"(?i)\b(?:based on|from|expected|if[-_]match|where|lock_?version|base_?version|was"
    r"|ausgehend|basierend|à partir|desde|a partire|na podstawie|på grund)\b|→|->"
)
"""Words by which the stated version is the one that the writer had read."""
PERSONS = (
    r"^(?:user|actor|clerk|operator|admin|agent|editor|tenant|account|customer|session|device):"
)
"""Keys that name who or for whom, not what is written, where another key stands beside them."""
SERVICE_SHARE = 0.5
"""A number that stands in more than half of a writer's lines is its own version, not a record's."""
MIN_SERVICE_LINES = 10
WITHIN_NS = 600 * 1_000_000_000
"""Forms are saved minutes after they were opened; a longer gap is a new visit."""
STORED_NS = 1_000_000_000
"""A line and the row it tells of are stamped within a second of each other."""
MAX_PAIRS = 200
TOOK = re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|µs|us|ns)\b")

PAIR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.String,  # the keys of the record, joined by blanks
    "version": pl.String,  # the one that both wrote from
    "actor": pl.String,
    "first_row": pl.UInt32,
    "first_at": pl.Int64,
    "first_run": pl.String,  # key of the request or job that wrote first
    "second_row": pl.UInt32,
    "second_at": pl.Int64,
    "second_run": pl.String,
    "read_row": pl.UInt32,  # where the second had spoken of that version before the first wrote
    "says_from": pl.Boolean,  # whether its line says that it started from that version
}


def versioned_pairs(incident: Incident) -> pl.DataFrame:
    """PAIR_SCHEMA, by the instant of the second write: writes of one record by two requests or jobs
    of one service from the same stated version, of which neither was refused."""
    lines = _lines(incident)
    several = pl.col("run").n_unique().over("actor", "subject", "version") > 1
    lines = lines.filter(several).sort("at", "row")
    if lines.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    refused = refused_runs(incident, lines.get_column("run").unique())
    wrote = lines.filter(_writes(incident, lines), ~pl.col("run").is_in(refused.implode()))
    by = ["actor", "subject", "version"]
    last = wrote.unique([*by, "run"], keep="last", maintain_order=True).sort(*by, "at", "row")
    earlier = [
        pl.col(name).shift(1).over(by).alias(f"{name}_1")
        for name in ("row", "at", "run", "names", "body")
    ]
    pairs = last.with_columns(earlier).drop_nulls("row_1")
    pairs = pairs.filter(pl.col("at") - pl.col("at_1") <= WITHIN_NS).sort("at", "row")
    pairs = pairs.head(MAX_PAIRS)
    bodies = pairs.select("body", "names", "body_1", "names_1").iter_rows()
    same = [_said(body, names) == _said(before, ids) for body, names, before, ids in bodies]
    pairs = pairs.filter(~pl.Series(same, dtype=pl.Boolean))
    begun = lines.group_by(*by, "run").agg(
        read_at=pl.col("at").first(), read_row=pl.col("row").first()
    )
    pairs = pairs.join(begun, on=[*by, "run"], how="left")
    read = pl.when(pl.col("read_at") < pl.col("at_1")).then("read_row")
    told = pairs.select(
        "subject",
        "version",
        "actor",
        first_row="row_1",
        first_at="at_1",
        first_run="run_1",
        second_row="row",
        second_at="at",
        second_run="run",
        read_row=read,
        says_from=pl.col("body").str.contains(FROM),
    )
    typed = told.select(pl.col(name).cast(dtype) for name, dtype in PAIR_SCHEMA.items())
    return typed.sort("second_at", "second_row")


def _said(body: str, names: Sequence[str]) -> str:
    """The line without the names of its run and without how long it took: equal for two writes of
    the same content."""
    for name in names:
        body = body.replace(name, "")
    return TOOK.sub("", body)


LINE_VERSION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "actor": pl.String,
    "body": pl.String,
    "version": pl.String,
    "run": pl.String,
    "names": pl.List(pl.String),
    "subject": pl.String,
    "at": pl.Int64,
}


def _lines(incident: Incident) -> pl.DataFrame:
    """LINE_VERSION_SCHEMA of lines that state a record's version;
    `names` are the values of all its run ids."""
    lines = spoken_with(incident, VERSION_MARKS)
    if lines.is_empty():
        return pl.DataFrame(schema=LINE_VERSION_SCHEMA)
    lines = lines.with_columns(version=pl.col("body").str.extract(VERSION, 1)).drop_nulls("version")
    own = (pl.len().over("actor", "version") > SERVICE_SHARE * pl.len().over("actor")) & (
        pl.len().over("actor") >= MIN_SERVICE_LINES
    )
    lines = lines.filter(~own)
    keys = incident.snapshot.keys_of(lines.get_column("row")).unique()
    keys = keys.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    is_run = pl.col("key").str.contains(RUN_IDS)
    runs = keys.filter(is_run).sort("row", "key").group_by("row").agg(
        run=pl.col("key").first(), names=pl.col("key").str.extract(r":(.*)$", 1)
    )  # fmt: skip
    things = keys.filter(~is_run & ~pl.col("key").str.starts_with("row:"))
    person = pl.col("key").str.contains(PERSONS)
    things = things.with_columns(others=(~person).any().over("row"), person=person)
    things = things.filter(~pl.col("person") | ~pl.col("others"))
    subjects = things.sort("row", "key").group_by("row").agg(subject=pl.col("key").str.join(" "))
    told = lines.join(runs, on="row").join(subjects, on="row")
    return told.select("row", "actor", "body", "version", "run", "names", "subject", at="timestamp")


def _writes(incident: Incident, lines: pl.DataFrame) -> pl.Expr:
    """Whether a line tells of a write: it says so, or a row of the record was stored just then."""
    kinds = (Kind.ROW_UPDATED.value, Kind.ROW_VERSION.value)
    stored = incident.records.versions.filter(pl.col("kind").is_in(kinds))
    owners = incident.records.owners.join(stored.select("record", "timestamp"), on="record")
    single = lines.filter(~pl.col("subject").str.contains(" "))
    near = single.join(owners, left_on="subject", right_on="key")
    near = near.filter((pl.col("timestamp") - pl.col("at")).abs() <= STORED_NS)
    body = pl.col("body")
    return body.str.contains(WRITES) | pl.col("row").is_in(near.get_column("row").implode())


def refused_runs(incident: Incident, runs: pl.Series) -> pl.Series:
    """Those of `runs` under whose key anything was refused, warned of, or failed."""
    snapshot = incident.snapshot
    every = snapshot.keys.filter(pl.col("key").is_in(runs.implode()))
    shown = snapshot.told(
        pl.col("row").is_in(every.get_column("row").unique().implode())
        & (pl.col("lane") == Lane.LOG.value),
        "severity_number",
        "body",
    )
    bad = shown.filter(
        (pl.col("severity_number") >= SEVERITY_WARN) | pl.col("body").str.contains(REFUSES)
    ).get_column("row")
    bad = pl.concat([bad, incident.failures.get_column("row")])
    return every.filter(pl.col("row").is_in(bad.implode())).get_column("key").unique()
