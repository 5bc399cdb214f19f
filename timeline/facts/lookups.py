"""Lookups that failed inside jobs: which job asked for which entity and was told "not found".

The join is exact when the message says what kind of thing was not found and which one. A message
that leaves either out (`sql: no rows in result set`) may be about another row of the same job: the
join is inferred then, and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.errors import NOT_FOUND
from timeline.facts.roles import RUN_SLACK_NS
from timeline.keys import split_key

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_LOOKUPS = 2_000
"""Failed lookups that are examined one by one; more of them are one story, not two thousand."""
MOST_BODIES = 4_096
"""Different messages whose words are kept: most are said again and again."""
MAX_UNKEYED = 200
"""Messages without any key that are compared with the jobs running at that moment."""

MODEL_WORDINGS = (
    re.compile(r"[Cc]ould(?:n't| not) find (?:all )?([A-Z]\w*(?:::\w+)*)"),
    re.compile(r"\b([A-Z]\w*)\.DoesNotExist"),
    re.compile(r"\b([A-Za-z]\w*) matching query does not exist"),
    re.compile(r"Unable to find (?:[\w$]+\.)*(\w+) with id"),
    re.compile(
        r"\b([A-Za-z]\w*)(?:[ #:=(\[]{1,2})(?:with )?(?:id\W{1,3})?['\"]?[\w-]*\d[\w-]*['\"]?[\])]?"
        r" (?:(?:was|could|is|does|has) )?not (?:be )?(?:found|exist|visible)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:no|no such|unknown|cannot find|can't find|could not find|did not find) ([A-Z]\w*)",
        re.IGNORECASE,
    ),
    re.compile(r"\b([A-Za-z]\w*) not (?:found|in (?:the )?(?:store|storage|database|db|table)\b)"),
    re.compile(r"\bnot_found, ?\W?([A-Za-z]\w*)"),
    re.compile(r"\b(?:of type|for model) \W?(?:\w+\\)*([A-Z]\w*)"),
    re.compile(r"\bis not present in table \W?(?:\w+\.)?(\w+)"),
    re.compile(r"\bNo class (?:[\w$]+\.)*(\w+) entity with id"),
    re.compile(r"\bEntity (\w+?)(?:Entity)?, id="),
    re.compile(r"\b(?:for class|on model) \W?([A-Z]\w*)"),
    re.compile(r"<Model: (\w+)>"),
    re.compile(r"\bfrom \w+ in (?:\w+\.)*([A-Z]\w*)"),
    re.compile(r"\b([A-Z]\w*?)Not_?Found(?:Exception|Error)?\b"),
)
"""How clients and applications name the kind of thing that is missing."""
ANYTHING = frozenset(
    {"record", "row", "rows", "object", "entity", "entities", "resource", "result", "results"}
    | {"item", "id", "it", "data", "key", "element", "elements", "value", "document"}
    | {"a", "an", "any", "the", "one", "such", "matching", "model", "path", "file", "page"}
)
"""Names that say nothing about the kind."""

OPEN_END = 2**62
"""Stands for the end (ns) of a run that never ended."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Job `job` asked for entity `key` and did not find it; `row` is the event that says so.

    `exact` is False when the message names the kind or the value only by its context.
    """

    job: str
    key: str
    row: int
    timestamp: int
    exact: bool


def failed_lookups(incident: Incident) -> list[Lookup]:
    """The first failing lookup of every (job, entity), in time order."""
    hits = incident.errors.filter(pl.col("error_class") == NOT_FOUND).head(MAX_LOOKUPS)
    if hits.is_empty() or incident.jobs.entities.is_empty():
        return []
    pairs = _with_job(incident, hits).join(incident.jobs.entities, on="job")
    own = _held(incident, hits.filter(pl.col("lane") == Lane.LOG.value))
    found: dict[tuple[str, str], Lookup] = {}
    ordered = pairs.with_columns(log=pl.col("lane") == Lane.LOG.value).sort(
        ["log", "timestamp", "row", "job", "key"], descending=[True, False, False, False, False]
    )
    for (row, job), group in ordered.group_by(["row", "job"], maintain_order=True):
        lines = group.select("key", "body", "timestamp").rows()
        for key, exact in _meant([line[0] for line in lines], lines[0][1], own.get(row, set())):
            found.setdefault((job, key), Lookup(job, key, row, lines[0][2], exact))
    return sorted(found.values(), key=lambda lookup: (lookup.timestamp, lookup.job, lookup.key))


def failed_reads(incident: Incident) -> list[Lookup]:
    """The first failing lookup of every (request, entity) outside jobs; `job` is the request's key.

    Without arguments to go by, only lines that name what was missing, and which one, are taken.
    """
    hits = incident.errors.filter(
        (pl.col("error_class") == NOT_FOUND) & (pl.col("lane") == Lane.LOG.value)
    ).head(MAX_LOOKUPS)
    if hits.is_empty():
        return []
    keys = incident.snapshot.keys_of(hits.get_column("row"))
    requests = pl.concat([pairs_of_type(keys, name) for name in ("request", "trace")])
    requests = requests.unique("row", keep="first", maintain_order=True)
    asked = hits.join(incident.jobs.named, on="row", how="anti").join(requests, on="row")
    own = _held(incident, asked)
    found: dict[tuple[str, str], Lookup] = {}
    lines = asked.select("row", "key", "body", "timestamp").sort("timestamp", "row")
    for row, request, body, timestamp in lines.iter_rows():
        for key, exact in _meant(sorted(own.get(row, ())), body, own.get(row, set())):
            if exact:
                found.setdefault((request, key), Lookup(request, key, row, timestamp, exact))
    return sorted(found.values(), key=lambda one: (one.timestamp, one.job, one.key))


def _held(incident: Incident, hits: pl.DataFrame) -> dict[int, set[str]]:
    """Entity keys that the lines themselves carry, by row."""
    keys = incident.snapshot.keys_of(hits.get_column("row"))
    held: dict[int, set[str]] = {}
    for row, key in entity_pairs(keys).iter_rows():
        held.setdefault(row, set()).add(key)
    return held


def _meant(keys: list[str], body: str, own: set[str]) -> list[tuple[str, bool]]:
    """The entities among `keys` that the message is about, each with whether it is named.

    A context field on the line (`user_id=1 … Template 77 not found`) is not what was looked for
    when the message itself says what was.
    """
    models = _models_in(body)
    if models:
        keys = [key for key in keys if _squeezed(split_key(key)[0]) in models]
    named = [key for key in keys if key in own or _names(body, key)]
    if named:
        return [(key, bool(models)) for key in named]
    typed = [key for key in keys if _type_named(body, key)]
    if len(typed) == 1:
        return [(typed[0], False)]
    return []


@lru_cache(MOST_BODIES)
def _models_in(body: str) -> frozenset[str]:
    """Everything the message says was not found, squeezed; empty when it names nothing."""
    found = {
        _squeezed(match.group(1).rpartition(":")[2])
        for pattern in MODEL_WORDINGS
        for match in pattern.finditer(body)
    }
    return frozenset(found - ANYTHING)


def _squeezed(name: str) -> str:
    return name.replace("_", "").lower()


def _names(body: str, key: str) -> bool:
    value = re.escape(split_key(key)[1])
    return re.search(rf"(?<![\w.-]){value}(?![\w-]|\.\d)", body) is not None


def _type_named(body: str, key: str) -> bool:
    words = split_key(key)[0].replace("_", "[ _]?")
    return re.search(rf"(?<![a-z]){words}(?:s|es)?(?![a-z])", body, re.IGNORECASE) is not None


def _with_job(incident: Incident, hits: pl.DataFrame) -> pl.DataFrame:
    """`hits` with the key of the job they belong to; a hit of no job is dropped."""
    keyed = hits.join(incident.jobs.named, on="row")
    rest = hits.join(keyed.select("row"), on="row", how="anti")
    by_entity = _running(incident, rest, _entity_candidates(incident, rest))
    rest = rest.join(by_entity.select("row"), on="row", how="anti").head(MAX_UNKEYED)
    by_value = _running(incident, rest, None).join(incident.jobs.entities, on="job")
    value = pl.col("key").str.replace(r"^[^:]*:", "")
    by_value = by_value.filter(pl.col("body").str.contains(value, literal=True)).drop("key")
    return pl.concat([keyed, by_entity, by_value.unique(["row", "job"], maintain_order=True)])


def _entity_candidates(incident: Incident, hits: pl.DataFrame) -> pl.DataFrame:
    keys = incident.snapshot.keys_of(hits.get_column("row"))
    pairs = entity_pairs(keys).join(incident.jobs.entities, on="key")
    return pairs.select("row", "job").unique()


def _running(incident: Incident, hits: pl.DataFrame, pairs: pl.DataFrame | None) -> pl.DataFrame:
    """`hits` with the jobs running at the time; only those of the (row, job) `pairs` if given."""
    runs = incident.jobs.runs.select(
        "job",
        begin=pl.col("start") - RUN_SLACK_NS,
        until=pl.col("end").fill_null(OPEN_END) + RUN_SLACK_NS,
    )
    inside = (pl.col("timestamp") >= pl.col("begin"), pl.col("timestamp") <= pl.col("until"))
    if pairs is None:
        during = hits.join_where(runs, *inside)
    else:
        during = hits.join(pairs, on="row").join(runs, on="job").filter(*inside)
    return during.select(*hits.columns, "job").unique(["row", "job"], maintain_order=True)
