"""The bodies of all searches: what is asked of the cluster, and nothing it has to guess.

Plain dictionaries of the query language that Elasticsearch 7.17 to 9 and OpenSearch 2 and 3
share. Stretches of time are half-open and in whole milliseconds; the exact window is kept by
whoever reads the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.elasticsearch.fields import (
    EXACT_TYPES,
    NUMBER_TYPES,
    TEXT_TYPES,
    FieldMap,
    IdField,
    TimeField,
)
from connectors.logs.jsonshape import JsonValue
from timeline.keys import split_key

Body = dict[str, JsonValue]
Query = dict[str, JsonValue]

MILLISECOND_NS = 1_000_000
BARS = 60
"""Bars of the survey's histogram: what is left out is counted for each."""
MOST_LEVELS = 50
"""Different level words counted apart."""
SHORTEST_TEXT_KEY = 2
"""Characters of a value from which it is looked for in free text: one digit is in every line."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """`[start, end)` in ms since the epoch."""

    start: int
    end: int

    @classmethod
    def of(cls, start: int, end: int) -> Stretch:
        """The whole milliseconds that hold `[start, end)` in ns."""
        return cls(start // MILLISECOND_NS, -(-end // MILLISECOND_NS))

    @property
    def empty(self) -> bool:
        return self.end <= self.start


def within(time: TimeField, stretch: Stretch, further: Iterable[Query] = ()) -> Query:
    """The records of a stretch that also satisfy `further`."""
    bounds: JsonValue = {"gte": stretch.start, "lt": stretch.end, "format": "epoch_millis"}
    conditions: list[JsonValue] = [{"range": {time.name: bounds}}, *further]
    return {"bool": {"filter": conditions}}


def by_time(time: TimeField, *, newest_first: bool = False) -> Query:
    """Sort by the instant. Indices that map it differently are brought to one unit."""
    order: dict[str, JsonValue] = {
        "order": "desc" if newest_first else "asc",
        "unmapped_type": "date",
    }
    if time.nanoseconds:
        order["numeric_type"] = "date_nanos"
    return {time.name: order}


def search(
    query: Query,
    sort: Sequence[JsonValue],
    size: int,
    timeout_s: float,
    source: Sequence[str] = (),
) -> Body:
    """One search for documents. `source` narrows what travels of each; empty takes all."""
    body: Body = {
        "size": size,
        "query": query,
        "sort": list(sort),
        "track_total_hits": False,
        "timeout": f"{max(1, int(timeout_s * 1_000))}ms",
    }
    if source:
        body["_source"] = list(source)
    return body


def survey(fields: FieldMap, stretch: Stretch, timeout_s: float) -> Body:
    """Counts only: how many records, per bar of time and per level."""
    bar_ms = max(1, -(-(stretch.end - stretch.start) // BARS))
    levels: Body = (
        {"levels": {"terms": {"field": fields.level, "size": MOST_LEVELS}}} if fields.level else {}
    )
    bars: Body = {
        "date_histogram": {
            "field": fields.time.name,
            "fixed_interval": f"{bar_ms}ms",
            "min_doc_count": 1,
        }
    }
    if levels:
        bars["aggs"] = levels
    return {
        "size": 0,
        "query": within(fields.time, stretch),
        "track_total_hits": True,
        "timeout": f"{max(1, int(timeout_s * 1_000))}ms",
        "aggs": {"bars": bars, **levels},
    }


def edge(time: TimeField, now_ms: int, *, oldest: bool) -> Body:
    """The oldest record kept, or the newest that is not of the future: only its instant."""
    return {
        "size": 1,
        "_source": False,
        "query": {"range": {time.name: {"lte": now_ms, "format": "epoch_millis"}}},
        "sort": [by_time(time, newest_first=not oldest)],
        "track_total_hits": False,
    }


def without(field: str) -> Query:
    """Records that lack a field."""
    return {"bool": {"must_not": [{"exists": {"field": field}}]}}


def any_value(field: str, values: Sequence[JsonValue]) -> Query:
    """Records whose field holds one of the values."""
    return {"terms": {field: list(values)}}


def carrying(keys: Iterable[str], fields: FieldMap) -> Query | None:
    """Records that may carry one of the keys; None when no field could hold any of them.

    Candidates only: the words of a message are found without their meaning, so whoever reads the
    answer keeps the records in which the key itself is found.
    """
    clauses: list[JsonValue] = []
    for kind, value in map(split_key, keys):
        for field in fields.ids:
            if kind in field.kinds:
                clauses += _equal(field, value)
        if len(value) >= SHORTEST_TEXT_KEY:
            clauses += [{"match_phrase": {name: value}} for name in fields.messages]
    return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else None


def _equal(field: IdField, value: str) -> list[JsonValue]:
    """Clauses for one value in one id field, by how the field is indexed."""
    clauses: list[JsonValue] = []
    if field.mapped & (EXACT_TYPES | NUMBER_TYPES):
        # Lenient: a value that is no number must not fail the shards that map the field as one.
        clauses.append({"match": {field.name: {"query": value, "lenient": True}}})
    if field.mapped & TEXT_TYPES:
        clauses.append({"match_phrase": {field.name: value}})
    return clauses
