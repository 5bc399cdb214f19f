"""Rejected duplicates, and the earlier attempt whose row a rejection proves to be there.

An insert that hits a unique constraint says that the row is there. When an earlier attempt at the
same thing had ended in an error that leaves its outcome open, the outcome is open no longer: its
row is what the second attempt ran into. The values of the violated key are compared and never told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.kinds import Outcome
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.lines import lines_at
from timeline.facts.operations import failing_operations
from timeline.keys import split_key
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

UNIQUE = "unique_violation"
MAX_HITS = 200
"""Violations, and open outcomes before them, that are examined one by one."""
WRITE_SLACK_NS = 1_000_000_000
"""How far outside the attempt's own stamps the row it wrote may be stamped; two clocks differ."""
TWIN_LINES = 10
"""How many rejections back the other line about one of them is looked for."""
TWICE_TOLD_NS = 1_000_000_000
"""The server's line and the client's about one rejection stand within a second."""
MAX_PROOFS = 50
"""More attempts that turn out to have worked are one outage."""
LEAST_VALUE = 4
"""A shorter value of a key stands in too many lines to join on."""
_CONSTRAINT = re.compile(
    r"(?i)unique constraint [\"“']?([\w.]+)|for key [\"'`]([\w.]+)|UNIQUE constraint failed: "
    r"([\w.]+)|index: ([\w.$]+)"
)
_VALUE = re.compile(
    r"Key \([^)]*\)=\(([^)]{1,200})\) already exists|Duplicate entry ['\"](.{1,200}?)['\"] for key"
    r"|dup key: \{[^:}]*: \"([^\"]{1,200})\""
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A rejected duplicate (`violated_at`) that proves an earlier attempt (`open_at`, ns UTC) to
    have written its row. `key` is what both were about, empty when only the rejected value says so;
    `record` is the row of the first attempt where it was seen."""

    key: str
    constraint: str
    actor: str
    open_error: str
    open_at: int
    violated_at: int
    open_row: int
    violation_row: int
    record: str
    verdict: Verdict
    because: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A duplicate that a unique constraint stopped; instants in ns UTC."""

    constraint: str
    actor: str
    at: int
    event_row: int
    keys: tuple[str, ...]


def rejections(incident: Incident) -> list[Rejection]:
    """Every rejected duplicate, each told once, in time order."""
    hits = incident.errors.filter(pl.col("error_class") == UNIQUE).head(MAX_HITS)
    around = _keys_around(incident, hits)
    found: list[Rejection] = []
    for hit in hits.iter_rows(named=True):
        match = _CONSTRAINT.search(hit["body"])
        name = next((part for part in match.groups() if part), "") if match else ""
        keys = tuple(around.get(hit["row"], ()))
        told = Rejection(name, hit["actor"], hit["timestamp"], hit["row"], keys)
        twin = next((one for one in found[-TWIN_LINES:] if _same(one, told)), None)
        if twin is None:
            found.append(told)
        elif len(keys) > len(twin.keys):
            found[found.index(twin)] = told
    return found


def _same(one: Rejection, other: Rejection) -> bool:
    """Whether two lines tell of one rejection: the server's and the client's."""
    near = abs(one.at - other.at) <= TWICE_TOLD_NS
    named = one.constraint == other.constraint or "" in (one.constraint, other.constraint)
    alike = set(one.keys) & set(other.keys) or not one.keys or not other.keys
    return near and named and one.actor != other.actor and bool(alike)


def proofs(incident: Incident, rejected: list[Rejection]) -> list[Proof]:
    """The rejections that settle an earlier open outcome; the latest such attempt before each."""
    things, values = _things(rejected), _values(incident, rejected)
    if not things and not values:
        return []
    last = max(one.at for one in rejected)
    hits = incident.errors.filter(
        (pl.col("outcome") == Outcome.AMBIGUOUS.value) & (pl.col("timestamp") <= last)
    )
    if hits.is_empty():
        return []
    opened = failing_operations(incident, hits.tail(MAX_HITS)).sort("timestamp", "row")
    pairs = _by_key(incident, things, opened)
    rest = {number: value for number, value in values.items() if number not in pairs}
    for number, row in _by_value(incident, rejected, rest, opened):
        pairs[number] = (row, [])
    told = {hit["row"]: hit for hit in opened.iter_rows(named=True)}
    judged = (
        _proof(incident, rejected[number], told[row], shared)
        for number, (row, shared) in sorted(pairs.items())[:MAX_PROOFS]
    )
    return [proof for proof in judged if proof is not None]


_Thing = tuple[int, str, int, int]


def _things(rejected: list[Rejection]) -> list[_Thing]:
    """(number of the rejection, key, its stamp, its row): what the rejection was about.

    A person does many things; only the thing that the constraint is about, or the job that was
    tried again, makes two attempts one.
    """
    return [
        (number, key, one.at, one.event_row)
        for number, one in enumerate(rejected)
        for key in one.keys
        if key.startswith("job:") or split_key(key)[0] in one.constraint
    ]


def _values(incident: Incident, rejected: list[Rejection]) -> dict[int, str]:
    """The rejected value by number of the rejection, where the text tells one."""
    events = incident.snapshot.events_at([one.event_row for one in rejected])
    told = ((number, _rejected_value(event.body)) for number, event in enumerate(events))
    return {number: value for number, value in told if len(value) >= LEAST_VALUE}


def _by_key(
    incident: Incident, things: list[_Thing], opened: pl.DataFrame
) -> dict[int, tuple[int, list[str]]]:
    """By number of the rejection: the latest open attempt at the thing, and what they share."""
    schema = {"number": pl.Int64, "key": pl.String, "until": pl.Int64, "itself": pl.UInt32}
    mine = pl.DataFrame(things, schema=schema, orient="row")
    held = [(hit, key) for hit, keys in _keys_around(incident, opened).items() for key in keys]
    keys = pl.DataFrame(held, schema={"row": pl.UInt32, "key": pl.String}, orient="row")
    pairs = mine.join(keys, on="key").join(opened.select("row", "timestamp"), on="row")
    pairs = pairs.filter(
        (pl.col("timestamp") < pl.col("until")) & (pl.col("row") != pl.col("itself"))
    )
    latest = pairs.filter(pl.col("timestamp") == pl.col("timestamp").max().over("number"))
    grouped = latest.group_by("number").agg(pl.col("row").min(), pl.col("key").unique().sort())
    return {number: (row, keys) for number, row, keys in grouped.iter_rows()}


def _by_value(
    incident: Incident, rejected: list[Rejection], values: dict[int, str], opened: pl.DataFrame
) -> Iterator[tuple[int, int]]:
    """(rejection, open attempt) where lines of the attempt hold the value that was rejected."""
    if not values:
        return
    members = incident.executions.rows_of(opened.get_column("execution").drop_nulls().unique())
    inside = members.join(opened.select("execution", hit="row"), on="execution")
    rows = pl.concat([opened.select("row", hit="row"), inside.select("row", "hit")]).unique()
    lines = lines_at(incident, rows.get_column("row")).join(rows, on="row")
    lines = lines.join(opened.select(hit="row", open_at="timestamp"), on="hit")
    for number, value in list(values.items())[:MAX_PROOFS]:
        told = lines.filter(
            pl.col("body").str.contains(value, literal=True)
            & (pl.col("open_at") < rejected[number].at)
        ).sort("open_at", "hit")
        if told.height:
            yield number, told.get_column("hit")[-1]


def _rejected_value(body: str) -> str:
    match = _VALUE.search(body)
    return next((part for part in match.groups() if part), "") if match else ""


def _proof(
    incident: Incident, one: Rejection, hit: dict[str, object], shared: list[str]
) -> Proof | None:
    """The proof, unless the clocks say that the rejection came first."""
    row, at, sent = (_ns(hit[name]) for name in ("row", "timestamp", "sent"))
    order = before(
        incident.snapshot.event(row), incident.snapshot.event(one.event_row), incident.clocks
    )
    if order.verdict is None:
        return None
    written = _written(incident, one, shared, sent, at)
    verdict, because = Verdict.LIKELY, _inferred(shared)
    if order.verdict is not Verdict.CERTAIN:
        verdict, because = order.verdict, f"which came first: {order.because}"
    elif written is not None:
        name = written.record.removeprefix("row:")
        verdict, because = Verdict.CERTAIN, f"its row {name} was written by the first attempt"
    return Proof(
        key=next(
            (key for key in shared if not key.startswith("job:")), shared[0] if shared else ""
        ),
        constraint=one.constraint,
        actor=one.actor,
        open_error=str(hit["error_class"]),
        open_at=at,
        violated_at=one.at,
        open_row=row,
        violation_row=one.event_row,
        record=written.record if written else "",
        verdict=verdict,
        because=because,
    )


def _inferred(shared: list[str]) -> str:
    what = f"both are about {shared[0]}" if shared else "both hold the rejected value"
    return f"that it is the first attempt's row is inferred: {what}"


def _written(
    incident: Incident, one: Rejection, shared: list[str], sent: int, at: int
) -> Record | None:
    """The row of the violated table that the first attempt wrote, if it was seen."""
    keys = [key for key in shared if not key.startswith("job:")]
    own = incident.records.of_entities(keys)
    others = incident.records.referring_to(keys)
    candidates = [*own.values(), *(record for found in others.values() for record in found)]
    return next(
        (
            record
            for record in candidates
            if record.created is not None
            and sent - WRITE_SLACK_NS <= record.created <= at + WRITE_SLACK_NS
            and record.table.rpartition(".")[2] in one.constraint
        ),
        None,
    )


def _keys_around(incident: Incident, hits: pl.DataFrame) -> dict[int, list[str]]:
    """Entity and job keys on each hit's line or on a line of the same execution, sorted."""
    if hits.is_empty():
        return {}
    mine = incident.executions.of_rows(hits.get_column("row")).rename({"row": "hit"})
    members = incident.executions.rows_of(mine.get_column("execution").unique())
    inside = mine.join(members, on="execution").select("row", "hit")
    rows = pl.concat([inside, hits.select("row", hit="row")]).unique()
    keys = incident.snapshot.keys_of(rows.get_column("row").unique())
    named = pl.concat([entity_pairs(keys), pairs_of_type(keys, "job")])
    named = named.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    told = rows.join(named, on="row").group_by("hit").agg(pl.col("key").unique().sort())
    return dict(told.iter_rows())


def _ns(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number was expected here, not {value!r}")
    return value
